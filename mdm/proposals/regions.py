"""The country whose telephone numbers and postcodes a file holds, by its values."""

import re
from collections import Counter
from collections.abc import Sequence

import phonenumbers

from mdm.proposals.columns import ColumnSample
from mdm.proposals.headers import meaning_of
from mdm.proposals.looks import MOST
from mdm.standardise.addresses import country
from mdm.standardise.postcodes import FRENCH_REGIONS

DEFAULT = "FR"
_TRIED = 200
# Plans that tell: a German, Italian or Luxembourgian number may be nearly anything.
_REGIONS = ("FR", "US", "GB", "BE", "CH", "ES")
# A spreadsheet takes the zero of a mobile away, a tool for newsletters the plus of 33.
_FRENCH = re.compile(r"\D*(?:(?:0|33)\D*[1-9]|[67])(?:\D*\d){8}\D*")
_AMERICAN = re.compile(r".*,\s*[A-Z]{2}\s+\d{5}(?:-\d{4})?", re.DOTALL)


def likely_region(columns: Sequence[ColumnSample]) -> str:
    """Return the country of most rows as two capital letters; "FR" where nothing tells another."""
    values: dict[str, list[str]] = {}
    for column in columns:
        if meaning := meaning_of(column.name):
            values.setdefault(meaning.attribute, []).extend(column.values[:_TRIED])
    return (
        _of_countries(values.get("country", []))
        or _of_phones(values.get("phone", []))
        or _of_addresses(values.get("address_line", []) + values.get("full_address", []))
        or DEFAULT
    )


def _of_countries(values: Sequence[str]) -> str:
    codes = Counter(country(value)[0] for value in values)
    code, count = codes.most_common(1)[0] if codes else ("", 0)
    if 2 * count <= len(values):
        return ""
    return DEFAULT if code in FRENCH_REGIONS else code


def _of_phones(values: Sequence[str]) -> str:
    """Return the country whose plan most numbers follow that name none."""
    national = [value for value in values if not value.lstrip(" (").startswith(("+", "00"))]
    for region in _REGIONS:
        if sum(_is_valid(value, region) for value in national) >= MOST * len(national) > 0:
            return region
    return ""


def _is_valid(value: str, region: str) -> bool:
    if region == DEFAULT:  # Invented ones as well, which the plan knows none of.
        return bool(_FRENCH.fullmatch(value))
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(value, region))
    except phonenumbers.NumberParseException:
        return False


def _of_addresses(values: Sequence[str]) -> str:
    american = sum(bool(_AMERICAN.fullmatch(value.strip())) for value in values)
    return "US" if american >= MOST * len(values) > 0 else ""
