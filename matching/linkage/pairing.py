"""Block and compare in one go: candidate pairs with their patterns, on several cores."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from matching.levels import LEVELS
from matching.linkage.blocking import Blocks, Claims, chunks
from matching.linkage.columns import Codes, Flags, Floats, Ids, Levels
from matching.linkage.comparison import patterns
from matching.linkage.encoding import BANDED_TEXTS, Encoded

Tick = Callable[[int, int], None]
"""Called with (done, total) after each piece of work; may raise to stop it."""

Values = TypeVar("Values", Floats, Flags, Ids)

_LARGEST_TABLE = 1 << 24
"""Patterns up to here are counted in a table of all that could be; above, by sorting."""


@dataclass(frozen=True)
class Scope:
    """Which pairs are wanted among those that blocking makes."""

    changed: Flags | None = None
    """Only pairs with at least one of these records."""
    sources: Codes | None = None
    """The source of each record."""
    clean_sources: frozenset[int] | None = frozenset()
    """Sources that hold a person once: no pair within one of them; None for all sources."""

    def keep(self, left: Codes, right: Codes) -> tuple[Codes, Codes]:
        """Return the pairs that are wanted."""
        kept = np.ones(len(left), np.bool_)
        if self.changed is not None:
            kept &= np.take(self.changed, left) | np.take(self.changed, right)
        if self.sources is not None and self.clean_sources != frozenset():
            one, other = np.take(self.sources, left), np.take(self.sources, right)
            is_clean = self.clean_sources is None or np.isin(one, list(self.clean_sources))
            kept &= ~((one == other) & is_clean)
        return (left, right) if kept.all() else (left[kept], right[kept])


@dataclass(frozen=True)
class Candidates:
    """Candidate pairs as record positions, with their pattern and the rule that found them."""

    left: Codes
    right: Codes
    pattern: Ids
    rule: Levels

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.left)

    def chosen(self, rows: Ids) -> "Candidates":
        """Return some of the pairs."""
        return Candidates(self.left[rows], self.right[rows], self.pattern[rows], self.rule[rows])

    @classmethod
    def joined(cls, parts: Iterable["Candidates"]) -> "Candidates":
        """Return all pairs of several results, in their order."""
        listed = list(parts)
        if not listed:
            empty = np.zeros(0, np.int32)
            return cls(empty, empty, np.zeros(0, np.int64), np.zeros(0, np.uint8))
        columns = (
            np.concatenate([getattr(part, name) for part in listed])
            for name in ("left", "right", "pattern", "rule")
        )
        return cls(*columns)


def candidates(
    encoded: Encoded,
    blocks: Sequence[Blocks],
    *,
    scope: Scope | None = None,
    workers: int = 1,
    pieces: Sequence[tuple[int, slice]] | None = None,
    tick: Tick = lambda _done, _total: None,
) -> Candidates:
    """Return each pair that the blocks make once, with its pattern; the order is fixed.

    Args:
        encoded: the records.
        blocks: the rules' blocks, in the order in which they claim a pair.
        scope: which pairs are wanted.
        workers: threads; numpy lets several work at once.
        pieces: only these pieces of the work (see `blocking.chunks`).
        tick: told how far the work is.
    """
    fields, scope = encoded.fields, scope or Scope()
    if scope.changed is not None:
        blocks = [one.touching(scope.changed) for one in blocks]
    claims = blocks if isinstance(blocks, Claims) else Claims(blocks)
    _prepare(encoded, claims)

    def work(piece: tuple[int, slice]) -> Candidates:
        left, right = scope.keep(*claims.new_pairs(*piece))
        pattern = patterns(encoded, fields, left, right)
        return Candidates(left, right, pattern, np.full(len(left), piece[0], np.uint8))

    pieces = list(chunks(blocks)) if pieces is None else pieces
    with _pool(workers) as submit:
        waiting = [submit(work, piece) for piece in pieces]
        found = []
        for one in waiting:
            found.append(one.result())
            tick(len(found), len(pieces))
    return Candidates.joined(found)


def pattern_count(fields: Sequence[str]) -> int:
    """Return how many patterns there could be."""
    return int(np.prod([len(LEVELS[field]) for field in fields], dtype=np.float64))


def count_patterns(pattern: Ids, fields: Sequence[str]) -> tuple[Ids, Ids]:
    """Return the distinct patterns and how many pairs have each."""
    size = pattern_count(fields)
    if size > _LARGEST_TABLE:
        return np.unique(pattern, return_counts=True)
    counts = np.bincount(pattern, minlength=1)
    distinct = np.flatnonzero(counts)
    return distinct, counts[distinct]


def look_up(pattern: Ids, distinct: Ids, values: Values, fields: Sequence[str]) -> Values:
    """Return for each pair the value of its pattern; every pattern must be among the distinct."""
    size = pattern_count(fields)
    if size > _LARGEST_TABLE:
        return np.take(values, np.searchsorted(distinct, pattern))
    table = np.zeros(int(distinct[-1]) + 1 if len(distinct) else 1, values.dtype)
    table[distinct] = values
    return np.take(table, pattern)


def narrow(pattern: Ids, fields: Sequence[str]) -> Ids:
    """Return patterns in half of the memory where there can be few enough of them."""
    return pattern.astype(np.int32) if pattern_count(fields) < 1 << 31 else pattern


def _prepare(encoded: Encoded, claims: Claims) -> None:
    """Work out what is kept of records and words before threads share it."""
    if len(claims) > 1:
        _ = claims.rows
    names = encoded.names
    _ = encoded.rows, names.spelt, names.signatures, names.spelled, names.sexes
    if "email" in encoded.fields:
        mailboxes = encoded.local_parts[-1]
        _ = mailboxes.signatures, mailboxes.spelled, mailboxes.digit_hashes
    address = ("street", "postcode", "city") if "address" in encoded.fields else ()
    for name in (*address, *encoded.fields):
        if name in encoded.texts:
            _ = encoded.texts[name].signatures, encoded.texts[name].spelled
            if name == "organisation":
                _ = encoded.texts[name].word_sets
            if name in BANDED_TEXTS:
                _ = encoded.texts[name].first_words


@contextmanager
def _pool(workers: int) -> Iterator[Callable[..., "Future[Candidates]"]]:
    pool = ThreadPoolExecutor(max(1, workers))
    try:
        yield pool.submit
    finally:
        pool.shutdown(cancel_futures=True)
