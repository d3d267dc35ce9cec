"""Who is one person: a pure function of records, pair evidence, decisions and guards.

First every SAME decision, then automatic links by falling score, as long as no DIFFERENT decision
and no guard is broken. The same facts give the same partition in any order, and the neighbourhood
of a change, recomputed alone, equals the whole. A cluster is named after its oldest record.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Evidence(NamedTuple):
    """What is known of a pair by its values."""

    left: int
    right: int
    score: float
    automatic: bool


class Ruling(NamedTuple):
    """What a person said of a pair."""

    left: int
    right: int
    is_same: bool


class Reason(StrEnum):
    """Why an automatic link was not made; stored with the review task."""

    DECIDED_DIFFERENT = "decided_different"
    TOO_LARGE = "too_large"
    EXCLUSIVE_IDENTIFIER = "exclusive_identifier"
    SAME_SOURCE = "same_source"
    THIN_LINK = "thin_link"


@dataclass(frozen=True)
class Guards:
    """What an automatic link may not do."""

    max_size: int = 20
    """Records of one cluster made without a person."""

    least_support: float = 0.3
    """Share of the pairs across two clusters that must look alike: no chain over one link."""

    exclusive: Mapping[int, str] = field(default_factory=dict)
    """Record -> number that belongs to one person only; two values never join, but for a typo."""

    unique_source: Mapping[int, str] = field(default_factory=dict)
    """Record -> its source, for sources that hold a person once."""


@dataclass(frozen=True)
class Refusal:
    """An automatic link that was not made: the strongest between its two clusters."""

    left: int
    right: int
    score: float
    reason: Reason


@dataclass(frozen=True)
class Partition:
    """Record -> oldest record of its cluster, and the links that were refused."""

    names: Mapping[int, int]
    refusals: tuple[Refusal, ...]

    def groups(self) -> dict[int, list[int]]:
        """Return the members of each cluster, oldest first."""
        groups: dict[int, list[int]] = defaultdict(list)
        for record in sorted(self.names):
            groups[self.names[record]].append(record)
        return dict(groups)


class Contradiction(ValueError):
    """Two decisions cannot both hold; `chain` leads from one record to the other."""

    def __init__(self, chain: Sequence[Ruling]) -> None:
        super().__init__("Decisions contradict each other.")
        self.chain = tuple(chain)


def clusters(
    records: Iterable[int],
    evidence: Iterable[Evidence],
    rulings: Iterable[Ruling],
    guards: Guards | None = None,
) -> Partition:
    """Return the partition of the records; pairs that name other records are left out.

    Raises:
        Contradiction: when SAME decisions join what a DIFFERENT decision keeps apart.
    """
    builder = _Builder(records, guards or Guards())
    facts = [ruling for ruling in rulings if builder.knows(ruling.left, ruling.right)]
    known = [pair for pair in evidence if builder.knows(pair.left, pair.right)]
    builder.apply_rulings(sorted(facts))
    builder.note_support(known)
    links = (pair for pair in known if pair.automatic)
    for pair in sorted(links, key=lambda p: (-p.score, p.left, p.right)):
        builder.link(pair)
    return builder.partition()


def contradiction(rulings: Iterable[Ruling], new: Ruling) -> tuple[Ruling, ...]:
    """Return the decisions in force that a new one contradicts, as a chain; empty when none do.

    A decision on the same pair does not count: the new one takes its place.
    """
    others = [r for r in rulings if {r.left, r.right} != {new.left, new.right}]
    same, apart = [r for r in others if r.is_same], [r for r in others if not r.is_same]
    if not new.is_same:
        return tuple(_path(same, new.left, new.right) or ())
    sides = _reach(same, new.left), _reach(same, new.right)
    for ruling in sorted(apart):
        ends = (ruling.left, ruling.right)
        for one, other in (ends, ends[::-1]):
            if one in sides[0] and other in sides[1]:
                before = _path(same, new.left, one) or []
                after = _path(same, other, new.right) or []
                return (*before, ruling, *after)
    return ()


class _Builder:
    """Clusters while they grow; every table is kept per cluster and merged small into large."""

    def __init__(self, records: Iterable[int], guards: Guards) -> None:
        self.guards = guards
        self.root = {record: record for record in records}
        self.members = {record: [record] for record in self.root}
        self.apart: dict[int, set[int]] = defaultdict(set)
        self.support: dict[int, dict[int, int]] = defaultdict(dict)
        self.exclusive = {r: {guards.exclusive[r]} for r in self.root if r in guards.exclusive}
        self.sources = {
            r: {guards.unique_source[r]} for r in self.root if r in guards.unique_source
        }
        self.refused: list[Refusal] = []

    def knows(self, left: int, right: int) -> bool:
        """Return whether both records take part."""
        return left != right and left in self.root and right in self.root

    def apply_rulings(self, rulings: Sequence[Ruling]) -> None:
        """Join what is the same, then note what is not."""
        for ruling in rulings:
            if ruling.is_same:
                self._join(ruling.left, ruling.right)
        for ruling in rulings:
            if not ruling.is_same:
                self._note_apart(ruling, rulings)

    def _note_apart(self, ruling: Ruling, rulings: Sequence[Ruling]) -> None:
        one, other = self.root[ruling.left], self.root[ruling.right]
        if one == other:
            same = [r for r in rulings if r.is_same]
            raise Contradiction([*(_path(same, ruling.left, ruling.right) or ()), ruling])
        self.apart[one].add(other)
        self.apart[other].add(one)

    def note_support(self, evidence: Iterable[Evidence]) -> None:
        """Count the pairs between clusters that are more likely one person than not."""
        for pair in evidence:
            one, other = self.root[pair.left], self.root[pair.right]
            if pair.score >= 0 and one != other:
                self.support[one][other] = self.support[one].get(other, 0) + 1
                self.support[other][one] = self.support[other].get(one, 0) + 1

    def link(self, pair: Evidence) -> None:
        """Join the clusters of a pair, or note why not."""
        one, other = self.root[pair.left], self.root[pair.right]
        if one == other:
            return
        reason = self._objection(one, other)
        if reason is None:
            self._join(pair.left, pair.right)
        else:
            left, right = sorted((pair.left, pair.right))
            self.refused.append(Refusal(left, right, pair.score, reason))

    def _objection(self, one: int, other: int) -> Reason | None:
        sizes = len(self.members[one]), len(self.members[other])
        if other in self.apart[one]:
            return Reason.DECIDED_DIFFERENT
        if _conflict(self.exclusive.get(one, set()), self.exclusive.get(other, set())):
            return Reason.EXCLUSIVE_IDENTIFIER
        if self.sources.get(one, set()) & self.sources.get(other, set()):
            return Reason.SAME_SOURCE
        if sum(sizes) > self.guards.max_size:
            return Reason.TOO_LARGE
        if self.support[one].get(other, 0) < self.guards.least_support * sizes[0] * sizes[1]:
            return Reason.THIN_LINK
        return None

    def _join(self, left: int, right: int) -> None:
        one, other = self.root[left], self.root[right]
        if one == other:
            return
        if len(self.members[one]) < len(self.members[other]):
            one, other = other, one
        for record in self.members[other]:
            self.root[record] = one
        self.members[one] += self.members.pop(other)
        for table in (self.exclusive, self.sources):
            if other in table:
                table[one] = table.get(one, set()) | table.pop(other)
        self._move_apart(one, other)
        self._move_support(one, other)

    def _move_apart(self, one: int, other: int) -> None:
        for third in self.apart.pop(other, set()):
            self.apart[third].discard(other)
            self.apart[third].add(one)
            self.apart[one].add(third)

    def _move_support(self, one: int, other: int) -> None:
        for third, count in self.support.pop(other, {}).items():
            del self.support[third][other]
            if third != one:
                total = self.support[one].get(third, 0) + count
                self.support[one][third] = self.support[third][one] = total

    def partition(self) -> Partition:
        """Return the clusters as they stand, with one refusal per two clusters."""
        oldest = {root: min(members) for root, members in self.members.items()}
        kept: dict[frozenset[int], Refusal] = {}
        for refusal in self.refused:
            between = frozenset((self.root[refusal.left], self.root[refusal.right]))
            if len(between) == 2:
                kept.setdefault(between, refusal)
        names = {record: oldest[root] for record, root in self.root.items()}
        return Partition(names, tuple(kept.values()))


def _conflict(ours: Iterable[str], theirs: Iterable[str]) -> bool:
    return any(not is_typo(mine, other) for mine in ours for other in theirs)


def is_typo(one: str, other: str) -> bool:
    """Return whether two numbers are equal or one slip of the hand apart."""
    if one == other:
        return True
    if len(one) > len(other):
        one, other = other, one
    start = next((i for i, letter in enumerate(one) if letter != other[i]), len(one))
    here, there = one[start:], other[start:]
    return (
        here == there[1:]
        or here[1:] == there[1:]
        or (here[:2] == there[1::-1] and here[2:] == there[2:])
    )


def _path(same: Iterable[Ruling], start: int, end: int) -> list[Ruling] | None:
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


def _reach(same: Iterable[Ruling], start: int) -> set[int]:
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
