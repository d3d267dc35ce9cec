"""Documents of evidence (scans, recordings): they go into an access pack beside the tables."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from consent.models import ConsentEvent, Evidence


class DocumentAltered(Exception):
    """A document is missing, or is no more what its digest says."""


@dataclass(frozen=True, slots=True)
class Document:
    """A document that proves something about a person, and about how many records of others."""

    proof: Evidence
    count_of_others: int

    @property
    def code(self) -> str:
        """What names it in a form."""
        return f"document-{self.proof.pk}"

    @property
    def words(self) -> str:
        """Its kind and the day it came, in the reader's language."""
        day = date_format(localtime(self.proof.created_at), "SHORT_DATE_FORMAT")
        return _("%(kind)s, kept on %(day)s") % {
            "kind": self.proof.get_kind_display(),
            "day": day,
        }

    @property
    def file_name(self) -> str:
        """Its name in the pack."""
        return f"evidence/{self.proof.uuid}.{self.proof.file_type}"

    def read(self) -> bytes:
        """Return its content.

        Raises:
            DocumentAltered: when the file is missing, or is not what was kept.
        """
        try:
            with self.proof.file.open("rb") as file:
                content: bytes = file.read()
        except FileNotFoundError as error:
            raise DocumentAltered from error
        if hashlib.sha256(content).hexdigest() != self.proof.file_sha256:
            raise DocumentAltered
        return content


def proofs_about(records: Collection[int]) -> QuerySet[Evidence]:
    """Return the evidence of events about any of these records, in the order it came."""
    hers = ConsentEvent.objects.filter(source_record__in=records)
    about: Any = Q(events__in=hers) | Q(findings__claim__event__in=hers)
    return Evidence.objects.filter(about).distinct().order_by("pk")


def documents_about(records: Collection[int]) -> list[Document]:
    """Return the documents that prove something about any of these records."""
    kept = proofs_about(records).exclude(file="")
    return [
        Document(proof, len(_told_of(proof) - set(records)))
        for proof in kept.prefetch_related("events", "findings__claim__event")
    ]


def _told_of(proof: Evidence) -> set[int | None]:
    """Return the records that a proof says something about; None for one that is gone."""
    told = [*proof.events.all(), *(finding.claim.event for finding in proof.findings.all())]
    return {event.source_record_id for event in told}
