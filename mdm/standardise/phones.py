"""Telephone numbers: several to a cell, national forms, overseas regions, invented ones, kinds.

A number is valid or it is digits with an issue; nothing is guessed beyond a lost leading zero and
the region of an overseas postcode.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal, NamedTuple, cast

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from mdm.standardise.postcodes import REGION_OF_POSTCODE

MAX_LENGTH = 200
MAX_NUMBERS = 5
# Codes of numbers that nobody can be reached at.
UNUSABLE = frozenset(["invalid", "fake", "not_personal", "rounded"])
_SHARING_FRENCH_FORM = ("RE", "GP", "MQ", "GF", "YT")
# Numbers kept free for films and demonstrations (ARCEP, décision 2018-0881).
_FICTION = frozenset("19900 26191 35301 46571 53649 63998".split())
# A word between two numbers says whose they are: "06 … (Mme) 01 … (M.)", "dom. 01 … port. 06 …".
_SEPARATORS = re.compile(
    r"[/;,|&\n\r]|:::|\s\+\s|\bou\b|\bor\b|\bet\b|\([^()\d]{1,20}\)"
    r"|(?<=\d\d)\s+(?!poste\b|ext|p\b|x\b)[^\W\d_]{2,15}[.:]?\s*(?=[+(]?\d\d)",
    re.IGNORECASE,
)
# One number: "06/39/98/23/16", and "0475/12.34.56" as Belgians write.
_SLASHED = re.compile(r"\s*(?:\+?\d{1,4}(?:/\d{1,3}){3,5}|0\d{1,3}/\d{2,3}(?:[. ]?\d\d){2})\s*")
_TWO_FRENCH = re.compile(r"(0[1-9]\d{8})(0[1-9]\d{8})")
_LENGTH_OF_TWO = 20
_EXTENSION = re.compile(
    r"(?:\b(?:poste|ext|extension|p)\b\.?:?|[x#])\s*(\d{1,6})\s*$", re.IGNORECASE
)
# What a spreadsheet makes of a long number: 3,36E+10 has lost its digits for ever.
_EXPONENT = re.compile(r"\s*(\d)[.,]?(\d*)[eE]\+?(\d{1,2})\s*")
_GROUPING = str.maketrans("", "", " .-\u00a0")
_NOT_DIGITS = re.compile(r"\D+")
_FRENCH = re.compile(r"(?:\+33|0033|33|0)?([1-9]\d{8})")
_COUNTED = "01234567890123456789"
_PREMIUM = {
    PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST, PhoneNumberType.TOLL_FREE,
    PhoneNumberType.UAN, PhoneNumberType.VOICEMAIL,
}  # fmt: skip


_KINDS = {
    PhoneNumberType.MOBILE: "mobile", PhoneNumberType.FIXED_LINE: "fixed",
    PhoneNumberType.VOIP: "voip", PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed_or_mobile",
    PhoneNumberType.PERSONAL_NUMBER: "personal", PhoneNumberType.PAGER: "pager",
    **dict.fromkeys(_PREMIUM, "special"),
}  # fmt: skip
Kind = Literal["mobile", "fixed", "voip", "fixed_or_mobile", "personal", "pager", "special", ""]


class Phone(NamedTuple):
    """One number: E.164, or digits and the code of why they are none; an extension apart."""

    value: str
    code: str = ""
    extension: str = ""

    @property
    def is_valid(self) -> bool:
        """True when the number is in E.164 and may be somebody's."""
        return self.code not in UNUSABLE and bool(self.value)


def standardise_phones(cell: str, region: str, postcode: str = "") -> list[Phone]:
    """Return the distinct numbers of a cell, in order, at most MAX_NUMBERS."""
    if not cell:
        return []
    if len(cell) > MAX_LENGTH:
        return [Phone("", "too_long")]
    if ("E" in cell or "e" in cell) and (rounded := _EXPONENT.fullmatch(cell)):
        first, rest, exponent = rounded.groups()
        if len(rest) != int(exponent):
            return [Phone("", "rounded")]
        cell = first + rest
    region = phone_region(region, postcode)
    digits = cell.translate(_GROUPING)
    if digits.isdecimal() and len(digits) != _LENGTH_OF_TWO:  # Most cells: one number in groups.
        return [Phone(*_phone(digits, region))]
    found: dict[str, Phone] = {}
    for number, extension in _numbers(cell):
        value, code = _phone(number, region)
        found.setdefault(value, Phone(value, code, extension))
    return list(found.values())[:MAX_NUMBERS]


