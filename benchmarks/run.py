"""Measure quality and speed, and write docs/benchmarks.md: `python -m benchmarks.run`."""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmarks import engine, report
from benchmarks.campaigns import campaign_tables, measure_campaign
from benchmarks.elsewhere.sets import SETS as ELSEWHERE
from benchmarks.elsewhere.sets import invented_sample
from benchmarks.identity import identity_tables, measure_identity
from benchmarks.import_peer import measure_peers
from benchmarks.load import measure_load
from benchmarks.machine import describe_machine
from benchmarks.real_input import (
    SAMPLE_DATA_SETTING,
    Quality,
    Sample,
    measure_quality,
    sample_folder,
    samples,
)
from benchmarks.resembling import known_table, measure_known
from benchmarks.scale import measure_scale
from benchmarks.servers import PostgresServer, postgres_server
from benchmarks.steps import REPOSITORY, Measured, Site, StepFailed
from benchmarks.survivors import measure_survivors, survivors_table
from benchmarks.workers import measure_workers, workers_table

PAGE = REPOSITORY / "docs" / "benchmarks.md"
ENGINES = ("sqlite", "postgresql")
DEFAULT_ROWS = (10_000, 100_000)
PEER_ROWS = 20_000


def main() -> int:
    """Run what the options ask for; 1 when a step failed."""
    options = _options()
    with ExitStack() as stack:
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bench = Bench(options, folder, stack)
        try:
            for part in _TOGETHER.get(options.only, (options.only,)):
                for section, lines in PARTS[part](bench):
                    report.replace_section(PAGE, section, lines)
        except StepFailed as failure:
            _say(f"Stopped. {failure}")
            return 1
    _say(f"Written: {PAGE.relative_to(REPOSITORY)}")
    return 0


@dataclass(frozen=True)
class Bench:
    """What was asked for, where to work, and the databases, started when first needed."""

    options: argparse.Namespace
    folder: Path
    stack: ExitStack

    @cached_property
    def engines(self) -> dict[str, PostgresServer | None]:
        """Engine -> its server; SQLite has none."""
        return {
            name: self.stack.enter_context(postgres_server()) if name == "postgresql" else None
            for name in self.options.engines
        }

    @cached_property
    def server(self) -> PostgresServer:
        """The PostgreSQL server, whatever databases are asked for."""
        return self.engines.get("postgresql") or self.stack.enter_context(postgres_server())


Sections = Iterator[tuple[str, Sequence[str]]]
"""Names of sections of the page, with the lines of each."""


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.run", description=__doc__)
    parser.add_argument(
        "--only",
        choices=PARTS,
        help="leave others out",
    )
    parser.add_argument(
        "--rows", type=int, nargs="+", default=DEFAULT_ROWS, help="sizes; people, of a campaign"
    )
    parser.add_argument(
        "--peer-rows", type=int, default=PEER_ROWS, help="size of the comparison with the peer"
    )
    parser.add_argument(
        "--minutes", type=float, default=60, help="of the identity run: begin no step after them"
    )
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=ENGINES)
    parser.add_argument("--sets", nargs="+", default=(), help="some data sets, such as febrl3")
    parser.add_argument("--keep", type=Path, help="work in this folder and leave it there")
    return parser.parse_args()


def _quality(bench: Bench) -> Sections:
    folder = bench.folder / "quality"
    asked = bench.options.sets
    if sample_folder() is None:
        _say(f"Sample data not found ({SAMPLE_DATA_SETTING} names its folder): left out.")
    wanted = samples(folder, lambda name: not asked or name in asked)
    yield "quality", report.quality_table(_evaluated(wanted, folder))


def _elsewhere(bench: Bench) -> Sections:
    folder, asked = bench.folder / "elsewhere", bench.options.sets or tuple(ELSEWHERE)
    wanted = (invented_sample(name, folder / name) for name in asked)
    yield "elsewhere", report.found_table(_evaluated(wanted, folder))
    yield "elsewhere beside peers", engine.quality_lines(_outcomes(asked))


def _evaluated(wanted: Iterable[Sample], folder: Path) -> list[Quality]:
    results = []
    for sample in wanted:
        _say(f"{sample.name}: load, match, evaluate")
        site = Site.on_sqlite(folder / "sites" / sample.name.replace(" ", "-").replace(",", ""))
        results.append(measure_quality(sample, site))
        _say(f"  pair F1 {results[-1].scores['pairwise']['f1']:.4f}")
    return results


def _machine(bench: Bench) -> Sections:
    told = describe_machine(bench.engines.get("postgresql"))
    yield "machine", [f"- {line}" for line in told]


