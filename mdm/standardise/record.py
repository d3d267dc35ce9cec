"""One source record made regular: every attribute standardised, every issue told once."""

from collections.abc import Mapping, Sequence
from datetime import date
from operator import gt
from typing import NamedTuple

from mdm.standardise import addresses, names
from mdm.standardise.dates import standardise_birth_date
from mdm.standardise.emails import MAX_LENGTH, standardise_email
from mdm.standardise.fillers import is_filler
from mdm.standardise.name_doubts import contradicts_sex, look_at_both
from mdm.standardise.name_words import SEX_OF_CIVILITY
from mdm.standardise.organisations import business_number, organisation, website
from mdm.standardise.phones import standardise_phones
from mdm.standardise.postcodes import FRENCH_REGIONS, NO_TABLE, PostcodeTable, is_elsewhere
from mdm.standardise.text import clean
from mdm.standardise.whole_addresses import split_address

# Those whose own module does not already hold the limit of the column.
_LIMITS = (
    ("given_name", 100), ("family_name", 100), ("birth_name", 100), ("organisation", 200),
    ("identifier", 60), ("phone", 32), ("other_phone", 32), ("website", 200),
    ("street_number", 20), ("street", 200), ("address_complement", 200), ("city", 100),
    ("postcode", 12),
)  # fmt: skip

Issue = tuple[str, str]
Codes = tuple[str, ...]


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
    website: str = ""
    street_number: str = ""
    street: str = ""
    address_complement: str = ""
    postcode: str = ""
    city: str = ""
    country: str = ""
    issues: tuple[Issue, ...] = ()


ATTRIBUTES = StandardRecord._fields[:-1]
# An address survives whole: never the street of one source with the town of another.
ADDRESS_ATTRIBUTES: tuple[str, ...] = (
    "street_number",
    "street",
    "address_complement",
    "postcode",
    "city",
    "country",
)
_BORN = ATTRIBUTES.index("birth_date")
_TEXTS = [name for name in ATTRIBUTES if name != "birth_date"]
_LENGTHS = [dict(_LIMITS).get(name, MAX_LENGTH) for name in _TEXTS]
_record = StandardRecord._make
# Values that are standardised into others.
COMPOSED = ("full_name", "address_line", "full_address")


def standardise_record(
    values: Mapping[str, str],
    *,
    phones: Sequence[str] = (),
    region: str,
    today: date,
    birth_date_format: str = "",
    postcodes: PostcodeTable = NO_TABLE,
) -> StandardRecord:
    """Return the standard record of raw values by attribute.

    `values` holds attributes of a StandardRecord and COMPOSED ones; `phones` the cells with
    telephone numbers, in the order of preference. An attribute of its own column wins over the
    same one inside a full name or an address line. With a table of `postcodes`, French towns are
    checked against it.
    """
    issues: list[Issue] = []
    get = values.get
    civility, sex, given, family, birth = _names(values, issues)
    number, street, complement, postcode, city, country = _address(
        values, region, postcodes, issues
    )
    born = standardise_birth_date(get("birth_date", ""), birth_date_format, today=today)
    email = standardise_email(get("email", ""))
    if born.codes or email.codes:
        issues += _told(("birth_date", born.codes), ("email", email.codes))
    first, second = _phones(phones, country or region, postcode, issues)
    company, number_of = _organisation(values, issues)
    site = website(get("website", ""))
    texts: tuple[str, ...] = (
        civility, sex, given, family, birth, company, number_of, email.value, first, second, site,
        number, street, complement, postcode, city, country,
    )  # fmt: skip
    if any(map(gt, map(len, texts), _LENGTHS)):  # Hardly ever.
        texts = _without_long_values(texts, issues)
    told = tuple(dict.fromkeys(issues)) if issues else ()
    return _record((*texts[:_BORN], born.value, *texts[_BORN:], told))


def _without_long_values(texts: tuple[str, ...], issues: list[Issue]) -> tuple[str, ...]:
    """Leave out what the database could only store cut; the raw value keeps it."""
    kept = dict(zip(_TEXTS, texts, strict=True))
    for attribute, limit in _LIMITS:
        if len(kept[attribute]) > limit:
            issues.append((attribute, "too_long"))
            kept[attribute] = ""
    return tuple(kept.values())


