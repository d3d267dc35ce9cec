"""What only shows when the columns of a name are seen together.

Given and family name in each other's column, both in one cell, one inside the other, a given name
that does not fit the civility. What is sure is mended and told; what is not is only told, with a
suggestion where it is shown.
"""

from functools import lru_cache
from typing import NamedTuple

from mdm.standardise.given_names import is_also_family_name, is_given_name, sexes
from mdm.standardise.names import full_name, given_name
from mdm.standardise.text import clean, fold

Codes = tuple[str, ...]


class NamePair(NamedTuple):
    """Given and family name after a look at both, and the codes for the family name."""

    given: str
    family: str
    codes: Codes = ()


def look_at_both(given: str, family: str, *, given_cell: str, family_cell: str) -> NamePair:
    """Return the pair, mended where the cells leave no doubt.

    `given` and `family` are standard already; the cells are as received, because their capitals
    tell more than the standard case.
    """
    if given and family:
        if " " in given and (shorter := _without_family_name(given, family)):
            return NamePair(given_name(shorter).value, family, ("repeated",))
        return NamePair(given, family, _swapped(given, family, given_cell, family_cell))
    lone, cell = (family, family_cell) if family else (given, given_cell)
    if " " not in lone:
        return NamePair(given, family)
    return _look_at_one_cell(given, family, clean(cell) or lone)


@lru_cache(maxsize=1 << 12)
def contradicts_sex(given: str, sex: str) -> bool:
    """Tell whether a given name is, as far as the table knows, one of the other sex only."""
    known = sexes(fold(given)) if sex else frozenset()
    return bool(known) and sex not in known


def suggested_names(given: str, family: str, code: str) -> str:
    """Return given and family name as a doubt of that code suggests to write them."""
    if code == "swapped":
        return f"{family} {given}"
    if code == "whole_name":
        found = full_name(family)
        return f"{found.given} {found.family}".strip()
    return ""


def _swapped(given: str, family: str, given_cell: str, family_cell: str) -> Codes:
    if _is_known(given):  # Nearly always.
        return ()
    name = fold(family)
    if not is_given_name(name):
        return ()
    # "Martin" in the family name's column proves nothing, unless the capitals are opposite it.
    is_by_capitals = _is_capitals(given_cell) and not family_cell.isupper()
    return ("swapped",) if is_by_capitals or not is_also_family_name(name) else ()


def _look_at_one_cell(given: str, family: str, cell: str) -> NamePair:
    words = cell.split()
    capitals = [word for word in words if _is_capitals(word)]
    others = [word for word in words if word not in capitals]
    if capitals and others and all(is_given_name(fold(word)) for word in others):
        found = full_name(cell)
        return NamePair(found.given, found.family, ("split",))
    ends = (fold(words[0]), fold(words[-1])) if family and words else ()
    is_whole = any(is_given_name(end) and not is_also_family_name(end) for end in ends)
    return NamePair(given, family, ("whole_name",) if is_whole else ())


def _without_family_name(given: str, family: str) -> str:
    """Return "Jean" of "Jean Dupont" when the family name is Dupont, else ""."""
    words, name = given.split(), fold(family)
    for count in range(1, len(words)):
        if fold(" ".join(words[count:])) == name:
            return " ".join(words[:count])
        if fold(" ".join(words[:count])) == name:
            return " ".join(words[count:])
    return ""


@lru_cache(maxsize=1 << 14)
def _is_known(given: str) -> bool:
    return is_given_name(fold(given))


def _is_capitals(text: str) -> bool:
    return text.isupper() and len(text.strip(" .")) > 2
