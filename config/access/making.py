"""Making an access pack: the file for whoever asked, its digest for the register."""

import hashlib
import io
import json
import zipfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from campaigns.formats import csv
from config.access.documents import Document, DocumentAltered
from config.access.notes import leave_out
from config.access.provided import provided, provided_lines
from config.access.subject import Subject
from config.access.table import ToldTable, tell
from config.access.tables import TABLES
from consent.models import AccessPack, RightsRequest
from mdm.models import Customer
from mdm.pages import log_access
from mdm.snapshots import one_snapshot

FORMAT = "orfevre-access-1"
"""What the JSON says it is; a table or key that changes its meaning changes this."""


class PackRefused(Exception):
    """The pack cannot be made as asked; the text says why, `field` of the form where."""

    def __init__(self, words: str, field: str) -> None:
        """Say what is wrong, and with which field."""
        super().__init__(words)
        self.field = field


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a pack is to be: its language, what concerns others, and what of it is added, why."""

    language: str
    added: Collection[str] = ()
    reason: str = ""
    without: Collection[str] = ()
    """Codes of notes of staff that name somebody else, and of documents that show somebody."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a pack says: whom it is about, and every table."""

    subject: Subject
    tables: Sequence[ToldTable]
    note_count: int
    """How many notes of staff were left out."""

    @property
    def left_out(self) -> dict[str, int]:
        """How many things of each kind were left out because they concern others too."""
        subject = self.subject
        kept = set(subject.told_documents)
        own = [document for document in subject.own_documents if document not in kept]
        kinds = [matter.kind for matter in subject.left_out]
        kinds += ["note"] * self.note_count + ["document"] * len(own)
        return {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}

    @property
    def by_name(self) -> dict[str, list[dict[str, Any]]]:
        """The rows of each table."""
        return {table.name: table.rows for table in self.tables}


@dataclass(frozen=True, slots=True)
class MadePack:
    """An access pack as a file, and its row in the register."""

    content: bytes
    row: AccessPack

    @property
    def file_name(self) -> str:
        """A name that tells nobody whom it is about."""
        return f"access-{self.row.uuid}.zip"


def open_request(customer: Customer) -> RightsRequest | None:
    """Return the request of access that waits for its answer, of any id that leads to her."""
    asked = RightsRequest.objects.filter(
        kind=RightsRequest.Kind.ACCESS, state=RightsRequest.State.RECEIVED
    )
    ids = [customer.pk, *customer.merged_ids.values_list("pk", flat=True)]
    return asked.filter(customer__in=ids).first()


def gather(
    customer: Customer, *, added: Collection[str] = (), without: Collection[str] = ()
) -> Told:
    """Read everything that a pack about a customer would say now."""
    subject = Subject(customer, added=added, without=without)
    tables = [tell(table, subject) for table in TABLES]
    return Told(subject, tables, leave_out(tables, without))


def make_access_pack(customer: Customer, wanted: Wanted, *, by: User) -> MadePack:
    """Make the pack, note its digest, what was added and why, and who made it.

    Raises:
        PackRefused: when something that concerns others is added without a reason, or a
            document cannot go along as it was kept.
    """
    if wanted.added and not wanted.reason.strip():
        raise PackRefused(
            _("Say why: what concerns other people is added for a reason only."), "reason"
        )
    row = AccessPack(customer=customer, language=wanted.language, made_by=by)
    with one_snapshot(), override(wanted.language):
        told = gather(customer, added=wanted.added, without=wanted.without)
        row.request = open_request(customer)
        content = _zipped(_files(row, told))
    row.added = sorted(told.subject.added)
    row.reason = wanted.reason.strip() if row.added else ""
    row.left_out_count = sum(told.left_out.values())
    row.sha256 = hashlib.sha256(content).hexdigest()
    with transaction.atomic():
        row.save()
        log_access(by, "access pack", f"SHA-256 {row.sha256}")
        for document in told.subject.told_documents:
            log_access(by, "evidence file", str(document.proof.uuid))
    return MadePack(content, row)


def _files(row: AccessPack, told: Told) -> Iterable[tuple[str, bytes]]:
    # A second of import that no other page needs.
    from config.access.summary import as_pdf

    yield "summary.pdf", as_pdf(row, told)
    head = _head(row, told)
    yield "data.json", _json({**head, "tables": told.by_name})
    for table in told.tables:
        rows = ([_cell(value) for value in line.values()] for line in table.rows)
        yield f"tables/{table.name}.csv", _csv(table.table.columns, rows)
    given = provided(told.by_name)
    yield "provided.json", _json({**head, "tables": given})
    header, *lines = provided_lines(given)
    yield "provided.csv", _csv(header, lines)
    for document in told.subject.told_documents:
        yield document.file_name, _content(document)


def _content(document: Document) -> bytes:
    try:
        return document.read()
    except DocumentAltered as error:
        words = _(
            "The document “%(document)s” is missing, or is no more what was kept: look for it in "
            "a backup, or leave it out."
        )
        raise PackRefused(words % {"document": document.words}, "without") from error


def _head(row: AccessPack, told: Told) -> dict[str, Any]:
    subject = told.subject
    return {
        "format": FORMAT,
        "id": str(row.uuid),
        "made_at": row.made_at.isoformat(),
        "controller": settings.COMPANY_NAME,
        "customer": subject.customer.display_id,
        "customer_status": subject.customer.status,
        "left_out": told.left_out,
    }


def _zipped(files: Iterable[tuple[str, bytes]]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return file.getvalue()


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def _csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    file = io.BytesIO()
    csv.write(file, header, rows)
    return file.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
