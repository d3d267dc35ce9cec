"""Claims of a file that was undone are taken back, each by an event that names it.

The consent then counts as never given, while what was known of it before can still be asked.
Only claims are taken back, unless another file makes them too. Refusals protect the person: they
stay, as does whatever she said herself.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from consent.claims import DEFAULT_PURPOSE
from consent.ledger import RESTRICTIVE, NewEvent, record_events
from consent.models import ConsentEvent
from consent.projection import project
from mdm.key_sets import key_set
from mdm.models import SourceRecord
from mdm.signals import PermissionClaim, Undoing

_FILES = (ConsentEvent.ActorType.IMPORT, ConsentEvent.ActorType.BROKER)


class _Told(NamedTuple):
    """A consent that an undone file claimed, as the ledger holds it."""

    event_id: int
    record_id: int
    contact_point_id: int
    channel: str
    purpose_id: int
    purpose_code: str
    occurred_at: object
    claims_double_opt_in: bool
    batch_id: int
    line: int


def foresee_undo(*, undoing: Undoing, **signal: object) -> dict[str, int]:
    """Return how many consents undoing would take back, and what would stay."""
    claims = _claims(undoing)
    wrong = _wrong(claims, undoing.still_told)
    refusals = ConsentEvent.objects.filter(
        source_record__in=key_set(undoing.record_ids),
        batch=undoing.batch_id,
        type__in=RESTRICTIVE,
    )
    return {
        "claims": len(wrong),
        "claims_kept": len(claims) - len(wrong),
        "refusals": refusals.count(),
    }


def take_back(*, undoing: Undoing, **signal: object) -> dict[str, int]:
    """Take back what the undone file claimed, once, and bring the permissions up to date."""
    wrong = _wrong(_claims(undoing), undoing.still_told)
    new = record_events(_retraction(claim, by_id=undoing.by_id) for claim in wrong)
    records = SourceRecord.objects.filter(pk__in=key_set({event.record_id for event in new}))
    project(records.values_list("customer_id", flat=True))
    return {"claims": len(new)}


def _claims(undoing: Undoing) -> list[_Told]:
    """Return the consents that undone files claimed for the records, not taken back yet."""
    told = ConsentEvent.objects.filter(
        source_record__in=key_set(undoing.record_ids),
        batch__in=undoing.undone_ids,
        type=ConsentEvent.Type.GIVEN,
        actor_type__in=_FILES,
        retractions=None,
    ).order_by("pk")
    columns = (
        "pk", "source_record_id", "contact_point_id", "channel", "purpose_id", "purpose__code",
        "occurred_at", "claims_double_opt_in", "batch_id", "line",
    )  # fmt: skip
    return [_Told._make(row) for row in told.values_list(*columns)]


def _wrong(claims: Iterable[_Told], still_told: Iterable[PermissionClaim]) -> list[_Told]:
    """Return the claims that no other file makes of the record."""
    others: Mapping[tuple[object, ...], list[PermissionClaim]] = defaultdict(list)
    for claim in still_told:
        if claim.kind == "opt_in":
            code = claim.purpose_code or DEFAULT_PURPOSE
            others[claim.record_id, claim.channel, code].append(claim)
    return [
        claim
        for claim in claims
        if not any(
            other.occurred_at in {None, claim.occurred_at}
            and other.double_opt_in == claim.claims_double_opt_in
            for other in others.get((claim.record_id, claim.channel, claim.purpose_code), ())
        )
    ]


def _retraction(claim: _Told, *, by_id: int | None) -> NewEvent:
    actors = ConsentEvent.ActorType
    return NewEvent(
        record_id=claim.record_id,
        type=ConsentEvent.Type.RETRACTED,
        channel=claim.channel,
        purpose_id=claim.purpose_id,
        contact_point_id=claim.contact_point_id,
        actor_type=actors.STAFF if by_id else actors.SYSTEM,
        actor_id=by_id,
        fact=("retraction", claim.event_id),
        batch_id=claim.batch_id,
        line=claim.line,
        annuls_id=claim.event_id,
    )
