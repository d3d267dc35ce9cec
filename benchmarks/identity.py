"""From files to a steward's click, at one size: load, match, undo, golden records, proof, acts.

A company of at most 60,000 records is loaded and searched; for more, its rows are multiplied
(`benchmarks.multiply`) and brought to what follows from them by `rebuild`.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.company import company_of
from benchmarks.scale import load_company, site_of
from benchmarks.servers import PostgresServer
from benchmarks.steps import Measured, Site
from mdm.demo.company import CompanyFiles

COMPANY_ROWS = 60_000
_OF_ALL = ("golden", "check", "undo all")
_WORDS = {
    "load": "load three files",
    "match": "first search: evidence, links, golden records, permissions, tasks",
    "undo": "undo of that search",
    "match again": "the search again",
    "golden": "golden records, all anew, with history",
    "check": "`rebuild --check --processes 2`",
    "undo all": "undo of a search over all records",
}


@dataclass(frozen=True, slots=True)
class Walk:
    """What was measured on one database; steps after the time limit are missing."""

    engine: str
    rows: int
    steps: dict[str, Measured]


def measure_identity(
    folder: Path, *, rows: int, minutes: float, engines: dict[str, PostgresServer | None]
) -> Iterator[Walk]:
    """Walk the way on each engine; no step begins when `minutes` have gone on it."""
    files = company_of(folder / f"company{rows}", rows=min(rows, COMPANY_ROWS))
    for engine, server in engines.items():
        with site_of(folder / f"identity_{engine}{rows}", server) as site:
            yield Walk(engine, rows, dict(_steps(site, files, rows, minutes)))


def _steps(
    site: Site, files: CompanyFiles, rows: int, minutes: float
) -> Iterator[tuple[str, Measured]]:
    undo = ("match", "--yes", "--reason", "Benchmark", "--json", "--undo")
    steps: dict[str, Callable[[], Measured]] = {
        "load": lambda: load_company(site, files),
        "match": lambda: site.manage("match", "--json"),
        "undo": lambda: site.manage(*undo, "1"),
        "match again": lambda: site.manage("match", "--json"),
        "multiply": lambda: site.module("benchmarks.multiply", "records", str(rows)),
        "rebuild": lambda: site.manage("rebuild", "--processes", "2", "--json"),
        "golden": lambda: site.module("benchmarks.stages", "golden"),
        "check": lambda: site.manage("rebuild", "--check", "--processes", "2", "--json"),
        "acts": lambda: site.module("benchmarks.acts"),
        # Evidence was multiplied with the records, as if the second search had found all of it.
        "undo all": lambda: site.manage(*undo, "2"),
    }
    if rows <= COMPANY_ROWS:
        del steps["multiply"], steps["rebuild"], steps["undo all"]
    end = time.monotonic() + 60 * minutes
    site.manage("migrate", "--verbosity", "0")
    for name, step in steps.items():
        if time.monotonic() > end:
            return
        yield name, step()


def identity_tables(walks: Sequence[Walk]) -> list[str]:
    """Return the lines of the page: the steps, then how long a steward waits for an act."""
    lines = ["| database | records | step | seconds | CPU seconds | records/s | peak MB |"]
    lines.append("|---|---:|---|" + "---:|" * 4)
    for walk in walks:
        lines += [_line(walk, step, words) for step, words in _WORDS.items() if step in walk.steps]
    titles = ("database", "records", "act", "p50 ms", "p95 ms", "CPU ms here, p50", "p95")
    lines += ["", f"| {' | '.join((*titles, 'of the server, mean'))} |"]
    lines.append("|---|---:|---|" + "---:|" * 5)
    for walk in walks:
        acts = walk.steps["acts"].answer["acts"] if "acts" in walk.steps else {}
        lines += [
            f"| {walk.engine} | {walk.rows:,} | {act} | {taken['p50']} | {taken['p95']}"
            f" | {taken['processor_p50']} | {taken['processor_p95']} | {taken['server_mean']} |"
            for act, taken in acts.items()
        ]
    return lines


def _line(walk: Walk, step: str, words: str) -> str:
    measured = walk.steps[step]
    rows = walk.rows if step in _OF_ALL else min(walk.rows, COMPANY_ROWS)
    seconds = measured.answer.get("inner_seconds") or measured.seconds
    return (
        f"| {walk.engine} | {rows:,} | {words} | {seconds:.1f} | {measured.cpu_seconds:.1f}"
        f" | {rows / seconds:,.0f} | {measured.peak_megabytes:,.0f} |"
    )
