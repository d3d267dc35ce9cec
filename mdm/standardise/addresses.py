"""Postal addresses: number and street, complement, postcode, town, country.

French forms are written out in full ("AV" becomes "avenue"); a label abbreviates at output only
(`labels`). Other countries keep their words.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from phonenumbers import SUPPORTED_REGIONS

from mdm.standardise.abbreviations import STREET_TYPES, WORDS_IN_FULL
from mdm.standardise.address_parts import MAILBOX, is_part, take_mailbox, take_parts
from mdm.standardise.countries import CODE_OF_NAME
from mdm.standardise.fillers import is_filler
from mdm.standardise.postcodes import (
    FRENCH_REGIONS,
    NO_TABLE,
    PostcodeTable,
    is_corsican_commune,
    is_french,
)
from mdm.standardise.text import clean, fold

MAX_LENGTH = 200
_SHORTENED = re.compile(
    rf"(?<![^\s-])({'|'.join(sorted(WORDS_IN_FULL, key=len, reverse=True))}|gén)\.?([\s-]+)(?=\w)",
    re.IGNORECASE,
)
_ACRONYMS = frozenset("ZA ZI ZAC BP CS TSA RN RD HLM".split())
_ROMAN = re.compile(r"(?=..)X{0,3}(?:IX|IV|V?I{0,3})", re.IGNORECASE)
_ORDINAL = re.compile(r"\d+(?:e|er|re|eme|ème|nd|nde)", re.IGNORECASE)
_SMALL_WORDS = frozenset("de du des la le les et en sur sous aux au à lès lez d l".split())
_NUMBER = re.compile(
    r"^(?:n[°o]?\s*)?(\d{1,5}(?:\s?[-/]\s?\d{1,5})?)(?:\s?(bis|ter|quater|quinquies|[A-F])(?![^\W_]))?[\s,]+(?=\S)",
    re.IGNORECASE,
)
_TYPES = "|".join(sorted(STREET_TYPES, key=len, reverse=True))
# "Appt 3 12 rue X": the street starts at its number.
_STREET_BEHIND = re.compile(
    rf"\s+(?=\d{{1,5}}\s?(?:bis|ter|quater|[A-F]\b)?[\s,]+(?:{_TYPES})\b)", re.IGNORECASE
)
_STREET_START = re.compile(
    rf"(?:n[°o]?\s*)?\d{{1,5}}\s?(?:bis|ter|quater|quinquies|[A-F]\b)?[\s,]+\w"
    rf"|(?:{_TYPES})\b",
    re.IGNORECASE,
)
_MAY_HAVE_PARTS = re.compile(
    r"[,;–]| - |\b(?:app|apt|b[aâ]t|esc|imm|[ée]tage|BP|B\.P|CS|TSA|bo[iî]te postale)",
    re.IGNORECASE,
)
# A line of plain letters without one of these has none of the above, and that is told sooner.
_PARTS_HAVE = (
    ",", ";", " - ", "app", "apt", "bat", "esc", "imm", "etage", "bp", "b.p", "cs", "tsa", "boi",
)  # fmt: skip
_WORD = re.compile("(?:[^\\W_]|[\u0300-\u036f])+")
_LOST_APOSTROPHE = re.compile(r"\b([LD]) (?=[AEIOUYHÀÂÉÈÊËÎÏÔÙÛ])", re.IGNORECASE)
_POSTCODE_BEFORE_TOWN = re.compile(r"^(?:F-?)?(\d{4,5})\s+(?=\D)")
_CEDEX = re.compile(r"\bcedex\b", re.IGNORECASE)
_ABROAD = re.compile(r"^'*(?:(?:A|AT|B|BE|CH|D|DE|E|ES|I|IT|L|LU|NL|P|PT)[- ]?(?=\d{4,5}$))?")
_COUNTRY_PREFIX = re.compile(r"^FR?(?=\d)")
_NOT_POSTCODE = re.compile(r"[^0-9A-Z]+")
_CEDEX_BEHIND = re.compile(r"(?<=^\d{5})CEDEX\d{0,2}$")
Codes = tuple[str, ...]


_NOTHING: Codes = ()


class Street(NamedTuple):
    """The street line of an address in its parts; the complement is what stood around it."""

    number: str
    name: str
    codes: Codes = ()
    complement: str = ""


_NO_STREET = Street("", "")


class Town(NamedTuple):
    """Postcode and town, which mend each other."""

    postcode: str
    city: str
    postcode_codes: Codes = ()
    city_codes: Codes = ()


def street_line(value: str, region: str) -> Street:
    """Take a line such as `12BIS AV DE L EGLISE` apart: "12 bis" and "avenue de l'Eglise"."""
    if not value:
        return _NO_STREET
    value = clean(value).strip(" ,")
    if len(value) > MAX_LENGTH:
        return Street("", "", ("too_long",))
    if is_filler(value):
        return Street("", "", ("placeholder",))
    value, parts = _without_parts(value) if region in FRENCH_REGIONS else (value, ())
    number, name = _number_and_name(value)
    codes = ("mailbox",) if parts and MAILBOX.fullmatch(parts[-1]) else ()
    return Street(number, street_name(name, region), codes, ", ".join(parts)[:MAX_LENGTH])


def _without_parts(value: str) -> tuple[str, tuple[str, ...]]:
    """Take flats, buildings and a mailbox, which comes last, out of a street line."""
    if value.isascii() and not any(map(value.lower().__contains__, _PARTS_HAVE)):  # Most lines.
        return value, ()
    if not _MAY_HAVE_PARTS.search(value):
        return value, ()
    mailboxes: list[str] = []
    rest, mailbox = take_mailbox(value)
    while mailbox:
        mailboxes.append(mailbox)
        rest, mailbox = take_mailbox(rest)
    if is_part(rest):
        rest = _STREET_BEHIND.sub(", ", rest, count=1)
    street, parts = take_parts(rest, is_street=_STREET_START)
    return street, (*parts, *mailboxes)


def _number_and_name(value: str) -> tuple[str, str]:
    found = _NUMBER.match(value)
    return (_number(found), value[found.end() :]) if found else ("", value)


@lru_cache(maxsize=1 << 14)
def street_number(value: str) -> str:
    """Return "12 bis", "12 B" or "12-14" of the forms people type."""
    value = clean(value).strip(" ,")
    found = _NUMBER.match(value + ", x")
    return _number(found) if found else value[:20].strip(" ,")


def _number(found: re.Match[str]) -> str:
    number = "".join(found[1].split())
    suffix = found[2] or ""
    return f"{number} {suffix.upper() if len(suffix) == 1 else suffix.lower()}".strip()


@lru_cache(maxsize=1 << 16)
def street_name(value: str, region: str) -> str:
    """Return type and name in full words and readable case."""
    value = clean(value).strip(" ,")
    if region not in FRENCH_REGIONS:
        return place_case(value)
    first, _, rest = value.partition(" ")
    kind = STREET_TYPES.get(fold(first))
    rest = rest.lstrip(" ,.")
    if kind is None or not rest:
        return _in_full(place_case(_with_apostrophes(value)))
    return f"{kind} {_in_full(place_case(_with_apostrophes(rest), is_start=False))}"


def complement(value: str) -> tuple[str, Codes]:
    """Return flat, floor, building as given, and whether it is a mailbox."""
    if not value:
        return "", ()
    value = clean(value)
    if len(value) > MAX_LENGTH:
        return "", ("too_long",)
    return value, ("mailbox",) if MAILBOX.search(value) else ()


@lru_cache(maxsize=1 << 16)
def town(postcode: str, city: str, region: str) -> Town:
    """Return postcode and town; `75001 PARIS` in the town's cell gives its code away."""
    city = clean(city)
    city_codes: Codes = ()
    if len(city) > MAX_LENGTH:
        city, city_codes = "", ("too_long",)
    elif is_filler(city):
        city, city_codes = "", ("placeholder",)
    postcode, filler = clean(postcode), _NOTHING
    if is_filler(postcode):
        postcode, filler = "", ("placeholder",)
    if region not in FRENCH_REGIONS:
        return Town(_foreign_postcode(postcode), place_case(city), filler, city_codes)
    code, code_issues = _french_postcode(postcode)
    while (found := _POSTCODE_BEFORE_TOWN.match(city)) and code in ("", own := found[1].zfill(5)):
        if len(found[1]) == 4 and not is_french(own):
            break  # No lost zero: 0999 is no postcode.
        if not code:
            code, code_issues = _french_postcode(found[1])
        city = city[found.end() :]
        if is_filler(city):  # What stands behind the code: "75001 -".
            city, city_codes = "", ("placeholder",)
    if _CEDEX.search(city) and "cedex" not in code_issues:
        code_issues += ("cedex",)
    if not code:
        code_issues += filler
    return Town(code, _in_full(place_case(_with_apostrophes(city))), code_issues, city_codes)


