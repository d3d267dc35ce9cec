"""Double opt-in: a sign-up asks, a mail is sent, the person confirms, and only then it counts.

Nothing is permitted before the confirmation, and opening the link in the mail confirms nothing:
mail scanners open links. The same answer is given whatever is known of an address. The sign-up
looks up no customer, so it takes the same time for known and unknown ones.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.timezone import now

from consent.acts import record_acts
from consent.attaching import points_of, record_of
from consent.facts import CHANNEL_KINDS, Actor, EvidenceLevel
from consent.ledger import RESTRICTIVE, NewEvent
from consent.mails import address_fingerprint, post_confirmation, post_receipt
from consent.models import (
    ALL_CHANNELS,
    Channel,
    CollectionPoint,
    ConsentEvent,
    Evidence,
    NoticeVersion,
    OptInChoice,
    OptInRequest,
    OutgoingMail,
    Purpose,
)
from consent.tokens import token_hash
from mdm.models import ContactPoint, SourceRecord

VALID_DAYS = 7
KEPT_DAYS = 30
MAILS_A_DAY = 3
MAILS_A_REQUEST = 3
_HOURS_BETWEEN_MAILS = 24


class TokenRefused(Exception):
    """The link was used, has expired, was overtaken by a refusal, or never was one."""


@dataclass(frozen=True, slots=True)
class TickedBox:
    """A box a person ticked and the words that stood beside it."""

    purpose: Purpose
    channel: str
    notice: NoticeVersion

    @property
    def key(self) -> str:
        """What makes two boxes the same consent."""
        return f"{self.purpose.pk}/{self.channel}/{self.notice.pk}"


@dataclass(frozen=True, slots=True)
class SignUp:
    """What a person typed into a sign-up form, checked: a valid address, at least one box."""

    email: str
    boxes: Sequence[TickedBox]
    language: str
    given_name: str = ""
    family_name: str = ""
    phone: str = ""
    origin: str = ""
    network: str | None = None


@transaction.atomic
def sign_up(point: CollectionPoint, asked: SignUp, *, at: datetime | None = None) -> None:
    """Note what was asked for and have a mail sent, within the limits of the address.

    Says nothing about what became of it: the answer to the visitor is always the same.
    """
    moment = at or now()
    owner = address_fingerprint(asked.email)
    same = OptInRequest.objects.filter(
        collection_point=point, address_fingerprint=owner, choices_digest=_digest(asked.boxes)
    )
    disavowed = OptInRequest.objects.filter(
        collection_point=point, address_fingerprint=owner, state=OptInRequest.State.DISAVOWED
    )
    if disavowed.exists() or _wrote_enough(owner, moment):
        return
    open_request = _open(same, moment)
    if open_request is None:
        request = _note(point, asked, owner, moment)
        post_confirmation(request, at=moment)
    elif _may_remind(open_request, moment):
        post_confirmation(open_request, at=moment)


def pending(token: str) -> OptInRequest:
    """Return what a token would confirm; changes nothing.

    Raises:
        TokenRefused: when it would confirm nothing.
    """
    return _pending(OptInRequest.objects.all(), token, now())


@transaction.atomic
def confirm(token: str, *, network: str | None = None, at: datetime | None = None) -> OptInRequest:
    """Record the consents of a request: once, whoever asks how often.

    Raises:
        TokenRefused: when the token is no longer, or never was, good for that.
    """
    moment = at or now()
    # Read under its lock: of fifty that come at once, one finds it still requested.
    request = _pending(OptInRequest.objects.select_for_update(), token, moment)
    record = record_of(request)
    points = points_of(record, request)
    _refuse_if_overtaken(request, record, points["email"])
    acts = _grants(request, record, points, moment)
    record_acts(acts, _proof(request, moment, network))
    post_receipt(request, points["email"], record.customer_id, at=moment)
    _settle(OptInRequest.objects.filter(pk=request.pk), OptInRequest.State.CONFIRMED, moment)
    return request


@transaction.atomic
def disavow(token: str) -> None:
    """Note that whoever signed up with this address was not its owner: no further mail from there.

    Raises:
        TokenRefused: as for `confirm`.
    """
    request = _pending(OptInRequest.objects.select_for_update(), token, now())
    _settle(OptInRequest.objects.filter(pk=request.pk), OptInRequest.State.DISAVOWED, now())


def end_open_requests(email: str) -> None:
    """End what waits for a confirmation at an address: whoever stops has not signed up before."""
    waiting = OptInRequest.objects.filter(
        address_fingerprint=address_fingerprint(email), state=OptInRequest.State.REQUESTED
    )
    _settle(waiting, OptInRequest.State.LAPSED, now())


def tidy(*, at: datetime | None = None) -> None:
    """End what lapsed and delete what was settled long ago; set-based, safe at any time.

    A disavowed request stays, blank: it keeps the form from writing to that address again.
    """
    moment = at or now()
    lapsed = OptInRequest.objects.filter(
        state=OptInRequest.State.REQUESTED, expires_at__lte=moment
    )
    # The details stay for the days in which the person may still ask for another mail.
    lapsed.update(state=OptInRequest.State.LAPSED, settled_at=moment, token_hash=None)
    OptInRequest.objects.filter(
        state__in=[OptInRequest.State.LAPSED, OptInRequest.State.UNDELIVERABLE],
        settled_at__lte=moment - timedelta(days=KEPT_DAYS),
    ).delete()
    OutgoingMail.objects.filter(
        due_at=None, created_at__lte=moment - timedelta(days=KEPT_DAYS)
    ).delete()


def _open(same: QuerySet[OptInRequest], moment: datetime) -> OptInRequest | None:
    state = OptInRequest.State.REQUESTED
    return same.filter(state=state, expires_at__gt=moment).order_by("-pk").first()


def _wrote_enough(owner: str, moment: datetime) -> bool:
    lately = OutgoingMail.objects.filter(
        kind=OutgoingMail.Kind.CONFIRM,
        address_fingerprint=owner,
        created_at__gt=moment - timedelta(days=1),
    )
    return lately.count() >= MAILS_A_DAY


def _may_remind(request: OptInRequest, moment: datetime) -> bool:
    mails = list(request.mails.filter(kind=OutgoingMail.Kind.CONFIRM).order_by("created_at"))
    latest = mails[-1].created_at if mails else request.requested_at
    is_due = moment - latest >= timedelta(hours=_HOURS_BETWEEN_MAILS)
    return is_due and len(mails) < MAILS_A_REQUEST


def _note(point: CollectionPoint, asked: SignUp, owner: str, moment: datetime) -> OptInRequest:
    request = OptInRequest.objects.create(
        collection_point=point,
        email=asked.email,
        given_name=asked.given_name,
        family_name=asked.family_name,
        phone=asked.phone,
        language=asked.language,
        address_fingerprint=owner,
        choices_digest=_digest(asked.boxes),
        requested_at=moment,
        expires_at=moment + timedelta(days=VALID_DAYS),
        requested_from=asked.network,
        form_origin=asked.origin[:200],
    )
    OptInChoice.objects.bulk_create(
        OptInChoice(
            request=request, purpose=box.purpose, channel=box.channel, notice_version=box.notice
        )
        for box in asked.boxes
    )
    return request


def _digest(boxes: Sequence[TickedBox]) -> str:
    return hashlib.sha256(" ".join(sorted(box.key for box in boxes)).encode()).hexdigest()


def _pending(requests: QuerySet[OptInRequest], token: str, moment: datetime) -> OptInRequest:
    state = OptInRequest.State.REQUESTED
    found = requests.filter(
        token_hash=token_hash(token), state=state, expires_at__gt=moment
    ).first()
    if found is None:
        raise TokenRefused
    return found


def _refuse_if_overtaken(request: OptInRequest, record: SourceRecord, point: ContactPoint) -> None:
    """Refuse when the address or its holder refused after the sign-up: the later word counts."""
    later = Q(occurred_at__gt=request.requested_at) | Q(
        occurred_at=None, recorded_at__gt=request.requested_at
    )
    about = Q(contact_point=point) | Q(
        source_record__customer=record.customer_id, type=ConsentEvent.Type.OBJECTION
    )
    channels = [Channel.EMAIL, ALL_CHANNELS]
    refusals = ConsentEvent.objects.filter(later, about, type__in=RESTRICTIVE)
    if refusals.filter(channel__in=channels).exists():
        raise TokenRefused


def _grants(
    request: OptInRequest,
    record: SourceRecord,
    points: dict[str, ContactPoint],
    moment: datetime,
) -> list[NewEvent]:
    """Return the consents: confirmed for the address, given by form for a number.

    The mail proves possession of the address alone. So what the form says about a number never
    lifts what somebody else refused there.
    """
    grants = []
    for choice in request.choices.all():
        is_email = "email" in CHANNEL_KINDS[choice.channel]
        point = points.get("email" if is_email else "phone")
        if point is None:
            continue
        if not is_email and _others_refused(point, choice.channel, record.customer_id):
            continue
        kinds = ConsentEvent.Type
        grants.append(
            NewEvent(
                record_id=record.pk,
                type=kinds.CONFIRMED if is_email else kinds.GIVEN,
                channel=choice.channel,
                purpose_id=choice.purpose_id,
                contact_point_id=point.pk,
                actor_type=Actor.PERSON,
                fact=("opt-in", request.uuid, choice.purpose_id, choice.channel),
                evidence_level=EvidenceLevel.VERIFIED if is_email else EvidenceLevel.FORM,
                occurred_at=moment,
                notice_version_id=choice.notice_version_id,
            )
        )
    return grants


def _others_refused(point: ContactPoint, channel: str, customer_id: int) -> bool:
    """Tell whether somebody else refused a number, or carries it and objected altogether.

    What she refused herself she may take back.
    """
    carriers = SourceRecord.objects.filter(contact_points=point).values("customer")
    about = Q(contact_point=point) | Q(
        source_record__customer__in=carriers, type=ConsentEvent.Type.OBJECTION
    )
    refusals = ConsentEvent.objects.filter(
        about, type__in=RESTRICTIVE, channel__in=[channel, ALL_CHANNELS]
    )
    return refusals.exclude(source_record__customer=customer_id).exists()


def _proof(request: OptInRequest, moment: datetime, network: str | None) -> Evidence:
    return Evidence(
        kind=Evidence.Kind.DOUBLE_OPT_IN,
        collection_point=request.collection_point,
        form_origin=request.form_origin,
        requested_at=request.requested_at,
        requested_from=request.requested_from,
        confirmed_at=moment,
        confirmed_from=network,
    )


def _settle(requests: QuerySet[OptInRequest], state: str, moment: datetime) -> None:
    """End requests and blank the person's details: what counts stands elsewhere now."""
    blank = dict.fromkeys(OptInRequest.PERSONAL, "")
    requests.update(state=state, settled_at=moment, token_hash=None, **blank)
