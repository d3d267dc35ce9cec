"""Telephone numbers: several to a cell, national forms, overseas regions, invented ones.

A number is valid or it is digits with an issue; nothing is guessed beyond a lost leading zero and
the region of an overseas postcode (STEWARDSHIP §4.4).
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

MAX_LENGTH = 200
MAX_NUMBERS = 5
# Codes of numbers that nobody can be reached at.
UNUSABLE = frozenset(["invalid", "fake", "not_personal"])
# Overseas regions have their own country codes; 0692… is a mobile of Réunion, not of France.
REGION_OF_POSTCODE = {
    "971": "GP", "972": "MQ", "973": "GF", "974": "RE", "975": "PM", "976": "YT", "977": "BL",
    "978": "MF", "986": "WF", "987": "PF", "988": "NC", "980": "MC",
}  # fmt: skip
_SHARING_FRENCH_FORM = ("RE", "GP", "MQ", "GF", "YT")
# Numbers kept free for films and demonstrations (ARCEP, décision 2018-0881).
_FICTION = re.compile(r"\+33(?:19900|26191|35301|46571|53649|63998)\d{4}")
_SEPARATORS = re.compile(r"[/;,|\n\r]|\bou\b|\bor\b|\bet\b", re.IGNORECASE)
_EXTENSION = re.compile(r"(?:\b(?:poste|ext|extension)\b\.?|[x#])\s*\d{1,6}\s*$", re.IGNORECASE)
_NOT_DIGITS = re.compile(r"\D+")
_FRENCH = re.compile(r"(?:\+33|0033|33|0)?([1-9]\d{8})")
_COUNTED = "01234567890123456789"
_PREMIUM = {
    PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST, PhoneNumberType.TOLL_FREE,
    PhoneNumberType.UAN, PhoneNumberType.VOICEMAIL,
}  # fmt: skip


class Phone(NamedTuple):
    """One number: E.164 with no code, or digits and the code of what is wrong with them."""

    value: str
    code: str = ""

    @property
    def is_valid(self) -> bool:
        """True when the number is in E.164 and may be somebody's."""
        return not self.code


def standardise_phones(cell: str, region: str, postcode: str = "") -> list[Phone]:
    """Return the distinct numbers of a cell, in order, at most MAX_NUMBERS."""
    if not cell:
        return []
    if len(cell) > MAX_LENGTH:
        return [Phone("", "too_long")]
    region = phone_region(region, postcode)
    phones = (_phone(number, region) for number in _numbers(cell))
    return list(dict.fromkeys(phones))[:MAX_NUMBERS]


def phone_region(region: str, postcode: str) -> str:
    """Return the region whose national form a number has, given the person's postcode."""
    if region == "FR":
        return REGION_OF_POSTCODE.get(postcode[:3], "FR")
    return region


def _numbers(cell: str) -> Iterator[str]:
    """Yield each number as digits, with a leading + when it says its country."""
    for part in _SEPARATORS.split(cell):
        part = _EXTENSION.sub("", part.strip()).replace("(0)", "")
        digits = _NOT_DIGITS.sub("", part)
        if not digits:
            continue
        is_international = part.lstrip(" (").startswith("+")
        yield "+" + digits if is_international else digits


def _phone(number: str, region: str) -> Phone:
    digits = number.lstrip("+")
    if _is_invented(digits):
        return Phone(number, "fake")
    for candidate in _regions_to_try(region, digits):
        if candidate == "FR" and (found := _FRENCH.fullmatch(number)):
            if _FICTION.fullmatch("+33" + found[1]):
                return Phone("+33" + found[1])
            kind = _kind_of_french_prefix(found[1][:5])
            value = "+33" + found[1]
        else:
            value, kind = _parsed(number, candidate)
        if kind in _PREMIUM:
            return Phone(number, "not_personal")
        if kind != PhoneNumberType.UNKNOWN:
            return Phone(value)
    if len(digits) in (3, 4, 5, 6):
        return Phone(number, "not_personal")
    if region == "FR" and (found := _FRENCH.fullmatch(number)):
        # Not in the plan, but two sources that write it differently still agree on it.
        return Phone("0" + found[1], "invalid")
    return Phone(number, "invalid")


def _regions_to_try(region: str, digits: str) -> tuple[str, ...]:
    if region == "FR":
        is_overseas = digits[:4] in _OVERSEAS_STARTS or digits[:3] in _OVERSEAS_SHORT
        return ("FR", *_SHARING_FRENCH_FORM) if is_overseas else ("FR",)
    return (region, "FR") if region in REGION_OF_POSTCODE.values() else (region,)


_OVERSEAS_STARTS = frozenset(
    "0690 0691 0692 0693 0694 0696 0697 0639 0262 0263 0269 0590 0594 0596".split()
)
_OVERSEAS_SHORT = frozenset(start[1:] for start in _OVERSEAS_STARTS)


@lru_cache(maxsize=1 << 16)
def _kind_of_french_prefix(prefix: str) -> int:
    """Return the type of French numbers that start so; the plan says no more after five digits."""
    number = phonenumbers.PhoneNumber(country_code=33, national_number=int(prefix + "4321"))
    if not phonenumbers.is_valid_number_for_region(number, "FR"):
        return PhoneNumberType.UNKNOWN
    return phonenumbers.number_type(number)


def _parsed(number: str, region: str) -> tuple[str, int]:
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return "", PhoneNumberType.UNKNOWN
    if not phonenumbers.is_valid_number(parsed):
        return "", PhoneNumberType.UNKNOWN
    value = phonenumbers.format_number(parsed, PhoneNumberFormat.E164)
    return value, phonenumbers.number_type(parsed)


def _is_invented(digits: str) -> bool:
    """True for 06 00 00 00 00, 01 23 45 67 89 and the like, which the number plan allows."""
    tail = digits[-8:]
    if len(digits) < 8:
        return False
    return len(set(tail)) == 1 or tail in _COUNTED or tail[::-1] in _COUNTED
