"""The preference centre: what a person receives where, since when, and what she may change there.

A link was sent to one contact point, so only that one can be given a consent through it. Stopping
works for every contact point she has: a wrong stop costs a message, a wrong consent is unlawful.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max, Q
from django.db.models.functions import Coalesce
from django.utils.timezone import now
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from consent.acts import record_acts
from consent.facts import GRANTED, Actor, EvidenceLevel, Permission, State
from consent.ledger import RESTRICTIVE, NewEvent
from consent.masks import masked
from consent.models import (
    CollectionChoice,
    CollectionPoint,
    ConsentEvent,
    Evidence,
    NoticeVersion,
    PermissionState,
    Purpose,
)
from consent.notices import OfferedChoice, offered_choices
from consent.policies import pack_at
from consent.presentation import Cell, MatrixRow, channel_label, permission_matrix
from consent.validity import validity_of
from consent.withdrawals import Holder
from mdm.models import ContactPoint, Customer


class NotOffered(Exception):
    """This consent cannot be given here."""


@dataclass(frozen=True, slots=True)
class Line:
    """One purpose on one channel at one contact point, in the person's words."""

    purpose: Purpose
    channel: str
    contact_point: ContactPoint
    is_on: bool
    words: str
    since: datetime | None
    offer: OfferedChoice | None

    @property
    def channel_label(self) -> str:
        """Name of the channel."""
        return channel_label(self.channel)


@dataclass(frozen=True, slots=True)
class Place:
    """A contact point on a channel, masked, with a line for each purpose."""

    label: str
    masked: str
    is_own: bool
    lines: list[Line]


def places(holder: Holder) -> list[Place]:
    """Return what a person receives, the link's own contact point first."""
    customer = Customer.objects.get(pk=holder.customer_id)
    states = _states(customer)
    offers = _offers(get_language() or "")
    rows = [row for row in permission_matrix(customer).rows if row.contact_point]
    rows.sort(key=lambda row: row.contact_point != holder.contact_point)
    return [
        Place(
            label=row.channel_label,
            masked=masked(row.contact_point),
            is_own=row.contact_point == holder.contact_point,
            lines=[_line(row, cell, states, offers, holder) for cell in row.cells],
        )
        for row in rows
        if row.contact_point
    ]


@transaction.atomic
def accept(holder: Holder, *, offer: OfferedChoice, proof: Evidence) -> list[ConsentEvent]:
    """Record that she agrees, at the contact point her link was sent to, in the words shown.

    Until she refuses again, or what she agreed to has run out, a second click is the same fact.
    """
    point = holder.contact_point
    refusals = ConsentEvent.objects.filter(
        Q(contact_point=point) | Q(source_record__customer=holder.customer_id),
        type__in=RESTRICTIVE,
    )
    choice = offer.choice
    refused = refusals.aggregate(latest=Max("pk"))["latest"] or 0
    after = max(refused, _run_out(holder, choice))
    # Agreeing again as one customer answers what another of her records refused: a new fact.
    contested = PermissionState.objects.filter(
        customer=holder.customer_id,
        contact_point=point,
        channel=choice.channel,
        purpose=choice.purpose_id,
        state=PermissionState.State.CONTESTED,
    ).values_list("since", flat=True)
    act = NewEvent(
        record_id=holder.record.pk,
        type=ConsentEvent.Type.GIVEN,
        channel=choice.channel,
        purpose_id=choice.purpose_id,
        contact_point_id=point.pk,
        actor_type=Actor.PERSON,
        fact=("preference", point.pk, choice.channel, choice.purpose_id, after, *contested),
        evidence_level=EvidenceLevel.FORM,
        occurred_at=now(),
        notice_version_id=offer.notice.pk,
    )
    proof.collection_point = choice.collection_point
    return record_acts([act], proof)


def _run_out(holder: Holder, choice: CollectionChoice) -> int:
    """Return the key of the event of her consent if that has run out, else 0."""
    state = PermissionState.objects.filter(
        customer=holder.customer_id,
        contact_point=holder.contact_point,
        channel=choice.channel,
        purpose=choice.purpose,
    ).first()
    if state is None:
        return 0
    moment = now()
    validity = validity_of(
        Permission(State(state.state), state.since, renewed_at=state.renewed_at),
        choice.channel,
        choice.purpose.code,
        at=moment,
        policy=pack_at(moment),
    )
    return state.deciding_event_id if validity and validity.is_expired else 0


