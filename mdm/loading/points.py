"""Which contact points a standard record carries: pure."""

from collections.abc import Iterator
from typing import NamedTuple

from mdm.standardise.phones import UNUSABLE
from mdm.standardise.record import StandardRecord
from mdm.standardise.text import fold_once

_MAX_VALUE = 400


class Point(NamedTuple):
    """A contact point a record carries, in one of its attributes."""

    attribute: str
    kind: str
    value: str
    display: str
    region: str = ""


def points(record: StandardRecord) -> Iterator[Point]:
    """Yield the contact points of a record; a number that is not valid is none."""
    if record.email:
        yield Point("email", "email", record.email.casefold(), record.email)
    issues = record.issues
    broken = {attribute for attribute, code in issues if code in UNUSABLE} if issues else ()
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
        yield Point("address", "post", fold_once(compared)[:_MAX_VALUE], display, record.country)