@lru_cache(maxsize=1 << 15)
def place_case(value: str, *, is_start: bool = True) -> str:
    """Return a street or town in readable case; a case somebody chose is kept.

    `is_start` tells that nothing stands before, so that a small word ("Les Lilas") is a capital.
    """

    def rewrite(found: re.Match[str]) -> str:
        start, end = found.span()
        is_elided = value[end : end + 1] == "'"
        return _word_case(found[0], bool(start) or not is_start, is_elided)

    return _WORD.sub(rewrite, value)


@lru_cache(maxsize=1 << 15)
def _word_case(word: str, is_inside: bool, is_elided: bool) -> str:  # noqa: FBT001 - one caller.
    """Return a word of a place in readable case; an apostrophe follows one that is elided."""
    if _ORDINAL.fullmatch(word):
        return word.lower()
    if is_inside and _is_small(word, is_elided=is_elided):
        return word.lower()
    is_chosen = not (word.isupper() or word.islower())
    if is_chosen or word[0].isdigit():
        return word
    is_capitals = word.upper() in _ACRONYMS or _ROMAN.fullmatch(word)
    return word.upper() if is_capitals else _capitalised(word)


@lru_cache(maxsize=1 << 10)
def country(value: str) -> tuple[str, Codes]:
    """Return the ISO 3166 code of two letters."""
    folded = fold(value)
    if not folded:
        return "", ()
    if folded.upper() in SUPPORTED_REGIONS:
        return folded.upper(), ()
    code = CODE_OF_NAME.get(folded, "")
    return code, () if code else ("unknown_value",)


