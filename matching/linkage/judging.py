"""How good scored pairs and clusters are against a known truth: arrays in, figures out."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from matching.linkage.blocking import Blocks
from matching.linkage.columns import Codes, Flags, Floats, Ids


@dataclass(frozen=True)
class Figures:
    """Precision, recall and their harmonic mean, from 0 to 1."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0

    def as_json(self) -> dict[str, float]:
        """Return the three figures, rounded."""
        figures = {"precision": self.precision, "recall": self.recall, "f1": self.f1}
        return {name: round(figure, 5) for name, figure in figures.items()}


@dataclass(frozen=True)
class Band:
    """Pairs whose scores lie in a range, with what the scores promise and what is true."""

    least: float
    pairs: int
    expected_precision: float
    precision: float


@dataclass(frozen=True)
class RuleRecall:
    """What one blocking rule finds of the true pairs."""

    rule: str
    recall: float
    """Of all true pairs, by this rule alone."""
    cumulative: float
    """By this rule and those before it."""


def true_pairs(entity: Ids) -> int:
    """Return how many pairs of records are one entity; entities are numbered from 0."""
    return _pairs(np.bincount(entity))


def judge_clusters(cluster: Ids, entity: Ids) -> tuple[Figures, Figures]:
    """Return pairwise figures of a partition, and B-cubed ones (Bagga & Baldwin 1998)."""
    cluster = np.unique(cluster, return_inverse=True)[1]
    cells, place, counts = np.unique(
        cluster.astype(np.int64) * (int(entity.max()) + 1) + entity,
        return_inverse=True,
        return_counts=True,
    )
    del cells
    sizes, wanted = np.bincount(cluster), np.bincount(entity)
    hits, together = _pairs(counts), counts[place]
    by_pair = Figures(share(hits, _pairs(sizes)), share(hits, _pairs(wanted)))
    by_record = Figures(
        float((together / sizes[cluster]).mean()), float((together / wanted[entity]).mean())
    )
    return by_pair, by_record


def whole_clusters(cluster: Ids, entity: Ids) -> Figures:
    """Return how many clusters of several records are exactly one entity, and the reverse."""
    both = np.stack([cluster, entity])
    found, wanted = (np.bincount(np.unique(side, return_inverse=True)[1]) for side in both)
    cells = np.unique(
        np.stack([np.unique(side, return_inverse=True)[1] for side in both]),
        axis=1,
        return_counts=True,
    )
    (first, second), counts = cells
    exact = (found[first] == counts) & (wanted[second] == counts) & (counts > 1)
    hits = float(exact.sum())
    return Figures(share(hits, float((found > 1).sum())), share(hits, float((wanted > 1).sum())))


def score_bands(right: Flags, score: Floats, edges: Sequence[float]) -> list[Band]:
    """Return promised and true precision by range of scores; edges are rising bits."""
    bounds = [*edges, np.inf]
    bands = []
    for least, most in pairwise(bounds):
        inside = (score >= least) & (score < most)
        likely = 1 / (1 + np.exp2(-np.clip(score[inside], -500, 500)))
        if inside.any():
            bands.append(
                Band(least, int(inside.sum()), float(likely.mean()), float(right[inside].mean()))
            )
    return bands


def blocking_recall(blocks: Sequence[Blocks], entity: Ids) -> list[RuleRecall]:
    """Return what each rule finds of the true pairs, alone and with those before it."""
    left, right = all_true_pairs(entity)
    found = np.zeros(len(left), np.bool_)
    reports = []
    for one in blocks:
        joined = one.joins(left, right)
        found |= joined
        alone, together = (share(float(flags.sum()), len(left)) for flags in (joined, found))
        reports.append(RuleRecall(one.rule.name, alone, together))
    return reports


def all_true_pairs(entity: Ids) -> tuple[Codes, Codes]:
    """Return every pair of records that are one entity, each once."""
    order = np.argsort(entity, kind="stable").astype(np.int32)
    sizes = np.bincount(entity)
    partners = np.concatenate([np.zeros(0, np.int64)] + [np.arange(n - 1, -1, -1) for n in sizes])
    one = np.repeat(np.arange(len(order)), partners)
    before = np.cumsum(partners) - partners
    other = np.arange(len(one)) - np.repeat(before, partners) + one + 1
    return order[one], order[other]


def _pairs(sizes: Ids) -> int:
    return int((sizes.astype(np.int64) * (sizes - 1) // 2).sum())


def share(part: float, whole: float) -> float:
    """Return a part of the whole; of nothing all is found."""
    return part / whole if whole else 1.0
