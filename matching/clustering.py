"""Who is one person: a pure function of records, pair evidence, decisions and guards.

First every SAME decision, then automatic links by falling score, as long as no DIFFERENT decision
and no guard is broken, and none of the two fits a third that the other may not join. The same
facts give the same partition in any order, and the neighbourhood of a change, recomputed alone,
equals the whole. A cluster is named by the oldest id that its records hold: that of its oldest
record, unless a steward kept an id on another one.
"""

import operator
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, TypeVar

from matching.initials import unclear
from matching.rulings import Contradiction, Ruling, path

Number = TypeVar("Number", int, float)
_NOTHING: frozenset[str] = frozenset()


class Evidence(NamedTuple):
    """What is known of a pair by its values."""

    left: int
    right: int
    score: float
    automatic: bool


class Reason(StrEnum):
    """Why an automatic link was not made; stored with the review task."""

    DECIDED_DIFFERENT = "decided_different"
    TOO_LARGE = "too_large"
    EXCLUSIVE_IDENTIFIER = "exclusive_identifier"
    SAME_SOURCE = "same_source"
    BOTH_CONFIRMED = "both_confirmed"
    AMBIGUOUS = "ambiguous"
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

    called: Mapping[int, str] = field(default_factory=dict)
    """Record -> its given name, for those with initials only and those that they link with."""


@dataclass(frozen=True)
class Refusal:
    """An automatic link that was not made: the strongest between its two clusters.

    An ambiguous one stands for all the clusters that the same records fit; `rival` is the oldest
    record of the best of the others.
    """

    left: int
    right: int
    score: float
    reason: Reason
    rival: int | None = None


@dataclass(frozen=True)
class Partition:
    """Record -> id of its cluster, and the links that were refused."""

    names: Mapping[int, int]
    refusals: tuple[Refusal, ...]

    def groups(self) -> dict[int, list[int]]:
        """Return the members of each cluster, oldest first."""
        groups: dict[int, list[int]] = defaultdict(list)
        for record in sorted(self.names):
            groups[self.names[record]].append(record)
        return dict(groups)


def clusters(
    records: Iterable[int],
    evidence: Iterable[Evidence],
    rulings: Iterable[Ruling],
    guards: Guards | None = None,
    *,
    ids: Mapping[int, int] | None = None,
) -> Partition:
    """Return the partition of the records; pairs that name other records are left out.

    `ids` gives the oldest id of each record whose oldest is not its own number.

    Raises:
        Contradiction: when SAME decisions join what a DIFFERENT decision keeps apart.
    """
    named = {record: record for record in records}
    if ids:
        named |= {record: name for record, name in ids.items() if record in named}
    facts = [ruling for ruling in rulings if _is_among(named, ruling.left, ruling.right)]
    known = [pair for pair in evidence if _is_among(named, pair.left, pair.right)]
    linked = {record for ruling in facts for record in ruling[:2]}
    linked.update(record for pair in known for record in (pair.left, pair.right))
    builder = _Builder(linked, guards or Guards())
    builder.apply_rulings(sorted(facts))
    builder.note_evidence(known)
    links = (pair for pair in known if pair.automatic)
    for pair in sorted(links, key=lambda p: (-p.score, p.left, p.right)):
        builder.link(pair)
    return builder.partition(named)


def _is_among(records: Container[int], left: int, right: int) -> bool:
    return left != right and left in records and right in records


