"""The engine beside its peers: the same tables, the same cores, one after the other.

Every contestant starts from a normalised table in memory and ends at clusters; each runs in a
process of its own, within limits of time and memory. The peers are installed into .data/peers
from benchmarks/peers.txt.
"""

import csv
import json
import math
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.elsewhere.sets import SETS as ELSEWHERE
from benchmarks.limits import LimitBroken, run_limited
from benchmarks.steps import REPOSITORY
from benchmarks.tables import available, table
from benchmarks.thresholds import best_threshold, judge_pairs
from matching.linkage.judging import judge_clusters, true_pairs

PEERS = REPOSITORY / ".data" / "peers"
SETS = ("febrl1", "febrl2", "febrl3", "febrl4", "fr-clients", "splink-fake", "demo-10000")
PERSON = ("given_name", "family_name", "street", "postcode", "city", "birth_date")
CUSTOMER = (*PERSON, "email", "phone")
MILLION = ("demo-1000000",)
LONGEST = 600
LONGEST_OF_A_MILLION = 200
"""Seconds that a contestant may take, reading the table and saving the result among them."""

MOST_MEGABYTES = 12_000


@dataclass(frozen=True, slots=True)
class Contestant:
    """A tool with its set-up: how it is called, and how it is named in tables."""

    name: str
    script: str
    variant: str = "-"
    sets: tuple[str, ...] = ()
    """The data sets it takes part in; all where none is named."""

    def command(self, *arguments: str) -> list[str]:
        """Give the words of the command."""
        if self.script == "ours":
            return [sys.executable, "-m", "benchmarks.contestant", *arguments]
        script = str(REPOSITORY / "benchmarks" / "peers" / f"{self.script}.py")
        return [str(PEERS / "bin" / "python"), script, *arguments]


