"""Write what was measured into docs/benchmarks.md, between markers, and leave the rest alone."""

import re
from collections.abc import Sequence
from pathlib import Path

from benchmarks.import_peer import Comparison
from benchmarks.load import LoadRun
from benchmarks.real_input import Quality
from benchmarks.scale import Run
from benchmarks.steps import Measured

_STEP_NAMES = {
    "start": "start of a process (part of every line below)",
    "load": "load three files",
    "load again": "load the same files again",
    "standardise": "standardise every row (rows/s: alone, on one core)",
    "match": "match everything",
    "match again": "match again, nothing changed",
    "golden": "golden records, all anew",
    "waterfall": "waterfall of an e-mail campaign",
}


def replace_section(page: Path, name: str, lines: Sequence[str]) -> None:
    """Put the lines between the markers of the section; the page must hold the markers.

    Raises:
        ValueError: when the page has no such section.
    """
    begin, end = f"<!-- {name}: written by make bench -->", f"<!-- end of {name} -->"
    text = page.read_text(encoding="utf-8")
    section = re.compile(re.escape(begin) + r".*?" + re.escape(end), re.DOTALL)
    if not section.search(text):
        raise ValueError(f"{page.name} has no section {name}.")
    body = "\n".join([begin, *lines, end])
    page.write_text(section.sub(lambda _: body, text), encoding="utf-8")


def quality_table(results: Sequence[Quality]) -> list[str]:
    """Give one line per data set: what was found of what is true, and how long it took."""
    lines = [
        "| data | records | true pairs | blocking recall | precision | recall | F1 "
        "| F1 by records (B-cubed) | tasks | F1 with likely pairs confirmed | load s | match s |",
        f"|---{'|---:' * 11}|",
    ]
    return lines + [_quality_line(result) for result in results]


def found_table(results: Sequence[Quality]) -> list[str]:
    """Give one line per data set: what was found of what is true, without the time it took."""
    return [f"{line.rsplit('|', 3)[0]}|" for line in quality_table(results)]


def scale_table(runs: Sequence[Run]) -> list[str]:
    """Give one table per size: steps down, engines across, their ratio at the end."""
    lines: list[str] = []
    for rows in sorted({run.rows for run in runs}):
        lines += _size_table(rows, [run for run in runs if run.rows == rows])
    return lines


def peer_table(comparisons: Sequence[Comparison]) -> list[str]:
    """Give one line per engine: the load, the peer's two ways, and how many times faster."""
    lines = [
        "| database | rows | load, rows/s | import-export as it comes | with use_bulk "
        "| load : as it comes | load : use_bulk |",
        "|---|" + "---:|" * 6,
    ]
    for found in comparisons:
        plain, bulk = found.peers["default"], found.peers["bulk"]
        cells = [found.engine, f"{found.rows:,}"]
        cells += [f"{speed:,.0f}" for speed in (found.load, plain, bulk)]
        cells += [f"{found.load / speed:.1f}" for speed in (plain, bulk)]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def load_table(runs: Sequence[LoadRun]) -> list[str]:
    """Give one line per size, each held against the first: 1.00 is linear."""
    first = runs[0]
    head = "| records | s | CPU s of the client | rows/s | : the first | peak MB | : the first |"
    head += " records alone, s | rows/s |"
    if first.at_once_seconds:
        head += " two files at once, s | rows/s | : one after the other |"
    lines = [head, "|" + "---:|" * (head.count("|") - 1)]
    for run in runs:
        speed = run.rows / run.load.seconds
        cells = [f"{run.rows:,}", f"{run.load.seconds:.1f}", f"{run.load.cpu_seconds:.1f}"]
        cells += [f"{speed:,.0f}", f"{speed / (first.rows / first.load.seconds):.2f}"]
        cells += [f"{run.load.peak_megabytes:,.0f}"]
        cells += [f"{run.load.peak_megabytes / first.load.peak_megabytes:.2f}"]
        cells += [f"{run.alone_seconds:.1f}", f"{run.rows / run.alone_seconds:,.0f}"]
        if seconds := run.at_once_seconds:
            cells += [f"{seconds:.1f}", f"{run.rows / seconds:,.0f}"]
            cells += [f"{run.load.seconds / seconds:.2f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _quality_line(result: Quality) -> str:
    scores = result.scores
    links, confirmed = scores["pairwise"], scores["at_even_odds"]["pairwise"]
    cells = [
        result.name,
        f"{scores['records']:,}",
        f"{scores['true_pairs']:,}",
        f"{scores['blocking_recall']:.4f}",
        *(f"{links[figure]:.4f}" for figure in ("precision", "recall", "f1")),
        f"{scores['b_cubed']['f1']:.4f}",
        f"{result.match.answer['open_tasks']:,}",
        f"{confirmed['f1']:.4f}",
        f"{result.load.seconds:.1f}",
        f"{result.match.seconds:.1f}",
    ]
    return f"| {' | '.join(cells)} |"


def _size_table(rows: int, runs: Sequence[Run]) -> list[str]:
    ratio = " PostgreSQL : SQLite |" if len(runs) == 2 else ""
    header = "".join(f" {run.engine} s | CPU s | rows/s | peak MB |" for run in runs)
    columns = 1 + 4 * len(runs) + bool(ratio)
    lines = ["", f"### {rows:,} records", "", f"| step |{header}{ratio}"]
    lines.append("|---|" + "---:|" * (columns - 1))
    for step, words in _STEP_NAMES.items():
        measured = [run.steps[step] for run in runs]
        cells = "".join(_cells(step, figure, rows) for figure in measured)
        last = f" {measured[-1].seconds / measured[0].seconds:.2f} |" if ratio else ""
        lines.append(f"| {words} |{cells}{last}")
    return lines


def _cells(step: str, figure: Measured, rows: int) -> str:
    seconds = figure.answer.get("core_seconds") or figure.seconds
    speed = "" if step == "start" else f"{rows / seconds:,.0f}"
    return (
        f" {figure.seconds:.1f} | {figure.cpu_seconds:.1f} | {speed} |"
        f" {figure.peak_megabytes:,.0f} |"
    )
