"""Postal addresses: number and street, complement, postcode, town, country.

French forms are written out in full ("AV" becomes "avenue"); a label abbreviates at output only
(STEWARDSHIP §4.6). Other countries keep their words.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from phonenumbers import SUPPORTED_REGIONS

from mdm.standardise.countries import CODE_OF_NAME
from mdm.standardise.text import clean, fold

MAX_LENGTH = 200
FRENCH_REGIONS = frozenset("FR GP MQ GF RE PM YT BL MF WF PF NC MC".split())

_STREET_TYPES = {
    "all": "allée", "allee": "allée", "allees": "allées", "av": "avenue", "ave": "avenue",
    "avenue": "avenue", "bd": "boulevard", "bld": "boulevard", "blvd": "boulevard",
    "boul": "boulevard", "boulevard": "boulevard", "car": "carrefour", "carrefour": "carrefour",
    "ch": "chemin", "che": "chemin", "chem": "chemin", "chemin": "chemin", "cite": "cité",
    "cours": "cours", "crs": "cours", "dom": "domaine", "domaine": "domaine",
    "esp": "esplanade", "esplanade": "esplanade", "fg": "faubourg", "fbg": "faubourg",
    "faubourg": "faubourg", "ham": "hameau", "hameau": "hameau", "imp": "impasse",
    "impasse": "impasse", "lieu dit": "lieu-dit", "lot": "lotissement",
    "lotissement": "lotissement", "mte": "montée", "montee": "montée", "pas": "passage",
    "pass": "passage", "passage": "passage", "pl": "place", "place": "place",
    "prom": "promenade", "promenade": "promenade", "qu": "quai", "quai": "quai", "r": "rue",
    "rue": "rue", "res": "résidence", "residence": "résidence", "rle": "ruelle",
    "ruelle": "ruelle", "rpt": "rond-point", "rte": "route", "route": "route",
    "sen": "sente", "sente": "sente", "sentier": "sentier", "sq": "square", "square": "square",
    "trav": "traverse", "traverse": "traverse", "villa": "villa", "voie": "voie",
    "za": "ZA", "zac": "ZAC", "zi": "ZI",
}  # fmt: skip
_WORDS_IN_FULL = {
    "st": "Saint", "ste": "Sainte", "gal": "Général", "gen": "Général", "mal": "Maréchal",
    "pdt": "Président", "dr": "Docteur", "cdt": "Commandant", "fbg": "Faubourg",
}  # fmt: skip
_SHORTENED = re.compile(
    r"(?<![^\s-])(st|ste|gal|gén|gen|mal|pdt|dr|cdt|fbg)\.?([\s-]+)(?=\w)", re.IGNORECASE
)
_ACRONYMS = frozenset("ZA ZI ZAC BP CS TSA RN RD HLM".split())
_ROMAN = re.compile(r"(?=..)X{0,3}(?:IX|IV|V?I{0,3})", re.IGNORECASE)
_ORDINAL = re.compile(r"\d+(?:e|er|re|eme|ème|nd|nde)", re.IGNORECASE)
_SMALL_WORDS = frozenset("de du des la le les et en sur sous aux au à lès lez d l".split())
_NUMBER = re.compile(
    r"^(?:n[°o]?\s*)?(\d{1,5}(?:\s?[-/]\s?\d{1,5})?)(?:\s?(bis|ter|quater|quinquies|[A-F])(?![^\W_]))?[\s,]+(?=\S)",
    re.IGNORECASE,
)
_WORD = re.compile("(?:[^\\W_]|[\u0300-\u036f])+")
_LOST_APOSTROPHE = re.compile(r"\b([LD]) (?=[AEIOUYHÀÂÉÈÊËÎÏÔÙÛ])", re.IGNORECASE)
_FRENCH_POSTCODE = re.compile(r"(?:0[1-9]|[1-8]\d|9[0-8])\d{3}")
_POSTCODE_BEFORE_TOWN = re.compile(r"^(?:F-?)?(\d{5})\s+(?=\D)")
_CEDEX = re.compile(r"\bcedex\b", re.IGNORECASE)
_NOT_POSTCODE = re.compile(r"[^0-9A-Z]+")
Codes = tuple[str, ...]


class Street(NamedTuple):
    """The street line of an address in its two parts."""

    number: str
    name: str
    codes: Codes = ()


class Town(NamedTuple):
    """Postcode and town, which mend each other."""

    postcode: str
    city: str
    postcode_codes: Codes = ()
    city_codes: Codes = ()


@lru_cache(maxsize=1 << 16)
def street_line(value: str, region: str) -> Street:
    """Take a line such as `12BIS AV DE L EGLISE` apart: "12 bis" and "avenue de l'Eglise"."""
    value = clean(value).strip(" ,")
    if len(value) > MAX_LENGTH:
        return Street("", "", ("too_long",))
    found = _NUMBER.match(value)
    if found is None:
        return Street("", street_name(value, region))
    return Street(street_number(found[0]), street_name(value[found.end() :], region))


@lru_cache(maxsize=1 << 14)
def street_number(value: str) -> str:
    """Return "12 bis", "12 B" or "12-14" of the forms people type."""
    value = clean(value).strip(" ,")
    found = _NUMBER.match(value + ", x")
    if found is None:
        return value[:20]
    number = re.sub(r"\s", "", found[1])
    suffix = found[2] or ""
    return f"{number} {suffix.upper() if len(suffix) == 1 else suffix.lower()}".strip()


@lru_cache(maxsize=1 << 16)
def street_name(value: str, region: str) -> str:
    """Return type and name in full words and readable case."""
    value = clean(value).strip(" ,")
    if region not in FRENCH_REGIONS:
        return place_case(value)
    first, _, rest = value.partition(" ")
    kind = _STREET_TYPES.get(fold(first))
    rest = rest.lstrip(" ,.")
    if kind is None or not rest:
        return _in_full(place_case(_with_apostrophes(value)))
    return f"{kind} {_in_full(place_case(_with_apostrophes(rest), is_start=False))}"


def complement(value: str) -> tuple[str, Codes]:
    """Return flat, floor, building as given."""
    value = clean(value)
    return ("", ("too_long",)) if len(value) > MAX_LENGTH else (value, ())


@lru_cache(maxsize=1 << 16)
def town(postcode: str, city: str, region: str) -> Town:
    """Return postcode and town; `75001 PARIS` in the town's cell gives its code away."""
    city = clean(city)
    city_codes: Codes = ()
    if len(city) > MAX_LENGTH:
        city, city_codes = "", ("too_long",)
    if region not in FRENCH_REGIONS:
        return Town(_foreign_postcode(postcode), place_case(city), (), city_codes)
    postcode = clean(postcode)
    while (found := _POSTCODE_BEFORE_TOWN.match(city)) and postcode in ("", found[1]):
        postcode, city = found[1], city[found.end() :]
    code, code_issues = _french_postcode(postcode)
    if _CEDEX.search(city):
        code_issues += ("cedex",)
    return Town(code, _in_full(place_case(_with_apostrophes(city))), code_issues, city_codes)