def _french_postcode(value: str) -> tuple[str, Codes]:
    """Return five characters as text; a spreadsheet's number lost its leading zero."""
    text = _NOT_POSTCODE.sub("", value.upper().removesuffix(".0"))
    code = _COUNTRY_PREFIX.sub("", text)[:12]
    codes: Codes = ()
    if "CEDEX" in code:  # "44001 CEDEX 1" in the cell of the postcode.
        code, count = _CEDEX_BEHIND.subn("", code)
        codes = ("cedex",) * count
    if len(code) == 4 and code.isdigit():
        code, codes = "0" + code, ("restored_zero",)
    if is_filler(code):  # "X®": what is left of it says nothing.
        return "", ("placeholder",)
    if code and not is_french(code):
        return code, ("commune_code",) if is_corsican_commune(code) else ("invalid",)
    return code, codes


def fit(found: Town, table: PostcodeTable = NO_TABLE) -> str:
    """Return the issue code of a French postcode and town that the table does not know, or ""."""
    is_readable = "invalid" not in found.postcode_codes and "cedex" not in found.postcode_codes
    return table.check(found.postcode, found.city) if is_readable else ""


def _foreign_postcode(value: str) -> str:
    """Return the code without its country (`B-1050`) and without a spreadsheet's apostrophe."""
    return _ABROAD.sub("", clean(value).upper())[:12].strip()


def _is_small(word: str, *, is_elided: bool) -> bool:
    """True for articles and the like; a lone D or L is a building unless an apostrophe follows."""
    is_chosen = not (word.isupper() or word.islower())
    if is_chosen or word.lower() not in _SMALL_WORDS:
        return False
    return len(word) > 1 or word in "àÀ" or is_elided


def _with_apostrophes(value: str) -> str:
    """Put back the apostrophe that old systems cannot store: "L ETANG" is "L'ETANG"."""
    small = value.lower()
    if "l " not in small and "d " not in small:  # Found out sooner than by the pattern.
        return value
    return _LOST_APOSTROPHE.sub(r"\1'", value)


def _in_full(value: str) -> str:
    def write(found: re.Match[str]) -> str:
        return WORDS_IN_FULL[fold(found[1])] + found[2]

    return _SHORTENED.sub(write, value)


def _capitalised(word: str) -> str:
    first, rest = word[0].upper(), word[1:].lower()
    is_regular = len(first) == 1 and len(rest) == len(word) - 1
    return first + rest if is_regular else word
