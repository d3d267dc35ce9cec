"""What people said of pairs, and whether it can all hold; pure."""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple


class Ruling(NamedTuple):
    """What a person said of a pair."""

    left: int
    right: int
    is_same: bool


class Contradiction(ValueError):
    """Two decisions cannot both hold; `chain` leads from one record to the other."""

    def __init__(self, chain: Sequence[Ruling]) -> None:
        super().__init__("Decisions contradict each other.")
        self.chain = tuple(chain)


def contradiction(rulings: Iterable[Ruling], new: Ruling) -> tuple[Ruling, ...]:
    """Return the decisions in force that a new one contradicts, as a chain; empty when none do.

    A decision on the same pair does not count: the new one takes its place.
    """
    others = [r for r in rulings if {r.left, r.right} != {new.left, new.right}]
    same, apart = [r for r in others if r.is_same], [r for r in others if not r.is_same]
    if not new.is_same:
        return tuple(path(same, new.left, new.right) or ())
    sides = reach(same, new.left), reach(same, new.right)
    for ruling in sorted(apart):
        ends = (ruling.left, ruling.right)
        for one, other in (ends, ends[::-1]):
            if one in sides[0] and other in sides[1]:
                before = path(same, new.left, one) or []
                after = path(same, other, new.right) or []
                return (*before, ruling, *after)
    return ()


def path(same: Iterable[Ruling], start: int, end: int) -> list[Ruling] | None:
    """Return the shortest chain of SAME decisions between two records, None when there is none."""
    steps = _steps(same)
    came_by: dict[int, Ruling | None] = {start: None}
    queue = deque([start])
    while queue and end not in came_by:
        here = queue.popleft()
        for there, ruling in sorted(steps.get(here, ())):
            if there not in came_by:
                came_by[there] = ruling
                queue.append(there)
    if end not in came_by:
        return None
    return _walk_back(came_by, end)


def _walk_back(came_by: Mapping[int, Ruling | None], end: int) -> list[Ruling]:
    chain: list[Ruling] = []
    ruling = came_by[end]
    while ruling is not None:
        chain.append(ruling)
        end = ruling.left if ruling.right == end else ruling.right
        ruling = came_by[end]
    return chain[::-1]


def reach(same: Iterable[Ruling], start: int) -> set[int]:
    """Return the records that SAME decisions join to one."""
    steps, seen, todo = _steps(same), {start}, [start]
    while todo:
        for there, _ in steps.get(todo.pop(), ()):
            if there not in seen:
                seen.add(there)
                todo.append(there)
    return seen


def _steps(same: Iterable[Ruling]) -> dict[int, list[tuple[int, Ruling]]]:
    steps: dict[int, list[tuple[int, Ruling]]] = defaultdict(list)
    for ruling in same:
        steps[ruling.left].append((ruling.right, ruling))
        steps[ruling.right].append((ruling.left, ruling))
    return steps
