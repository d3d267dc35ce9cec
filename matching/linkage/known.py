"""What a search saw of a file as a whole: by it, a few records score as they would among all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from matching.linkage import spelling
from matching.linkage.columns import Bits, Codes, Flags, Ids, Levels

if TYPE_CHECKING:
    from matching.linkage.coded import Coded


BORNE_BY, BORNE_AT_LEAST = 0.02, 30
"""Of the records that two people's values share by chance on the average; and of all files."""


@dataclass(frozen=True)
class Bands:
    """How common the words of a field are: 1 rare, 2 usual, 3 common."""

    of_new: int
    """Band of a word that one record carries, so of any word not seen yet."""
    others: Mapping[int, Bits]
    """Band -> hashes of the words that are in another band than that, by rising hash."""

    def of(self, hashes: Bits) -> Levels:
        """Return the band of each word, 0 for the missing value."""
        found = np.full(len(hashes), self.of_new, np.uint8)
        for band, words in self.others.items():
            found[is_among(hashes, words)] = band
        found[hashes == 0] = 0
        return found


@dataclass(frozen=True)
class NameOrder:
    """By which words given and family names are known to stand in each other's place."""

    least: int = 0
    """Bits by which the family name leans to given names more than the given name does."""
    words: Mapping[int, Bits] = field(default_factory=dict)
    """Leaning in bits, below 0 to family names -> hashes of such words, by rising hash."""

    def leanings(self, hashes: Bits) -> Ids:
        """Return how much each word leans to given names, 0 for one that is not known."""
        found = np.zeros(len(hashes), np.int64)
        for bits, words in self.words.items():
            found[is_among(hashes, words)] = bits
        return found


@dataclass(frozen=True)
class Known:
    """What a run saw of the file as a whole, for records that are scored apart from it."""

    fields: tuple[str, ...]
    bands: Mapping[str, Bands]
    shared: Mapping[str, Bits]
    """`phone`, `email` -> hashes of the values that many records carry, by rising hash."""
    borne: Mapping[str, Bits] = field(default_factory=dict)
    """`given_name`, `family_name` -> hashes of the words that many bear, by rising hash."""
    order: NameOrder = NameOrder()
    """How names are told that were written in the other order."""

    def to_state(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "fields": list(self.fields),
            "bands": {
                field: [one.of_new, {band: words.tolist() for band, words in one.others.items()}]
                for field, one in self.bands.items()
            },
            "shared": {field: words.tolist() for field, words in self.shared.items()},
            "borne": {field: words.tolist() for field, words in self.borne.items()},
            "order": [
                self.order.least,
                {bits: words.tolist() for bits, words in self.order.words.items()},
            ],
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "Known":
        """Return what `to_state` wrote."""
        least, words = state.get("order", (0, {}))
        return cls(
            tuple(state["fields"]),
            {
                field: Bands(of_new, _by_number(others))
                for field, (of_new, others) in state["bands"].items()
            },
            _by_field(state["shared"]),
            _by_field(state.get("borne", {})),
            NameOrder(least, _by_number(words)),
        )


def _by_field(words: Mapping[str, Sequence[int]]) -> dict[str, Bits]:
    """Return hashes as JSON holds them, rising."""
    return {field: np.sort(np.array(listed, np.uint64)) for field, listed in words.items()}


def _by_number(words: Mapping[str, Sequence[int]]) -> dict[int, Bits]:
    """Return hashes as JSON holds them, by their number, rising."""
    return {int(one): np.sort(np.array(listed, np.uint64)) for one, listed in words.items()}


def is_among(values: Bits, words: Bits) -> Flags:
    """Return which values are among some words, which rise: nothing is sorted for a few values."""
    if not len(words):
        return np.zeros(len(values), np.bool_)
    places = np.minimum(np.searchsorted(words, values), len(words) - 1)
    return np.asarray(words[places] == values)


def frequency_bands(codes: Codes, size: int) -> Levels:
    """Return per record 1 for a rare value, 2 usual, 3 common, 0 for none."""
    counts = np.bincount(codes, minlength=size).astype(np.float64)
    counts[0] = 0
    share = counts / max(1.0, counts.sum())
    bands = bands_of(share, yardstick(share))
    bands[0] = 0
    return np.take(bands, codes)


def borne_by_many(counts: Codes) -> Flags:
    """Return which words so many records carry that none of them is a slip of another word.

    Girard and Giraud are two names, however near; *Girrard* is one that was meant to be the first.
    """
    total = max(1, int(counts.sum()))
    least = yardstick(counts / total) * total * BORNE_BY
    return np.asarray(counts > max(least, BORNE_AT_LEAST))


def yardstick(share: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    """Return the share at which two people agree by chance on the average."""
    return float((share * share).sum())


def bands_of(share: np.ndarray[tuple[int], np.dtype[np.float64]], by_chance: float) -> Levels:
    """Return the band of each share: 1 rare, 2 usual, 3 common."""
    bands = np.where(share < by_chance / 6, 1, np.where(share < by_chance * 1.2, 2, 3))
    return bands.astype(np.uint8)


def learn_bands(coded: "Coded", bands: Levels) -> Bands:
    """Return the bands of the words of a field, as its records have them."""
    share = coded.counts / max(1, int(coded.counts.sum()))
    one = np.array([1 / max(1, int(coded.counts.sum()))])
    of_new = int(bands_of(one, yardstick(share))[0])
    of_word = np.zeros(len(coded.words), np.uint8)
    of_word[coded.codes] = bands
    others = [band for band in (1, 2, 3) if band != of_new]
    return Bands(
        of_new, {band: hashes_of(coded, np.flatnonzero(of_word == band)) for band in others}
    )


def hashes_of(coded: "Coded", codes: Ids) -> Bits:
    """Return the hashes of some words, rising: most words of a file are carried by one record."""
    return np.sort(spelling.hashes([coded.words[code] for code in codes.tolist()]))
