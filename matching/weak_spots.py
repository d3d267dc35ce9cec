"""Where a cluster hangs by one link: which one, and what is left when it is cut; pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

from matching.clustering import Evidence
from matching.rulings import Ruling

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class WeakSpot:
    """A link that alone holds two parts of a cluster together.

    `score` is in bits, None when a steward's decision is the link; the first part has the oldest
    record.
    """

    left: int
    right: int
    score: float | None
    parts: tuple[tuple[int, ...], tuple[int, ...]]


def weak_spots(
    members: Iterable[int], evidence: Iterable[Evidence], rulings: Iterable[Ruling]
) -> list[WeakSpot]:
    """Return the bridges of one cluster, the weakest first, decisions last.

    Links are automatic evidence and SAME decisions between the members; what stands beside an
    automatic link as mere resemblance holds nothing together.
    """
    inside = set(members)
    links: dict[Pair, float | None] = {
        _pair(e.left, e.right): e.score for e in evidence if e.automatic and inside >= set(e[:2])
    }
    links |= {_pair(r.left, r.right): None for r in rulings if r.is_same and inside >= set(r[:2])}
    steps = _steps(links)
    found = [
        WeakSpot(*pair, links[pair], _parts(inside, near))
        for pair in _tree(inside, steps)
        if pair[1] not in (near := _reach(steps, pair[0], without=pair))
    ]
    return sorted(found, key=lambda spot: (spot.score is None, spot.score or 0.0, spot.left))


def _pair(one: int, other: int) -> Pair:
    return (one, other) if one < other else (other, one)


def _steps(links: Iterable[Pair]) -> Mapping[int, Set[int]]:
    steps: dict[int, set[int]] = defaultdict(set)
    for left, right in links:
        steps[left].add(right)
        steps[right].add(left)
    return steps


def _tree(members: Set[int], steps: Mapping[int, Set[int]]) -> list[Pair]:
    """Return links that connect the members without a circle: no other link can be a bridge."""
    seen: set[int] = set()
    tree: list[Pair] = []
    for start in sorted(members):
        todo = [] if start in seen else [start]
        seen.add(start)
        while todo:
            here = todo.pop()
            for there in sorted(steps.get(here, set()) - seen):
                seen.add(there)
                tree.append(_pair(here, there))
                todo.append(there)
    return tree


def _reach(steps: Mapping[int, Set[int]], start: int, *, without: Pair) -> set[int]:
    seen, todo = {start}, [start]
    while todo:
        here = todo.pop()
        for there in steps.get(here, set()) - seen:
            if _pair(here, there) != without:
                seen.add(there)
                todo.append(there)
    return seen


def _parts(members: Set[int], near: Set[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    sides = sorted((tuple(sorted(near)), tuple(sorted(members - near))))
    return sides[0], sides[1]
