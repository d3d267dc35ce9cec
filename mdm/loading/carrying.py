"""Which contact points records carry: one row per distinct address, number or e-mail."""

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from django.db.models import Min

from mdm import bulk
from mdm.models import ContactPoint, RecordContactPoint
from mdm.standardise.phones import UNUSABLE
from mdm.standardise.record import StandardRecord
from mdm.standardise.text import fold

_COLUMNS = ("kind", "value", "display", "status", "audience", "region", "shared_by")
_MAX_VALUE = 400

Records = Sequence[tuple[int, StandardRecord]]


class Point(NamedTuple):
    """A contact point a record carries, in one of its attributes."""

    attribute: str
    kind: str
    value: str
    display: str
    region: str = ""


def carry(records: Records, *, born_ids: Collection[int]) -> set[int]:
    """Store what each record carries now, and no longer what it does not.

    Returns a record for each contact point that lost a carrier, so that its sharing is counted
    anew too.
    """
    wanted = {(pk, point.attribute): point for pk, record in records for point in points(record)}
    keys = _keys(set(wanted.values()))
    target = {
        (pk, attribute): keys[point.kind, point.value] for (pk, attribute), point in wanted.items()
    }
    lost = _drop(target, [pk for pk, _ in records if pk not in born_ids])
    bulk.insert(
        RecordContactPoint,
        ("record_id", "attribute", "contact_point_id"),
        ((pk, attribute, key) for (pk, attribute), key in target.items()),
    )
    return lost


def points(record: StandardRecord) -> Iterator[Point]:
    """Yield the contact points of a record; a number that is not valid is none."""
    if record.email:
        yield Point("email", "email", record.email.casefold(), record.email)
    broken = {attribute for attribute, code in record.issues if code in UNUSABLE}
    for attribute, number in (("phone", record.phone), ("other_phone", record.other_phone)):
        if number.startswith("+") and attribute not in broken:
            yield Point(attribute, "phone", number, number)
    if record.street and (record.postcode or record.city):
        lines = (
            record.address_complement,
            f"{record.street_number} {record.street}".strip(),
            f"{record.postcode} {record.city}".strip(),
            record.country,
        )
        display = ", ".join(filter(None, lines))[:_MAX_VALUE]
        yield Point("address", "post", fold(display)[:_MAX_VALUE], display, record.country)


def _keys(wanted: Collection[Point]) -> dict[tuple[str, str], int]:
    """Return the key of each distinct contact point, made where it was unknown."""
    distinct = {(point.kind, point.value): point for point in sorted(wanted, reverse=True)}
    found = _find(list(distinct))
    missing = [point for place, point in sorted(distinct.items()) if place not in found]
    if missing:
        # Always in the same order: two loads that meet cannot block each other in a circle.
        bulk.insert_ignoring(ContactPoint, _COLUMNS, [_row(point) for point in missing])
        found |= _find([(point.kind, point.value) for point in missing])
    return found


def _find(places: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for kind in ContactPoint.Kind.values:
        values = [value for of_kind, value in places if of_kind == kind]
        if values:
            rows = ContactPoint.objects.filter(kind=kind, value__in=values)
            found |= {(kind, value): pk for value, pk in rows.values_list("value", "pk")}
    return found


def _row(point: Point) -> tuple[object, ...]:
    return (
        point.kind,
        point.value,
        point.display,
        ContactPoint.Status.USABLE,
        ContactPoint.Audience.B2C,
        point.region,
        1,
    )


def _drop(target: dict[tuple[int, str], int], record_ids: Sequence[int]) -> set[int]:
    """Delete what records carry no more, and take out of `target` what they carry already."""
    present = RecordContactPoint.objects.filter(record__in=record_ids).values_list(
        "pk", "record_id", "attribute", "contact_point_id"
    )
    gone: dict[int, int] = {}
    for pk, record, attribute, key in present:
        if target.get((record, attribute)) == key:
            del target[record, attribute]
        else:
            gone[pk] = key
    if not gone:
        return set()
    RecordContactPoint.objects.filter(pk__in=gone).delete()
    lost = set(gone.values())
    ContactPoint.objects.filter(pk__in=lost, carriers=None).update(shared_by=0)
    others = RecordContactPoint.objects.filter(contact_point__in=lost)
    # One carrier is enough to find the contact point; some have a hundred thousand.
    firsts = others.values("contact_point").annotate(first=Min("record_id"))
    return set(firsts.values_list("first", flat=True))
