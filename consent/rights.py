"""Requests of persons about their data: received, listed with their deadline, marked answered.

The pack of an access is made from its request (`config.access`), and an erasure carried out
(`consent.erasure_pages`). This keeps the clock and the register.
"""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from consent.deadlines import due_on
from consent.models import RightsRequest
from mdm.audit import acting_as
from mdm.models import ContactPoint, Customer
from mdm.reasons import reason_of


class AlreadyAnswered(Exception):
    """The request was answered before."""


@transaction.atomic
def receive_request(
    customer: Customer,
    *,
    kind: str,
    message: str = "",
    contact_point: ContactPoint | None = None,
    door: str = RightsRequest.Door.PREFERENCES,
    by: User | None = None,
) -> RightsRequest:
    """Note a request, or return the open one of the same kind: the first one runs the clock."""
    # One at a time for each customer, so that two clicks are one request.
    Customer.objects.select_for_update().get(pk=customer.pk)
    state = RightsRequest.State.RECEIVED
    found = RightsRequest.objects.filter(customer=customer, kind=kind, state=state).first()
    if found:
        return found
    moment = now()
    with acting_as(by, reason_of(gettext_noop("Request received"))):
        return RightsRequest.objects.create(
            kind=kind,
            door=door,
            customer=customer,
            contact_point=contact_point,
            message=message.strip(),
            received_at=moment,
            due_on=due_on(moment),
        )


@transaction.atomic
def answer_request(request: RightsRequest, *, note: str, by: User) -> RightsRequest:
    """Note that a request was answered, and how.

    Raises:
        AlreadyAnswered: when somebody did so before.
    """
    request = RightsRequest.objects.select_for_update().get(pk=request.pk)
    if request.state != RightsRequest.State.RECEIVED:
        raise AlreadyAnswered(_("This request was already answered."))
    request.state = RightsRequest.State.ANSWERED
    request.answered_at = now()
    request.answered_by = by
    request.answer_note = note.strip()
    with acting_as(by, reason_of(gettext_noop("Request answered"))):
        request.save()
    return request