class _Builder:
    """Clusters while they grow; every table is kept per cluster and merged small into large.

    It holds the records that something is known of together with others: half of a large file is
    alone, and would be half of the memory.
    """

    def __init__(self, records: Iterable[int], guards: Guards) -> None:
        self.guards = guards
        self.root = {record: record for record in records}
        self.members = {record: [record] for record in self.root}
        self.units = dict.fromkeys(self.root, 1)
        self.apart: dict[int, set[int]] = defaultdict(set)
        self.support: dict[int, dict[int, int]] = defaultdict(dict)
        self.fitting: dict[int, dict[int, float]] = defaultdict(dict)
        self.confirmed: set[int] = set()
        self.exclusive = {r: {guards.exclusive[r]} for r in self.root if r in guards.exclusive}
        self.sources = {
            r: {guards.unique_source[r]} for r in self.root if r in guards.unique_source
        }
        self.unclear: dict[tuple[int, int], tuple[int, int]] = {}
        self.refused: list[tuple[Refusal, int | None]] = []
        self.may_object = bool(self.exclusive or self.sources)
        """Whether anything may be said against a link but that it is thin; mostly not."""

    def apply_rulings(self, rulings: Sequence[Ruling]) -> None:
        """Join what is the same, then note what is not."""
        self.may_object |= bool(rulings)
        for ruling in rulings:
            if ruling.is_same:
                self._join(ruling.left, ruling.right)
                self.confirmed.add(self.root[ruling.left])
        for ruling in rulings:
            if not ruling.is_same:
                self._note_apart(ruling, rulings)

    def _note_apart(self, ruling: Ruling, rulings: Sequence[Ruling]) -> None:
        one, other = self.root[ruling.left], self.root[ruling.right]
        if one == other:
            same = [r for r in rulings if r.is_same]
            raise Contradiction([*(path(same, ruling.left, ruling.right) or ()), ruling])
        self.apart[one].add(other)
        self.apart[other].add(one)

    def note_evidence(self, evidence: Sequence[Evidence]) -> None:
        """Note which units are more likely one person than not, and how well they fit.

        A unit is what decisions have joined: evidence on one of its records speaks for all, so
        that a decision never makes a link too thin.
        """
        self.units = dict.fromkeys(self.members, 1)
        links = (pair[:3] for pair in evidence if pair.automatic)
        self.unclear = unclear(links, self.guards.called, self.root)
        for pair in evidence:
            one, other = self.root[pair.left], self.root[pair.right]
            if pair.score < 0 or one == other:
                continue
            self.support[one][other] = self.support[other][one] = 1
            if pair.automatic:
                best = max(pair.score, self.fitting[one].get(other, pair.score))
                self.fitting[one][other] = self.fitting[other][one] = best

    def link(self, pair: Evidence) -> None:
        """Join the clusters of a pair, or note why not."""
        one, other = self.root[pair.left], self.root[pair.right]
        if one == other:
            return
        reason = between = rival = None
        if found := self.unclear.get((min(pair[:2]), max(pair[:2]))):
            reason = Reason.AMBIGUOUS
            between, rival = found[0], min(self.members[self.root[found[1]]])
        elif self.may_object:
            reason = self._objection(one, other)
            if reason is None and (found := self._ambiguity(one, other)):
                reason = Reason.AMBIGUOUS
                between, rival = found[0], min(self.members[found[1]])
        if reason is None:
            reason = self._doubt(one, other)
        if reason is None:
            self._join(pair.left, pair.right)
        else:
            left, right = sorted((pair.left, pair.right))
            self.refused.append((Refusal(left, right, pair.score, reason, rival), between))

    def _objection(self, one: int, other: int) -> Reason | None:
        """Return why two clusters are two people, None when nothing says so."""
        if other in self.apart[one]:
            return Reason.DECIDED_DIFFERENT
        if _conflict(self.exclusive.get(one, ()), self.exclusive.get(other, ())):
            return Reason.EXCLUSIVE_IDENTIFIER
        if not self.sources.get(one, _NOTHING).isdisjoint(self.sources.get(other, _NOTHING)):
            return Reason.SAME_SOURCE
        if one in self.confirmed and other in self.confirmed:
            return Reason.BOTH_CONFIRMED
        return None

    def _ambiguity(self, one: int, other: int) -> tuple[int, int] | None:
        """Return which of the two fits a third that the other may not join, and that third."""
        for between, partner in ((one, other), (other, one)):
            rivals = [
                (-score, min(self.members[third]), third)
                for third, score in self.fitting[between].items()
                if third != partner
                and self._objection(third, partner)
                and not self._objection(third, between)
            ]
            if rivals:
                return between, min(rivals)[2]
        return None

    def _doubt(self, one: int, other: int) -> Reason | None:
        """Return why a link is not enough although nothing speaks against it."""
        if len(self.members[one]) + len(self.members[other]) > self.guards.max_size:
            return Reason.TOO_LARGE
        pairs = self.units[one] * self.units[other]
        if self.support[one].get(other, 0) < self.guards.least_support * pairs:
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
        self.units[one] += self.units.pop(other)
        for table in (self.exclusive, self.sources):
            if other in table:
                table[one] = table.get(one, set()) | table.pop(other)
        if other in self.confirmed:
            self.confirmed.add(one)
        self._move_apart(one, other)
        _merge_rows(self.support, one, other, operator.add)
        _merge_rows(self.fitting, one, other, max)

    def _move_apart(self, one: int, other: int) -> None:
        for third in self.apart.pop(other, set()):
            self.apart[third].discard(other)
            self.apart[third].add(one)
            self.apart[one].add(third)

    def partition(self, names: dict[int, int]) -> Partition:
        """Return the clusters as they stand, with one refusal per two clusters.

        The refusals of one ambiguity are one: a person settles it by one answer. `names` has the
        oldest id of each record, and becomes that of each cluster.
        """
        kept: dict[frozenset[int], Refusal] = {}
        for refusal, between in self.refused:
            clusters_of = frozenset((self.root[refusal.left], self.root[refusal.right]))
            if len(clusters_of) == 2:
                question = clusters_of if between is None else {self.root[between]}
                kept.setdefault(frozenset(question), refusal)
        for members in self.members.values():
            names |= dict.fromkeys(members, min(names[record] for record in members))
        return Partition(names, tuple(kept.values()))


def _merge_rows(
    table: dict[int, dict[int, Number]],
    one: int,
    other: int,
    combine: Callable[[Number, Number], Number],
) -> None:
    """Give what a cluster has with each third to the one that it joined; kept both ways."""
    for third, value in table.pop(other, {}).items():
        del table[third][other]
        if third != one:
            if third in table[one]:
                value = combine(table[one][third], value)
            table[one][third] = table[third][one] = value


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
