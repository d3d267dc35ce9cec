"""A run cut into parts that any worker can do, and what the parts tell one another.

A part is some pieces of one rule's blocks, which stand by rising key: a range of keys. The cut
depends on the blocks alone, so every worker that builds them cuts alike, and a part done twice
says the same twice.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from typing import Any

import numpy as np

from matching.linkage.blocking import CHUNK, Blocks, Claims, chunks
from matching.linkage.columns import Ids
from matching.linkage.encoding import Encoded
from matching.linkage.engine import Settings
from matching.linkage.pairing import Candidates, Scope, count_patterns, look_up
from matching.linkage.training import score_patterns
from matching.scoring import ScoreModel

Piece = tuple[int, slice]
"""(position of the rule, slice of its entries): see `blocking.chunks`."""
Part = tuple[Piece, ...]


@dataclass(frozen=True)
class Work:
    """All that is needed to do any part."""

    encoded: Encoded
    blocks: Claims
    scope: Scope

    def fingerprint(self, ids: Ids) -> str:
        """Return what tells whether another process has built the very same."""
        digest = sha256(ids.tobytes())
        for one in self.blocks:
            digest.update(one.rule.name.encode())
            digest.update(one.entries.tobytes())
            digest.update(one.partners.tobytes())
        digest.update(" ".join(self.encoded.fields).encode())
        return digest.hexdigest()[:32]


@dataclass(frozen=True)
class Counted:
    """What one part counts."""

    distinct: Ids
    counts: Ids
    by_rule: Ids


@dataclass(frozen=True)
class Scored:
    """What one part gives in one go: what it counts, and the pairs that are kept."""

    counted: Counted
    kept: Candidates


def cut(blocks: Sequence[Blocks], size: int) -> list[Part]:
    """Return parts of some `size` pairs each, no part over two rules."""
    pieces_of_part = max(1, size // CHUNK)
    parts: list[Part] = []
    for position in range(len(blocks)):
        pieces = [piece for piece in chunks(blocks) if piece[0] == position]
        parts += [
            tuple(pieces[start : start + pieces_of_part])
            for start in range(0, len(pieces), pieces_of_part)
        ]
    return parts


def count_part(work: Work, found: Candidates) -> Counted:
    """Return the patterns of a part and how many pairs have each."""
    distinct, counts = count_patterns(found.pattern, work.encoded.fields)
    by_rule = np.bincount(found.rule, minlength=len(work.blocks))
    return Counted(distinct.astype(np.int64), counts.astype(np.int64), by_rule.astype(np.int64))


def score_part(work: Work, found: Candidates, model: ScoreModel, settings: Settings) -> Scored:
    """Return what a part counts and those of its pairs that are kept by what was learnt."""
    counted = count_part(work, found)
    wanted = settings.are_kept(model, counted.distinct, score_patterns(model, counted.distinct))
    rows = look_up(found.pattern, counted.distinct, wanted, model.fields)
    return Scored(counted, found.chosen(np.flatnonzero(rows)))


def joined_counts(parts: Sequence[Counted]) -> tuple[Ids, Ids]:
    """Return the distinct patterns of all parts, rising, and how many pairs have each."""
    distinct, places = np.unique(
        np.concatenate([one.distinct for one in parts]), return_inverse=True
    )
    counts = np.zeros(len(distinct), np.int64)
    np.add.at(counts, places, np.concatenate([one.counts for one in parts]))
    return distinct, counts


def pack(*arrays: Any) -> bytes:
    """Return arrays as bytes."""
    stream = BytesIO()
    for array in arrays:
        np.save(stream, array, allow_pickle=False)
    return zlib.compress(stream.getvalue(), 1)


def unpack(content: bytes, count: int) -> list[Any]:
    """Return the arrays that `pack` wrote."""
    stream = BytesIO(zlib.decompress(content))
    return [np.load(stream, allow_pickle=False) for _ in range(count)]
