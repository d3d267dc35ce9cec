"""How good scored pairs are above a threshold: a tool's own, or the best that there is."""

import numpy as np

from matching.linkage.columns import Flags, Floats
from matching.linkage.judging import Figures, share


def judge_pairs(right: Flags, score: Floats, total: int, threshold: float = 0.0) -> Figures:
    """Return how good the pairs at or above a threshold are.

    Args:
        right: per pair whether it is one entity.
        score: per pair, in bits.
        total: true pairs there are.
        threshold: bits.
    """
    kept = score >= threshold
    hits = float((right & kept).sum())
    return Figures(share(hits, float(kept.sum())), share(hits, total))


def best_threshold(right: Flags, score: Floats, total: int) -> tuple[float, float]:
    """Return the highest F1 that any threshold gives, and that threshold: an oracle's choice."""
    if not len(score):
        return 0.0, 0.0
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(right[order])
    f1 = 2 * hits / (np.arange(1, len(order) + 1) + total)
    # Pairs of one score stand or fall together.
    is_last = np.r_[score[order][1:] != score[order][:-1], True]
    place = int(np.argmax(np.where(is_last, f1, 0.0)))
    return float(f1[place]), float(score[order][place])
