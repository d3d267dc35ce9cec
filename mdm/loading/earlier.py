"""The state each record had before a file touched it, from its history."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from mdm.golden_records import RecordValues
from mdm.loading.writing import VALUES
from mdm.models import ATTRIBUTES, Job, LoadBatch, SourceRecord
from mdm.models.records import SourceRecordQuerySet
from mdm.standardise.record import StandardRecord

# What a load writes of a record; whose customer it is, matching decides.
RESTORED = (*VALUES, "missing_from_id")
_History = SourceRecord.history.model


@dataclass(frozen=True, slots=True)
class State:
    """What a record said at one time: the values of RESTORED by name."""

    values: Mapping[str, Any]

    @property
    def is_active(self) -> bool:
        """Whether the record contributed values."""
        return bool(self.values["status"] == SourceRecord.Status.ACTIVE)

    @property
    def teller(self) -> int | None:
        """The file that made the record so; None for one that undoing deleted."""
        name = "batch_id" if self.is_active else "missing_from_id"
        return self.values[name]  # type: ignore[no-any-return]

    @property
    def record(self) -> StandardRecord:
        """Its standard values and issues."""
        issues = tuple((attribute, code) for attribute, code in self.values["issues"])
        return StandardRecord._make([*(self.values[name] for name in ATTRIBUTES), issues])

    @property
    def record_values(self) -> RecordValues | None:
        """What a golden record draws on; None when it contributed nothing."""
        if not self.is_active:
            return None
        *values, issues = self.record
        return RecordValues(self.values["source_updated_at"], issues, tuple(values))


@dataclass(frozen=True, slots=True)
class Past:
    """What undoing a file makes of one record.

    `before` is None for a record that was born with the file. `versions` are the rows it had
    before, the oldest first, each with the key of the mapping's batch.
    """

    record_id: int
    now: State
    before: State | None
    versions: tuple[State, ...]

    @property
    def end(self) -> str:
        """What becomes of it: deleted, revived or restored."""
        if self.before is None:
            return "deleted"
        return "restored" if self.now.is_active else "revived"


def governed_by(batch: LoadBatch) -> SourceRecordQuerySet:
    """Return the records whose present state a file made, and no later one."""
    written = Q(batch=batch, status=SourceRecord.Status.ACTIVE)
    return SourceRecord.objects.filter(
        written | Q(missing_from=batch, status=SourceRecord.Status.DELETED)
    ).order_by("pk")


def kept_from(batch: LoadBatch) -> SourceRecordQuerySet:
    """Return the records a file touched that a later file changed again."""
    assert batch.job is not None  # noqa: S101  (only a loaded file is undone)
    later = LoadBatch.objects.filter(
        source=batch.source_id, job__created_at__gt=batch.job.created_at
    )
    touched = _written_by(batch).filter(_touched_by(batch)).order_by()
    changed = Q(batch__in=later) | Q(missing_from__in=later, status=SourceRecord.Status.DELETED)
    return SourceRecord.objects.filter(changed, pk__in=touched.values("id")).order_by("pk")


def last_history_key() -> int:
    """Return the key of the latest row in the history of records; 0 while there is none."""
    return _History.objects.order_by("-history_id").values_list("pk", flat=True).first() or 0


def _written_by(batch: LoadBatch) -> "QuerySet[Any]":
    """Return the stretch of history that a load wrote, with whatever else was written meanwhile.

    The whole history for a file that was loaded before loads noted their stretch.
    """
    batch.refresh_from_db(fields=["history_after", "history_until"])
    rows: QuerySet[Any] = _History.objects.all()
    if batch.history_after is not None:
        rows = rows.filter(history_id__gt=batch.history_after)
    if batch.history_until is not None:
        rows = rows.filter(history_id__lte=batch.history_until)
    return rows


def undone_ids(batch: LoadBatch) -> frozenset[int]:
    """Return the files of the source that were undone already: what they said counts no more."""
    undone = LoadBatch.objects.filter(source=batch.source_id, undo_job__state=Job.State.DONE)
    return frozenset(undone.values_list("pk", flat=True))


def pasts(batch: LoadBatch, record_ids: Sequence[int]) -> list[Past]:
    """Return what undoing the file makes of some records it governs: three queries.

    A record whose history does not tell (it was cleaned) is left out.
    """
    undone = undone_ids(batch)
    records = SourceRecord.objects.filter(pk__in=record_ids)
    present = {row[0]: _state(row[1:]) for row in records.values_list("pk", *RESTORED)}
    versions: dict[int, list[State]] = defaultdict(list)
    rows = _History.objects.filter(id__in=record_ids).order_by("history_id")
    for key, *values in rows.values_list("id", *RESTORED):
        versions[key].append(_state(values))
    found = (_past(batch.pk, key, present[key], versions[key], undone) for key in record_ids)
    return [past for past in found if past]


def _past(
    batch_id: int, key: int, now: State, versions: Sequence[State], undone: frozenset[int]
) -> Past | None:
    for place, state in enumerate(versions):
        if state.teller == batch_id:
            earlier = tuple(past for past in versions[:place] if _counts(past, undone))
            return Past(key, now, earlier[-1] if earlier else None, earlier)
    return None


def _counts(state: State, undone: frozenset[int]) -> bool:
    """Tell whether a file that was not undone made the record so; an undoing is no file."""
    return state.teller is not None and state.teller not in undone


def _touched_by(batch: LoadBatch) -> Q:
    return Q(batch=batch) | Q(missing_from=batch, status=SourceRecord.Status.DELETED)


def _state(values: Sequence[Any]) -> State:
    return State(dict(zip(RESTORED, values, strict=True)))