def offer_shown(holder: Holder, *, purpose: str, channel: str, notice_id: str) -> OfferedChoice:
    """Return the consent she may give at her own contact point, in the version she was shown.

    Raises:
        NotOffered: when the preference centre does not offer it there.
    """
    line = next(
        (
            line
            for place in places(holder)
            if place.is_own
            for line in place.lines
            if line.offer and (line.purpose.code, line.channel) == (purpose, channel)
        ),
        None,
    )
    if line is None or line.offer is None:
        raise NotOffered
    shown = NoticeVersion.objects.filter(code=line.offer.notice.code, withdrawal=None)
    notice = shown.filter(pk=int(notice_id)).first() if notice_id.isdecimal() else None
    if notice is None:
        raise NotOffered
    return OfferedChoice(line.offer.choice, notice)


def line_of(holder: Holder, *, purpose: str, channel: str, point: str) -> Line | None:
    """Return a line by what her form sends; None for what is not hers to stop."""
    wanted = (purpose, channel, point)
    lines = (line for place in places(holder) for line in place.lines)
    return next(
        (x for x in lines if (x.purpose.code, x.channel, str(x.contact_point.pk)) == wanted), None
    )


def consents_of(holder: Holder) -> Iterator[dict[str, Any]]:
    """Yield what she said about this contact point, and her objections, the oldest first.

    Values are ready for JSON; the contact point is masked, because links are forwarded.
    """
    events = ConsentEvent.objects.filter(
        Q(contact_point=holder.contact_point) | Q(type=ConsentEvent.Type.OBJECTION),
        source_record__customer=holder.customer_id,
    ).select_related(
        "purpose", "notice_version", "contact_point", "annuls", "source_record__source"
    )
    in_order = events.order_by(Coalesce("occurred_at", "recorded_at"), "pk")
    for event in in_order.prefetch_related("evidence__collection_point"):
        notice = event.notice_version
        yield {
            "event": str(event.uuid),
            "what": event.type,
            "what_in_words": event.get_type_display(),
            "takes_back": str(event.annuls.uuid) if event.annuls else None,
            "channel": event.channel,
            "channel_in_words": channel_label(event.channel),
            "purpose": event.purpose.code if event.purpose else "*",
            "purpose_in_words": str(event.purpose) if event.purpose else _("all prospecting"),
            "contact_point": masked(event.contact_point) if event.contact_point else "*",
            "happened_at": event.occurred_at.isoformat() if event.occurred_at else None,
            "happened": event.occurred_at,
            "recorded_at": event.recorded_at.isoformat(),
            "collected_by": _collected_by(event),
            "words_shown": notice.body if notice else None,
            "box": notice.checkbox_label if notice else None,
            "notice": f"{notice.code}/{notice.version}/{notice.language}" if notice else None,
            "notice_sha256": notice.sha256 if notice else None,
        }


def _collected_by(event: ConsentEvent) -> str:
    """Return by what form or click she said it, else the system that reported it."""
    proof = next(iter(event.evidence.all()), None)
    if proof is None:
        return str(event.source_record.source)
    kind = str(proof.get_kind_display())
    return f"{proof.collection_point} ({kind})" if proof.collection_point else kind


def _states(customer: Customer) -> dict[tuple[int | None, str, int | None], PermissionState]:
    found = PermissionState.objects.filter(customer=customer)
    return {(s.contact_point_id, s.channel, s.purpose_id): s for s in found}


def _offers(language: str) -> dict[tuple[int, str], OfferedChoice]:
    point = CollectionPoint.objects.filter(
        method=CollectionPoint.Method.PREFERENCES, is_active=True
    ).first()
    offered = offered_choices(point, language) if point else []
    return {(offer.choice.purpose_id, offer.choice.channel): offer for offer in offered}


def _line(
    row: MatrixRow,
    cell: Cell,
    states: dict[tuple[int | None, str, int | None], PermissionState],
    offers: dict[tuple[int, str], OfferedChoice],
    holder: Holder,
) -> Line:
    point = row.contact_point
    assert point is not None  # noqa: S101  (the caller leaves the others out)
    state = states.get((point.pk, row.channel, cell.purpose.pk))
    has_expired = cell.validity is not None and cell.validity.is_expired
    agreed = state is not None and state.state in GRANTED and not has_expired
    is_on = agreed or cell.state != "no"
    can_accept = point == holder.contact_point and not agreed
    return Line(
        purpose=cell.purpose,
        channel=row.channel,
        contact_point=point,
        is_on=is_on,
        words=_words(cell, is_agreed=agreed, has_expired=has_expired),
        since=state.since if state and (agreed or has_expired) else cell.answer.since,
        offer=offers.get((cell.purpose.pk, row.channel)) if can_accept else None,
    )


def _words(cell: Cell, *, is_agreed: bool, has_expired: bool) -> str:
    if is_agreed:
        return _("You agreed")
    if cell.state == "yes":
        return _("You are informed and have not objected")
    if cell.state == "partly":
        return _("As a customer, for offers like what you bought")
    if cell.answer.rule in {"G4", "G5", "G6"}:
        return _("You said no")
    if has_expired:
        return _("You agreed, but that has run out")
    return _("You receive nothing")
