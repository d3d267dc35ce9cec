"""Which pairs are worth comparing: those that share a key of one of the blocking rules.

A key is used only when all its parts are present. A pair that several rules make is kept under
the first of them; a block larger than the cap makes no pairs and hides none from later rules.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import pairwise, product

import numpy as np

from matching.linkage.columns import Bits, Codes, Flags, Ids, Levels
from matching.linkage.encoding import Encoded
from matching.linkage.keys import Rule, record_keys

BLOCK_CAP = 1000
"""Records in one block; above, the key says nothing (a default value, a very common name)."""

CHUNK = 1 << 17
"""Pairs handled at a time: large enough for numpy, small enough for the processor's cache."""

_ENOUGH_RECORDS, _ENOUGH_PAIRS = 100_000, 10
"""Records that may stand for a larger file, and pairs among them for each pair that is drawn."""

Partition = tuple[int, int]
"""(w, W): the blocks of worker w among W."""


class TooManyPairs(ValueError):
    """The blocks would make more pairs than allowed: nothing is built."""

    def __init__(self, total: int, rule: str, pairs: int, largest_block: int) -> None:
        """Keep all pairs, and the rule that makes most of them with its largest block."""
        super().__init__(f"{total:,} pairs, {pairs:,} by {rule}, up to {largest_block:,} records")
        self.total, self.rule, self.pairs = total, rule, pairs
        self.largest_block = largest_block


@dataclass(frozen=True)
class Blocks:
    """One rule's blocks: block number per record, one column per way to build the key.

    A record without a block has a negative number of its own. The entries are the records of all
    blocks, block by block.
    """

    rule: Rule
    columns: tuple[Codes, ...]
    entries: Codes
    """Records in blocks, sorted by block."""
    ways: Levels
    """Which column put the entry into its block."""
    partners: Codes
    """Number of entries after this one in its block."""
    capped_count: int
    largest: int
    """Records in the largest block in use."""

    @property
    def pair_count(self) -> int:
        """Number of pairs, before those of other rules are left out."""
        return int(self.partners.sum(dtype=np.int64))

    def is_within_budget(self, size: int) -> bool:
        """Tell whether so many records may make these pairs, as the rule says."""
        return self.pair_count <= self.rule.budget * size

    def joins(self, left: Codes, right: Codes) -> Flags:
        """Return which pairs share a block."""
        first, *others = self.columns
        found: Flags = np.equal(np.take(first, left), np.take(first, right))
        if others:
            # Few records have a second phone or a birth name: only they are looked at again.
            several = self.has_several
            rows = np.flatnonzero(np.take(several, left) | np.take(several, right))
            left, right = left[rows], right[rows]
            for mine, other in product(self.columns, repeat=2):
                found[rows] |= np.take(mine, left) == np.take(other, right)
        return found

    @cached_property
    def has_several(self) -> Flags:
        """Which records are in a block by another way than the first."""
        found: Flags = np.any([column >= 0 for column in self.columns[1:]], axis=0)
        return found

    def slices(self, size: int = CHUNK) -> list[slice]:
        """Return slices of the entries, each of which makes some `size` pairs."""
        total = np.cumsum(self.partners, dtype=np.int64)
        if not len(total):
            return []
        ends = np.searchsorted(total, np.arange(size, int(total[-1]) + size, size), side="left")
        bounds = np.unique(np.r_[0, np.minimum(ends + 1, len(total))])
        return [slice(int(a), int(b)) for a, b in pairwise(bounds)]

    def pairs(self, part: slice) -> tuple[Codes, Codes]:
        """Return the pairs of a slice of the entries, each once, the earlier record first."""
        partners = self.partners[part]
        one = np.repeat(np.arange(part.start, part.stop, dtype=np.int32), partners)
        before = np.cumsum(partners, dtype=np.int32) - partners
        skipped = np.arange(part.start + 1, part.stop + 1, dtype=np.int32) - before
        other = np.arange(len(one), dtype=np.int32) + np.repeat(skipped, partners)
        left, right = np.take(self.entries, one), np.take(self.entries, other)
        if len(self.columns) == 1:
            return np.minimum(left, right), np.maximum(left, right)
        return self._made_once(left, right, np.take(self.ways, one), np.take(self.ways, other))

    def _made_once(
        self, left: Codes, right: Codes, way: Levels, other_way: Levels
    ) -> tuple[Codes, Codes]:
        """Keep a pair that shares several blocks of the rule under the first ways that join it."""
        turned = left > right
        left, right = np.where(turned, right, left), np.where(turned, left, right)
        way, other_way = np.where(turned, other_way, way), np.where(turned, way, other_way)
        count = len(self.columns)
        made = way * count + other_way
        keep = left != right
        for position, (mine, other) in enumerate(product(self.columns, repeat=2)):
            rows = np.flatnonzero(made > position)
            joined = np.take(mine, left[rows]) == np.take(other, right[rows])
            keep[rows[joined]] = False
        return left[keep], right[keep]

    def touching(self, records: Flags) -> "Blocks":
        """Return only the blocks that hold one of some records."""
        starts = np.flatnonzero(np.r_[True, self.partners[:-1] == 0])
        if not len(self.entries):
            return self
        sizes = np.diff(np.r_[starts, len(self.entries)])
        wanted = np.logical_or.reduceat(np.take(records, self.entries), starts)
        return self._only(np.repeat(wanted, sizes))

    def _only(self, kept: Flags) -> "Blocks":
        return Blocks(
            self.rule, self.columns, self.entries[kept], self.ways[kept], self.partners[kept],
            self.capped_count, self.largest,
        )  # fmt: skip


