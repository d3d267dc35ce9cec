"""Mailboxes that say of themselves that they are no single person's."""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from matching.linkage.columns import Bits, Flags

if TYPE_CHECKING:
    from matching.linkage.coded import Coded
    from matching.linkage.names import Names

_FAMILY = ("famille", "family", "familie", "familia", "famiglia")
_AND = frozenset(("et", "and", "und"))
_HOME = frozenset(("fam", "maison", "foyer", "home", "casa", "haushalt", "parents"))
_ALL_OF_THEM = re.compile(r"(les|the)[a-z]{4,}[sxz]")
_LETTERS = re.compile(r"[a-z]+")
_ODD = np.uint64(0x9E3779B97F4A7C15)


def of_households(emails: Sequence[str | None]) -> Flags:
    """Return which addresses name a household: famille.martin@, jean.et.marie@."""
    return _flags(_is_of_household, emails)


def of_households_perhaps(emails: Sequence[str | None]) -> Flags:
    """Return which name a household or a person: martin.maison@, lesmartins@.

    Julie Maison and Leslie Jones have such mailboxes of their own; theirs hold a given name, too.
    """
    return _flags(_is_perhaps_of_household, emails)


def named_after_owner(local: "Coded", letters: Sequence[str], names: "Names") -> Flags:
    """Return whose mailbox is named after her: julie.martin7@, j.martin@, martinj@."""
    owned = np.zeros(len(names.given), np.bool_)
    records = np.flatnonzero((local.codes > 0) & (names.given > 0))
    given = names.given[records]
    first = np.where(names.first_part[given] > 0, names.first_part[given], given)
    words = [word or "" for word in names.words]
    columns = (first.tolist(), names.family[records].tolist(), local.codes[records].tolist())
    owned[records] = [
        _names(letters[mailbox], words[name], words[family])
        for name, family, mailbox in zip(*columns, strict=True)
    ]
    return owned


def _names(mailbox: str, given: str, family: str) -> bool:
    is_short = len(family) > 2 and mailbox in (given[0] + family, family + given[0])
    return is_short or (len(given) > 2 and given in mailbox)


def are_slips_inside(ones: Sequence[str], others: Sequence[str]) -> Flags:
    """Return which mailboxes one letter apart are so within a word.

    a.martin and e.martin are two people's, anne.martin and anne-martin may be.
    """
    if not ones:
        return np.zeros(0, np.bool_)
    initials, words = (found.reshape(2, -1) for found in _initials_and_words([*ones, *others]))
    return np.asarray((initials[0] == initials[1]) & (words[0] != words[1]))


def _initials_and_words(mailboxes: Sequence[str]) -> tuple[Bits, Bits]:
    """Return a hash of the initials of each mailbox's words, and one of its words."""
    signs = np.array(mailboxes, np.str_).view("U1").reshape(len(mailboxes), -1)
    is_letter = np.strings.isalpha(signs)
    is_first = is_letter.copy()
    is_first[:, 1:] &= ~is_letter[:, :-1]
    letters = signs.view(np.uint32).astype(np.uint64)
    weights = _ODD ** np.arange(signs.shape[1] + 1, dtype=np.uint64)
    of_initials = letters * weights[is_first.cumsum(axis=1)] * is_first
    of_words = (2 * letters + is_first) * weights[is_letter.cumsum(axis=1)] * is_letter
    return of_initials.sum(axis=1), of_words.sum(axis=1)


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
