"""Clusters of a whole file: `matching.clustering`, run only where there is something to weigh.

Nearly all people have two or three records that nobody contests: those are connected components,
found at once. The others go through the very rules that a decision of a steward goes through.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from matching.clustering import Evidence, Guards, Refusal, clusters
from matching.linkage.columns import Flags, Floats, Ids
from matching.rulings import Ruling


@dataclass(frozen=True)
class Grouping:
    """The position of the oldest record of each record's cluster, and what was refused."""

    oldest: Ids
    refusals: tuple[Refusal, ...]


def group(
    size: int,
    left: Ids,
    right: Ids,
    score: Floats,
    links: Flags,
    *,
    guards: Guards | None = None,
    rulings: Collection[Ruling] = (),
) -> Grouping:
    """Return the clusters of records numbered from 0.

    Args:
        size: number of records.
        left: one record of each pair.
        right: the other record.
        score: bits of each pair.
        links: which pairs may join by themselves; none of them scores below 0.
        guards: what a link may not do.
        rulings: what people said.
    """
    guards = guards or Guards()
    touching = score >= 0
    related = components(size, left[touching], right[touching])
    oldest = _oldest(components(size, left[links], right[links]))
    contested = _contested(related, left[touching], guards, rulings)
    records = np.flatnonzero(contested)
    # A decision may join what no evidence relates, so all that is special is weighed together.
    kept = contested[left] & touching
    evidence = zip(
        left[kept].tolist(), right[kept].tolist(), score[kept].tolist(), links[kept].tolist(),
        strict=True,
    )  # fmt: skip
    found = clusters(records.tolist(), map(Evidence._make, evidence), rulings, guards)
    oldest[records] = [found.names[record] for record in records.tolist()]
    return Grouping(oldest, found.refusals)


def _contested(
    related: Ids, left_of_touching: Ids, guards: Guards, rulings: Collection[Ruling]
) -> Flags:
    """Return per record whether anything is to be weighed in its component."""
    special = {*guards.exclusive, *guards.unique_source, *guards.called}
    special |= {record for ruling in rulings for record in (ruling.left, ruling.right)}
    sizes = np.bincount(related)
    pairs = np.bincount(related[left_of_touching], minlength=len(sizes))
    missing = sizes * (sizes - 1) // 2 - pairs
    is_contested = (missing > _harmless(guards.least_support)) | (sizes > guards.max_size)
    is_contested[related[sorted(special)]] = True
    return np.asarray(is_contested[related], np.bool_)


def _harmless(least_support: float) -> float:
    """Return how many pairs of a component may not look alike while no link can be too thin.

    A link is one pair of support: enough for so many pairs between two clusters. Of more than
    those, all but the missing ones support it.
    """
    if least_support <= 0:
        return np.inf
    fewest = np.floor(1 / least_support) + 1
    return float((1 - least_support) * fewest)


def components(size: int, left: Ids, right: Ids) -> Ids:
    """Return the number of the component of each of `size` things that such pairs connect."""
    links = coo_matrix((np.ones(len(left), np.int8), (left, right)), shape=(size, size))
    return np.asarray(connected_components(links, directed=False)[1], np.int64)


def _oldest(component: Ids) -> Ids:
    """Return per record the first record of its component."""
    first = np.full(int(component.max(initial=-1)) + 1, len(component), np.int64)
    np.minimum.at(first, component, np.arange(len(component)))
    return first[component]