def _peer(bench: Bench) -> Sections:
    found = []
    rows = bench.options.peer_rows
    for comparison in measure_peers(bench.folder / "peer", rows=rows, engines=bench.engines):
        _say(f"{comparison.engine}: load {comparison.load:,.0f} rows/s; {comparison.peers}")
        found.append(comparison)
    yield "peer", report.peer_table(found)


def _load(bench: Bench) -> Sections:
    for name, server in bench.engines.items():
        runs = []
        for rows in bench.options.rows:
            run = measure_load(bench.folder / "load", name, server, rows=rows)
            for what, seconds in (
                (f"{name}, {rows:,} records", run.load.seconds),
                ("- records alone", run.alone_seconds),
                ("- two files at once", run.at_once_seconds),
            ):
                if seconds:
                    _say(f"{what}: {seconds:.1f} s, {rows / seconds:,.0f} rows/s")
            runs.append(run)
        yield f"load on {name}", report.load_table(runs)


def _scale(bench: Bench) -> Sections:
    runs = []
    for rows in bench.options.rows:
        for run in measure_scale(bench.folder / "scale", rows=rows, engines=bench.engines):
            _say(f"{run.engine}, {rows:,} records, seconds: {_seconds(run.steps)}")
            runs.append(run)
    yield "scale", report.scale_table(runs)


def _engine(bench: Bench) -> Sections:
    demos = [f"demo-{count}" for count in bench.options.rows]
    yield "engine", _contest(bench.options.sets or dict.fromkeys([*engine.SETS, *demos]))


def _million(_bench: Bench) -> Sections:
    yield "million", _contest(engine.MILLION)


def _contest(sets: Iterable[str]) -> list[str]:
    return engine.engine_tables(_outcomes(sets))


def _outcomes(sets: Iterable[str]) -> list[engine.Outcome]:
    outcomes = []
    for outcome in engine.measure(list(sets)):
        said = outcome.stopped or f"pair F1 {outcome.f1:.4f}"
        _say(f"{outcome.data}, {outcome.contestant}: {said}")
        outcomes.append(outcome)
    return outcomes


def _golden(bench: Bench) -> Sections:
    yield "golden", survivors_table(list(measure_survivors(max(bench.options.rows))))


def _identity(bench: Bench) -> Sections:
    walks = []
    minutes = bench.options.minutes
    for rows in bench.options.rows:
        for walk in measure_identity(
            bench.folder, rows=rows, minutes=minutes, engines=bench.engines
        ):
            _say(f"{walk.engine}, {rows:,} records, seconds: {_seconds(walk.steps)}")
            walks.append(walk)
    yield "identity", identity_tables(walks)


def _known(bench: Bench) -> Sections:
    answers = []
    for rows in bench.options.rows:
        for database, figures in measure_known(bench.folder, rows=rows, engines=bench.engines):
            _say(f"{database}, {rows:,} records: p95 {figures['p95_ms']:.1f} ms")
            answers.append((database, figures))
    yield "known", known_table(answers)


def _workers(bench: Bench) -> Sections:
    searches = []
    for rows in bench.options.rows:
        for search in measure_workers(bench.folder, rows=rows, server=bench.server):
            _say(f"{search.workers} workers, {rows:,} records: {search.seconds:.1f} s")
            searches.append(search)
    yield "workers", workers_table(searches)


def _campaign(bench: Bench) -> Sections:
    for name, server in bench.engines.items():
        runs = []
        for people in bench.options.rows:
            folder = bench.folder / "campaign"
            for run in measure_campaign(folder, people=people, engines={name: server}):
                counted = run.steps["count"].answer
                _say(f"{name}, {counted['people']:,} people: {counted['inner_seconds']:.1f} s")
                runs.append(run)
        yield f"campaign on {name}", campaign_tables(runs)


PARTS: dict[str, Callable[[Bench], Sections]] = {
    "quality": _quality,
    "elsewhere": _elsewhere,
    "machine": _machine,
    "peer": _peer,
    "load": _load,
    "scale": _scale,
    "engine": _engine,
    "million": _million,
    "golden": _golden,
    "identity": _identity,
    "known": _known,
    "workers": _workers,
    "campaign": _campaign,
}
"""What can be measured: `--only` asks for one of them."""

_TOGETHER = {
    None: ("quality", "machine", "peer", "scale"),
    "peer": ("machine", "peer"),
    "scale": ("machine", "scale"),
}
"""What is measured without `--only`, and what else an answer to it brings."""


def _seconds(steps: Mapping[str, Measured]) -> str:
    return ", ".join(f"{name} {step.seconds:.1f}" for name, step in steps.items())


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
