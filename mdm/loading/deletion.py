"""What a full file no longer holds is deleted, unless so much is missing that it must be wrong."""

from collections.abc import Iterator
from itertools import islice

from django.utils.translation import gettext_lazy as _

from mdm import identity
from mdm.audit import record_history
from mdm.jobs import JobRefused
from mdm.loading.staging import Stage
from mdm.models import LoadBatch, SourceRecord
from mdm.models.records import SourceRecordQuerySet

# A full file that lacks more than this is refused before anything is changed (P20).
MISSING_LIMIT = 0.05


def refuse_when_too_much_is_missing(batch: LoadBatch, staged: Stage) -> None:
    """Stop a full load that would delete more than MISSING_LIMIT of the active records.

    Raises:
        JobRefused: with both figures.
    """
    active_count = _active(batch).count()
    missing_count = sum(1 for _key in missing_ids(batch, staged))
    if missing_count > active_count * MISSING_LIMIT:
        raise JobRefused(
            _(
                "%(missing)d of the %(active)d active records of %(source)s are not in this full "
                "file, more than the limit of %(limit)d %%. Nothing was loaded: check the file, "
                "or load it as a delta."
            ),
            missing=missing_count,
            active=active_count,
            source=batch.source.label,
            limit=round(MISSING_LIMIT * 100),
        )


def missing_ids(batch: LoadBatch, staged: Stage, *, after: int = 0) -> Iterator[int]:
    """Yield the keys of active records that the file lacks, ascending."""
    keys = _active(batch).filter(pk__gt=after).order_by("pk").values_list("pk", "source_key")
    for pk, source_key in keys.iterator(chunk_size=5000):
        if not staged.holds(source_key):
            yield pk


def next_missing(batch: LoadBatch, staged: Stage, *, after: int, size: int) -> list[int]:
    """Return the next chunk of missing records."""
    return list(islice(missing_ids(batch, staged, after=after), size))


def delete(batch: LoadBatch, record_ids: list[int]) -> None:
    """Mark records as deleted by their source: they contribute no value from now on."""
    identity.lock_customers_of(record_ids)
    SourceRecord.objects.filter(pk__in=record_ids).update(
        status=SourceRecord.Status.DELETED, missing_from=batch
    )
    record_history(SourceRecord, record_ids, "~")
    customers = SourceRecord.objects.filter(pk__in=record_ids).values_list(
        "customer_id", flat=True
    )
    identity.refresh(set(customers), record_ids=record_ids)


def _active(batch: LoadBatch) -> SourceRecordQuerySet:
    return SourceRecord.objects.active().filter(source=batch.source_id)
