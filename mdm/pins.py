"""Pins: a steward's word on one value, above every rule, until she takes it back.

A pin hangs on one source record, so it survives merges and leaves with that record.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils.timezone import localdate, now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from mdm import identity
from mdm.audit import acting_as
from mdm.models import Pin, SourceRecord
from mdm.reasons import reason_of
from mdm.survivorship import GROUPS
from mdm.turns import in_one_turn


class PinRefused(Exception):
    """The pin makes no sense; the text says why."""


class AlreadyTakenBack(Exception):
    """The pin is no longer in force."""


@in_one_turn
def pin(
    record_id: int,
    group: str,
    kind: str,
    *,
    by: User,
    reason: str,
    values: Mapping[str, Any] | None = None,
    review_on: date | None = None,
) -> Pin:
    """Choose a golden value: `values` of the group, or what a record says, or never what it says.

    It takes the place of the pin on the same record and group.

    Raises:
        PinRefused: without a reason, or without a value to choose.
    """
    _refuse_nonsense(group, kind, reason, values)
    identity.lock_customers_of([record_id])
    record = SourceRecord.objects.get(pk=record_id)
    with acting_as(by, reason_of(Pin.Kind(kind).label)):
        for earlier in Pin.objects.filter(record=record, attribute=group, retracted_at=None):
            _end(earlier, by=by)
        made = Pin.objects.create(
            record=record,
            attribute=group,
            kind=kind,
            value=_as_json(values or {}) if kind == Pin.Kind.VALUE else {},
            reason=reason,
            review_on=review_on,
            created_by=by,
        )
        identity.refresh([record.customer_id])
    return made


@in_one_turn
def take_back(pin_id: int, *, by: User) -> Pin:
    """Take a pin back: the rules decide again.

    Raises:
        AlreadyTakenBack: when it is not in force.
    """
    found = Pin.objects.select_related("record").get(pk=pin_id)
    identity.lock_customers_of([found.record_id])
    found.refresh_from_db()
    if found.retracted_at:
        raise AlreadyTakenBack(_("This pin was already taken back."))
    with acting_as(by, reason_of(gettext_noop("Pin taken back"))):
        _end(found, by=by)
        record = SourceRecord.objects.get(pk=found.record_id)
        identity.refresh([record.customer_id])
    return found


def due_for_review() -> QuerySet[Pin]:
    """Return the pins in force whose day to look again has come, the longest due first.

    With the customer each belongs to now and her golden record.
    """
    due = Pin.objects.filter(retracted_at=None, review_on__lte=localdate())
    people = due.select_related("record__customer__golden", "created_by")
    return people.order_by("review_on", "pk")


def _refuse_nonsense(group: str, kind: str, reason: str, values: Mapping[str, Any] | None) -> None:
    if group not in GROUPS or kind not in Pin.Kind.values:
        raise PinRefused(_("There is nothing of that name to pin."))
    if not reason.strip():
        raise PinRefused(_("Say why: the reason stands beside the value."))
    if kind == Pin.Kind.VALUE:
        stated = values or {}
        if not any(stated.values()) or not set(stated) <= set(GROUPS[group]):
            raise PinRefused(_("Give the value to use."))


def _as_json(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in values.items()
    }


def _end(found: Pin, *, by: User) -> None:
    found.retracted_at, found.retracted_by = now(), by
    found.save(update_fields=["retracted_at", "retracted_by"])