class LeftOut(StrEnum):
    """Why a rule was not used; the stored values are kept with runs."""

    OVER_BUDGET = "over_budget"
    ADDS_LITTLE = "adds_little"
    FINDS_NOTHING = "finds_nothing"


@dataclass(frozen=True)
class RuleReport:
    """What one rule cost and gave, or why it was left out."""

    rule: str
    pairs: int = 0
    new_pairs: int = 0
    capped_blocks: int = 0
    largest_block: int = 0
    left_out: LeftOut | None = None

    @property
    def used(self) -> bool:
        """True unless it was left out."""
        return self.left_out is None


def build_blocks(
    encoded: Encoded,
    rule: Rule,
    cap: int = BLOCK_CAP,
    partition: Partition | None = None,
    *,
    too_common: Bits | None = None,
) -> Blocks | None:
    """Return the blocks of a rule, or None when no two records share a key.

    Args:
        encoded: the records.
        rule: what they must share.
        cap: records in a block at most.
        too_common: keys above the cap in the whole file, when these records are some of it.
        partition: only the blocks of one worker; who takes which depends on the key alone.
    """
    keys = record_keys(encoded, rule)
    entries, ways, sorted_keys = _sorted_entries(keys)
    starts, sizes = _runs(sorted_keys)
    is_capped = sizes > cap
    if too_common is not None:
        is_capped |= np.isin(sorted_keys[starts], too_common)
    is_used = (sizes >= 2) & ~is_capped
    if not is_used.any() and not is_capped.any():
        return None
    kept = np.repeat(is_used, sizes)
    columns = _block_numbers(len(keys), encoded.size, entries[kept], ways[kept], sizes[is_used])
    if partition is not None:
        is_used &= _is_taken_by(partition, sorted_keys[starts])
        kept = np.repeat(is_used, sizes)
    return Blocks(
        rule=rule,
        columns=columns,
        entries=entries[kept],
        ways=ways[kept],
        partners=_partners_after(sizes[is_used]),
        capped_count=int(is_capped.sum()),
        largest=int(sizes[is_used].max(initial=0)),
    )


def _is_taken_by(partition: Partition, keys: Bits) -> Flags:
    worker, workers = partition
    return np.asarray((keys >> np.uint64(20)) % np.uint64(workers) == np.uint64(worker))


def _partners_after(sizes: Ids) -> Codes:
    """Return how many entries of its own block follow each entry."""
    position = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.asarray(np.repeat(sizes, sizes) - position - 1, np.int32)


def sorted_blocks(keys: Sequence[Bits], every: int = 1) -> tuple[Codes, Bits, Ids, Ids]:
    """Return the records by rising key, their keys, and the start and size of each block.

    Args:
        keys: one key per record, 0 for none: one array for each way to build it.
        every: only one in so many keys, with all their records.
    """
    entries, _ways, sorted_keys = _sorted_entries(keys, every)
    starts, sizes = _runs(sorted_keys)
    return entries, sorted_keys, starts, sizes


def _runs(sorted_keys: Bits) -> tuple[Ids, Ids]:
    """Return where each run of equal keys starts, and how long it is."""
    if not len(sorted_keys):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    starts = np.flatnonzero(np.r_[True, sorted_keys[1:] != sorted_keys[:-1]])
    return starts, np.diff(np.r_[starts, len(sorted_keys)])


