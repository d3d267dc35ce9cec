"""Whether two unequal values are close: words by edits, numbers by digits.

Unequal words pass the signature filter before rapidfuzz sees them: it removes nine of ten without
losing a close one.
"""

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import OSA

from matching.linkage.coded import Coded
from matching.linkage.columns import Bits, Codes, Flags, Ids, Levels
from matching.linkage.names import Names

FAR = 99
"""Distance of two words that are further apart than asked for."""

_NIBBLES = np.uint64(0x1111111111111111)
_FOUR = np.uint64(4)


def distances(words: Coded | Names, one: Codes, other: Codes, limit: int) -> Levels:
    """Return edit distances (a swap of neighbours is one edit) up to a limit, else `FAR`.

    Args:
        words: the distinct words.
        one: word code of one side, per pair, never 0.
        other: word code of the other side.
        limit: greatest distance of interest.
    """
    result = np.where(one == other, np.uint8(0), np.uint8(FAR))
    rows = perhaps_close(words, one, other, limit)
    result[rows] = edits(words, one[rows], other[rows], limit)
    return result


def perhaps_close(words: Coded | Names, one: Codes, other: Codes, limit: int) -> Ids:
    """Return which unequal words may be so close by their signatures; none that is gets lost."""
    bits = words.signatures
    apart = np.bitwise_count(np.take(bits, one) ^ np.take(bits, other))
    return np.flatnonzero((apart <= 2 * limit) & (one != other))


def edits(words: Coded | Names, one: Codes, other: Codes, limit: int) -> Levels:
    """Return edit distances up to a limit, else `FAR`, whatever the signatures say."""
    if not len(one):
        return np.zeros(0, np.uint8)
    found = process.cpdist(
        np.take(words.spelled, one).tolist(),
        np.take(words.spelled, other).tolist(),
        scorer=OSA.distance,
        score_cutoff=limit,
        dtype=np.uint8,
    )
    return np.where(found <= limit, found, np.uint8(FAR))


def is_one_slip(one: Bits, other: Bits) -> Flags:
    """Return which numbers differ in one digit, or in two neighbours that changed places."""
    # Two digits are eight bits at most: what differs in more is not looked at.
    rows = np.flatnonzero(np.bitwise_count(one ^ other) <= 8)
    found = np.zeros(len(one), np.bool_)
    one, other = one[rows], other[rows]
    changed = changed_digits(one, other)
    count = np.bitwise_count(changed)
    found[rows] = (count == 1) | ((count == 2) & is_swap(one, other, changed))
    return found


def changed_digits(one: Bits, other: Bits) -> Bits:
    """Return one bit per digit that differs, at the lowest bit of the digit's four."""
    change = one ^ other
    for shift in (2, 1):
        change |= change >> np.uint64(shift)
    return np.asarray(change & _NIBBLES, np.uint64)


def is_swap(one: Bits, other: Bits, changed: Bits) -> Flags:
    """Return which numbers with two changed digits have them side by side and changed places."""
    low = changed & (~changed + np.uint64(1))
    mask = low * np.uint64(0xFF)
    here, there = (
        (one & mask) // np.maximum(low, np.uint64(1)),
        (other & mask) // np.maximum(low, np.uint64(1)),
    )
    turned = ((here & np.uint64(15)) << _FOUR) | (here >> _FOUR)
    return np.asarray((changed == (low | (low << _FOUR))) & (turned == there))