def _names(values: Mapping[str, str], issues: list[Issue]) -> tuple[str, str, str, str, str]:
    get = values.get
    given_cell, family_cell = get("given_name", ""), get("family_name", "")
    civility, civility_codes = names.civility(get("civility", ""))
    sex, sex_codes = names.sex(get("sex", ""))
    given, family = names.given_name(given_cell), names.family_name(family_cell)
    birth = names.birth_name(get("birth_name", ""))
    found = (given.value, family.used, birth.value or family.birth)
    civility = civility or given.civility or family.civility
    if whole := get("full_name", ""):
        full = names.full_name(whole)
        issues += _told(("full_name", full.codes))
        found = (found[0] or full.given, found[1] or full.family, found[2] or full.birth)
        civility = civility or full.civility
    pair = look_at_both(found[0], found[1], given_cell=given_cell, family_cell=family_cell)
    if civility_codes or sex_codes or given.codes or family.codes or pair.codes or birth.codes:
        issues += _told(
            ("civility", civility_codes),
            ("sex", sex_codes),
            ("given_name", given.codes),
            ("family_name", family.codes + pair.codes),
            ("birth_name", birth.codes),
        )
    sex = _sex(civility, sex, pair.given, issues)
    return civility, sex, pair.given, pair.family, found[2]


def _told(*seen: tuple[str, Codes]) -> list[Issue]:
    return [(attribute, code) for attribute, codes in seen if codes for code in codes]


def _sex(civility: str, sex: str, given: str, issues: list[Issue]) -> str:
    """Return the sex as stated, else as the civility implies; contradictions are told."""
    implied = SEX_OF_CIVILITY[civility]
    if sex and implied and sex != implied:
        issues.append(("civility", "sex_conflict"))
    elif given and contradicts_sex(given, sex or implied):
        issues.append(("civility" if implied else "sex", "given_name_conflict"))
    return sex or implied


def _address(
    values: Mapping[str, str], region: str, postcodes: PostcodeTable, issues: list[Issue]
) -> tuple[str, str, str, str, str, str]:
    if whole := values.get("full_address", ""):
        parts = split_address(whole)
        issues += _told(("full_address", parts.codes))
        values = {**parts.values, **{name: value for name, value in values.items() if value}}
    get = values.get
    country, country_codes = addresses.country(get("country", ""))
    region = country or region
    number, street, around = _street(values, region, issues)
    complement, complement_codes = addresses.complement(get("address_complement", ""))
    if around and around not in complement:
        complement = f"{complement}, {around}" if complement else around
    town = addresses.town(get("postcode", ""), get("city", ""), region)
    if country_codes or complement_codes or town.postcode_codes or town.city_codes:
        issues += _told(
            ("country", country_codes),
            ("address_complement", complement_codes),
            ("postcode", town.postcode_codes),
            ("city", town.city_codes),
        )
    if country and is_elsewhere(town.postcode, country):
        issues.append(("postcode", "other_territory"))
    if region in FRENCH_REGIONS and (code := addresses.fit(town, postcodes)):
        issues.append(("postcode" if code == "unknown_postcode" else "city", code))
    return number, street, complement, town.postcode, town.city, country


def _street(values: Mapping[str, str], region: str, issues: list[Issue]) -> tuple[str, str, str]:
    """Return number, name and what stood around them; a street alone may hold its number."""
    get = values.get
    number, street = addresses.street_number(get("street_number", "")), get("street", "")
    line = addresses.street_line(get("address_line", ""), region)
    issues += _told(("address_line", line.codes))
    if not street:
        return number or line.number, line.name, line.complement
    if number:
        return number, addresses.street_name(street, region), line.complement
    own = addresses.street_line(street, region)
    issues += _told(("street", own.codes))
    return own.number or line.number, own.name or line.name, own.complement or line.complement


def _organisation(values: Mapping[str, str], issues: list[Issue]) -> tuple[str, str]:
    get = values.get
    if not (get("organisation") or get("identifier")):
        return "", ""
    company, codes = organisation(get("organisation", ""))
    number, number_codes = business_number(get("identifier", ""), is_expected=bool(company))
    issues += _told(("organisation", codes), ("identifier", number_codes))
    return company, number


def _phones(
    cells: Sequence[str], region: str, postcode: str, issues: list[Issue]
) -> tuple[str, str]:
    """Return the two best numbers: a valid one comes before one that is only digits."""
    found = [phone for cell in cells for phone in standardise_phones(cell, region, postcode)]
    if not found:
        if texts := [text for cell in cells if (text := clean(cell))]:
            issues.append(("phone", "placeholder" if all(map(is_filler, texts)) else "invalid"))
        return "", ""
    if len(found) > 1:
        found = list({phone.value: phone for phone in reversed(found)}.values())[::-1]
        found.sort(key=lambda phone: not phone.is_valid)
    for slot, phone in zip(("phone", "other_phone"), found, strict=False):
        if phone.code:
            issues.append((slot, phone.code))
        if phone.extension:
            issues.append((slot, "extension"))
    if len(found) > 2:
        issues.append(("phone", "several"))
    return found[0].value, found[1].value if len(found) > 1 else ""
