"""One source record made regular: every attribute standardised, every issue told once."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from mdm.standardise import addresses, names
from mdm.standardise.dates import standardise_birth_date
from mdm.standardise.emails import standardise_email
from mdm.standardise.phones import standardise_phones
from mdm.standardise.text import clean

# Those whose own module does not already hold the limit of the column.
_LIMITS = (
    ("given_name", 100), ("family_name", 100), ("birth_name", 100), ("organisation", 200),
    ("identifier", 60), ("phone", 32), ("other_phone", 32), ("street_number", 20), ("street", 200),
    ("address_complement", 200), ("city", 100), ("postcode", 12),
)  # fmt: skip

Issue = tuple[str, str]


class StandardRecord(NamedTuple):
    """Standard attributes, "" or None where unknown, and what was wrong: (attribute, code)."""

    civility: str = ""
    sex: str = ""
    given_name: str = ""
    family_name: str = ""
    birth_name: str = ""
    birth_date: date | None = None
    organisation: str = ""
    identifier: str = ""
    email: str = ""
    phone: str = ""
    other_phone: str = ""
    street_number: str = ""
    street: str = ""
    address_complement: str = ""
    postcode: str = ""
    city: str = ""
    country: str = ""
    issues: tuple[Issue, ...] = ()


ATTRIBUTES = StandardRecord._fields[:-1]
# Values that are standardised into others.
COMPOSED = ("full_name", "address_line")


def standardise_record(
    values: Mapping[str, str],
    *,
    phones: Sequence[str] = (),
    region: str,
    today: date,
    birth_date_format: str = "",
) -> StandardRecord:
    """Return the standard record of raw values by attribute.

    `values` holds attributes of a StandardRecord and COMPOSED ones; `phones` the cells with
    telephone numbers, in the order of preference. An attribute of its own column wins over the
    same one inside a full name or an address line.
    """
    issues: list[Issue] = []
    get = values.get
    civility, sex, given, family, birth = _names(values, issues)
    number, street, complement, postcode, city, country = _address(values, region, issues)
    born = standardise_birth_date(get("birth_date", ""), birth_date_format, today=today)
    issues += [("birth_date", code) for code in born.codes]
    email = standardise_email(get("email", ""))
    issues += [("email", code) for code in email.codes]
    first, second = _phones(phones, country or region, postcode, issues)
    record = StandardRecord(
        civility, sex, given, family, birth, born.value,
        clean(get("organisation", "")), clean(get("identifier", "")),
        email.value, first, second, number, street, complement, postcode, city, country,
    )  # fmt: skip
    record = _without_long_values(record, issues)
    return record._replace(issues=tuple(dict.fromkeys(issues))) if issues else record


def _without_long_values(record: StandardRecord, issues: list[Issue]) -> StandardRecord:
    """Leave out what the database could only store cut; the raw value keeps it."""
    for attribute, limit in _LIMITS:
        if len(getattr(record, attribute)) > limit:
            issues.append((attribute, "too_long"))
            record = StandardRecord(**{**record._asdict(), attribute: ""})
    return record


def _names(values: Mapping[str, str], issues: list[Issue]) -> tuple[str, str, str, str, str]:
    get = values.get
    civility, codes = names.civility(get("civility", ""))
    issues += [("civility", code) for code in codes]
    sex, codes = names.sex(get("sex", ""))
    issues += [("sex", code) for code in codes]
    given = names.given_name(get("given_name", ""))
    issues += [("given_name", code) for code in given.codes]
    family = names.family_name(get("family_name", ""))
    issues += [("family_name", code) for code in family.codes]
    birth = names.birth_name(get("birth_name", ""))
    issues += [("birth_name", code) for code in birth.codes]
    found = (given.value, family.used, birth.value or family.birth)
    civility = civility or given.civility or family.civility
    if whole := get("full_name", ""):
        full = names.full_name(whole)
        issues += [("full_name", code) for code in full.codes]
        found = (found[0] or full.given, found[1] or full.family, found[2] or full.birth)
        civility = civility or full.civility
    return civility, sex or names.SEX_OF_CIVILITY[civility], *found


def _address(
    values: Mapping[str, str], region: str, issues: list[Issue]
) -> tuple[str, str, str, str, str, str]:
    get = values.get
    country, codes = addresses.country(get("country", ""))
    issues += [("country", code) for code in codes]
    region = country or region
    line = addresses.street_line(get("address_line", ""), region)
    issues += [("address_line", code) for code in line.codes]
    number = addresses.street_number(get("street_number", "")) or line.number
    street = addresses.street_name(get("street", ""), region) or line.name
    complement, codes = addresses.complement(get("address_complement", ""))
    issues += [("address_complement", code) for code in codes]
    town = addresses.town(get("postcode", ""), get("city", ""), region)
    issues += [("postcode", code) for code in town.postcode_codes]
    issues += [("city", code) for code in town.city_codes]
    return number, street, complement, town.postcode, town.city, country


def _phones(
    cells: Sequence[str], region: str, postcode: str, issues: list[Issue]
) -> tuple[str, str]:
    """Return the two best numbers: a valid one comes before one that is only digits."""
    found = [phone for cell in cells for phone in standardise_phones(cell, region, postcode)]
    if not found:
        return "", ""
    found = list(dict.fromkeys(found))
    found.sort(key=lambda phone: not phone.is_valid)
    slots = zip(("phone", "other_phone"), found, strict=False)
    issues += [(slot, phone.code) for slot, phone in slots if phone.code]
    if len(found) > 2:
        issues.append(("phone", "several"))
    return found[0].value, found[1].value if len(found) > 1 else ""
