"""A whole postal address in one cell, taken apart: street line, postcode, town, country.

Only forms that leave no doubt are split: postcode before the town (most of Europe), town, state
and ZIP code (United States), and town, county and postcode (United Kingdom). All else stays
together as the street line, with an issue.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from mdm.standardise.addresses import country
from mdm.standardise.text import clean

_LONGEST = 500
_BREAKS = re.compile(r"[\r\n;|]+")
_EUROPEAN = re.compile(
    r"(?P<line>.*?)(?<!\w)(?:[A-Z]{1,2}-)?"
    # Two capitals belong to a Dutch postcode, unless a town begins so: 8420 DE HAAN.
    r"(?P<postcode>\d{4} ?(?!(?:AM|AN|AU|DE|IM|IN|LA|LE|ST|ZU)\b)[A-Z]{2}|\d{4,5}),? +"
    r"(?P<city>[^\d,][^,\d]*\d{0,2})"
)
_AMERICAN = re.compile(
    r"(?P<line>.+?),\s*(?P<city>[^\d,]+?),?\s+[A-Z]{2}\s+(?P<postcode>\d{5}(?:-\d{4})?)"
)

_COUNTIES = (
    r"[a-z ]+shire|Avon|Cleveland|Clwyd|Cornwall|Cumbria|(?:County|Co\.?) [a-z]+|Devon|Dorset|"
    r"Dyfed|Essex|Fife|(?:Mid|South|West) Glamorgan|Greater (?:London|Manchester)|Gwent|Gwynedd|"
    r"Isle of Wight|Kent|Merseyside|Middlesex|Norfolk|Powys|Rutland|Somerset|Suffolk|Surrey|"
    r"(?:East|West) Sussex|Tyne (?:and|&) Wear|West Midlands"
)
_BRITISH = re.compile(
    rf"(?P<line>.+?),\s*(?P<city>[^\d,]+?)(?:,\s*(?:{_COUNTIES}))?,?\s+"
    r"(?P<postcode>[A-Z]{1,2}\d[A-Z\d]?\s?\d[ABD-HJLNP-UW-Z]{2})",
    re.IGNORECASE,
)

# Before a country the town may stand first: "…, La Rochelle, 17000, FR".
_TOWN_FIRST = re.compile(
    r"(?P<line>.+?),\s*(?P<city>[^\d,]+?)(?:,\s*[A-Z]{2})?,\s*(?P<postcode>\d{4,5}(?:-\d{4})?)"
)
# Mailchimp parts street, town, postcode and country by two blanks.
_WIDE_GAP = re.compile(r"(?<=\S) {2,}(?=\S)")
_FEWEST_PARTS = 3


class WholeAddress(NamedTuple):
    """The parts of an address by attribute, and the codes of what was seen."""

    values: Mapping[str, str]
    codes: tuple[str, ...] = ()


def split_address(cell: str) -> WholeAddress:
    """Return the parts of an address written into one cell."""
    text = clean(_BREAKS.sub(", ", _with_commas(cell))).strip(" ,")
    if not text:
        return WholeAddress({})
    if len(text) > _LONGEST:
        return WholeAddress({}, ("too_long",))
    text, land = _without_country(text)
    found = _AMERICAN.fullmatch(text) or _EUROPEAN.fullmatch(text) or _BRITISH.fullmatch(text)
    if land and not found:
        found = _TOWN_FIRST.fullmatch(text)
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


def _with_commas(cell: str) -> str:
    """Return parts that two blanks divide with commas, where a country is the last of them."""
    parts = _WIDE_GAP.split(cell)
    return ", ".join(parts) if len(parts) >= _FEWEST_PARTS and _is_country(parts[-1]) else cell


def _without_country(text: str) -> tuple[str, str]:
    before, _comma, last = text.rpartition(",")
    last = last.strip()
    return (before.strip(" ,"), last) if before and _is_country(last) else (text, "")


def _is_country(text: str) -> bool:
    # A letter alone may be a staircase: as a country it needs a cell of its own.
    if len(text) < 2 or any(letter.isdigit() for letter in text):
        return False
    code, codes = country(text)
    return bool(code) and not codes
