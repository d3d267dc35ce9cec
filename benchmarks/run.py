"""Measure quality and speed, and write docs/benchmarks.md: `python -m benchmarks.run`."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks import engine, report
from benchmarks.campaigns import campaign_tables, measure_campaign
from benchmarks.identity import identity_tables, measure_identity
from benchmarks.import_peer import measure_peers
from benchmarks.load import measure_load
from benchmarks.machine import describe_machine
from benchmarks.real_input import SAMPLE_DATA_SETTING, measure_quality, sample_folder, samples
from benchmarks.scale import measure_scale
from benchmarks.servers import PostgresServer, postgres_server
from benchmarks.steps import REPOSITORY, Site, StepFailed
from benchmarks.survivors import measure_survivors, survivors_table

PAGE = REPOSITORY / "docs" / "benchmarks.md"
ENGINES = ("sqlite", "postgresql")
DEFAULT_ROWS = (10_000, 100_000)
PEER_ROWS = 20_000


def main() -> int:
    """Run what the options ask for; 1 when a step failed."""
    options = _options()
    with ExitStack() as stack:
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        try:
            if options.only == "engine":
                _write("engine", _engine(options.sets or _sets(options.rows)))
                return 0
            if options.only == "million":
                _write("million", _engine(engine.MILLION))
                return 0
            if options.only == "golden":
                _write("golden", survivors_table(list(measure_survivors(max(options.rows)))))
                return 0
            if options.only == "identity":
                _write("identity", _identity(folder, options, stack))
                return 0
            if options.only == "campaign":
                for name in options.engines:
                    lines = _campaign(folder / "campaign", options.rows, name, stack)
                    _write(f"campaign on {name}", lines)
                return 0
            if options.only == "load":
                for name in options.engines:
                    lines = _loads(folder / "load", options.rows, name, _server(name, stack))
                    _write(f"load on {name}", lines)
                return 0
            if options.only in (None, "quality"):
                _write("quality", _quality(folder / "quality", options.sets))
            if options.only != "quality":
                engines = {name: _server(name, stack) for name in options.engines}
                machine = describe_machine(engines.get("postgresql"))
                _write("machine", [f"- {line}" for line in machine])
                if options.only != "scale":
                    _write("peer", _peers(folder / "peer", options.peer_rows, engines))
                if options.only != "peer":
                    _write("scale", _scale(folder / "scale", options.rows, engines))
        except StepFailed as failure:
            _say(f"Stopped. {failure}")
            return 1
    _say(f"Written: {PAGE.relative_to(REPOSITORY)}")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.run", description=__doc__)
    parser.add_argument(
        "--only",
        choices=(
            "quality",
            "peer",
            "load",
            "scale",
            "engine",
            "million",
            "golden",
            "identity",
            "campaign",
        ),
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


def _server(engine: str, stack: ExitStack) -> PostgresServer | None:
    return stack.enter_context(postgres_server()) if engine == "postgresql" else None


def _quality(folder: Path, sets: Sequence[str]) -> list[str]:
    results = []
    if sample_folder() is None:
        _say(f"Sample data not found ({SAMPLE_DATA_SETTING} names its folder): left out.")
    for sample in samples(folder, lambda name: not sets or name in sets):
        _say(f"{sample.name}: load, match, evaluate")
        site = Site.on_sqlite(folder / "sites" / sample.name.replace(" ", "-").replace(",", ""))
        results.append(measure_quality(sample, site))
        _say(f"  pair F1 {results[-1].scores['pairwise']['f1']:.4f}")
    return report.quality_table(results)


def _sets(rows: Sequence[int]) -> list[str]:
    return list(dict.fromkeys([*engine.SETS, *(f"demo-{count}" for count in rows)]))


def _engine(names: Sequence[str]) -> list[str]:
    outcomes = []
    for outcome in engine.measure(names):
        said = outcome.stopped or f"pair F1 {outcome.f1:.4f}"
        _say(f"{outcome.data}, {outcome.contestant}: {said}")
        outcomes.append(outcome)
    return engine.engine_tables(outcomes)


def _scale(
    folder: Path, sizes: Sequence[int], engines: dict[str, PostgresServer | None]
) -> list[str]:
    runs = []
    for rows in sizes:
        for run in measure_scale(folder, rows=rows, engines=engines):
            seconds = ", ".join(f"{name} {step.seconds:.1f}" for name, step in run.steps.items())
            _say(f"{run.engine}, {rows:,} records, seconds: {seconds}")
            runs.append(run)
    return report.scale_table(runs)


def _identity(folder: Path, options: argparse.Namespace, stack: ExitStack) -> list[str]:
    engines = {name: _server(name, stack) for name in options.engines}
    walks = []
    for rows in options.rows:
        for walk in measure_identity(folder, rows=rows, minutes=options.minutes, engines=engines):
            seconds = ", ".join(f"{name} {step.seconds:.1f}" for name, step in walk.steps.items())
            _say(f"{walk.engine}, {rows:,} records, seconds: {seconds}")
            walks.append(walk)
    return identity_tables(walks)


def _campaign(folder: Path, sizes: Sequence[int], name: str, stack: ExitStack) -> list[str]:
    runs = []
    for people in sizes:
        for run in measure_campaign(folder, people=people, engines={name: _server(name, stack)}):
            counted = run.steps["count"].answer
            _say(f"{run.engine}, {counted['people']:,} people: {counted['inner_seconds']:.1f} s")
            runs.append(run)
    return campaign_tables(runs)


def _peers(folder: Path, rows: int, engines: dict[str, PostgresServer | None]) -> list[str]:
    found = []
    for comparison in measure_peers(folder, rows=rows, engines=engines):
        _say(f"{comparison.engine}: load {comparison.load:,.0f} rows/s; {comparison.peers}")
        found.append(comparison)
    return report.peer_table(found)


def _loads(
    folder: Path, sizes: Sequence[int], engine_name: str, server: PostgresServer | None
) -> list[str]:
    runs = []
    for rows in sizes:
        run = measure_load(folder, engine_name, server, rows=rows)
        speed = rows / run.load.seconds
        _say(f"{run.engine}, {rows:,} records: {run.load.seconds:.1f} s, {speed:,.0f} rows/s")
        runs.append(run)
    return report.load_table(runs)


def _write(section: str, lines: Sequence[str]) -> None:
    report.replace_section(PAGE, section, lines)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