@lru_cache(maxsize=1 << 14)
def phone_kind(number: str) -> Kind:
    """Return what an E.164 number rings: "mobile", "fixed", "voip", "special" …; "" if unknown.

    The French plan is read off the first digit, so that numbers of fiction have a kind too.
    """
    if number.startswith("+33"):
        return _FRENCH_KINDS.get(number[3:4], "")
    try:
        found = phonenumbers.number_type(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return ""
    return cast("Kind", _KINDS.get(found, ""))


_FRENCH_KINDS: dict[str, Kind] = {
    "1": "fixed", "2": "fixed", "3": "fixed", "4": "fixed", "5": "fixed", "6": "mobile",
    "7": "mobile", "8": "special", "9": "voip",
}  # fmt: skip


def phone_region(region: str, postcode: str) -> str:
    """Return the region whose national form a number has, given the person's postcode."""
    if region == "FR":
        return REGION_OF_POSTCODE.get(postcode[:3], "FR")
    return region


def _numbers(cell: str) -> Iterator[tuple[str, str]]:
    """Yield each number as digits, with a leading + when it says its country, and extension."""
    if (digits := cell.translate(_GROUPING)).isdecimal():
        for one in two.groups() if (two := _TWO_FRENCH.fullmatch(digits)) else (digits,):
            yield one, ""
        return
    if _SLASHED.fullmatch(cell):
        cell = cell.replace("/", " ")
    for part in _SEPARATORS.split(cell):
        part, extension = _without_extension(part.strip())
        digits = _NOT_DIGITS.sub("", part.replace("(0)", ""))
        if digits:
            is_international = part.lstrip(" (").startswith("+")
            if is_international and digits.startswith("330"):
                digits = "33" + digits[3:]  # "+33 06 …" has one 0 too many.
            yield ("+" + digits if is_international else digits), extension


def _without_extension(part: str) -> tuple[str, str]:
    found = _EXTENSION.search(part)
    return (part[: found.start()], found[1]) if found else (part, "")


def _phone(number: str, region: str) -> tuple[str, str]:
    """Return the number in E.164 or as digits, and the code of what is wrong with it."""
    digits = number.lstrip("+")
    doubt = _invention(digits)
    if doubt == "fake":
        return number, doubt
    for candidate in _regions_to_try(region, digits):
        if candidate == "FR" and (found := _FRENCH.fullmatch(number)):
            value, prefix = "+33" + found[1], found[1][:5]
            if prefix in _FICTION:
                return value, ""
            kind = _kind_of_french_prefix(prefix)
        else:
            value, kind = _parsed(number, candidate)
        if kind in _PREMIUM:
            return number, "not_personal"
        if kind != PhoneNumberType.UNKNOWN:
            return value, doubt
    return _no_number(number, digits, region)


def _no_number(number: str, digits: str, region: str) -> tuple[str, str]:
    if len(digits) in (3, 4, 5, 6):
        return number, "not_personal"
    if region == "FR" and (found := _FRENCH.fullmatch(number)):
        # Not in the plan, but two sources that write it differently still agree on it.
        return "0" + found[1], "invalid"
    return number, "invalid"


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


def _invention(digits: str) -> str:
    """Return "fake" for 06 00 00 00 00, 01 02 03 04 05 and the like, which the plan allows.

    06 12 12 12 12 and 06 11 22 33 44 are "doubtful": operators do sell such numbers.
    """
    tail = digits[-8:]
    if len(digits) < 8:
        return ""
    if len(set(tail)) == 1 or tail in _COUNTED or tail[::-1] in _COUNTED:
        return "fake"
    # Most numbers fail here, at the first two pairs.
    step = int(tail[2:4]) - int(tail[:2])
    if step not in _SUSPECT_STEPS or any(
        int(tail[i + 2 : i + 4]) - int(tail[i : i + 2]) != step for i in (2, 4)
    ):
        return ""
    return "fake" if step == 1 else "doubtful"


_SUSPECT_STEPS = frozenset([0, 1, 10, 11])
