"""The job that reads a source's own database and starts the preview, or the load, of its rows.

Only the key of the source stands in the job: where the database is, the environment of the worker
knows, and which query is asked stands with the source.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import IO, Any

from django.contrib.auth.models import User

from mdm import jobs
from mdm.jobs import JobRefused, JobRun, job
from mdm.loading.batches import find_reading, open_batch
from mdm.loading.database_sources import database_of, named_database
from mdm.loading.drafts import draft_of
from mdm.loading.quotas import refuse_when_too_many_wait
from mdm.loading.stored_files import LoadRefused, discard, store_blocks
from mdm.models import Job, SourceSystem
from mdm.reading import databases
from mdm.reading.rows import FileRefused

KIND = "read_database"
_BLOCK = 1 << 20


def start_reading(source: SourceSystem, *, is_preview: bool, by: User) -> Job:
    """Have a job read the source's database; while one reads it, that job is returned.

    Raises:
        LoadRefused: when the source names no database or has no mapping, or too many files wait.
    """
    refuse_when_too_many_wait(by)
    database_of(source.code, None)
    parameters = {"source": source.pk, "is_preview": is_preview}
    return jobs.submit(KIND, parameters, by=by, idempotency_key=f"{KIND} {source.pk}")


def start_mapping(source: SourceSystem, *, by: User) -> Job:
    """Have a job read the source's database, so that this person maps the columns of its query.

    Raises:
        LoadRefused: when the source names no database, or too many files wait.
    """
    refuse_when_too_many_wait(by)
    named_database(source)
    parameters = {"source": source.pk, "is_to_map": True}
    return jobs.submit(KIND, parameters, by=by, idempotency_key=f"{KIND} {source.pk} {by.pk}")


@job(KIND)
def run_reading(run: JobRun) -> Mapping[str, Any]:
    """Store the rows of the source's query and open their batch, or draft. Returns its key."""
    if run.cursor:  # Another attempt opened it already.
        return dict(run.cursor)
    source = SourceSystem.objects.get(pk=run.parameters["source"])
    try:
        if run.parameters.get("is_to_map"):
            return _draft(run, source)
        return {"batch": _open(run, source)}
    except (LoadRefused, FileRefused) as refusal:
        raise JobRefused(refusal) from None


def _open(run: JobRun, source: SourceSystem) -> int:
    variable, query = database_of(source.code, None)
    with databases.open_query(variable, query) as content:
        stored = store_blocks(_told(run, content), variable)
    cursor: dict[str, int] = {}
    try:
        with run.chunk(cursor=cursor, done=1, total=1, phase="querying"):
            batch = open_batch(
                stored,
                source_code=source.code,
                reading=find_reading(source.code, None, databases.WRITTEN),
                by=run.job.requested_by,
                is_preview=run.parameters["is_preview"],
            )
            cursor["batch"] = batch.pk
    except BaseException:
        discard(stored.path)
        raise
    return cursor["batch"]


def _draft(run: JobRun, source: SourceSystem) -> dict[str, str]:
    variable, query = named_database(source)
    with databases.open_query(variable, query) as content:
        stored = store_blocks(_told(run, content), variable)
    cursor: dict[str, str] = {}
    try:
        with run.chunk(cursor=cursor, done=1, total=1, phase="querying"):
            assert run.job.requested_by is not None  # noqa: S101  (start_mapping knows who asks)
            cursor["draft"] = str(draft_of(stored, source=source, by=run.job.requested_by).pk)
    except BaseException:
        discard(stored.path)
        raise
    return cursor


def _told(run: JobRun, content: IO[bytes]) -> Iterator[bytes]:
    """Yield the rows as they come, and tell how many; here the job can be stopped."""
    rows = 0
    for block in iter(partial(content.read, _BLOCK), b""):
        rows += block.count(b"\n")
        run.progress(rows, None, "querying")
        yield block
