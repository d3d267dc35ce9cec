"""Given and family names that stand in each other's place, told by how the file uses its words.

*Dupont Stéphane*, where thousands have Stéphane for a given name and hundreds Dupont for a family
name, was written in the other order. Martin Thomas and Thomas Martin are both names of people:
they stay as they are.
"""

from dataclasses import replace
from math import ceil, log2

import numpy as np

from matching.linkage import spelling
from matching.linkage.columns import Floats, Ids
from matching.linkage.known import NameOrder
from matching.linkage.names import Names

MARGIN = 5.0
"""Bits by which the other order must be likelier than the one that was written."""

LEAST_LEANING, MOST_LEANING = 5, 20
"""Bits that a word leans to one column: less says little of it, more says no more."""

_FIRST_SHARE, _LEAST_SHARE = 0.01, 1e-6
_ROUNDS = 6
_USUAL = 0.5
"""Times that any word may yet be met in either column."""


def learn_order(names: Names) -> NameOrder:
    """Return how much the words of a file lean to given names, and how seldom names are turned.

    EM: by the words as they are used, some records are likely turned, and their words count for
    the other columns from then on. Where nobody writes names in the other order, none is.
    """
    given, family, counts = _full_names(names)
    size, turned = len(names.words), np.zeros(len(counts))
    share, leaning = _FIRST_SHARE, np.zeros(size)
    for _ in range(_ROUNDS if len(counts) else 0):
        leaning = _leanings(given, family, (counts * (1 - turned), counts * turned), size)
        odds = leaning[family] - leaning[given] + log2(share / (1 - share))
        turned = 1 / (1 + np.exp2(-odds))
        share = min(max(float(counts @ turned / counts.sum()), _LEAST_SHARE), 0.5)
    bits = np.clip(np.rint(leaning), -MOST_LEANING, MOST_LEANING).astype(np.int64)
    return NameOrder(
        ceil(MARGIN - log2(share / (1 - share))),
        {
            one: np.sort(spelling.hashes([names.words[code] for code in codes.tolist()]))
            for one in np.unique(bits).tolist()
            if abs(one) >= LEAST_LEANING and len(codes := np.flatnonzero(bits == one))
        },
    )


def _full_names(names: Names) -> tuple[Ids, Ids, Floats]:
    """Return the distinct pairs of a given and a family name, and how many records bear each."""
    packed = names.given.astype(np.int64) * len(names.words) + names.family
    packed = packed[(names.given > 0) & (names.family > 0)]
    distinct, counts = np.unique(packed, return_counts=True)
    given, family = np.divmod(distinct, len(names.words))
    return given, family, counts.astype(np.float64)


def _leanings(given: Ids, family: Ids, counts: tuple[Floats, Floats], size: int) -> Floats:
    """Return per word by how many bits it is likelier a given name than a family name.

    Args:
        given: words as they stand in the column of given names.
        family: beside them.
        counts: of the records that are right as written, and of those turned.
        size: number of words.
    """
    right, turned = counts
    as_given = np.bincount(given, right, size) + np.bincount(family, turned, size) + _USUAL
    as_family = np.bincount(family, right, size) + np.bincount(given, turned, size) + _USUAL
    return np.asarray(np.log2(as_given / as_family), np.float64)


def put_right(names: Names, order: NameOrder) -> Names:
    """Return the names with those in each other's place put right."""
    if not order.words:
        return names
    leaning = order.leanings(names.hashes)
    excess = np.take(leaning, names.family) - np.take(leaning, names.given)
    is_turned = (excess >= order.least) & (names.given > 0) & (names.family > 0)
    return replace(
        names,
        given=np.where(is_turned, names.family, names.given),
        family=np.where(is_turned, names.given, names.family),
        is_turned=is_turned,
    )
