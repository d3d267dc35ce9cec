"""Making a proof pack: the file for whoever asked, its digest for the register."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import get_language

from consent.models import ProofPack
from consent.proof.linked_data import as_json_ld
from consent.proof.pack import Pack, gather_pack
from consent.sealing import seal_events
from mdm.models import Customer


@dataclass(frozen=True, slots=True)
class MadePack:
    """A proof pack as a file, and its row in the register."""

    content: bytes
    row: ProofPack

    @property
    def file_name(self) -> str:
        """A name that tells nobody whom it is about."""
        return f"proof-{self.row.uuid}.{self.row.format}"


def make_pack(customer: Customer, *, file_format: str, by: User) -> MadePack:
    """Make the pack of a live customer, and note its digest and who asked for it."""
    seal_events(seconds=0)  # So that the latest act stands in it with its seal.
    with transaction.atomic():
        pack = gather_pack(customer, by=by)
        content = _WRITERS[file_format](pack)
        row = ProofPack.objects.create(
            uuid=pack.uuid,
            customer=customer,
            format=file_format,
            language=(get_language() or "")[:2],
            event_count=len(pack.events),
            sha256=hashlib.sha256(content).hexdigest(),
            made_at=pack.made_at,
            made_by=by,
        )
    return MadePack(content, row)


def _as_pdf(pack: Pack) -> bytes:
    # A second of import that no other page needs.
    from consent.proof.document import as_pdf

    return as_pdf(pack)


_WRITERS: Mapping[str, Callable[[Pack], bytes]] = {
    ProofPack.Format.PDF: _as_pdf,
    ProofPack.Format.LINKED_DATA: as_json_ld,
}
