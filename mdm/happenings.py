"""What happened to a customer, in words: her events, those of one act together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mdm.birth_ids import display, public_id
from mdm.lineage import label_of
from mdm.models import CustomerAct, CustomerEvent, SourceRecord
from mdm.staff import staff_name
from mdm.survivorship import GROUPS

Kind = CustomerEvent.Kind
_MOST_EVENTS = 120

FILTERS: Mapping[str, tuple[object, frozenset[str]]] = {
    "identity": (
        gettext_lazy("who she is"),
        frozenset({Kind.CREATED, Kind.JOINED, Kind.LEFT, Kind.MERGED, Kind.SPLIT, Kind.RESTORED}),
    ),
    "values": (gettext_lazy("values"), frozenset({Kind.VALUE_CHANGED})),
    "status": (
        gettext_lazy("gone and back"),
        frozenset({Kind.INACTIVATED, Kind.ERASED, Kind.RESTORED}),
    ),
}
"""What the timeline may be narrowed to: its name, and the events it keeps."""

_TONES = {
    Kind.CREATED: "gold",
    Kind.JOINED: "same",
    Kind.RESTORED: "same",
    Kind.LEFT: "conflict",
    Kind.SPLIT: "conflict",
    Kind.MERGED: "conflict",
    Kind.VALUE_CHANGED: "close",
    Kind.INACTIVATED: "past",
    Kind.ERASED: "past",
}


@dataclass(frozen=True, slots=True)
class Happening:
    """What one act did to a customer; `lines` in the order in which it happened."""

    at: datetime
    by: str
    reason: str
    tone: str
    lines: tuple[str, ...]


def happenings(
    customer_id: int, *, narrowed_to: str = "", until: datetime | None = None
) -> list[Happening]:
    """Return what happened to a customer, the latest first; four queries.

    `narrowed_to` is one of FILTERS; anything else shows all.
    """
    events = CustomerEvent.objects.filter(customer=customer_id)
    if narrowed_to in FILTERS:
        events = events.filter(kind__in=FILTERS[narrowed_to][1])
    if until:
        events = events.filter(at__lte=until)
    latest = list(events.order_by("-number")[:_MOST_EVENTS])
    reasons = dict(
        CustomerAct.objects.filter(pk__in={event.correlation for event in latest}).values_list(
            "pk", "reason"
        )
    )
    users = User.objects.in_bulk({event.by_id for event in latest if event.by_id})
    labels = _labels(latest)
    found = []
    for correlation, act in groupby(latest, key=lambda event: event.correlation):
        told = list(act)[::-1]
        user = users.get(told[0].by_id or 0)
        found.append(
            Happening(
                at=told[-1].at,
                by=staff_name(user),
                reason=reasons.get(correlation, ""),
                tone=_TONES[Kind(told[0].kind)],
                lines=tuple(_words(event, labels) for event in told),
            )
        )
    return found


def _labels(events: Sequence[CustomerEvent]) -> dict[int, str]:
    """Return each record that events speak of as source and key, in one query."""
    keys = {event.record_id for event in events if event.record_id}
    keys |= {record for event in events if event.kind == Kind.SPLIT for record in _split(event)}
    records = SourceRecord.objects.filter(pk__in=keys).select_related("source")
    return {record.pk: f"{record.source.label} {record.source_key}" for record in records}


def _split(event: CustomerEvent) -> Iterable[int]:
    """Return the records that a split took away: its details are new customer → records."""
    return (record for records in (event.details or {}).values() for record in records)


def _words(event: CustomerEvent, labels: Mapping[int, str]) -> str:
    words = {
        "record": labels.get(event.record_id or 0, ""),
        "other": display(public_id(event.other_id)) if event.other_id else "",
    }
    match event.kind:
        case Kind.CREATED if event.record_id:
            return _("Created with %(record)s") % words
        case Kind.CREATED:
            return _("Number issued")
        case Kind.JOINED:
            return _("%(record)s joined, from %(other)s") % words
        case Kind.LEFT:
            return _("%(record)s left, to %(other)s") % words
        case Kind.MERGED:
            return _("Merged into %(other)s") % words
        case Kind.SPLIT:
            return _("Split: %(parts)s") % {"parts": _parts(event, labels)}
        case Kind.VALUE_CHANGED:
            return _("Changed: %(values)s") % {"values": _values(event.details or ())}
        case _:
            return str(event.get_kind_display()).capitalize()


def _parts(event: CustomerEvent, labels: Mapping[int, str]) -> str:
    return "; ".join(
        _("%(customer)s with %(records)s")
        % {
            "customer": display(public_id(int(customer))),
            "records": ", ".join(labels.get(record, "?") for record in records),
        }
        for customer, records in (event.details or {}).items()
    )


def _values(attributes: Iterable[str]) -> str:
    """Return the names of attributes, those of an address as one."""
    groups = {name: group for group, names in GROUPS.items() for name in names}
    return ", ".join(dict.fromkeys(label_of(groups[name]) for name in attributes))
