"""All e-mail addresses and phone numbers of a customer: sets, with who carries each value.

The golden record shows one of each; nothing is lost behind it. The set is what her active records
carry, and a value that a steward pinned; one is preferred, the golden record's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mdm.models import ContactPoint, GoldenRecord, Pin, RecordContactPoint, SourceRecord

Kind = ContactPoint.Kind
_KINDS = (Kind.EMAIL, Kind.PHONE)
_PREFERRED = {Kind.EMAIL: ("email",), Kind.PHONE: ("phone", "other_phone")}


@dataclass(frozen=True, slots=True)
class Carrier:
    """A record that carries a value, and in which of its attributes."""

    record: SourceRecord
    attribute: str
    is_hidden: bool
    """Whether a steward hid what this record says."""


@dataclass(frozen=True, slots=True)
class KnownValue:
    """One e-mail address or phone number; without carriers where a steward pinned it."""

    kind: str
    value: str
    point: ContactPoint | None
    carriers: tuple[Carrier, ...]
    is_preferred: bool

    @property
    def is_hidden(self) -> bool:
        """Whether all who carry it are hidden: it is known, and not to be shown as hers."""
        return bool(self.carriers) and all(carrier.is_hidden for carrier in self.carriers)

    @property
    def prefers(self) -> Carrier | None:
        """The carrier whose record a steward can prefer for this value."""
        usable = (c for c in self.carriers if c.attribute == self.kind and not c.is_hidden)
        return None if self.is_preferred else next(usable, None)


@dataclass(frozen=True, slots=True)
class ContactSet:
    """All values of one kind, the preferred one first, then what most records carry."""

    kind: str
    label: str
    values: tuple[KnownValue, ...]


def contact_sets(
    golden: GoldenRecord | None, records: Sequence[SourceRecord], pins: Sequence[Pin]
) -> list[ContactSet]:
    """Return what is known of each kind; one query. `records` are the active ones."""
    if golden is None:
        return []
    by_key = {record.pk: record for record in records}
    hidden = {(pin.record_id, pin.attribute) for pin in pins if pin.kind == Pin.Kind.HIDE}
    carried: dict[ContactPoint, list[Carrier]] = {}
    links = RecordContactPoint.objects.filter(record__in=by_key, contact_point__kind__in=_KINDS)
    for link in links.select_related("contact_point").order_by("record", "attribute"):
        is_hidden = (link.record_id, link.attribute) in hidden
        carrier = Carrier(by_key[link.record_id], link.attribute, is_hidden)
        carried.setdefault(link.contact_point, []).append(carrier)
    sets = [_set(Kind(kind), golden, carried) for kind in _KINDS]
    return [found for found in sets if found.values]


def _set(
    kind: Kind, golden: GoldenRecord, carried: Mapping[ContactPoint, Sequence[Carrier]]
) -> ContactSet:
    shown = [value for name in _PREFERRED[kind] if (value := getattr(golden, name))]
    preferred = shown[0].casefold() if shown else ""
    values = [
        KnownValue(kind, point.display, point, tuple(carriers), point.value == preferred)
        for point, carriers in carried.items()
        if point.kind == kind
    ]
    known = {value.point.value for value in values if value.point}
    values += [
        KnownValue(kind, value, None, (), value.casefold() == preferred)
        for value in dict.fromkeys(shown)
        if value.casefold() not in known
    ]
    values.sort(key=lambda v: (not v.is_preferred, v.is_hidden, -len(v.carriers), v.value))
    return ContactSet(kind, str(kind.label), tuple(values))
