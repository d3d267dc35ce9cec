"""The job that loads a file: stage it, go through it in chunks, end what a full file lacks."""

import gc
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from django.db import OperationalError, connection
from django.utils.timezone import get_default_timezone, localdate, now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from mdm import postcodes, statistics, word_index
from mdm.audit import acting_as
from mdm.jobs import JobRefused, JobRun, LostLease, job
from mdm.loading import deletion
from mdm.loading.candidates import Staged
from mdm.loading.earlier import last_history_key
from mdm.loading.preparation import Preparation
from mdm.loading.rows import RowReader
from mdm.loading.staging import Stage, stage
from mdm.loading.stored_files import STAGED, discard, location
from mdm.loading.writing import COUNTS, Chunk, ChunkWriter, Reject
from mdm.mapping import FileOptions, MappingError
from mdm.mapping_parsing import parse_mapping
from mdm.models import FieldMapping, FileMode, LoadBatch, SourceSystem
from mdm.quality_figures import COUNT_QUALITY, doubtful_rows
from mdm.reading.rows import FileRefused
from mdm.reading.tables import open_table
from mdm.reasons import reason_of
from mdm.standardise.record import Issue

KIND = "load"
# Rows of one transaction. On SQLite a click waits for it, so it stays well below a second.
CHUNK_SIZE = {"sqlite": 1000, "postgresql": 5000}


@dataclass
class _Progress:
    """Where the load stands: what the cursor of the job holds."""

    offset: int = 0
    deleted_after: int | None = None
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    issues: dict[str, int] = field(default_factory=dict)

    def add(self, counts: Mapping[str, int], issues: Iterable[Issue]) -> None:
        """Count a written chunk: the end of each row, and what was wrong with its values."""
        for end, count in counts.items():
            self.counts[end] += count
        for attribute, code in issues:
            name = f"{attribute} {code}"
            self.issues[name] = self.issues.get(name, 0) + 1


@job(KIND)
def run_load(run: JobRun) -> Mapping[str, Any]:
    """Load the batch named in the job's parameters. Returns its counts."""
    batch = LoadBatch.objects.select_related("source", "mapping", "created_by").get(
        pk=run.parameters["batch"]
    )
    reason = reason_of(gettext_noop("Loaded file no. %(number)d"), number=batch.pk)
    try:
        with acting_as(batch.created_by, reason):
            result = _load(run, batch)
    except (LostLease, OperationalError):
        raise  # The attempt that takes over needs the file.
    except (FileRefused, MappingError) as refusal:
        discard_files(batch)
        raise JobRefused(refusal) from None
    except Exception:
        # Not for a process told to stop: whoever takes the job over needs the file.
        discard_files(batch)
        raise
    discard_files(batch)
    return result


def _load(run: JobRun, batch: LoadBatch) -> Mapping[str, Any]:
    readers = readers_of(batch)
    writer = ChunkWriter(batch, readers)
    progress = _Progress(**run.cursor) if run.cursor else _Progress()
    path, reader = location(batch.stored_file + STAGED), readers[batch.mapping_id]
    with preparation(path, reader, writer, offset=progress.offset) as prepared:
        staged = stage_batch(run, batch, prepared)
        LoadBatch.objects.filter(pk=batch.pk, history_after=None).update(
            history_after=last_history_key()
        )
        if batch.mode == FileMode.FULL and not run.cursor and not staged.unread_count:
            deletion.refuse_when_too_much_is_missing(batch, staged)
        _load_lines(run, writer, staged, progress, prepared)
    # A row that was rejected may be any record: nothing is called missing while there are some.
    is_withheld = batch.mode == FileMode.FULL and bool(staged.unread_count)
    if batch.mode == FileMode.FULL and not is_withheld:
        _delete_missing(run, writer, staged, progress, batch)
    LoadBatch.objects.filter(pk=batch.pk).update(
        finished_at=now(),
        doubtful_count=doubtful_rows(batch),
        history_until=last_history_key(),
    )
    run.then(COUNT_QUALITY, {"source": batch.source_id})
    return {
        "batch": batch.pk,
        **progress.counts,
        "deletions_withheld": is_withheld,
        "issues": progress.issues,
    }


def readers_of(batch: LoadBatch) -> dict[int, RowReader]:
    """Return a reader for every mapping version of the source: older rows were read by theirs."""
    return source_readers(batch.source, today=localdate(batch.created_at))


def source_readers(source: SourceSystem, *, today: date) -> dict[int, RowReader]:
    """Return a reader for every mapping version of a source, by its key."""
    table = postcodes.table()
    return {
        mapping.pk: RowReader(
            parse_mapping(mapping.document),
            region=source.region,
            today=today,
            zone=get_default_timezone(),
            postcodes=table,
        )
        for mapping in FieldMapping.objects.filter(source=source)
    }


