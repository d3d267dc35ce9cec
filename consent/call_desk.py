"""The call desk: may this number be called at this moment, and what came of the call.

An attempt is a fact that counts against the limit of the law, whoever carries the number later;
a refusal said in a call is an objection to calls at once, before the page answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.timezone import now
from django.utils.translation import gettext as _

from consent.call_hours import CallHours, call_hours, zones_of
from consent.evaluation import may_contact, offer_for
from consent.models import CallAttempt, Channel, Purpose
from consent.offline import carrier, object_for
from consent.permissions import Answer
from consent.policies import pack_at
from mdm.models import ContactPoint, Customer, SourceRecord
from mdm.standardise.phones import standardise_phones

REGION = "FR"


class CallRefused(Exception):
    """The call cannot be checked or recorded; the text says why and what can be done."""


@dataclass(frozen=True, slots=True)
class Callee:
    """A person behind a number: may she be called now, and what was tried lately."""

    customer: Customer
    contact_point: ContactPoint
    answer: Answer
    hours: CallHours
    attempts: Sequence[CallAttempt]
    attempts_maximum: int
    asked_at: datetime

    @property
    def left(self) -> range:
        """Return one number for each attempt that the law still allows in these thirty days."""
        return range(self.attempts_maximum - len(self.attempts))

    @property
    def clocks(self) -> list[tuple[str, datetime]]:
        """Return the time it is where the number may ring, by the name of the place."""
        names = {zone: zone.rpartition("/")[2].replace("_", " ") for zone in self.hours.zones}
        return [(name, self.asked_at.astimezone(ZoneInfo(zone))) for zone, name in names.items()]


def number_of(text: str) -> str:
    """Return the number in E.164 that somebody typed.

    Raises:
        CallRefused: when it is no telephone number, or several.
    """
    found = [phone for phone in standardise_phones(text, REGION) if phone.is_valid]
    if len(found) != 1:
        raise CallRefused(_("This is no telephone number. Type one, with its area code."))
    return found[0].value


def callees(number: str, purpose: Purpose, *, at: datetime | None = None) -> list[Callee]:
    """Return the people behind a number in E.164, each with the gate's answer for a call now."""
    moment = at or now()
    point = ContactPoint.objects.filter(kind=ContactPoint.Kind.PHONE, value=number).first()
    if point is None:
        return []
    carried = SourceRecord.objects.active().filter(contact_points=point)
    holders = Customer.objects.filter(records__in=carried).distinct().order_by("pk")
    return [_callee(holder, point, purpose, moment) for holder in holders.select_related("golden")]


@transaction.atomic
def record_call(
    customer: Customer,
    point: ContactPoint,
    purpose: Purpose,
    outcome: str,
    *,
    key: UUID,
    by: User,
) -> CallAttempt:
    """Record what came of a call, once for each key: a second click adds nothing.

    Raises:
        CallRefused: when the number is not the customer's any more.
    """
    Customer.objects.select_for_update().get(pk=customer.pk)
    known = CallAttempt.objects.filter(uuid=key).first()
    if known:
        return known
    record = carrier(customer, point)
    if record is None:
        raise CallRefused(_("This number is not the customer's any more: check it again."))
    attempt = CallAttempt.objects.create(
        uuid=key,
        source_record=record,
        contact_point=point,
        purpose=purpose,
        outcome=outcome,
        called_at=now(),
        called_by=by,
    )
    if outcome == CallAttempt.Outcome.REFUSED:
        object_for(customer, record, Channel.PHONE, "call refused", by=by)
    if outcome == CallAttempt.Outcome.WRONG_NUMBER:
        point.status = ContactPoint.Status.REASSIGNED
        point.save(update_fields=["status"])
    return attempt


def _callee(customer: Customer, point: ContactPoint, purpose: Purpose, at: datetime) -> Callee:
    policy = pack_at(at)
    since = at - timedelta(days=policy.call_attempts_days)
    attempts = CallAttempt.objects.filter(
        source_record__customer=customer, called_at__gt=since, called_at__lte=at
    )
    outcome = may_contact(
        customer,
        channel=Channel.PHONE,
        offer=offer_for(purpose),
        at=at,
        contact_point_id=point.pk,
        is_dialling=True,
    )
    return Callee(
        customer=customer,
        contact_point=point,
        answer=outcome.answer,
        hours=call_hours(zones_of(point.value), at, policy),
        attempts=list(attempts.select_related("called_by").order_by("-called_at")),
        attempts_maximum=policy.call_attempts_maximum,
        asked_at=at,
    )
