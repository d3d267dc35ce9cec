"""Mailboxes that say of themselves that they are no single person's."""

import re
from collections.abc import Callable, Sequence

import numpy as np

from matching.linkage.columns import Flags

_FAMILY = ("famille", "family", "familie", "familia", "famiglia")
_AND = frozenset(("et", "and", "und"))
_HOME = frozenset(("fam", "maison", "foyer", "home", "casa", "haushalt", "parents"))
_ALL_OF_THEM = re.compile(r"(les|the)[a-z]{4,}[sxz]")
_LETTERS = re.compile(r"[a-z]+")
_WORDS = re.compile(r"[^\W\d_]+")


def of_households(emails: Sequence[str | None]) -> Flags:
    """Return which addresses name a household: famille.martin@, jean.et.marie@."""
    return _flags(_is_of_household, emails)


def of_households_perhaps(emails: Sequence[str | None]) -> Flags:
    """Return which name a household or a person: martin.maison@, lesmartins@.

    Julie Maison and Leslie Jones have such mailboxes of their own; theirs hold a given name, too.
    """
    return _flags(_is_perhaps_of_household, emails)


def is_slip_inside(one: str, other: str) -> bool:
    """Return whether two mailboxes one letter apart are so within a word.

    a.martin and e.martin are two people's, anne.martin and anne-martin may be.
    """
    words, others = _WORDS.findall(one), _WORDS.findall(other)
    initials = [word[0] for word in words]
    return initials == [word[0] for word in others] and words != others


def _flags(is_one: Callable[[Sequence[str]], bool], emails: Sequence[str | None]) -> Flags:
    words = (_LETTERS.findall((email or "").rpartition("@")[0]) for email in emails)
    return np.fromiter(map(is_one, words), np.bool_, len(emails))


def _is_of_household(words: Sequence[str]) -> bool:
    # Some providers ignore dots, and the address is compared without them.
    whole = "".join(words)
    return (
        not _AND.isdisjoint(words[1:-1])
        or not set(_FAMILY).isdisjoint(words)
        or whole.startswith(_FAMILY)
        or whole.endswith(_FAMILY)
    )


def _is_perhaps_of_household(words: Sequence[str]) -> bool:
    is_of_them_all = len(words) == 1 and _ALL_OF_THEM.fullmatch(words[0]) is not None
    return is_of_them_all or not _HOME.isdisjoint(words)
