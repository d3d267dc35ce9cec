"""A whole postal address in one cell, taken apart: street line, postcode, town, country.

Only forms that leave no doubt are split: postcode before the town (most of Europe), and town,
state and ZIP code (United States). All else stays together as the street line, with an issue.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from mdm.standardise.addresses import country
from mdm.standardise.text import clean

_LONGEST = 500
_BREAKS = re.compile(r"[\r\n;|]+")
_EUROPEAN = re.compile(
    r"(?P<line>.*?)(?<!\w)(?:[A-Z]{1,2}-)?(?P<postcode>\d{4,5}),? +(?P<city>[^\d,][^,\d]*\d{0,2})"
)
_AMERICAN = re.compile(
    r"(?P<line>.+?),\s*(?P<city>[^\d,]+?),?\s+[A-Z]{2}\s+(?P<postcode>\d{5}(?:-\d{4})?)"
)


class WholeAddress(NamedTuple):
    """The parts of an address by attribute, and the codes of what was seen."""

    values: Mapping[str, str]
    codes: tuple[str, ...] = ()


def split_address(cell: str) -> WholeAddress:
    """Return the parts of an address written into one cell."""
    text = clean(_BREAKS.sub(", ", cell)).strip(" ,")
    if not text:
        return WholeAddress({})
    if len(text) > _LONGEST:
        return WholeAddress({}, ("too_long",))
    text, land = _without_country(text)
    found = _AMERICAN.fullmatch(text) or _EUROPEAN.fullmatch(text)
    if not found:
        return WholeAddress({"address_line": text, "country": land}, ("not_split",))
    parts = {name: value.strip(" ,") for name, value in found.groupdict().items()}
    return WholeAddress(
        {
            "address_line": parts["line"],
            "postcode": parts["postcode"],
            "city": parts["city"],
            "country": land,
        }
    )


def _without_country(text: str) -> tuple[str, str]:
    before, comma, last = text.rpartition(",")
    if comma and not any(letter.isdigit() for letter in last):
        code, codes = country(last.strip())
        if code and not codes:
            return before.strip(" ,"), last.strip()
    return text, ""
