"""Pauses: no prospecting at a contact point for some months, because the person asked for it."""

from datetime import datetime

from django.db import transaction
from django.utils.timezone import now
from django.utils.translation import gettext_noop

from consent.cases import months_after
from consent.models import Pause
from consent.withdrawals import Holder
from mdm.audit import acting_as
from mdm.models import ContactPoint, Customer
from mdm.reasons import reason_of

MONTHS = (3, 6)


def pause_of(point: ContactPoint, *, at: datetime | None = None) -> Pause | None:
    """Return the pause in force at a contact point, the one that ends last."""
    moment = at or now()
    in_force = Pause.objects.filter(contact_point=point, starts_at__lte=moment, ends_at__gt=moment)
    return in_force.order_by("-ends_at").first()


@transaction.atomic
def start_pause(holder: Holder, *, months: int) -> Pause:
    """Pause for some months from now; a second click makes it no longer than that."""
    Customer.objects.select_for_update().get(pk=holder.customer_id)
    moment = now()
    wanted = months_after(moment, months)
    with acting_as(None, reason_of(gettext_noop("Asked for by the person"))):
        found = pause_of(holder.contact_point)
        if found is None:
            return Pause.objects.create(
                source_record=holder.record,
                contact_point=holder.contact_point,
                starts_at=moment,
                ends_at=wanted,
            )
        if found.ends_at.date() != wanted.date():
            found.ends_at = wanted
            found.save(update_fields=["ends_at"])
    return found


@transaction.atomic
def end_pause(holder: Holder) -> None:
    """Resume now: what was permitted before is permitted again, and nothing more."""
    with acting_as(None, reason_of(gettext_noop("Asked for by the person"))):
        while pause := pause_of(holder.contact_point):
            pause.ends_at = max(now(), pause.starts_at)
            pause.save(update_fields=["ends_at"])
