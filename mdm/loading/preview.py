"""The preview of a load: the whole file staged and compared, nothing written to the database.

Counts go into the job's result. The samples hold people's values, so they lie in a file beside
the stored one, readable by us alone, and go with it.
"""

import json
from collections import Counter
from collections.abc import Mapping
from itertools import islice
from typing import Any, NamedTuple

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection

from mdm.golden_records import RecordValues
from mdm.jobs import JobRefused, JobRun, job
from mdm.loading import deletion
from mdm.loading.candidates import Candidate
from mdm.loading.preparation import Preparation
from mdm.loading.samples import BLANK, Samples, differences
from mdm.loading.staging import Stage
from mdm.loading.stored_files import PREVIEWED, SAMPLES, location
from mdm.loading.work import CHUNK_SIZE, chunks, preparation, readers_of, stage_batch
from mdm.loading.writing import COUNTS, ChunkWriter, Reject, Sorted
from mdm.mapping import MappingError
from mdm.models import ATTRIBUTES, FileMode, LoadBatch, SourceRecord
from mdm.reading.rows import FileRefused

PREVIEW_KIND = "preview_load"


class Told(NamedTuple):
    """What the rows that would be written say beside their values, with how many of them say it.

    `issues` are named "attribute code", `permissions` "kind channel".
    """

    issues: Counter[str]
    permissions: Counter[str]


@job(PREVIEW_KIND)
def run_preview(run: JobRun) -> Mapping[str, Any]:
    """Compare the batch named in the job's parameters with what is stored. Returns the counts."""
    batch = LoadBatch.objects.select_related("source", "mapping").get(pk=run.parameters["batch"])
    path = location(batch.stored_file + PREVIEWED)
    found, told = Samples(COUNTS, seed=batch.sha256), Told(Counter(), Counter())
    try:
        readers = readers_of(batch)
        writer = ChunkWriter(batch, readers)
        with preparation(path, readers[batch.mapping_id], writer) as prepared:
            staged = stage_batch(run, batch, prepared)
            _compare_lines(run, writer, staged, prepared, found, told)
        end = _compare_missing(batch, staged, found)
    except (FileRefused, MappingError) as error:
        raise JobRefused(error) from None
    finally:
        path.unlink(missing_ok=True)
    _write_samples(batch, found)
    said = {"issues": dict(told.issues), "permissions": dict(told.permissions)}
    return {"batch": batch.pk, **found.counts, **end, **said}


def read_samples(batch: LoadBatch) -> dict[str, list[Any]]:
    """Return the samples of a preview by end; empty once the file is applied or thrown away."""
    path = location(batch.stored_file + SAMPLES)
    if not batch.stored_file or not path.exists():
        return {}
    samples: dict[str, list[Any]] = json.loads(path.read_text(encoding="utf-8"))
    return samples


def _write_samples(batch: LoadBatch, found: Samples) -> None:
    path = location(batch.stored_file + SAMPLES)
    path.touch(mode=0o600)
    path.write_text(json.dumps(found.kept, cls=DjangoJSONEncoder), encoding="utf-8")


def _compare_lines(
    run: JobRun,
    writer: ChunkWriter,
    staged: Stage,
    prepared: Preparation,
    found: Samples,
    told: Told,
) -> None:
    done = 0
    for _end, line_count, chunk in chunks(staged, prepared, writer):
        rows = writer.sort(chunk)
        _add(found, rows)
        for row in (*rows.new, *(row for _pk, row in rows.changed)):
            issues, claims = row.written.record.issues, row.written.claims
            told.issues.update(f"{attribute} {code}" for attribute, code in issues)
            told.permissions.update({f"{claim.kind} {claim.channel}" for claim in claims})
        done += line_count
        run.progress(done, staged.line_count, "comparing")


def _add(found: Samples, rows: Sorted) -> None:
    for end, count in rows.counts.items():
        found.counts[end] += count
    found.counts["golden_new"] += len(rows.new)
    for row in rows.new:
        found.offer("new", _new_sample, row)
    for end, row in rows.untouched:
        found.offer(end, _place, row)
    for reject in rows.rejects:
        found.offer("rejected", _rejected_sample, reject)
    _add_changed(found, dict(rows.changed))


def _add_changed(found: Samples, rows: Mapping[int, Candidate]) -> None:
    stored = SourceRecord.objects.filter(pk__in=rows).order_by("pk")
    for pk, customer, *before in stored.values_list("pk", "customer__public_id", *ATTRIBUTES):
        found.offer("changed", _changed_sample, rows[pk], customer, before)
    found.add_golden_records({pk: _record_values(row) for pk, row in rows.items()})


def _compare_missing(batch: LoadBatch, staged: Stage, found: Samples) -> dict[str, Any]:
    """Add what a full file would delete; tell why it would be refused, or nothing be deleted."""
    if batch.mode != FileMode.FULL or staged.unread_count:
        return {"refusal": "", "deletions_withheld": batch.mode == FileMode.FULL}
    missing = deletion.missing_ids(batch, staged)
    while keys := list(islice(missing, CHUNK_SIZE[connection.vendor])):
        found.counts["deleted"] += len(keys)
        found.add_golden_records(dict.fromkeys(keys))
        gone = SourceRecord.objects.filter(pk__in=keys).order_by("pk")
        for key, customer in gone.values_list("source_key", "customer__public_id"):
            found.offer("deleted", _gone_sample, key, customer)
    try:
        deletion.refuse_when_too_much_is_missing(batch, staged)
    except JobRefused as error:
        return {"refusal": error.stored, "deletions_withheld": False}
    return {"refusal": "", "deletions_withheld": False}


def _place(row: Candidate) -> dict[str, Any]:
    return {"line": row.line, "key": row.key}


def _new_sample(row: Candidate) -> dict[str, Any]:
    told = differences(BLANK, _record_values(row).values)
    return {**_place(row), "differences": told, "claims": _claims(row)}


def _changed_sample(row: Candidate, customer: str, before: list[Any]) -> dict[str, Any]:
    told = differences(before, _record_values(row).values)
    return {**_place(row), "customer": customer, "differences": told, "claims": _claims(row)}


def _claims(row: Candidate) -> list[tuple[str, str]]:
    """Return what a row says of permissions: kind and channel."""
    return [(claim.kind, claim.channel) for claim in row.written.claims]


def _rejected_sample(reject: Reject) -> dict[str, Any]:
    return {
        "line": reject.line,
        "column": reject.column,
        "value": reject.value,
        "reason": reject.reason,
    }


def _gone_sample(key: str, customer: str) -> dict[str, Any]:
    return {"key": key, "customer": customer}


def _record_values(row: Candidate) -> RecordValues:
    *values, issues = row.written.record
    return RecordValues(row.written.updated_at, issues, tuple(values))
