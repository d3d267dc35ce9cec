"""Opening a batch: find or create the source, keep its mapping, make the job; apply a preview."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from operator import itemgetter
from typing import IO, Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from mdm import jobs, rejects
from mdm.audit import acting_as
from mdm.loading.preview import PREVIEW_KIND, read_samples
from mdm.loading.quotas import refuse_when_too_many_wait
from mdm.loading.stored_files import LoadRefused, StoredFile, discard, store
from mdm.loading.work import KIND
from mdm.mapping import FileOptions, MappingError, SourceMapping
from mdm.mapping_parsing import parse_mapping
from mdm.models import FieldMapping, FileMode, LoadBatch, SourceSystem
from mdm.reading.rows import FileRefused
from mdm.reading.tables import open_table
from mdm.reasons import reason_of

_FOUND_OUT = FileOptions()
# A number and an address alone are columns of many files.
_FEWEST_COLUMNS = 3
_OF_ANOTHER = gettext_lazy(
    "%(refusal)s These are the columns of the source “%(source)s”: does the file come from there?"
)


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file will be read: source and mapping in force, None where they will be made."""

    source: SourceSystem | None
    mapping: FieldMapping | None
    parsed: SourceMapping
    document: Mapping[str, Any]
    options: FileOptions


def start_load(
    file: IO[bytes],
    *,
    file_name: str,
    source_code: str,
    document: Mapping[str, Any] | None = None,
    options: FileOptions = _FOUND_OUT,
    mode: str = "",
    by: User | None,
    is_foreground: bool = False,
    is_preview: bool = False,
) -> LoadBatch:
    """Store a file and make the job that loads it. Returns its batch.

    `document` is a new mapping; without one the source's latest is in force. `options` say how
    this one file is written, where its mapping is silent or wrong. With `is_foreground` no worker
    is called: the caller runs the job itself. With `is_preview` the job is `batch.preview_job`,
    which compares and writes nothing; `apply_preview` then loads the file.

    Raises:
        LoadRefused: when the source is unknown, or the mapping or the file cannot be used.
            Nothing was written then.
    """
    refuse_when_too_many_wait(by)
    reading = find_reading(source_code, document, options)
    stored = store(file, file_name)
    try:
        return open_batch(
            stored,
            source_code=source_code,
            reading=reading,
            mode=mode,
            by=by,
            is_foreground=is_foreground,
            is_preview=is_preview,
        )
    except BaseException:
        discard(stored.path)
        raise


def open_batch(
    stored: StoredFile,
    *,
    source_code: str,
    reading: Reading,
    mode: str = "",
    by: User | None,
    is_foreground: bool = False,
    is_preview: bool = False,
) -> LoadBatch:
    """Make the batch of a stored file and its job, and the source and mapping that are missing.

    Raises:
        LoadRefused: when the file cannot be read by the mapping.
    """
    layout = _check(stored, reading)
    with transaction.atomic(), acting_as(by, reason_of(gettext_noop("First load"))):
        source = reading.source or create_source(source_code, reading.parsed)
        mapping = reading.mapping or keep_mapping(source, reading.document, by=by)
        batch = LoadBatch.objects.create(
            source=source,
            mapping=mapping,
            file_name=stored.name,
            stored_file=stored.path,
            sha256=stored.sha256,
            layout=layout,
            mode=FileMode.DELTA
            if rejects.is_returned(layout["columns"])
            else mode or source.file_mode,
            created_by=by,
        )
        make = jobs.create if is_foreground else jobs.submit
        made = make(PREVIEW_KIND if is_preview else KIND, {"batch": batch.pk}, by=by)
        if is_preview:
            batch.preview_job = made
        else:
            batch.job = made
        batch.save(update_fields=["job", "preview_job"])
    return batch


@transaction.atomic
def apply_preview(batch: LoadBatch, *, by: User | None, is_foreground: bool = False) -> LoadBatch:
    """Load a file that was previewed, as it is stored and by the mapping it was previewed with.

    Raises:
        LoadRefused: when it was applied or thrown away meanwhile.
    """
    batch = _waiting(batch)
    make = jobs.create if is_foreground else jobs.submit
    batch.job = make(KIND, {"batch": batch.pk}, by=by)
    batch.save(update_fields=["job"])
    _stop_preview(batch)
    return batch


@transaction.atomic
def throw_away(batch: LoadBatch) -> None:
    """Forget a file that was previewed: it is deleted, its batch says so.

    Raises:
        LoadRefused: when it was applied or thrown away meanwhile.
    """
    batch = _waiting(batch)
    _stop_preview(batch)
    path, batch.stored_file = batch.stored_file, ""
    batch.save(update_fields=["stored_file"])
    transaction.on_commit(lambda: discard(path))


def preview_once(
    file: IO[bytes],
    *,
    file_name: str,
    source_code: str,
    document: Mapping[str, Any] | None = None,
    options: FileOptions = _FOUND_OUT,
    mode: str = "",
    on_progress: jobs.OnProgress | None = None,
) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    """Compare a file in this process and leave no trace. Returns the counts and the samples.

    Raises:
        LoadRefused, JobFailed: as for a load.
    """
    reading = find_reading(source_code, document, options)
    stored = store(file, file_name)
    try:
        batch = open_batch(
            stored,
            source_code=source_code,
            reading=reading,
            mode=mode,
            by=None,
            is_foreground=True,
            is_preview=True,
        )
        try:
            assert batch.preview_job is not None  # noqa: S101  (open_batch made it)
            jobs.run_now(batch.preview_job, on_progress=on_progress)
            return batch.preview_job.result or {}, read_samples(batch)
        finally:
            _forget(batch, reading)
    finally:
        discard(stored.path)


