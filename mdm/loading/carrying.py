"""Which contact points records carry: one row per distinct address, number or e-mail."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mdm import bulk
from mdm.contact_points import Met, Place, meet, recount_points
from mdm.models import RecordContactPoint
from mdm.signals import CarriedPoint
from mdm.standardise.phones import UNUSABLE
from mdm.standardise.record import StandardRecord
from mdm.standardise.text import fold

_MAX_VALUE = 400

Records = Sequence[tuple[int, StandardRecord]]


class Point(NamedTuple):
    """A contact point a record carries, in one of its attributes."""

    attribute: str
    kind: str
    value: str
    display: str
    region: str = ""


@dataclass(frozen=True, slots=True)
class Carriage:
    """What each record of a chunk carries now.

    `shared` are the contact points that somebody beside one new record alone carries, or carried.
    """

    by_record: dict[int, list[CarriedPoint]]
    shared: frozenset[int]


def carry(born: Records, changed: Records) -> Carriage:
    """Store what each record carries now, and for changed ones no longer what they do not.

    A new record is taken to be a customer of its own.
    """
    wanted = {pk: list(points(record)) for records in (born, changed) for pk, record in records}
    met, newborns = _met(wanted, [pk for pk, _ in born])
    keys, known = meet(met)
    by_record = {
        pk: [CarriedPoint(p.attribute, keys[p.kind, p.value], p.kind, p.value) for p in found]
        for pk, found in wanted.items()
    }
    carried = {(pk, p.attribute): p.contact_point_id for pk in by_record for p in by_record[pk]}
    touched = {key for (pk, _), key in carried.items() if pk in dict(changed)}
    touched |= _drop(carried, [pk for pk, _ in changed])
    bulk.insert(
        RecordContactPoint,
        ("record_id", "attribute", "contact_point_id"),
        ((pk, attribute, key) for (pk, attribute), key in carried.items()),
    )
    recount_points(touched)
    common = {keys[place] for place, count in newborns.items() if count > 1}
    return Carriage(by_record, frozenset(known | touched | common))


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
        # A postcode places the address: one source writes the country, another leaves it out.
        compared = ", ".join(lines[:3] if record.postcode else lines)
        yield Point("address", "post", fold(compared)[:_MAX_VALUE], display, record.country)


def _met(
    wanted: Mapping[int, Sequence[Point]], born_ids: Sequence[int]
) -> tuple[list[Met], Counter[Place]]:
    """Return each distinct contact point in its fullest spelling, and its count of newborns."""
    fullest: dict[Place, Point] = {}
    for found in wanted.values():
        for point in found:
            place = (point.kind, point.value)
            if place not in fullest or fullest[place].display < point.display:
                fullest[place] = point
    newborns = Counter(
        place for pk in born_ids for place in {(point.kind, point.value) for point in wanted[pk]}
    )
    met = [
        Met(*place, point.display, point.region, newborns[place])
        for place, point in fullest.items()
    ]
    return met, newborns


def _drop(carried: dict[tuple[int, str], int], record_ids: Sequence[int]) -> set[int]:
    """Delete what records carry no more, and take out of `carried` what they carry already.

    Returns the contact points that lost a carrier.
    """
    present = RecordContactPoint.objects.filter(record__in=record_ids).values_list(
        "pk", "record_id", "attribute", "contact_point_id"
    )
    gone: dict[int, int] = {}
    for pk, record, attribute, key in present:
        if carried.get((record, attribute)) == key:
            del carried[record, attribute]
        else:
            gone[pk] = key
    RecordContactPoint.objects.filter(pk__in=gone).delete()
    return set(gone.values())