def _sorted_entries(keys: Sequence[Bits], every: int = 1) -> tuple[Codes, Levels, Bits]:
    """Return (record, way, key) of each key that may occur twice, sorted by key, then record."""
    found = [np.flatnonzero(column) for column in keys]
    key = np.concatenate([column[rows] for column, rows in zip(keys, found, strict=True)])
    records = np.concatenate(found).astype(np.int32)
    ways = np.repeat(np.arange(len(keys), dtype=np.uint8), [len(rows) for rows in found])
    if every > 1:
        wanted = (key >> np.uint64(5)) % np.uint64(every) == 0
        key, records, ways = key[wanted], records[wanted], ways[wanted]
    # Most keys are alone in a file; a count of their first bits removes most of those unsorted.
    bits = min(22, len(key).bit_length() + 2)
    for shift in (np.uint64(42), np.uint64(20)):
        short = ((key >> shift) & np.uint64((1 << bits) - 1)).astype(np.int32)
        several = np.take(np.bincount(short, minlength=1 << bits) > 1, short)
        key, records, ways = key[several], records[several], ways[several]
    order = np.argsort(key, kind="stable")
    return np.take(records, order), np.take(ways, order), np.take(key, order)


def _block_numbers(
    count: int, size: int, entries: Codes, ways: Levels, sizes: Ids
) -> tuple[Codes, ...]:
    numbers = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    columns = []
    for way in range(count):
        column = -1 - np.arange(size, dtype=np.int32) - way * size
        rows = ways == way
        column[entries[rows]] = numbers[rows]
        columns.append(column)
    return tuple(columns)


def candidate_pairs(
    blocks: Sequence[Blocks], changed: Flags | None = None
) -> Iterator[tuple[int, Codes, Codes]]:
    """Yield (rule position, left, right) chunk by chunk; each pair comes once, over all rules.

    Args:
        blocks: the rules' blocks, in the order in which they claim a pair.
        changed: when given, only pairs with at least one of these records.
    """
    for position, part in chunks(blocks, changed):
        left, right = new_pairs(blocks, position, part)
        if changed is not None:
            kept = np.take(changed, left) | np.take(changed, right)
            left, right = left[kept], right[kept]
        yield position, left, right


def chunks(blocks: Sequence[Blocks], changed: Flags | None = None) -> Iterator[tuple[int, slice]]:
    """Yield (rule position, slice of its entries): the pieces of work of a run."""
    for position, one in enumerate(blocks):
        for part in one.slices():
            yield position, part


def new_pairs(blocks: Sequence[Blocks], position: int, part: slice) -> tuple[Codes, Codes]:
    """Return the pairs of a slice of a rule's entries that no earlier rule makes."""
    left, right = blocks[position].pairs(part)
    if not position or not len(left):
        return left, right
    known = blocks[0].joins(left, right)
    for earlier in blocks[1:position]:
        known |= earlier.joins(left, right)
    kept = np.flatnonzero(~known)
    return np.take(left, kept), np.take(right, kept)


def random_pairs_sharing(
    encoded: Encoded, parts: Sequence[str], count: int, generator: np.random.Generator
) -> tuple[Codes, Codes]:
    """Return random pairs of records that share these parts, whatever the size of a block.

    Every such pair is as likely as any other; the same pair may come twice. In a large file the
    pairs of a random part of the records will do, where there are enough of them.
    """
    key = record_keys(encoded, Rule(tuple(parts)))[0]
    if len(key) > _ENOUGH_RECORDS:
        some = np.flatnonzero(generator.random(len(key)) < _ENOUGH_RECORDS / len(key))
        records, ends, starts, sizes = _partners(np.take(key, some))
        if len(ends) and ends[-1] > _ENOUGH_PAIRS * count:
            left, right = _draw_partners(records, ends, starts, sizes, count, generator)
            return some[left].astype(np.int32), some[right].astype(np.int32)
    records, ends, starts, sizes = _partners(key)
    if not len(ends) or not ends[-1]:
        return records[:0], records[:0]
    return _draw_partners(records, ends, starts, sizes, count, generator)


def _partners(key: Bits) -> tuple[Codes, Ids, Ids, Ids]:
    """Return the records by key, the running sum of their partners, and each one's block."""
    records, _keys, starts, sizes = sorted_blocks([key])
    partners = np.cumsum(np.repeat(sizes - 1, sizes))
    return records, partners, np.repeat(starts, sizes), np.repeat(sizes, sizes)


def _draw_partners(
    records: Codes, ends: Ids, starts: Ids, sizes: Ids, count: int, generator: np.random.Generator
) -> tuple[Codes, Codes]:
    first = np.searchsorted(ends, generator.integers(0, ends[-1], count), side="right")
    start, size = starts[first], sizes[first]
    second = start + (first - start + generator.integers(1, size)) % size
    return records[first], records[second]
