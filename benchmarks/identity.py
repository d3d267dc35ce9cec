"""From files to a steward's click, at one size: load, match, golden records, proof, acts."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.scale import load_company, site_of
from benchmarks.servers import PostgresServer
from benchmarks.steps import Measured, Site
from mdm.demo.company import CompanyFiles, write_company

_WORDS = {
    "load": "load three files",
    "match": "first search: evidence, links, golden records, permissions, tasks",
    "golden": "golden records, all anew",
    "check": "`rebuild --check`",
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
    files = write_company(folder / f"company{rows}", rows=rows, seed=1)
    for engine, server in engines.items():
        with site_of(folder / f"identity_{engine}{rows}", server) as site:
            yield Walk(engine, rows, dict(_steps(site, files, minutes)))


def _steps(site: Site, files: CompanyFiles, minutes: float) -> Iterator[tuple[str, Measured]]:
    steps: dict[str, Callable[[], Measured]] = {
        "load": lambda: load_company(site, files),
        "match": lambda: site.manage("match", "--json"),
        "golden": lambda: site.module("benchmarks.stages", "golden"),
        "check": lambda: site.manage("rebuild", "--check", "--json"),
        "acts": lambda: site.module("benchmarks.acts"),
    }
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
    lines += ["", "| database | records | act | p50 ms | p95 ms |", "|---|---:|---|---:|---:|"]
    for walk in walks:
        acts = walk.steps["acts"].answer["acts"] if "acts" in walk.steps else {}
        lines += [
            f"| {walk.engine} | {walk.rows:,} | {act} | {taken['p50']} | {taken['p95']} |"
            for act, taken in acts.items()
        ]
    return lines


def _line(walk: Walk, step: str, words: str) -> str:
    measured = walk.steps[step]
    seconds = measured.answer.get("inner_seconds") or measured.seconds
    return (
        f"| {walk.engine} | {walk.rows:,} | {words} | {seconds:.1f} | {measured.cpu_seconds:.1f}"
        f" | {walk.rows / seconds:,.0f} | {measured.peak_megabytes:,.0f} |"
    )
