"""Our engine as a contestant: a table in, pairs, clusters and figures out, as the peers do it.

python -m benchmarks.contestant TABLE RESULT COLUMNS - [dedupe_only|link_only] [RULES]

The clock runs from codes in memory to clusters; encoding the table and proposing rules, which a
product does once and keeps, are told beside it. Another process encodes, as a load does before a
search, so that the memory told is that of the search. RULES are blocking rules to use instead of
those proposed, such as `email,family_name+given_name`.
"""

import csv
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from benchmarks.peers.measuring import Clock, arguments, save
from matching.linkage import engine
from matching.linkage.columns import ATTRIBUTES, Codes, Columns
from matching.linkage.encoding import Encoded, encode
from matching.linkage.keys import Rule
from matching.linkage.proposals import propose, taken

BESIDE = {"street": ("street_number",), "phone": ("other_phone",), "family_name": ("birth_name",)}
"""Attributes that come with a column the peers get, too."""


def read_columns(table: Path, wanted: Sequence[str]) -> Columns:
    """Return the columns of a table, with the source of each record."""
    names = {*wanted, "sex", *(extra for name in wanted for extra in BESIDE.get(name, ()))}
    with table.open(encoding="utf-8", newline="") as stream:
        rows = csv.reader(stream)
        header = next(rows)
        read = dict(zip(header, zip(*rows, strict=True), strict=True))
    count = len(read["entity"])
    values = {}
    for name in ATTRIBUTES:
        if name in names and name in read:
            values[name] = np.array([value or None for value in read[name]], object)
    sources = 1 + np.unique(read["source"], return_inverse=True)[1].astype(np.int32)
    return Columns(np.arange(count, dtype=np.int64), values, sources)


def encoded_table(
    table: Path, wanted: Sequence[str], *, is_link: bool
) -> tuple[Encoded, Codes | None, float]:
    """Return a table as codes, the source of each record, and the seconds that encoding took."""
    columns = read_columns(table, wanted)
    started = time.perf_counter()
    encoded = encode(columns, compare_sources=not is_link)
    return encoded, columns.sources, time.perf_counter() - started


def main() -> None:
    """Measure one table."""
    table, result, wanted = arguments()
    is_link = len(sys.argv) > 5 and sys.argv[5] == "link_only"
    with ProcessPoolExecutor(1) as loader:
        made = loader.submit(encoded_table, table, wanted, is_link=is_link)
        encoded, sources, encoding = made.result()
    count = encoded.size
    rules, proposing = _rules(encoded)
    settings = engine.Settings(rules=rules, clean_sources=None if is_link else frozenset())
    # Imported before the clock starts, as the peers import their libraries.
    from matching.linkage.grouping import group

    clock = Clock()
    ids = np.arange(count, dtype=np.int64)
    run = engine.Run(ids, sources, settings, progress=lambda _stage, _done, _total: None)
    found = run.result(encoded, state=None, changed=None)
    clock.stages.update(found.timings)
    clock.last = time.perf_counter()
    pairs = found.pairs
    clusters = group(count, pairs.left, pairs.right, pairs.score, pairs.score >= 0)
    clock.lap("cluster")
    clock.report(
        pairs=found.counts["candidate_pairs"],
        encoding=round(encoding, 3),
        proposing=round(proposing, 3),
        rules=[rule.name for rule in rules],
    )
    save(result, pairs.left, pairs.right, pairs.score, threshold=0.0, clusters=clusters.oldest)


def _rules(encoded: Encoded) -> tuple[tuple[Rule, ...], float]:
    started = time.perf_counter()
    if len(sys.argv) > 6:
        return tuple(Rule(tuple(name.split("+"))) for name in sys.argv[6].split(",")), 0.0
    rules = taken(propose(encoded, workers=2))
    return rules, time.perf_counter() - started


if __name__ == "__main__":
    main()