OURS = Contestant("Orfèvre", "ours")
PEER_SETUPS = (
    Contestant("Splink 5, expert", "splink_5", "expert"),
    Contestant("Splink 5, documented", "splink_5", "documented"),
    Contestant("recordlinkage", "recordlinkage_stock"),
    # Minutes and gigabytes at ten thousand records, and it is told 600 labels.
    Contestant("dedupe, 600 labels", "dedupe_3", sets=("febrl1", "febrl2", "demo-10000")),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one contestant reached on one data set."""

    data: str
    contestant: str
    figures: dict[str, Any] = field(default_factory=dict)
    precision: float = 0.0
    recall: float = 0.0
    f1: float = 0.0
    best_f1: float = 0.0
    cluster_f1: float = 0.0
    b_cubed_f1: float = 0.0
    stopped: str = ""
    """At which limit, where it did not reach its end."""


def measure(names: Sequence[str]) -> Iterator[Outcome]:
    """Let every contestant run on every data set, in turns."""
    _install_peers()
    for name in available(names):
        for data, source, columns in _variants(name):
            for contestant in (OURS, *PEER_SETUPS):
                if not contestant.sets or name in contestant.sets:
                    yield _run(data, source, columns, contestant)


def engine_tables(outcomes: Sequence[Outcome]) -> list[str]:
    """Give a table of quality and one of speed."""
    lines = [
        *quality_lines(outcomes),
        "",
        "| data | tool | pairs | seconds | CPU seconds | seconds : ours | peak MB | stages |",
        "|---|---|" + "---:|" * 5 + "---|",
    ]
    ours = {
        one.data: one.figures["seconds"]
        for one in outcomes
        if one.contestant == OURS.name and not one.stopped
    }
    return lines + [_speed_line(one, ours.get(one.data, math.nan)) for one in outcomes]


def quality_lines(outcomes: Sequence[Outcome]) -> list[str]:
    """Give the table of quality."""
    lines = [
        "| data | tool | precision | recall | pair F1 at its own threshold "
        "| at the best threshold | cluster F1 | B-cubed F1 |",
        "|---|---|" + "---:|" * 6,
    ]
    return lines + [
        f"| {one.data} | {one.contestant} | {_quality_cells(one)} |" for one in outcomes
    ]


def _quality_cells(one: Outcome) -> str:
    if one.stopped:
        return f"{one.stopped} | | | | | "
    figures = (
        one.precision, one.recall, one.f1, one.best_f1, one.cluster_f1, one.b_cubed_f1,
    )  # fmt: skip
    return " | ".join(f"{figure:.4f}" for figure in figures)


def _speed_line(one: Outcome, ours: float) -> str:
    if one.stopped:
        return f"| {one.data} | {one.contestant} | | | | | | {one.stopped} |"
    figures = one.figures
    stages = ", ".join(f"{name} {seconds:.2f}" for name, seconds in figures["stages"].items())
    beside = ", ".join(
        f"{name} {figures[name]:.2f}" for name in ("encoding", "proposing") if name in figures
    )
    return (
        f"| {one.data} | {one.contestant} | {figures['pairs']:,} | {figures['seconds']:.2f} "
        f"| {figures['cpu_seconds']:.2f} | {figures['seconds'] / ours:.1f} "
        f"| {figures['peak_megabytes']:,} | {stages}{f' (before: {beside})' if beside else ''} |"
    )


def _variants(name: str) -> Iterator[tuple[str, Path, tuple[str, ...]]]:
    """Give FEBRL with and without its number, the others once."""
    source = table(name)
    if name.startswith("febrl"):
        yield f"{name}, with number", source, (*PERSON, "identifier")
        yield f"{name}, number left out", source, PERSON
    elif name == "splink-fake":
        yield name, source, ("given_name", "family_name", "city", "email", "birth_date")
    elif name in ELSEWHERE:
        yield ELSEWHERE[name].title, source, ELSEWHERE[name].columns
    else:
        yield name, source, CUSTOMER


def _run(data: str, source: Path, columns: tuple[str, ...], contestant: Contestant) -> Outcome:
    mode = "link_only" if data.startswith("febrl4") else "dedupe_only"
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.npz"
        command = contestant.command(
            str(source), str(result), ",".join(columns), contestant.variant, mode
        )
        longest = LONGEST_OF_A_MILLION if data in MILLION else LONGEST
        try:
            output = run_limited(command, seconds=longest, megabytes=MOST_MEGABYTES)
        except LimitBroken as limit:
            return Outcome(data, contestant.name, stopped=str(limit))
        figures = json.loads(output.strip().splitlines()[-1])
        with np.load(result) as found:
            return _judged(data, contestant, figures, found, _entities(source))


def _judged(
    data: str, contestant: Contestant, figures: dict[str, Any], found: Any, entity: Any
) -> Outcome:
    right = entity[found["left"]] == entity[found["right"]]
    total = true_pairs(entity)
    at_own = judge_pairs(right, found["bits"], total, float(found["threshold"]))
    by_pair, by_record = judge_clusters(found["clusters"], entity)
    return Outcome(
        data,
        contestant.name,
        figures,
        at_own.precision,
        at_own.recall,
        at_own.f1,
        best_threshold(right, found["bits"], total)[0],
        by_pair.f1,
        by_record.f1,
    )


def _entities(source: Path) -> Any:
    with source.open(encoding="utf-8", newline="") as stream:
        names = [row["entity"] for row in csv.DictReader(stream)]
    return np.unique(names, return_inverse=True)[1]


def _install_peers() -> None:
    wanted = REPOSITORY / "benchmarks" / "peers.txt"
    done = PEERS / ".installed"
    if done.exists() and done.read_text(encoding="utf-8") == wanted.read_text(encoding="utf-8"):
        return
    venv.create(PEERS, with_pip=True)
    install = [str(PEERS / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    subprocess.run([*install, "--requirement", str(wanted)], check=True)
    done.write_text(wanted.read_text(encoding="utf-8"), encoding="utf-8")
