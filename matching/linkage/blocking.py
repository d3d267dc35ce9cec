"""Which pairs are worth comparing: those that share a key of one of the blocking rules.

A key is used only when all its parts are present. A pair that several rules make is kept under
the first of them; a block larger than the cap makes no pairs and hides none from later rules.
"""

import functools
import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import pairwise

import numpy as np

from matching.linkage.columns import Bits, Codes, Flags, Ids, Levels
from matching.linkage.encoding import Encoded
from matching.linkage.keys import Rule, one_sided, record_keys
from matching.linkage.rows import Rows, in_rows, rows_of_both
from matching.linkage.sorting import SortedBlocks, meetings, sorted_blocks

BLOCK_CAP = 1000
"""Records in one block; above, the key says nothing (a default value, a very common name)."""

CHUNK = 1 << 17
"""Pairs handled at a time: large enough for numpy, small enough for the processor's cache."""

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
    """Number of entries of its block that this one makes pairs with."""
    first_partner: Codes
    """How many entries on the first of them stands; the others follow it."""
    capped_count: int
    largest: int
    """Records in the largest block in use."""
    one_sided: int = 0
    """How many of the columns, the first ones, meet only the others (see `keys.one_sided`)."""

    @cached_property
    def meetings(self) -> tuple[tuple[int, int], ...]:
        """Which columns make pairs with which, in the order in which they claim a pair."""
        return meetings(len(self.columns), self.one_sided)

    @property
    def pair_count(self) -> int:
        """Number of pairs, before those of other rules are left out."""
        return int(self.partners.sum(dtype=np.int64))

    def is_within_budget(self, size: int) -> bool:
        """Tell whether so many records may make these pairs, as the rule says."""
        return self.pair_count <= self.rule.budget * size

    def joins(self, left: Codes, right: Codes) -> Flags:
        """Return which pairs share a block."""
        found = np.equal(np.take(self.first_column, left), np.take(self.first_column, right))
        if len(self.columns) > 1:
            found |= self.joins_otherwise(left, right)
        return found

    def joins_otherwise(self, left: Codes, right: Codes) -> Flags:
        """Return which pairs share a block by other columns than the first.

        Few records have a second phone or a birth name: only they are looked at.
        """
        found = np.zeros(len(left), np.bool_)
        rows = np.flatnonzero(np.take(self.is_special, left) | np.take(self.is_special, right))
        left, right = left[rows], right[rows]
        for mine, other in self.meetings:
            one, two = np.take(self.columns[mine], left), np.take(self.columns[other], right)
            found[rows] |= one == two
        return found

    @property
    def first_column(self) -> Codes:
        """The column in which two records of one block are equal, and that most pairs share."""
        return _alone(len(self.columns[0])) if self.one_sided else self.columns[0]

    @cached_property
    def is_special(self) -> Flags:
        """Which records are in a block by another way than the first, or on the first side."""
        columns = self.columns[: self.one_sided] if self.one_sided else self.columns[1:]
        found: Flags = np.any([column >= 0 for column in columns], axis=0)
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
        skipped = np.arange(part.start, part.stop, dtype=np.int32) - before
        skipped += self.first_partner[part]
        other = np.arange(len(one), dtype=np.int32) + np.repeat(skipped, partners)
        left, right = np.take(self.entries, one), np.take(self.entries, other)
        if len(self.columns) == 1:
            return left, right
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
        for mine, other in self.meetings:
            rows = np.flatnonzero(made > mine * count + other)
            one = np.take(self.columns[mine], left[rows])
            keep[rows[one == np.take(self.columns[other], right[rows])]] = False
        return left[keep], right[keep]

    def touching(self, records: Flags) -> "Blocks":
        """Return only the blocks that hold one of some records."""
        if not len(self.entries):
            return self
        number = np.array(self.columns)[self.ways, self.entries]
        starts = np.flatnonzero(np.r_[True, number[1:] != number[:-1]])
        sizes = np.diff(np.r_[starts, len(self.entries)])
        wanted = np.logical_or.reduceat(np.take(records, self.entries), starts)
        return self._only(np.repeat(wanted, sizes))

    def _only(self, kept: Flags) -> "Blocks":
        return Blocks(
            self.rule, self.columns, self.entries[kept], self.ways[kept], self.partners[kept],
            self.first_partner[kept], self.capped_count, self.largest, self.one_sided,
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
    found = sorted_blocks(keys, one_sided=one_sided(rule, len(keys)))
    is_capped = _is_capped(found, cap, too_common)
    is_used = (found.pair_counts > 0) & ~is_capped
    if not is_used.any() and not is_capped.any():
        return None
    used = found.only(is_used)
    columns = _block_numbers(len(keys), encoded.size, used.records, used.ways, used.sizes)
    if partition is not None:
        used = used.only(_is_taken_by(partition, used.keys[used.starts]))
    partners, first_partner = used.partners()
    return Blocks(
        rule=rule,
        columns=columns,
        entries=used.records,
        ways=used.ways,
        partners=partners,
        first_partner=first_partner,
        capped_count=int(is_capped.sum()),
        largest=int(used.sizes.max(initial=0)),
        one_sided=found.one_sided,
    )


def _is_capped(found: SortedBlocks, cap: int, too_common: Bits | None) -> Flags:
    above: Flags = (found.sizes > cap) & (found.pair_counts > 0)
    if too_common is not None:
        above |= np.isin(found.keys[found.starts], too_common)
    return above


def _is_taken_by(partition: Partition, keys: Bits) -> Flags:
    worker, workers = partition
    return np.asarray((keys >> np.uint64(20)) % np.uint64(workers) == np.uint64(worker))


def _block_numbers(
    count: int, size: int, entries: Codes, ways: Levels, sizes: Ids
) -> tuple[Codes, ...]:
    numbers = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    columns = []
    for way in range(count):
        column = _alone(size, way)
        rows = ways == way
        column[entries[rows]] = numbers[rows]
        columns.append(column)
    return tuple(columns)


def _alone(size: int, way: int = 0) -> Codes:
    """Return a number for each record that no block and no other record has."""
    return -1 - np.arange(size, dtype=np.int32) - way * size


class Claims(tuple[Blocks, ...]):
    """The rules' blocks in the order in which they claim a pair."""

    def new_pairs(self, position: int, part: slice) -> tuple[Codes, Codes]:
        """Return the pairs of a slice of a rule's entries that no earlier rule makes."""
        left, right = self[position].pairs(part)
        if not position or not len(left):
            return left, right
        kept = np.flatnonzero(~self._are_claimed(position, left, right))
        return np.take(left, kept), np.take(right, kept)

    def _are_claimed(self, position: int, left: Codes, right: Codes) -> Flags:
        """Return which pairs a rule before this one makes."""
        found, is_special = np.empty(len(left), np.bool_), np.empty(len(left), np.bool_)
        asked = np.arange(self.rows.shape[1]) < position
        for part, one, other in rows_of_both(self.rows, left, right):
            # Eight flags are one number: none of them is looked at alone.
            joined = (one == other).view(np.uint64) & asked.view(np.uint64)
            found[part] = functools.reduce(operator.or_, joined.T)
            is_special[part] = one[:, -1] | other[:, -1]
        rows = np.flatnonzero(is_special & ~found)
        left, right = left[rows], right[rows]
        for earlier in self[:position]:
            if len(earlier.columns) > 1:
                found[rows] |= earlier.joins_otherwise(left, right)
        return found

    @cached_property
    def rows(self) -> Rows:
        """The first block numbers of each record; and last, whether it has others."""
        columns = [one.first_column for one in self]
        rows = in_rows(columns, width=8 * (len(columns) // 8 + 1))
        for one in self:
            if len(one.columns) > 1:
                rows[:, -1] |= one.is_special
        return rows


def candidate_pairs(
    blocks: Sequence[Blocks], changed: Flags | None = None
) -> Iterator[tuple[int, Codes, Codes]]:
    """Yield (rule position, left, right) chunk by chunk; each pair comes once, over all rules.

    Args:
        blocks: the rules' blocks, in the order in which they claim a pair.
        changed: when given, only pairs with at least one of these records.
    """
    claims = Claims(blocks)
    for position, part in chunks(blocks):
        left, right = claims.new_pairs(position, part)
        if changed is not None:
            kept = np.take(changed, left) | np.take(changed, right)
            left, right = left[kept], right[kept]
        yield position, left, right


def chunks(blocks: Sequence[Blocks]) -> Iterator[tuple[int, slice]]:
    """Yield (rule position, slice of its entries): the pieces of work of a run."""
    for position, one in enumerate(blocks):
        for part in one.slices():
            yield position, part
