"""Opening a batch: find or create the source, keep its mapping, store the file, make the job."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import transaction
from django.utils.translation import gettext as _

from mdm import jobs
from mdm.audit import acting_as
from mdm.loading.work import KIND
from mdm.mapping import MappingError, SourceMapping, parse_mapping
from mdm.models import FieldMapping, FileMode, LoadBatch, SourceSystem
from mdm.reading.rows import FileRefused
from mdm.reading.tables import open_table

_FOLDER = "loads"
_BLOCK = 1 << 20


class LoadRefused(Exception):
    """The load cannot start; the text says what is wrong and where."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A copy of the file below DATA_DIR, under a name of our own."""

    path: str
    name: str
    sha256: str


def start_load(
    file: IO[bytes],
    *,
    file_name: str,
    source_code: str,
    document: Mapping[str, Any] | None = None,
    mode: str = "",
    by: User | None,
    is_foreground: bool = False,
) -> LoadBatch:
    """Store a file and make the job that loads it. Returns its batch.

    `document` is a new mapping; without one the source's latest is in force. With
    `is_foreground` no worker is called: the caller runs `batch.job` itself.

    Raises:
        LoadRefused: when the source is unknown, or the mapping or the file cannot be used.
            Nothing was written then.
    """
    source, mapping, parsed = _find_source(source_code, document)
    stored = _store(file, file_name)
    try:
        _check(stored, parsed)
        with transaction.atomic(), acting_as(by, _("First load")):
            source = source or _create_source(source_code, parsed)
            mapping = mapping or _keep_mapping(source, document or {}, by)
            batch = LoadBatch.objects.create(
                source=source,
                mapping=mapping,
                file_name=stored.name,
                stored_file=stored.path,
                sha256=stored.sha256,
                mode=mode or source.file_mode,
                created_by=by,
            )
            make = jobs.create if is_foreground else jobs.submit
            batch.job = make(KIND, {"batch": batch.pk}, by=by)
            batch.save(update_fields=["job"])
    except BaseException:
        (Path(settings.DATA_DIR) / stored.path).unlink(missing_ok=True)
        raise
    return batch


def _find_source(
    code: str, document: Mapping[str, Any] | None
) -> tuple[SourceSystem | None, FieldMapping | None, SourceMapping]:
    """Return the source and mapping in force, None where they will be made."""
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
    return source, in_force, parsed


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


def _create_source(code: str, parsed: SourceMapping) -> SourceSystem:
    try:
        validate_slug(code)
    except ValidationError:
        raise LoadRefused(
            _("“%(code)s” is no code of a source: use letters, digits, hyphens, underscores.")
            % {"code": code[:40]}
        ) from None
    assert parsed.source is not None  # noqa: S101  (checked by _find_source)
    defaults = parsed.source
    return SourceSystem.objects.create(
        code=code,
        label=defaults.label or code,
        trust=defaults.trust,
        region=defaults.region,
        file_mode=FileMode(defaults.file_mode),
    )


def _keep_mapping(
    source: SourceSystem, document: Mapping[str, Any], by: User | None
) -> FieldMapping:
    """Store a document as the source's next version."""
    latest = source.mappings.first()
    return FieldMapping.objects.create(
        source=source,
        version=latest.version + 1 if latest else 1,
        document=json.loads(json.dumps(document)),
        created_by=by,
    )


def _store(file: IO[bytes], file_name: str) -> StoredFile:
    """Copy the file under a name nobody chose, readable by us alone."""
    folder = Path(settings.DATA_DIR) / _FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / uuid.uuid4().hex
    digest = sha256()
    try:
        with path.open("xb") as target:
            path.chmod(0o600)
            while block := file.read(_BLOCK):
                digest.update(block)
                target.write(block)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise LoadRefused(
            _("The file cannot be stored: %(reason)s.") % {"reason": error.strerror or ""}
        ) from error
    shown = "".join(letter for letter in Path(file_name).name if letter.isprintable())
    return StoredFile(f"{_FOLDER}/{path.name}", shown[-255:] or "?", digest.hexdigest())


def _check(stored: StoredFile, parsed: SourceMapping) -> None:
    """Refuse at once what the job would refuse: encoding, header, columns."""
    path = Path(settings.DATA_DIR) / stored.path
    try:
        open_table(path, parsed.file, [column.name for column in parsed.columns])
    except FileRefused as error:
        raise LoadRefused(str(error)) from error
