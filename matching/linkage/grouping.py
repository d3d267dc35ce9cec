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

_UNCONTESTED = 3
"""Records that any guard lets join: two links among three pairs are support enough."""


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
    contested = _contested(related, left[links], guards, rulings)
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
    related: Ids, left_of_links: Ids, guards: Guards, rulings: Collection[Ruling]
) -> Flags:
    """Return per record whether anything is to be weighed in its component."""
    special = {*guards.exclusive, *guards.unique_source}
    special |= {record for ruling in rulings for record in (ruling.left, ruling.right)}
    sizes = np.bincount(related)
    is_contested = sizes > min(_UNCONTESTED, guards.max_size)
    # Where every record links with every other there is nothing to weigh either.
    link_counts = np.bincount(related[left_of_links], minlength=len(sizes))
    is_whole = (link_counts == sizes * (sizes - 1) // 2) & (sizes <= guards.max_size)
    is_contested &= ~is_whole
    is_contested[related[sorted(special)]] = True
    return np.asarray(is_contested[related], np.bool_)


def components(size: int, left: Ids, right: Ids) -> Ids:
    """Return the number of the component of each of `size` things that such pairs connect."""
    links = coo_matrix((np.ones(len(left), np.int8), (left, right)), shape=(size, size))
    return np.asarray(connected_components(links, directed=False)[1], np.int64)


def _oldest(component: Ids) -> Ids:
    """Return per record the first record of its component."""
    first = np.full(int(component.max(initial=-1)) + 1, len(component), np.int64)
    np.minimum.at(first, component, np.arange(len(component)))
    return first[component]
