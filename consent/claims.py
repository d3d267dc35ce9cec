"""What loaded files say about permissions, as consent events with the little proof they have.

An opt-in column is a claim (evidence level 0, or 1 with a date or a double opt-in of the source),
an opt-out column an objection. A file adds refusals and claims; it never lifts a refusal, and the
same file again adds nothing (I5 in docs/testing.md). An opt-in of a broker's file is recorded
as the broker's word: it permits nothing until its proofs were seen (`consent.quarantine`).
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.utils.timezone import now

from consent.facts import ANY_KIND, CHANNEL_KINDS, ChannelCode, EvidenceLevel
from consent.ledger import (
    RESTRICTIVE,
    NewEvent,
    numbered,
    record_events,
    record_first_events,
)
from consent.models import ALL_CHANNELS, ConsentEvent, Purpose
from consent.phone_lines import is_mobile
from consent.projection import project, project_births
from consent.told_events import SharedRefusal, first_events, holders, refusals_of_shared_points
from mdm import bulk
from mdm.kept_queries import kept_behind
from mdm.models import LoadBatch, RecordContactPoint, SourceRecord
from mdm.signals import Births, CarriedPoint, PermissionClaim

logger = logging.getLogger(__name__)

DEFAULT_PURPOSE = "marketing"
"""What an opt-in column means when the mapping names no purpose."""

# Plain texts and numbers: members of an enum cost several times as much to write, by the million.
_GIVEN = ConsentEvent.Type.GIVEN.value
_TYPES = {
    "opt_in": _GIVEN,
    "refusal": ConsentEvent.Type.REFUSED.value,
    "opt_out": ConsentEvent.Type.OBJECTION.value,
}
_IMPORT = ConsentEvent.ActorType.IMPORT.value
_BROKER = ConsentEvent.ActorType.BROKER.value
_CLAIM, _ORIGIN = EvidenceLevel.CLAIM.value, EvidenceLevel.ORIGIN.value
_APP = "consent"
_NO_BUILDING = ANY_KIND - {"post"}
Carried = Sequence[CarriedPoint]
Places = list[tuple[str, int | None]]
"""Attributes and keys of the contact points that a claim is about."""


class _Prepared(NamedTuple):
    """What is read for a chunk before it is written.

    What is called waits for its answer (`behind.ask`).
    """

    purposes: Callable[[], list[tuple[str, int]]]
    """Codes and keys."""
    first: list[tuple[PermissionClaim, Places]]
    """The claims of new records, and the contact points that each is about."""
    keys: Callable[[], Sequence[int]]
    """For their events: as many as there may be."""
    refusals: Callable[[], list[SharedRefusal]]
    """What others said before of contact points that new records share."""


def await_claims(
    *, batch: LoadBatch, births: Births, claims: list[PermissionClaim], **signal: object
) -> None:
    """Ask for what the first events of records that are about to be written need."""
    births.prepared[_APP] = _prepare(births, claims)


def _prepare(births: Births, claims: list[PermissionClaim]) -> _Prepared:
    first = _placed(claims, births.carried)
    most = sum(len(places) for _claim, places in first)
    return _Prepared(
        _purposes(),
        first,
        bulk.ask_ids(ConsentEvent, most),
        refusals_of_shared_points(births),
    )


@kept_behind
def _purposes() -> "QuerySet[Purpose, tuple[str, int]]":
    return Purpose.objects.order_by().values_list("code", "pk")


def _placed(
    claims: Iterable[PermissionClaim], carried: Mapping[int, Carried]
) -> list[tuple[PermissionClaim, Places]]:
    """Return the claims of records that carry these, each with the contact points it is about."""
    return [
        (claim, _places(claim.channel, points, is_grant=_TYPES[claim.kind] == _GIVEN))
        for claim in claims
        if (points := carried.get(claim.record_id)) is not None
    ]


def receive_claims(
    *, batch: LoadBatch, births: Births, claims: list[PermissionClaim], **signal: object
) -> None:
    """Record the claims of a loaded chunk, and what those of new customers add up to."""
    prepared = births.prepared.get(_APP) or _prepare(births, claims)
    purposes, refusals, moment = dict(prepared.purposes()), prepared.refusals(), now()
    first = numbered(prepared.keys(), _events(prepared.first, purposes, batch))
    record_first_events(first, moment)
    later = _record_later(batch, births, claims, purposes)
    if later:
        told_now = {event.key for event in first}
        told = refusals_of_shared_points(births)()
        refusals = [refusal for refusal in told if refusal[2][0] not in told_now]
    codes: dict[int | None, str | None] = {
        None: None,
        **{pk: code for code, pk in purposes.items()},
    }
    facts = first_events(first, births, refusals, codes, moment)
    project_births(births, facts, purposes, moment)
    births.prepared[_APP] = ([one.event for one in first], later)


def refold_others(*, births: Births, **signal: object) -> None:
    """Bring the permissions of customers known before up to date with what a chunk recorded."""
    project(_concerned(births, *births.prepared.pop(_APP)))


def _record_later(
    batch: LoadBatch, births: Births, claims: list[PermissionClaim], purposes: Mapping[str, int]
) -> list[NewEvent]:
    """Record the claims of records that were known before."""
    others = [claim for claim in claims if claim.record_id not in births.carried]
    carried = _carried({claim.record_id for claim in others})
    return record_events(_events(_placed(others, carried), purposes, batch))


def _events(
    placed: Iterable[tuple[PermissionClaim, Places]], purposes: Mapping[str, int], batch: LoadBatch
) -> Iterator[NewEvent]:
    grantor = _BROKER if batch.source.is_broker else _IMPORT
    for claim, places in placed:
        yield from events_of(claim, places, purposes, batch.pk, grantor)


# As a fact is made of it: slow to write, and the same in one row after another.
_written = lru_cache(maxsize=4096)(str)


def _concerned(births: Births, first: list[NewEvent], later: list[NewEvent]) -> set[int]:
    """Return the customers known before whose permissions the events may change."""
    refused = {event.contact_point_id for event in first if event.type in RESTRICTIVE}
    refused &= births.shared
    refused |= {event.contact_point_id for event in later if event.type in RESTRICTIVE}
    concerned = holders(point for point in refused if point is not None)
    records = SourceRecord.objects.filter(pk__in={event.record_id for event in later})
    concerned.update(records.values_list("customer_id", flat=True))
    return concerned.difference(births.carried)


def events_of(
    claim: PermissionClaim,
    places: Places,
    purposes: Mapping[str, int],
    batch_id: int,
    grantor: str = _IMPORT,
) -> Iterator[NewEvent]:
    """Yield the events a claim amounts to: one for each contact point it is about.

    `grantor` is the actor of the consents: a broker's word counts less than a file's.
    """
    kind = _TYPES[claim.kind]
    is_grant = kind == _GIVEN
    code = claim.purpose_code or (DEFAULT_PURPOSE if is_grant else None)
    if code is not None and code not in purposes:
        if is_grant:
            logger.warning("Batch %s: opt-ins name the unknown purpose %s.", batch_id, code)
            return
        code = None  # Whoever refuses something unknown refuses everything.
    moment = _written(claim.occurred_at)
    for attribute, point in places:
        # The value is left out of a grant's identity: when an address changes, the consent given
        # for the old one does not become a consent for the new one.
        place = attribute if is_grant else point
        yield NewEvent(
            claim.record_id,
            kind,
            claim.channel,
            purposes[code] if code else None,
            point,
            grantor if is_grant else _IMPORT,
            (claim.record_id, kind, claim.channel, code, moment, place),
            _ORIGIN if claim.occurred_at or claim.double_opt_in else _CLAIM,
            claim.occurred_at,
            None,
            is_grant and claim.double_opt_in,
            None,
            batch_id,
            claim.line,
        )


def _places(channel: str, carried: Carried, *, is_grant: bool) -> Places:
    """Return attribute and key of the contact points that a channel can use.

    A consent needs a contact point to bind; without one there is nothing to permit. A refusal
    without one is the person's. Post is refused by the person, not by the building.
    """
    if not is_grant and channel == ChannelCode.POST:
        return [("", None)]
    kinds = _NO_BUILDING if channel == ALL_CHANNELS else CHANNEL_KINDS.get(channel, frozenset())
    found: Places = [
        (attribute, point)
        for attribute, point, kind, value in carried
        if kind in kinds and not (channel == ChannelCode.SMS and is_mobile(value) is False)
    ]
    return found or ([] if is_grant else [("", None)])


def _carried(record_ids: Iterable[int]) -> dict[int, list[CarriedPoint]]:
    carried: dict[int, list[CarriedPoint]] = {pk: [] for pk in record_ids}
    rows: Any = RecordContactPoint.objects.filter(record__in=carried).order_by("attribute")
    for record, *point in rows.values_list(
        "record_id", "attribute", "contact_point_id", "contact_point__kind", "contact_point__value"
    ):
        carried[record].append(CarriedPoint(*point))
    return carried