@lru_cache(maxsize=1 << 15)
def place_case(value: str, *, is_start: bool = True) -> str:
    """Return a street or town in readable case; a case somebody chose is kept.

    `is_start` tells that nothing stands before, so that a small word ("Les Lilas") is a capital.
    """

    def rewrite(found: re.Match[str]) -> str:
        word = found[0]
        is_inside = bool(found.start()) or not is_start
        if _ORDINAL.fullmatch(word):
            return word.lower()
        if is_inside and _is_small(word, value[found.end() : found.end() + 1]):
            return word.lower()
        is_chosen = not (word.isupper() or word.islower())
        if is_chosen or word[0].isdigit():
            return word
        is_capitals = word.upper() in _ACRONYMS or _ROMAN.fullmatch(word)
        return word.upper() if is_capitals else _capitalised(word)

    return _WORD.sub(rewrite, value)


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
    text = value.upper().removeprefix("FR").removeprefix("F").removesuffix(".0")
    code = _NOT_POSTCODE.sub("", text)[:12]
    codes: Codes = ()
    if len(code) == 4 and code.isdigit():
        code, codes = "0" + code, ("restored_zero",)
    if code and not _FRENCH_POSTCODE.fullmatch(code):
        return code, ("invalid",)
    return code, codes


def _foreign_postcode(value: str) -> str:
    return clean(value).upper()[:12].strip()


def _is_small(word: str, follower: str) -> bool:
    """True for articles and the like; a lone D or L is a building unless an apostrophe follows."""
    is_chosen = not (word.isupper() or word.islower())
    if is_chosen or word.lower() not in _SMALL_WORDS:
        return False
    return len(word) > 1 or word in "àÀ" or follower == "'"


def _with_apostrophes(value: str) -> str:
    """Put back the apostrophe that old systems cannot store: "L ETANG" is "L'ETANG"."""
    return _LOST_APOSTROPHE.sub(r"\1'", value)


def _in_full(value: str) -> str:
    def write(found: re.Match[str]) -> str:
        return _WORDS_IN_FULL[fold(found[1])] + found[2]

    return _SHORTENED.sub(write, value)


def _capitalised(word: str) -> str:
    first, rest = word[0].upper(), word[1:].lower()
    is_regular = len(first) == 1 and len(rest) == len(word) - 1
    return first + rest if is_regular else word
