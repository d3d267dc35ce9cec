"""The job that reads stored raw values again with the present rules.

The result is that of loading every raw row again, with the mapping it was loaded by: only what
differs is written, with its history, and nobody has to find the files. It goes by rising key in
chunks; the cursor stands in the same transaction as what the chunk wrote.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from django.contrib.auth.models import User
from django.db import connection
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from mdm import bulk, identity, jobs
from mdm.audit import acting_as, record_history
from mdm.jobs import JobRun, job
from mdm.loading import activity, carrying
from mdm.loading.points import points
from mdm.loading.rows import RowReader, StandardRow
from mdm.loading.work import source_readers
from mdm.models import ATTRIBUTES, Job, SourceRecord, SourceSystem
from mdm.quality_figures import COUNT_QUALITY
from mdm.reasons import reason_of
from mdm.standardise import VERSION

KIND = "restandardise"
# Rows of one transaction: most are only compared, so a chunk may be larger than one of a load.
_CHUNK_SIZE = {"sqlite": 1000, "postgresql": 5000}
_COMPARED = ("issues", "source_created_at", "source_updated_at", *ATTRIBUTES)
_BOOKKEEPING = ("standardiser_version", "content_hash")


class UnknownSource(Exception):
    """No source has this code; the text says so."""


@dataclass
class _Progress:
    """Where the job stands: what its cursor holds."""

    after: int = 0
    records: int = 0
    changed: int = 0


class _Stored(NamedTuple):
    """A record as it is stored."""

    pk: int
    source_id: int
    mapping_id: int
    raw: dict[str, str]
    version: int
    content_hash: str
    values: tuple[Any, ...]


@dataclass
class _Chunk:
    """Records read again: those with new values, and those that are only marked as read."""

    keys: list[int]
    changed: list[tuple[_Stored, StandardRow, str]] = field(default_factory=list)
    marked: list[tuple[_Stored, str]] = field(default_factory=list)


def prepare(*, source_code: str = "", by: User | None) -> Job:
    """Make the job, or return the one that was stopped, so that it can go on.

    Raises:
        UnknownSource: when no source has this code.
    """
    source = SourceSystem.objects.filter(code=source_code).first() if source_code else None
    if source_code and source is None:
        raise UnknownSource(_("The source “%(code)s” is unknown.") % {"code": source_code[:40]})
    return jobs.create(
        KIND,
        {"source": source.pk if source else None},
        by=by,
        idempotency_key=f"{KIND} {source.pk if source else 'all'}",
    )


@job(KIND)
def restandardise(run: JobRun) -> Mapping[str, Any]:
    """Read the records of the source in the parameters, else all, again. Returns the counts."""
    progress = _Progress(**run.cursor) if run.cursor else _Progress()
    readers = _readers(run.parameters["source"], today=localdate(run.job.created_at))
    total = _records(run.parameters["source"]).count()
    reason = reason_of(gettext_noop("Standardised again, version %(version)d"), version=VERSION)
    with acting_as(run.job.requested_by, reason):
        while chunk := _read(run.parameters["source"], progress.after, readers):
            progress.after = chunk.keys[-1]
            progress.records += len(chunk.keys)
            progress.changed += len(chunk.changed)
            with run.chunk(
                cursor=vars(progress), done=progress.records, total=total, phase="reading_again"
            ):
                _write(chunk)
    run.then(COUNT_QUALITY, {"source": run.parameters["source"]})
    return {"version": VERSION, "records": progress.records, "changed": progress.changed}


def _records(source_id: int | None) -> Any:
    records = SourceRecord.objects.exclude(status=SourceRecord.Status.ERASED)
    return records.filter(source=source_id) if source_id else records


def _readers(source_id: int | None, *, today: date) -> dict[int, RowReader]:
    sources = SourceSystem.objects.filter(**({"pk": source_id} if source_id else {}))
    return {
        key: reader
        for source in sources
        for key, reader in source_readers(source, today=today).items()
    }


def _read(source_id: int | None, after: int, readers: Mapping[int, RowReader]) -> _Chunk | None:
    """Read the next chunk again and compare; nothing is locked yet. None at the end."""
    columns = ("pk", "source_id", "batch__mapping_id", "raw", *_BOOKKEEPING)
    rows = _records(source_id).filter(pk__gt=after).order_by("pk")
    found = rows.values_list(*columns, *_COMPARED)[: _CHUNK_SIZE[connection.vendor]]
    records = [_Stored._make((*row[: len(columns)], row[len(columns) :])) for row in found]
    if not records:
        return None
    chunk = _Chunk([record.pk for record in records])
    for record in records:
        reader = readers[record.mapping_id]
        standard, fresh_hash = reader.read(record.raw), _hash(reader, record.raw)
        if _compared(standard) != record.values:
            chunk.changed.append((record, standard, fresh_hash))
        elif (record.version, record.content_hash) != (VERSION, fresh_hash):
            chunk.marked.append((record, fresh_hash))
    return chunk


def _hash(reader: RowReader, raw: Mapping[str, str]) -> str:
    return reader.content_hash(reader.raw_text(raw))


def _compared(standard: StandardRow) -> tuple[Any, ...]:
    """Return the values in the form in which the database gives them back."""
    *values, issues = standard.record
    told = [list(issue) for issue in issues]
    return (told, standard.created_at, standard.updated_at, *values)


def _write(chunk: _Chunk) -> None:
    unchanged = _untouched_since(chunk)
    changed = [row for row in chunk.changed if row[0].pk in unchanged]
    marked = [row for row in chunk.marked if row[0].pk in unchanged]
    bulk.update(
        SourceRecord,
        ("id", *_BOOKKEEPING),
        [(record.pk, VERSION, fresh_hash) for record, fresh_hash in marked],
    )
    if not changed:
        return
    bulk.update(
        SourceRecord,
        ("id", *_BOOKKEEPING, *_COMPARED),
        [
            (record.pk, VERSION, fresh_hash, *_compared(standard))
            for record, standard, fresh_hash in changed
        ],
    )
    record_history(SourceRecord, [record.pk for record, _, _ in changed], "~")
    _derive([(record.pk, standard) for record, standard, _ in changed])


def _untouched_since(chunk: _Chunk) -> set[int]:
    """Lock the sources and return the records that no load has written since they were read."""
    rows = [record for record, _, _ in chunk.changed] + [record for record, _ in chunk.marked]
    sources = SourceSystem.objects.filter(pk__in={row.source_id for row in rows})
    list(sources.order_by("pk").select_for_update().values_list("pk"))
    present = dict(
        _records(None).filter(pk__in=[row.pk for row in rows]).values_list("pk", "content_hash")
    )
    return {row.pk for row in rows if present.get(row.pk) == row.content_hash}


def _derive(rows: Sequence[tuple[int, StandardRow]]) -> None:
    """Bring contact points, sales, golden records and permissions up to date."""
    keys = [pk for pk, _ in rows]
    carriage = carrying.carry([(pk, tuple(points(row.record))) for pk, row in rows])
    activity.store(rows, carriage.by_record, born_ids=())
    customers = SourceRecord.objects.filter(pk__in=keys).values_list("customer_id", flat=True)
    identity.refresh(set(customers), record_ids=keys)
