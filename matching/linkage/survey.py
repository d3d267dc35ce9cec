"""What blocking rules cost and share, from a sample of the pairs of each of them.

A file of a million records has rules that make hundreds of millions of pairs: none of them is
built. Every rule is asked for some random pairs; a table says which rules make which of them, and
a weight how many pairs of the file each of them stands for. Whatever a choice of rules would
make or miss is then a sum of weights.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from matching.linkage.columns import Bits, Codes, Flags, Floats, Ids
from matching.linkage.encoding import Encoded
from matching.linkage.keys import Rule, one_sided, record_keys
from matching.linkage.sorting import SortedBlocks, meetings, sorted_blocks

SAMPLE = 4_000
"""Pairs asked of each rule."""

_ALL_KEYS = 1 << 18
"""Records up to which every key is looked at; of a larger file every second, third… one."""

_SEED = 20_230_717


@dataclass(frozen=True)
class Cost:
    """What a rule makes, and some of its pairs."""

    rule: Rule
    pairs: int
    largest_block: int
    capped_blocks: int
    left: Codes
    right: Codes
    capped: Bits
    """The keys of blocks above the cap."""


@dataclass(frozen=True)
class Survey:
    """The rules that make pairs, and all their sampled pairs below one another."""

    costs: tuple[Cost, ...]
    left: Codes
    right: Codes
    origin: Ids
    """Position of the rule that was asked for the pair."""
    shared: Flags
    """One row per rule: which of the sampled pairs it makes."""

    def weights(self) -> Floats:
        """Return how many pairs of the file each sampled pair stands for.

        A pair is drawn the more often the more rules make it, and the fewer pairs they have:
        its weight is one over that expectation (the balance heuristic, Veach & Guibas 1995).
        """
        drawn = np.array([len(one.left) / max(1, one.pairs) for one in self.costs])
        return np.asarray(1 / (drawn @ self.shared), np.float64)


def survey(encoded: Encoded, rules: Sequence[Rule], cap: int, workers: int = 1) -> Survey:
    """Return what the rules make; those that make no pairs and cap none are left out.

    Args:
        encoded: the records.
        rules: the rules to look at.
        cap: records in a block at most.
        workers: threads.
    """
    with ThreadPoolExecutor(workers) as pool:
        found = pool.map(partial(_cost, encoded, cap=cap), rules)
        costs = tuple(one for one in found if one.pairs or len(one.capped))
        empty = np.zeros(0, np.int32)
        left = np.concatenate([empty, *(one.left for one in costs)])
        right = np.concatenate([empty, *(one.right for one in costs)])
        rows = list(pool.map(partial(_makes, encoded, left=left, right=right), costs))
    origin = np.repeat(np.arange(len(costs)), [len(one.left) for one in costs])
    shared = np.array(rows, np.bool_).reshape(len(costs), len(left))
    return Survey(costs, left, right, origin, shared)


def _cost(encoded: Encoded, rule: Rule, cap: int) -> Cost:
    every = 1 + encoded.size // _ALL_KEYS
    keys = record_keys(encoded, rule)
    found = sorted_blocks(keys, every, one_sided=one_sided(rule, len(keys)))
    is_capped = (found.sizes > cap) & (found.pair_counts > 0)
    used = found.only((found.pair_counts > 0) & ~is_capped)
    left, right = _drawn(used)
    return Cost(
        rule=rule,
        pairs=int(used.pair_counts.sum()) * every,
        largest_block=int(used.sizes.max(initial=0)),
        capped_blocks=int(is_capped.sum()) * every,
        left=left,
        right=right,
        capped=found.keys[found.starts[is_capped]] if every == 1 else _capped(keys, cap),
    )


def _capped(keys: Sequence[Bits], cap: int) -> Bits:
    """Return the keys of all blocks above the cap, without sorting those of the others."""
    key = np.concatenate([column[column != 0] for column in keys])
    short = (key >> np.uint64(42)).astype(np.int32)
    is_large = np.bincount(short, minlength=1) > cap
    found, counts = np.unique(key[np.take(is_large, short)], return_counts=True)
    return np.asarray(found[counts > cap], np.uint64)


def _drawn(blocks: SortedBlocks) -> tuple[Codes, Codes]:
    """Return random pairs of the blocks, or each of them once where there are few."""
    count = int(blocks.pair_counts.sum())
    numbers = np.arange(count)
    if count > SAMPLE:
        numbers = np.random.default_rng(_SEED).integers(0, count, SAMPLE)
    one, other = blocks.drawn(numbers)
    apart = one != other
    return np.minimum(one, other)[apart], np.maximum(one, other)[apart]


def _makes(encoded: Encoded, cost: Cost, left: Codes, right: Codes) -> Flags:
    """Return which pairs a rule makes."""
    keys = record_keys(encoded, cost.rule)
    found = np.zeros(len(left), np.bool_)
    for mine, theirs in meetings(len(keys), one_sided(cost.rule, len(keys))):
        one, other = np.take(keys[mine], left), np.take(keys[theirs], right)
        same = (one == other) & (one != 0)
        if len(cost.capped):
            same &= ~np.isin(one, cost.capped)
        found |= same
    return found
