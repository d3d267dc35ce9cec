"""One row that came through a form instead of a file, stored as a file's row is.

The rows of one source and day share a batch, so every record says when and through what it came.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.timezone import localdate, now

from mdm.audit import acting_as
from mdm.loading.batches import create_source, find_reading, keep_mapping
from mdm.loading.candidates import Candidate
from mdm.loading.work import KIND, readers_of
from mdm.loading.writing import Chunk, ChunkWriter
from mdm.models import FieldMapping, FileMode, Job, LoadBatch, SourceRecord, SourceSystem


@transaction.atomic
def store_row(
    cells: Mapping[str, str], *, source_code: str, document: Mapping[str, Any], reason: str
) -> SourceRecord:
    """Store one row, column → text, of a source that the mapping `document` describes.

    A key that is known already changes its record, as a file's row would. `reason` stands in the
    history.

    Raises:
        LoadRefused: when the mapping cannot be followed.
    """
    with acting_as(None, reason):
        mapping = _mapping_in_force(source_code, document)
        batch = _batch_of_today(mapping)
        readers = readers_of(batch)
        line = batch.new_count + batch.changed_count + 1
        row = Candidate.of(line, dict(cells), readers[mapping.pk])
        counts, _issues = ChunkWriter(batch, readers).write(Chunk([row]))
        LoadBatch.objects.filter(pk=batch.pk).update(
            **{f"{end}_count": F(f"{end}_count") + count for end, count in counts.items()},
            finished_at=now(),
        )
    return SourceRecord.objects.get(source=batch.source_id, batch=batch, line=line)


def _mapping_in_force(source_code: str, document: Mapping[str, Any]) -> FieldMapping:
    """Return the mapping, made together with its source the first time; the source is locked."""
    reading = find_reading(source_code, document)
    if reading.source is None:
        try:
            with transaction.atomic():
                create_source(source_code, reading.parsed)
        except IntegrityError:
            pass  # Somebody else signed up at the same moment.
    source = SourceSystem.objects.select_for_update().get(code=source_code)
    # Asked again under the lock: only one of two makes the mapping.
    known = find_reading(source_code, document).mapping
    return known or keep_mapping(source, document, by=None)


def _batch_of_today(mapping: FieldMapping) -> LoadBatch:
    """Return the batch of the day's rows; its job is done, as there is nothing to wait for."""
    day = localdate()
    name = f"{mapping.source.label} {day.isoformat()}"
    found = LoadBatch.objects.filter(mapping=mapping, file_name=name).order_by("-pk").first()
    if found:
        return found
    moment = now()
    job = Job.objects.create(
        kind=KIND, state=Job.State.DONE, started_at=moment, finished_at=moment, result={}
    )
    return LoadBatch.objects.create(
        source=mapping.source,
        mapping=mapping,
        job=job,
        file_name=name,
        sha256=hashlib.sha256(name.encode()).hexdigest(),
        mode=FileMode.DELTA,
    )
