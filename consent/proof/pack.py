"""What a proof pack holds, gathered once for every format."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.db.models import OuterRef, Subquery
from django.utils.timezone import now

from consent.models import ConflictResolution, EventSeal, LedgerCheck, NoticeVersion, SealBlock
from consent.presentation import PermissionMatrix, TimelineEntry, permission_matrix, timeline
from consent.resolving import decisions_about
from consent.sealing import GENESIS
from consent.signing_keys import pem_of, signing_key
from consent.verification import sealed_events
from mdm.models import Customer


@dataclass(frozen=True, slots=True)
class SealProof:
    """What anybody needs to compute an event's seal again; hexadecimal but for the two texts.

    `salt` is empty where the person was erased, `evidence` where the event has none.
    """

    place: int
    salt: str
    event: str
    evidence: str
    digest: str
    proof: str
    previous: str
    hash: str
    block: int | None


@dataclass(frozen=True, slots=True)
class ProvedEvent:
    """One event of the timeline with its seal; None while it waits for one."""

    entry: TimelineEntry
    seal: SealProof | None


@dataclass(frozen=True, slots=True)
class Pack:
    """Everything a proof pack says, the oldest event first."""

    uuid: UUID
    customer: Customer
    name: str
    made_at: datetime
    made_by: User
    matrix: PermissionMatrix
    events: Sequence[ProvedEvent]
    decisions: Sequence[ConflictResolution]
    notices: Sequence[NoticeVersion]
    head: SealBlock | None
    last_check: LedgerCheck | None
    public_key: str


def gather_pack(customer: Customer, *, by: User) -> Pack:
    """Read what proves a live customer's permissions now."""
    entries = list(reversed(timeline(customer)))
    seals = _seal_proofs([entry.event.pk for entry in entries if not entry.is_of_another])
    notices = {
        entry.event.notice_version.pk: entry.event.notice_version
        for entry in entries
        if entry.event.notice_version
    }
    golden = getattr(customer, "golden", None)
    return Pack(
        uuid=uuid4(),
        customer=customer,
        name=str(golden) if golden else "",
        made_at=now(),
        made_by=by,
        matrix=permission_matrix(customer),
        events=[ProvedEvent(entry, seals.get(entry.event.pk)) for entry in entries],
        decisions=_decisions(customer),
        notices=list(notices.values()),
        head=SealBlock.objects.order_by("-number").first(),
        last_check=LedgerCheck.objects.first(),
        public_key=pem_of(signing_key().public_key()),
    )


def _decisions(customer: Customer) -> list[ConflictResolution]:
    """Return the decisions that are about her alone, the oldest first."""
    return [
        decided
        for decided in decisions_about(customer).reverse()
        if all(e.source_record.customer_id == customer.pk for e in decided.events.all())
    ]


def _seal_proofs(event_ids: Sequence[int]) -> dict[int, SealProof]:
    found = list(sealed_events(event_ids))
    before = dict(
        EventSeal.objects.filter(
            number__in=[seal.number - 1 for seal, _evidence in found]
        ).values_list("number", "hash")
    )
    blocks = _blocks([seal.number for seal, _evidence in found])
    proofs = {}
    for seal, evidence in found:
        proofs[seal.event_id] = SealProof(
            place=seal.number,
            salt=bytes(seal.salt).hex() if seal.salt is not None else "",
            event=seal.text or "",
            evidence=evidence.decode(),
            digest=bytes(seal.digest).hex(),
            proof=bytes(seal.proof).hex(),
            previous=bytes(before.get(seal.number - 1, GENESIS)).hex(),
            hash=bytes(seal.hash).hex(),
            block=blocks.get(seal.number),
        )
    return proofs


def _blocks(places: Sequence[int]) -> dict[int, int | None]:
    """Return the block of each place in the chain; None until one is made over it."""
    over = SealBlock.objects.filter(first__lte=OuterRef("number"), last__gte=OuterRef("number"))
    seals = EventSeal.objects.filter(number__in=places)
    return dict(seals.values_list("number", Subquery(over.values("number")[:1])))
