"""Finding consent events by what a person can be found by; searches are never written anywhere."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q, QuerySet

from consent.days import first_instant, last_instant
from consent.models import ConsentEvent
from mdm.models import ContactPoint
from mdm.search import find
from mdm.standardise.phones import standardise_phones

PAGE_SIZE = 50


def find_events(wanted: Mapping[str, Any]) -> "QuerySet[ConsentEvent]":
    """Return the events that match a cleaned `EventFilterForm`, the latest recorded first."""
    events = ConsentEvent.objects.select_related(
        "source_record__source", "source_record__customer", "contact_point", "purpose"
    )
    events = events.prefetch_related("retractions").order_by("-pk")
    if wanted.get("text"):
        events = events.filter(_about(wanted["text"]))
    for name in ("type", "channel", "purpose"):
        if wanted.get(name):
            events = events.filter(**{name: wanted[name]})
    if wanted.get("evidence") is not None:
        events = events.filter(evidence_level__lte=wanted["evidence"])
    if wanted.get("since"):
        events = events.filter(recorded_at__gte=first_instant(wanted["since"]))
    if wanted.get("until"):
        events = events.filter(recorded_at__lte=last_instant(wanted["until"]))
    return events


def _about(text: str) -> Q:
    """Return the condition of being about a person found by the text, or a contact point.

    Contact points are looked up apart, for the ones no record carries any more.
    """
    customers = [hit.customer_id for hit in find(text)]
    numbers = [phone.value for phone in standardise_phones(text, "FR")]
    points = ContactPoint.objects.filter(value__in=[text.casefold(), *numbers])
    return Q(source_record__customer__in=customers) | Q(contact_point__in=points)
