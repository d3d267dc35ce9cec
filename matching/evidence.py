"""Keep what a run found: evidence is replaced range by range, each in one transaction.

What is replaced is kept in the same transaction, so that the run can be undone (`former`).
"""

import hashlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import Q, QuerySet

from matching import former
from matching.models import PairEvidence
from matching.reading import in_chunks
from mdm import bulk
from mdm.jobs import JobRun
from mdm.key_sets import among

if TYPE_CHECKING:
    from matching.linkage.engine import Pairs

PAIRS_PER_CHUNK = 20_000
COLUMNS = ("left_id", "right_id", "score", "pattern", "automatic", "run_id")

EvidenceRow = tuple[int, int, float, int, bool, int]


class Range(NamedTuple):
    """The pairs whose left record is above `above` and at most `upto` (None for no end)."""

    above: int
    upto: int | None
    rows: Sequence[EvidenceRow]
    done: int


def replace_all(run: JobRun, pairs: "Pairs", match_run_id: int, *, then: Any) -> None:
    """Replace all evidence; an attempt that scored the same pairs goes on where one stopped.

    Args:
        run: the job; its cursor says how far an earlier attempt came.
        pairs: what was found.
        match_run_id: the run that the rows name.
        then: the cursor to leave when all is written.
    """
    rows = _rows(pairs, match_run_id)
    fingerprint = _fingerprint(pairs)
    for part in _ranges(rows, _written(run.cursor, fingerprint)):
        cursor = {"phase": "evidence", "left": part.upto, "of": fingerprint}
        with run.chunk(
            cursor=then if part.upto is None else cursor,
            done=part.done,
            total=len(rows),
            phase="evidence",
        ):
            end = Q() if part.upto is None else Q(left__lte=part.upto)
            _replace(PairEvidence.objects.filter(end, left__gt=part.above), match_run_id)
            bulk.insert(PairEvidence, COLUMNS, part.rows)


def replace_of(
    run: JobRun, pairs: "Pairs", match_run_id: int, record_ids: set[int], *, then: Any
) -> None:
    """Replace the evidence of some records."""
    with run.chunk(cursor=then, phase="evidence"):
        for chunk in in_chunks(sorted(record_ids)):
            touching = Q(among("left", chunk)) | Q(among("right", chunk))
            _replace(PairEvidence.objects.filter(touching), match_run_id)
        bulk.insert(PairEvidence, COLUMNS, _rows(pairs, match_run_id))


def _replace(rows: "QuerySet[PairEvidence]", match_run_id: int) -> None:
    former.keep(rows, match_run_id)
    rows.delete()


def _rows(pairs: "Pairs", match_run_id: int) -> list[EvidenceRow]:
    """Return the rows to store, by rising left and right record."""
    columns = (pairs.left, pairs.right, pairs.score, pairs.pattern, pairs.automatic)
    listed = zip(*(column.tolist() for column in columns), strict=True)
    return sorted((*row, match_run_id) for row in listed)


def _ranges(rows: Sequence[EvidenceRow], written: int) -> Iterator[Range]:
    """Cut the rows into ranges that together hold every left record above `written`."""
    start, above = _end_of(rows, written), written
    while True:
        end = min(start + PAIRS_PER_CHUNK, len(rows))
        if end < len(rows):
            end = _end_of(rows, rows[end - 1][0])
        upto = rows[end - 1][0] if end < len(rows) else None
        yield Range(above, upto, rows[start:end], end)
        if upto is None:
            return
        start, above = end, upto


def _end_of(rows: Sequence[EvidenceRow], left: int) -> int:
    """Return the position after the last row of a left record: its rows stay together."""
    return bisect_right(rows, left, key=lambda row: row[0])


def _fingerprint(pairs: "Pairs") -> str:
    """Return what tells whether an earlier attempt scored the same pairs the same way."""
    digest = hashlib.sha256()
    for column in (pairs.left, pairs.right, pairs.pattern, pairs.score):
        digest.update(column.tobytes())
    return digest.hexdigest()[:16]


def _written(cursor: Any, fingerprint: str) -> int:
    """Return the last left record whose evidence is written, 0 when none is."""
    return int(cursor["left"]) if cursor and cursor.get("of") == fingerprint else 0
