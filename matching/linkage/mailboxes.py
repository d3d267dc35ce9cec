"""Mailboxes that say of themselves that they are no single person's."""

import re
from collections.abc import Sequence

import numpy as np

from matching.linkage.columns import Flags

_FAMILY = ("famille", "family", "familie", "familia", "famiglia")
_WORDS = frozenset((*_FAMILY, "fam", "maison", "foyer", "home", "casa", "haushalt", "parents"))
_AND = frozenset(("et", "and", "und", "y", "e", "en"))
_ALL_OF_THEM = re.compile(r"(les|the)[a-z]{4,}[sxz]")
_LETTERS = re.compile(r"[a-z]+")


def of_households(emails: Sequence[str | None]) -> Flags:
    """Return which addresses name a household: famille.martin@, lesmartins@, jean.et.marie@."""
    return np.array([_is_of_household(email or "") for email in emails], np.bool_)


def _is_of_household(email: str) -> bool:
    words = _LETTERS.findall(email.rpartition("@")[0])
    if not _WORDS.isdisjoint(words) or not _AND.isdisjoint(words[1:-1]):
        return True
    # Some providers ignore dots, and the address is compared without them.
    whole = "".join(words)
    return (
        whole.startswith(_FAMILY)
        or whole.endswith(_FAMILY)
        or (len(words) == 1 and _ALL_OF_THEM.fullmatch(whole) is not None)
    )
