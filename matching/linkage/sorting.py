"""Records in the order of their keys: blocks, how many pairs they make, random ones of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np

from matching.linkage.columns import Bits, Codes, Flags, Ids, Levels
from matching.linkage.encoding import Encoded
from matching.linkage.keys import Records, Rule, one_sided, record_keys
from matching.linkage.known import is_among

_ENOUGH_RECORDS, _ENOUGH_PAIRS = 100_000, 10
"""Records that may stand for a larger file, and pairs among them for each pair that is drawn."""

_FIRST_BITS = 22
_BUT_FIRST_BITS = np.uint64(64 - _FIRST_BITS)


def meetings(ways: int, one_sided: int) -> tuple[tuple[int, int], ...]:
    """Return which ways to build a key make pairs with which."""
    return tuple(
        (mine, other)
        for mine, other in product(range(ways), repeat=2)
        if not one_sided or (mine < one_sided) != (other < one_sided)
    )


@dataclass(frozen=True)
class SortedBlocks:
    """The records by rising key; those of one key are a block, the first side before the other."""

    records: Codes
    ways: Levels
    keys: Bits
    starts: Ids
    sizes: Ids
    one_sided: int = 0

    @cached_property
    def firsts(self) -> Ids:
        """How many entries of each block are of the side that meets the other only."""
        if not len(self.starts):
            return np.zeros(0, np.int64)
        return np.add.reduceat(self.ways < self.one_sided, self.starts, dtype=np.int64)

    @cached_property
    def pair_counts(self) -> Ids:
        """How many pairs each block makes."""
        if self.one_sided:
            return self.firsts * (self.sizes - self.firsts)
        return self.sizes * (self.sizes - 1) // 2

    def only(self, wanted: Flags) -> "SortedBlocks":
        """Return some of the blocks."""
        kept, sizes = np.repeat(wanted, self.sizes), self.sizes[wanted]
        starts = np.cumsum(sizes) - sizes
        return SortedBlocks(
            self.records[kept], self.ways[kept], self.keys[kept], starts, sizes, self.one_sided
        )

    def partners(self) -> tuple[Codes, Codes]:
        """Return how many entries each one meets, and how many entries on the first one stands."""
        sizes = np.repeat(self.sizes, self.sizes)
        position = np.arange(len(sizes)) - np.repeat(self.starts, self.sizes)
        if not self.one_sided:
            return (sizes - position - 1).astype(np.int32), np.ones(len(sizes), np.int32)
        firsts = np.repeat(self.firsts, self.sizes)
        count = np.where(position < firsts, sizes - firsts, 0)
        return count.astype(np.int32), (firsts - position).astype(np.int32)

    def drawn(self, numbers: Ids) -> tuple[Codes, Codes]:
        """Return pairs by their numbers, counted from 0 over all blocks."""
        total = np.cumsum(self.pair_counts)
        block = np.searchsorted(total, numbers, side="right")
        number = numbers - (total[block] - self.pair_counts[block])
        if self.one_sided:
            row, column = np.divmod(number, self.sizes[block] - self.firsts[block])
            column += self.firsts[block]
        else:
            # Counted by rows of a triangle: (1,0), (2,0), (2,1), (3,0)…
            row = ((1 + np.sqrt(8 * number + 1)) / 2).astype(np.int64)
            row -= row * (row - 1) // 2 > number
            column = number - row * (row - 1) // 2
        start = self.starts[block]
        return self.records[start + row], self.records[start + column]


def sorted_blocks(keys: Sequence[Bits], every: int = 1, *, one_sided: int = 0) -> SortedBlocks:
    """Return the records by rising key.

    Args:
        keys: one key per record, 0 for none: one array for each way to build it.
        every: only one in so many keys, with all their records.
        one_sided: how many of the ways, the first ones, meet only the others.
    """
    entries, ways, sorted_keys = _sorted_entries(keys, every, one_sided)
    return SortedBlocks(entries, ways, sorted_keys, *_runs(sorted_keys), one_sided)


def _runs(sorted_keys: Bits) -> tuple[Ids, Ids]:
    """Return where each run of equal keys starts, and how long it is."""
    if not len(sorted_keys):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    starts = np.flatnonzero(np.r_[True, sorted_keys[1:] != sorted_keys[:-1]])
    return starts, np.diff(np.r_[starts, len(sorted_keys)])


def _sorted_entries(
    keys: Sequence[Bits], every: int, one_sided: int
) -> tuple[Codes, Levels, Bits]:
    """Return (record, way, key) of each key that occurs twice, sorted by key, then record."""
    found = [np.flatnonzero(column) for column in keys]
    key = np.concatenate([column[rows] for column, rows in zip(keys, found, strict=True)])
    records = np.concatenate(found).astype(np.int32)
    ways = np.repeat(np.arange(len(keys), dtype=np.uint8), [len(rows) for rows in found])
    if every > 1:
        wanted = (key >> np.uint64(5)) % np.uint64(every) == 0
        key, records, ways = key[wanted], records[wanted], ways[wanted]
    if one_sided:
        # Names are many and mailboxes few: most that meet none are told by their first bits.
        short = (key >> _BUT_FIRST_BITS).astype(np.int32)
        is_met = np.zeros(1 << _FIRST_BITS, np.bool_)
        is_met[short[ways < one_sided]] = True
        wanted = np.take(is_met, short)
        key, records, ways = key[wanted], records[wanted], ways[wanted]
    order, rising = _rising(key)
    is_followed = rising[1:] == rising[:-1]
    several = np.flatnonzero(np.r_[is_followed, False] | np.r_[False, is_followed])
    order = np.take(order, several)
    return np.take(records, order), np.take(ways, order), np.take(rising, several)


def _rising(keys: Bits) -> tuple[Ids, Bits]:
    """Return the order in which keys rise, of equal ones the first before the others; and them.

    Numpy sorts numbers many times as fast as it sorts their positions. So each position takes the
    place of the last bits of its key; the few keys that differ in nothing else are sorted after.
    """
    bits = np.uint64(len(keys).bit_length())
    packed = keys >> bits << bits
    packed |= np.arange(len(keys), dtype=np.uint64)
    packed.sort()
    order = (packed & ((np.uint64(1) << bits) - np.uint64(1))).astype(np.int64)
    found = np.take(keys, order)
    wrong = np.flatnonzero(found[1:] < found[:-1])
    if len(wrong):
        rows = np.flatnonzero(is_among(found >> bits, found[wrong] >> bits))
        order[rows] = order[rows[np.argsort(found[rows], kind="stable")]]
        found[rows] = keys[order[rows]]
    return order, found


def random_pairs_sharing(
    encoded: Encoded, parts: Sequence[str], count: int, generator: np.random.Generator
) -> tuple[Codes, Codes]:
    """Return random pairs of records that share these parts, whatever the size of a block.

    Every such pair is as likely as any other; the same pair may come twice. In a large file the
    pairs of a random part of the records will do, where there are enough of them.
    """
    rule = Rule(tuple(parts))
    if encoded.size > _ENOUGH_RECORDS:
        share = _ENOUGH_RECORDS / encoded.size
        some = np.flatnonzero(generator.random(encoded.size) < share)
        found = _sharing(encoded, rule, some)
        if found.pair_counts.sum() > _ENOUGH_PAIRS * count:
            left, right = _random_pairs(found, count, generator)
            return some[left].astype(np.int32), some[right].astype(np.int32)
    return _random_pairs(_sharing(encoded, rule), count, generator)


def _sharing(encoded: Encoded, rule: Rule, records: Records = slice(None)) -> SortedBlocks:
    keys = record_keys(encoded, rule, records)
    sides = one_sided(rule, len(keys))
    # Those who have a second phone or another name are too few to matter.
    return sorted_blocks(keys if sides else keys[:1], one_sided=sides)


def _random_pairs(
    found: SortedBlocks, count: int, generator: np.random.Generator
) -> tuple[Codes, Codes]:
    total = int(found.pair_counts.sum())
    return found.drawn(generator.integers(0, total, count if total else 0))
