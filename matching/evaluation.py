"""How good a partition is against the truth: pairwise and B-cubed precision and recall; pure."""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Score:
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
        return {**{k: round(v, 5) for k, v in asdict(self).items()}, "f1": round(self.f1, 5)}


def pairwise(found: Mapping[int, Hashable], truth: Mapping[int, Hashable]) -> Score:
    """Return how many pairs of records are rightly together, over the records with a truth."""
    cells, clusters, entities = _tables(found, truth)
    right = _pair_count(cells.values())
    return Score(
        precision=_share(right, _pair_count(clusters.values())),
        recall=_share(right, _pair_count(entities.values())),
    )


def b_cubed(found: Mapping[int, Hashable], truth: Mapping[int, Hashable]) -> Score:
    """Return the same per record and averaged: large clusters do not drown the small ones.

    Source: Bagga & Baldwin 1998.
    """
    cells, clusters, entities = _tables(found, truth)
    records = sum(entities.values())
    precision = sum(n * n / clusters[cluster] for (cluster, _), n in cells.items())
    recall = sum(n * n / entities[entity] for (_, entity), n in cells.items())
    return Score(_share(precision, records), _share(recall, records))


def pair_score(found: Iterable[tuple[int, int]], truth: Mapping[int, Hashable]) -> Score:
    """Return the score of a list of distinct pairs; pairs without a truth are left out."""
    known = [truth[left] == truth[right] for left, right in found if {left, right} <= truth.keys()]
    matches = _pair_count(Counter(truth.values()).values())
    return Score(_share(sum(known), len(known)), _share(sum(known), matches))


def true_pair_count(truth: Mapping[int, Hashable]) -> int:
    """Return the number of pairs of records of one entity."""
    return _pair_count(Counter(truth.values()).values())


def _tables(
    found: Mapping[int, Hashable], truth: Mapping[int, Hashable]
) -> tuple[
    Counter[tuple[Hashable, Hashable]],
    Counter[Hashable],
    Counter[Hashable],
]:
    known = [(found[record], entity) for record, entity in truth.items() if record in found]
    return (
        Counter(known),
        Counter(cluster for cluster, _ in known),
        Counter(entity for _, entity in known),
    )


def _pair_count(sizes: Iterable[int]) -> int:
    return sum(size * (size - 1) // 2 for size in sizes)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 1.0