def preparation(
    path: Path, reader: RowReader, writer: ChunkWriter, *, offset: int = 0
) -> Preparation:
    """Return what prepares the chunks of a batch while and after it is staged at `path`."""
    return Preparation(
        path,
        reader,
        size=CHUNK_SIZE[connection.vendor],
        offset=offset,
        standardise=not writer.knows_rows(),
    )


def stage_batch(run: JobRun, batch: LoadBatch, prepared: Preparation) -> Stage:
    """Read the whole file of a batch and lay its lines down.

    Raises:
        JobRefused, FileRefused: when the file is gone or cannot be read.
    """
    source_file, reader = location(batch.stored_file), prepared.reader
    if not batch.stored_file or not source_file.exists():
        raise JobRefused(_("The uploaded file is no longer there: load it again."))
    # As it was found out, or told, when the file came: the layout is what people see.
    table = open_table(source_file, FileOptions().over(batch.layout), reader.mapping.wanted)

    def report(line_count: int) -> None:
        run.progress(line_count, table.expected_count, "reading")
        prepared.lay_down(line_count)

    staged = stage(table, reader, prepared.path, report)
    prepared.lay_down(staged.line_count)
    return staged


def _load_lines(
    run: JobRun, writer: ChunkWriter, staged: Stage, progress: _Progress, prepared: Preparation
) -> None:
    with _without_looking_for_cycles():
        lined_up = _LinedUp(chunks(staged, prepared, writer), prepared)
        for number, (end, line_count, chunk) in enumerate(lined_up, start=1):
            progress.offset = end
            done = sum(progress.counts.values()) + line_count
            # The cursor is written at the end of the chunk, when the counts below stand in it.
            cursor = vars(progress)
            with run.chunk(cursor=cursor, done=done, total=staged.line_count, phase="loading"):
                word_index.gather()
                progress.add(*writer.write(chunk, lined_up.look_ahead))
                writer.write_counts(progress.counts)
            statistics.look_at_new()
            if number % 10 == 0:
                gc.collect()  # What queries leave behind would add up over a million rows.
    word_index.take_in()


@contextmanager
def _without_looking_for_cycles() -> Iterator[None]:
    """Let Python count references only.

    To go through all rows again and again for cycles, of which they have none, was a third of what
    this process did in a load. What was there before is not looked through with what came since.
    """
    gc.disable()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.enable()


_Lined = tuple[int, int, Chunk]
"""The offset behind a chunk, the number of its lines, and the chunk."""


class _LinedUp:
    """The chunks of a staged file; while one is written, the next may come before its turn."""

    def __init__(self, lined_up: Iterator[_Lined], prepared: Preparation) -> None:
        self._lined_up, self._prepared = lined_up, prepared
        self._next: _Lined | None = None

    def __iter__(self) -> Iterator[_Lined]:
        while lined := self._next or next(self._lined_up, None):
            self._next = None
            yield lined

    def look_ahead(self) -> None:
        """Take the next chunk if it is there, and what follows from it alone."""
        if self._prepared.is_ready and (lined := next(self._lined_up, None)):
            self._next = lined
            lined[2].foresee()


def chunks(staged: Stage, prepared: Preparation, writer: ChunkWriter) -> Iterator[_Lined]:
    """Yield the chunks of a staged file, prepared."""
    for lines in prepared:
        chunk = writer.prepare(_chunk(lines, staged))
        # What the last chunk was, the next will mostly be.
        standardised = sum(row.standard is not None for row in chunk.rows)
        prepared.standardise = standardised * 2 > len(chunk.rows)
        yield lines.end, len(lines.rows) + len(lines.rejects), chunk


def _chunk(lines: Staged, staged: Stage) -> Chunk:
    rows = [row for row in lines.rows if row.line not in staged.overtaken]
    rejects = [_reject(*entry) for entry in lines.rejects]
    return Chunk(rows, rejects, overtaken_count=len(lines.rows) - len(rows))


def _reject(
    line: int, _cells: None, column: str, value: str, reason: str, cells: list[str]
) -> Reject:
    return Reject(line, column, value, reason, {"cells": cells})


def _delete_missing(
    run: JobRun, writer: ChunkWriter, staged: Stage, progress: _Progress, batch: LoadBatch
) -> None:
    size = CHUNK_SIZE[connection.vendor]
    after = progress.deleted_after or 0
    while keys := deletion.next_missing(batch, staged, after=after, size=size):
        after = progress.deleted_after = keys[-1]
        progress.counts["deleted"] += len(keys)
        with run.chunk(cursor=vars(progress), phase="deleting"):
            deletion.delete(batch, keys)
            writer.write_counts(progress.counts)


def discard_files(batch: LoadBatch) -> None:
    """Delete the uploaded file and its stage: the records keep what is needed."""
    if batch.stored_file:
        discard(batch.stored_file)
        LoadBatch.objects.filter(pk=batch.pk).update(stored_file="")
