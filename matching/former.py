"""What a run replaced: kept with its evidence, looked at before an undo, brought back by it.

A run copies every row that it is about to delete, in the same transaction, so whatever attempt
wrote what, these rows and those of earlier runs that are still there are the evidence before it.
Copying back is the inverse, range by range, and can be repeated.
"""

from typing import Any

from django.conf import settings
from django.db.models import BigIntegerField, Exists, OuterRef, Q, QuerySet, Value

from matching.models import FormerEvidence, MatchRun, PairEvidence
from mdm import bulk
from mdm.jobs import JobRun
from mdm.key_sets import among
from mdm.models import SourceRecord

PAIRS_PER_CHUNK = 20_000
_PAIR = ("left_id", "right_id", "run_id", "score", "pattern", "automatic")

Evidence = tuple["QuerySet[Any]", ...]
"""Rows of evidence with the columns of `PairEvidence`, whichever tables they stand in."""


def evidence_now() -> Evidence:
    """Return the evidence as it stands."""
    return (PairEvidence.objects.order_by(),)


def evidence_before(row: MatchRun) -> Evidence:
    """Return the evidence as undoing a run would leave it; see `restore`."""
    untouched = PairEvidence.objects.exclude(_within(row))
    return (untouched.order_by(), _replaced(row).filter(run__isnull=False).order_by())


def keep(rows: "QuerySet[PairEvidence]", run_id: int) -> None:
    """Copy evidence that a run is about to delete, in the transaction that does it.

    What an earlier attempt of the run wrote was not there before it.
    """
    others = rows.exclude(run=run_id).order_by()
    bulk.insert_from(FormerEvidence, ("replaced_by_id", *_PAIR), _with(run_id, others))


def restore(run: JobRun, row: MatchRun, *, then: Any, notes_new: bool) -> None:
    """Bring the evidence back that stood before a run; another attempt goes on where one stopped.

    Pairs of erased records stay as they are: nothing about them is known again.

    Args:
        run: the job; its cursor says how far an earlier attempt came.
        row: the run that is undone.
        then: the cursor to leave when all is back.
        notes_new: keep which pairs were not there, for `concerned_records`.
    """
    above = int((run.cursor or {}).get("left", 0))
    own, before = PairEvidence.objects.filter(_within(row)), _replaced(row)
    total = own.count() + before.count() if above == 0 else None
    done: int | None = 0
    while True:
        upto = _end_of_range(above, own, before)
        range_ = Q(left__gt=above) if upto is None else Q(left__gt=above, left__lte=upto)
        cursor = then if upto is None else {"phase": "evidence", "left": upto}
        with run.chunk(cursor=cursor, done=done, total=total, phase="evidence"):
            found = own.filter(range_).order_by()
            if notes_new:
                columns = ("replaced_by_id", *_PAIR)
                unknown = _with(row.pk, found, run=Value(None, BigIntegerField()))
                bulk.insert_from(FormerEvidence, columns, unknown, ignoring=True)
            found.delete()
            known = before.filter(range_, run__isnull=False).order_by().values_list(*_PAIR)
            bulk.insert_from(PairEvidence, _PAIR, known, ignoring=True)
        if upto is None:
            return
        above, done = upto, None


def concerned_records(row: MatchRun) -> set[int]:
    """Return the records of every pair that a run wrote or replaced."""
    found: set[int] = set()
    mine = PairEvidence.objects.filter(run=row)
    for rows in (mine, FormerEvidence.objects.filter(replaced_by=row)):
        for pair in rows.order_by().values_list("left", "right").iterator(chunk_size=10_000):
            found.update(pair)
    return found


def tidy() -> None:
    """Delete what runs replaced that were undone, or are too long ago to be."""
    kept = MatchRun.objects.in_the_way().filter(keeps_former=True).order_by("-pk")
    old = list(kept.values_list("pk", flat=True)[settings.MATCH_UNDO_KEPT :])
    MatchRun.objects.filter(pk__in=old).update(keeps_former=False)
    rows = FormerEvidence.objects.filter(replaced_by=OuterRef("pk"))
    over = MatchRun.objects.filter(Exists(rows), keeps_former=False)
    for key in over.order_by("pk").values_list("pk", flat=True):
        _delete(FormerEvidence.objects.filter(replaced_by=key))


def _delete(rows: "QuerySet[FormerEvidence]") -> None:
    """Delete the rows of one run range by range, as its index has them: clicks get their turn."""
    above = 0
    while True:
        upto = _end_of_range(above, rows)
        (rows if upto is None else rows.filter(left__lte=upto)).order_by().delete()
        if upto is None:
            return
        above = upto
        bulk.pause_for_other_writers()


def _replaced(row: MatchRun) -> "QuerySet[FormerEvidence]":
    return FormerEvidence.objects.filter(_not_erased(), replaced_by=row)


def _within(row: MatchRun) -> Q:
    """Return the condition on evidence that undoing a run takes away."""
    return Q(_not_erased(), run=row)


def _not_erased() -> Q:
    erased = SourceRecord.objects.filter(status=SourceRecord.Status.ERASED).order_by()
    keys = list(erased.values_list("pk", flat=True))
    return ~among("left", keys) & ~among("right", keys) if keys else Q()


def _with(run_id: int, rows: "QuerySet[Any]", **replaced: Value) -> "QuerySet[Any]":
    """Return the columns of evidence behind the run that replaces it."""
    columns = (replaced.get(name.removesuffix("_id"), name) for name in _PAIR)
    return rows.values_list(Value(run_id, BigIntegerField()), *columns)


def _end_of_range(above: int, *tables: "QuerySet[Any]") -> int | None:
    """Return the left record up to which each table has about a chunk; None for no end."""
    ends: list[int] = []
    for rows in tables:
        left = rows.filter(left__gt=above).order_by("left").values_list("left", flat=True)
        ends += left[PAIRS_PER_CHUNK - 1 : PAIRS_PER_CHUNK]
    return min(ends, default=None)
