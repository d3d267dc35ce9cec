"""How people stop messages: at once, as often as they like, and with one event for each time.

An act is the same fact until the person consents anew: so a second click, a second machine or a
replayed request adds nothing, and a click after a new consent does.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Max
from django.utils.timezone import now

from consent.acts import record_acts
from consent.double_opt_in import end_open_requests
from consent.facts import Actor, EvidenceLevel
from consent.ledger import PERMISSIVE, NewEvent
from consent.models import ALL_CHANNELS, Channel, ConsentEvent, Evidence, Purpose
from mdm.models import ContactPoint, Customer, SourceRecord


@dataclass(frozen=True, slots=True)
class Holder:
    """A person as the holder of a contact point: the record her acts hang from."""

    record: SourceRecord
    contact_point: ContactPoint

    @property
    def customer_id(self) -> int:
        """Key of the customer the record belongs to now."""
        return self.record.customer_id


def holder_of(contact_point_id: int, customer_id: int) -> Holder | None:
    """Return the person behind a contact point as a link names her; None when she is erased.

    A merge is followed. Where she no longer carries the contact point, whoever does is meant:
    the message went to that address.
    """
    point = ContactPoint.objects.filter(pk=contact_point_id).first()
    customer = Customer.objects.filter(pk=customer_id).first()
    if point is None or customer is None or customer.status == Customer.Status.ERASED:
        return None
    living = SourceRecord.objects.exclude(status=SourceRecord.Status.ERASED).order_by("-pk")
    hers = living.filter(customer=customer.merged_into_id or customer.pk)
    carrying = living.filter(contact_points=point)
    record = (hers & carrying).first() or carrying.first() or hers.first()
    return Holder(record, point) if record else None


@transaction.atomic
def withdraw(
    holder: Holder,
    *,
    channel: str,
    purpose: Purpose | None,
    contact_point: ContactPoint | None = None,
    proof: Evidence,
    at: datetime | None = None,
) -> list[ConsentEvent]:
    """Record that she takes back, or refuses, messages at one contact point; None: every purpose.

    It binds the contact point, whoever carries it, and ends the customer exception there too.
    """
    point = contact_point or holder.contact_point
    after = _latest_grant(holder, point)
    act = NewEvent(
        record_id=holder.record.pk,
        type=ConsentEvent.Type.WITHDRAWN,
        channel=channel,
        purpose_id=purpose.pk if purpose else None,
        contact_point_id=point.pk,
        actor_type=Actor.PERSON,
        fact=("withdrawal", point.pk, channel, purpose.pk if purpose else None, after),
        evidence_level=EvidenceLevel.FORM,
        occurred_at=at or now(),
    )
    if channel == Channel.EMAIL:
        end_open_requests(point.value)
    return record_acts([act], proof)


@transaction.atomic
def stop_everything(
    holder: Holder, *, proof: Evidence, at: datetime | None = None
) -> list[ConsentEvent]:
    """Record her objection to all prospecting: it follows her to every contact point."""
    after = _latest_grant(holder, holder.contact_point)
    act = NewEvent(
        record_id=holder.record.pk,
        type=ConsentEvent.Type.OBJECTION,
        channel=ALL_CHANNELS,
        purpose_id=None,
        contact_point_id=holder.contact_point.pk,
        actor_type=Actor.PERSON,
        fact=("stop", holder.customer_id, holder.contact_point.pk, after),
        evidence_level=EvidenceLevel.FORM,
        occurred_at=at or now(),
    )
    if holder.contact_point.kind == ContactPoint.Kind.EMAIL:
        end_open_requests(holder.contact_point.value)
    return record_acts([act], proof)


def _latest_grant(holder: Holder, point: ContactPoint) -> int:
    """Return the key of the last consent of the person or the contact point; 0 for none."""
    grants = ConsentEvent.objects.filter(type__in=PERMISSIVE)
    of_point = grants.filter(contact_point=point).aggregate(latest=Max("pk"))["latest"]
    of_person = grants.filter(source_record__customer=holder.customer_id)
    return max(of_point or 0, of_person.aggregate(latest=Max("pk"))["latest"] or 0)
