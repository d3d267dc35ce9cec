"""Files whose columns are being mapped: stored, sampled, then saved as a mapping and loaded."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from typing import IO, Any

from django.contrib.auth.models import User
from django.db import transaction

from mdm.loading.batches import find_reading, open_batch
from mdm.loading.quotas import refuse_when_too_many_wait
from mdm.loading.stored_files import (
    SAMPLED,
    LoadRefused,
    StoredFile,
    discard,
    location,
    store,
)
from mdm.mapping import FileOptions
from mdm.models import LoadBatch, MappingDraft, SourceSystem
from mdm.proposals.columns import ColumnSample
from mdm.reading.rows import FileRefused, Row
from mdm.reading.tables import open_table

SAMPLE_ROWS = 1000
TOLD = "told"
"""Where the layout of a draft keeps how whoever sent the file said that it is written."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The first rows of a file: how it was read, its columns, and cells by column with lines."""

    layout: Mapping[str, Any]
    names: list[str]
    rows: list[tuple[int, list[str]]]

    @property
    def columns(self) -> list[ColumnSample]:
        """Return each column with its values."""
        return [
            ColumnSample(
                name,
                tuple(cells[place] for _line, cells in self.rows if cells[place].strip()),
                len(self.rows),
            )
            for place, name in enumerate(self.names)
        ]


def start_draft(
    file: IO[bytes],
    *,
    file_name: str,
    source: SourceSystem | None,
    mode: str = "",
    options: FileOptions | None = None,
    by: User,
) -> MappingDraft:
    """Store a file whose columns will be mapped; `options` say how this one file is written.

    Raises:
        LoadRefused: when no table can be read from it, or too many files of the user wait.
    """
    refuse_when_too_many_wait(by)
    return draft_of(store(file, file_name), source=source, mode=mode, options=options, by=by)


def draft_of(
    stored: StoredFile,
    *,
    source: SourceSystem | None,
    mode: str = "",
    options: FileOptions | None = None,
    by: User,
) -> MappingDraft:
    """Keep a stored file as one whose columns will be mapped; it goes when it cannot be read.

    Raises:
        LoadRefused: when no table can be read from it.
    """
    draft = MappingDraft(
        source=source,
        file_name=stored.name,
        stored_file=stored.path,
        sha256=stored.sha256,
        mode=mode,
        created_by=by,
    )
    try:
        told = {name: value for name, value in asdict(options or FileOptions()).items() if value}
        draft.layout = {**first_sample(draft, told)[0].layout, TOLD: told}
    except BaseException:
        discard(stored.path)
        raise
    draft.save()
    return draft


def read_sample(draft: MappingDraft, options: Mapping[str, Any]) -> Sample:
    """Return the first rows of a draft's file, read by these options ([file] of a mapping).

    They are read once and kept beside the file: to prove an encoding takes the whole file.

    Raises:
        LoadRefused: when the file cannot be read so.
    """
    path = location(draft.stored_file + SAMPLED)
    if path.exists():
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["options"] == options:
            return Sample(kept["layout"], kept["names"], [tuple(row) for row in kept["rows"]])
    sample = _read(draft, options)
    path.touch(mode=0o600)
    path.write_text(
        json.dumps(
            {
                "options": options,
                "layout": sample.layout,
                "names": sample.names,
                "rows": sample.rows,
            }
        ),
        encoding="utf-8",
    )
    return sample


@transaction.atomic
def save_draft(
    draft: MappingDraft, *, source_code: str, document: Mapping[str, Any], by: User
) -> LoadBatch:
    """Save the mapping of a draft as the source's next version and preview its file by it.

    `document` holds a [source] table for a source that does not exist yet. Returns the batch.

    Raises:
        LoadRefused: when the mapping cannot be followed, or the file not be read by it.
    """
    batch = open_batch(
        StoredFile(draft.stored_file, draft.file_name, draft.sha256),
        source_code=source_code,
        reading=find_reading(source_code, document),
        mode=draft.mode,
        by=by,
        is_preview=True,
    )
    draft.delete()
    transaction.on_commit(location(draft.stored_file + SAMPLED).unlink)
    return batch


def drop_draft(draft: MappingDraft) -> None:
    """Forget a file nobody wants to map any more."""
    draft.delete()
    discard(draft.stored_file)


def first_sample(draft: MappingDraft, told: Mapping[str, Any]) -> tuple[Sample, dict[str, Any]]:
    """Return the first rows of a draft's file, and the options that they were read by.

    These are the ones of its source's files under what was told of this one; where they do not
    fit it, or find a single column and others find several, what was told alone.

    Raises:
        LoadRefused: when no table can be read from it.
    """
    mapping = draft.source.mappings.first() if draft.source else None
    options = {**(mapping.document.get("file", {}) if mapping else {}), **told}
    declared = None
    try:
        declared = read_sample(draft, options)
    except LoadRefused:
        if options == told:
            raise
    if declared and (len(declared.names) > 1 or options == told):
        return declared, options
    found = read_sample(draft, told)
    if declared and len(found.names) == 1:
        return declared, options
    return found, dict(told)


def _read(draft: MappingDraft, options: Mapping[str, Any]) -> Sample:
    try:
        table = open_table(location(draft.stored_file), FileOptions(**options), [])
        rows = islice((row for row in table.rows() if isinstance(row, Row)), SAMPLE_ROWS)
        return Sample(
            table.layout,
            list(table.columns),
            [(row.line, [row.cells.get(name, "") for name in table.columns]) for row in rows],
        )
    except FileRefused as error:
        raise LoadRefused(error) from error
