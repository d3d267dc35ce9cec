"""When two values of an attribute say the same thing, although they are spelled differently.

With its particles left out "de La Tour" meets "Tour". None of the keys is evidence by itself.
"""

from collections.abc import Callable
from functools import lru_cache

from mdm.standardise.emails import email_key
from mdm.standardise.given_names import names_behind
from mdm.standardise.name_words import PARTICLES
from mdm.standardise.organisations import organisation_key
from mdm.standardise.text import fold


@lru_cache(maxsize=1 << 14)
def name_key(name: str) -> str:
    """Return a family name to compare by, in one word; a name of particles alone stays whole."""
    words = fold(name).split()
    kept = [word for word in words if word not in PARTICLES]
    return "".join(kept or words)


def says_the_same(attribute: str, one: str, other: str) -> bool:
    """Tell whether two standard values of an attribute name one thing."""
    if one == other:
        return True
    if attribute == "given_name":
        return _is_same_given_name(fold(one), fold(other))
    key = _KEYS.get(attribute, fold)
    return key(one) == key(other)


_KEYS: dict[str, Callable[[str], str]] = {
    "family_name": name_key,
    "birth_name": name_key,
    "email": email_key,
    "organisation": organisation_key,
}


def _is_same_given_name(one: str, other: str) -> bool:
    """True for "Alex" and "Alexandre", "J" and "Jean", "Jean-Marc" and "Jean"."""
    if not one or not other:
        return False
    if one.split()[0] == other.split()[0] or (one[0] == other[0] and 1 in (len(one), len(other))):
        return True
    return not names_behind(one).isdisjoint(names_behind(other))