@transaction.atomic
def _forget(batch: LoadBatch, reading: Reading) -> None:
    """Delete a batch that was never loaded, and what was made for it."""
    made = batch.preview_job
    batch.delete()
    if made:
        made.delete()
    if reading.mapping is None:
        batch.mapping.delete()
    if reading.source is None:
        batch.source.delete()


def _waiting(batch: LoadBatch) -> LoadBatch:
    """Read the batch again under a lock: two people may decide at once."""
    batch = LoadBatch.objects.select_for_update().get(pk=batch.pk)
    if not batch.is_waiting:
        raise LoadRefused(_("This file was applied or thrown away already."))
    return batch


def _stop_preview(batch: LoadBatch) -> None:
    if batch.preview_job and batch.preview_job.is_live:
        jobs.request_cancel(batch.preview_job)


def find_reading(
    code: str, document: Mapping[str, Any] | None, options: FileOptions = _FOUND_OUT
) -> Reading:
    """Return how files of a source are read; `document` is a mapping that may be a new one.

    Raises:
        LoadRefused: when the source is unknown, or the mapping cannot be followed.
    """
    source = SourceSystem.objects.filter(code=code).first()
    in_force = source.mappings.first() if source else None
    if document is None:
        document = in_force.document if in_force else None
    elif not in_force or in_force.document != document:
        in_force = None
    if document is None:
        raise LoadRefused(_no_mapping(code, source))
    try:
        parsed = parse_mapping(document)
    except MappingError as error:
        raise LoadRefused(str(error)) from error
    if source is None and parsed.source is None:
        raise LoadRefused(_unknown_source(code))
    return Reading(source, in_force, parsed, document, options.over(parsed.file))


def _no_mapping(code: str, source: SourceSystem | None) -> str:
    if source is None:
        return _unknown_source(code)
    return _("The source “%(code)s” has no mapping yet: give one together with the file.") % {
        "code": code
    }


def _unknown_source(code: str) -> str:
    known = ", ".join(SourceSystem.objects.order_by("code").values_list("code", flat=True)[:20])
    words = {"code": code[:40], "known": known}
    if known:
        return (
            _(
                "The source “%(code)s” is unknown; known are: %(known)s. A mapping with a "
                "[source] table creates it."
            )
            % words
        )
    return (
        _("The source “%(code)s” is unknown: give a mapping with a [source] table to create it.")
        % words
    )


def create_source(code: str, parsed: SourceMapping) -> SourceSystem:
    """Create a source as the [source] table of its first mapping describes it.

    Raises:
        LoadRefused: when the code is none, or the table holds what a source cannot have.
    """
    try:
        validate_slug(code)
    except ValidationError:
        raise LoadRefused(
            _("“%(code)s” is no code of a source: use letters, digits, hyphens, underscores."),
            code=code[:40],
        ) from None
    assert parsed.source is not None  # noqa: S101  (checked by _find_source)
    defaults = parsed.source
    source = SourceSystem(**{**asdict(defaults), "code": code, "label": defaults.label or code})
    try:
        source.full_clean()
    except ValidationError as error:
        name, words = next(iter(error.message_dict.items()))
        raise LoadRefused(f"[source] {name}: {words[0]}") from None
    source.save()
    return source


def keep_mapping(
    source: SourceSystem, document: Mapping[str, Any], *, by: User | None
) -> FieldMapping:
    """Store a document as the source's next version."""
    latest = source.mappings.first()
    return FieldMapping.objects.create(
        source=source,
        version=latest.version + 1 if latest else 1,
        document=json.loads(json.dumps(document)),
        created_by=by,
    )


def _source_of(stored: StoredFile, reading: Reading) -> SourceSystem | None:
    """Return the other source whose columns a file has that was sent for the wrong one."""
    if reading.source is None:
        return None
    try:
        table = open_table(stored.location, _FOUND_OUT, [])
    except FileRefused:
        return None
    there = {name.casefold() for name in table.columns}
    fits: list[tuple[int, SourceSystem]] = []
    for source in SourceSystem.objects.exclude(pk=reading.source.pk).order_by("pk"):
        wanted = _columns_in_force(source)
        if len(wanted) >= _FEWEST_COLUMNS and wanted <= there:
            fits.append((len(wanted), source))
    return max(fits, key=itemgetter(0), default=(0, None))[1]


def _columns_in_force(source: SourceSystem) -> set[str]:
    mapping = source.mappings.first()
    try:
        wanted = parse_mapping(mapping.document).wanted if mapping else ()
    except MappingError:  # Written for an earlier release.
        return set()
    return {name.casefold() for name in wanted}


def _check(stored: StoredFile, reading: Reading) -> dict[str, Any]:
    """Refuse at once what the job would refuse: encoding, header, columns. Returns the layout."""
    try:
        table = open_table(stored.location, reading.options, reading.parsed.wanted)
    except FileRefused as error:
        if other := _source_of(stored, reading):
            raise LoadRefused(_OF_ANOTHER, refusal=error, source=other.label) from error
        raise LoadRefused(error) from error
    layout = {**table.layout, "columns": list(table.columns)}
    return layout | ({"packing": stored.packing} if stored.packing else {})
