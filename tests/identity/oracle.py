"""What identity should be, worked out the slow way from facts: the specification in code.

It shares nothing with the code it judges: no union-find, no neighbourhoods, no database. Every
question is answered by looking at all facts again.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations, product

MAX_SIZE = 20
LEAST_SUPPORT = 0.3
AUTOMATIC = 4.0
SAME, DIFFERENT, UNSURE = "same", "different", "unsure"
Pair = tuple[int, int]
Group = frozenset[int]


@dataclass
class Record:
    """A source record: its values are what its source said last."""

    source: str
    trust: int
    is_unique: bool
    values: dict[str, str]
    moment: str
    is_active: bool = True


@dataclass
class Move:
    """An id that follows another record from then on, and the one issued to who held it."""

    customer: int
    record: int
    former: int
    issued: int | None
    is_over: bool = False


@dataclass
class Act:
    """Something a steward did at once: verdicts on pairs, and pairs whose decision she ended."""

    verdicts: dict[Pair, str]
    ended: set[Pair] = field(default_factory=set)
    seen: dict[int, dict[str, str]] = field(default_factory=dict)
    """What each record said when the steward decided."""
    is_repair: bool = False
    is_undone: bool = False
    move: Move | None = None


@dataclass
class Pin:
    """A word on one value."""

    record: int
    attribute: str
    kind: str
    value: str
    is_over: bool = False


class Contradiction(Exception):
    """Decisions cannot all hold."""


@dataclass
class World:
    """Every fact there is."""

    records: dict[int, Record] = field(default_factory=dict)
    scores: dict[Pair, float] = field(default_factory=dict)
    acts: list[Act] = field(default_factory=list)
    pins: list[Pin] = field(default_factory=list)
    runs: list[dict[Pair, float]] = field(default_factory=list)

    def find(self, scores: dict[Pair, float]) -> None:
        """Let a run find evidence: of each pair the last run that speaks of it counts."""
        self.runs.append(dict(scores))
        self._tell_runs()

    def undo_run(self) -> None:
        """Let the last run never have been."""
        self.runs.pop()
        self._tell_runs()

    def _tell_runs(self) -> None:
        self.scores = {}
        for found in self.runs:
            self.scores |= found

    def in_force(self) -> dict[Pair, str]:
        """Tell the story of all acts that were not undone; the last word on a pair counts."""
        said: dict[Pair, str] = {}
        for act in self.acts:
            if not act.is_undone:
                for pair in act.ended:
                    said.pop(pair, None)
                said |= act.verdicts
        return said

    def origin(self) -> dict[Pair, Act]:
        """Return the act that each decision in force comes from."""
        found: dict[Pair, Act] = {}
        for act in self.acts:
            if not act.is_undone:
                for pair in act.ended:
                    found.pop(pair, None)
                found |= dict.fromkeys(act.verdicts, act)
        return found

    def act(self, verdicts: dict[Pair, str], ended: Iterable[Pair] = (), *, repair: bool) -> Act:
        """Return an act of now."""
        seen = {r: dict(self.records[r].values) for pair in verdicts for r in pair}
        return Act(dict(verdicts), set(ended), seen, is_repair=repair)

    def stale(self) -> dict[Pair, Act]:
        """Return the decisions in force whose active records no longer say what they said."""
        return {
            pair: act
            for pair, act in self.origin().items()
            if act.verdicts[pair] != UNSURE
            and all(self.records[record].is_active for record in pair)
            and any(self.records[record].values != act.seen[record] for record in pair)
        }

    def rechecks(self) -> int:
        """Count the questions that wait: one for each act with a stale decision."""
        return len({id(act) if act.is_repair else pair for pair, act in self.stale().items()})

    def is_consistent(self) -> bool:
        """Whether nobody is at once the same and different."""
        said = self.in_force()
        return not any(
            said[pair] == DIFFERENT and any(set(pair) <= group for group in self.cores())
            for pair in said
        )

    def cores(self) -> set[Group]:
        """Return the groups that SAME decisions make."""
        groups = {frozenset([record]) for record in self.records}
        for pair, verdict in self.in_force().items():
            if verdict == SAME:
                touched = {group for group in groups if group & set(pair)}
                groups = (groups - touched) | {frozenset().union(*touched)}
        return groups

    def partition(self) -> set[Group]:
        """Return who is one person."""
        groups = self.cores()
        for one, other in self._links():
            mine = next(group for group in groups if one in group)
            theirs = next(group for group in groups if other in group)
            if mine != theirs and self._may_join(mine, theirs, groups):
                groups = (groups - {mine, theirs}) | {mine | theirs}
        return groups

    def names(self) -> dict[int, int]:
        """Return the customer of every record: the oldest id that its group holds."""
        return {record: self.name(group) for group in self.partition() for record in group}

    def name(self, group: Iterable[int]) -> int:
        """Return the id of a group; whoever has none would fail here."""
        return min(key for key, record in self.holders().items() if record in group)

    def holders(self) -> dict[int, int]:
        """Tell the story of all ids ever issued: who holds each."""
        holders = {record: record for record in self.records}
        for act in self.acts:
            if act.move and act.move.issued:
                holders[act.move.issued] = act.move.former
        for act in self.acts:
            if act.move and not act.is_undone and not act.move.is_over:
                holders[act.move.customer] = act.move.record
        return holders

    def homes(self) -> dict[int, int]:
        """Return the customer that every id ever issued leads to."""
        names = self.names()
        return {key: names[record] for key, record in self.holders().items()}

    def golden(self, group: Iterable[int]) -> dict[str, str]:
        """Return the surviving names and e-mail of a group; nothing when nobody is active."""
        active = [record for record in sorted(group) if self.records[record].is_active]
        if not active:
            return {}
        return {name: self._survivor(active, set(group), name) for name in ("given_name", "email")}

    def _links(self) -> Iterator[Pair]:
        strong = [(-score, pair) for pair, score in self.scores.items() if score >= AUTOMATIC]
        for _score, pair in sorted(strong):
            yield pair

    def _may_join(self, mine: Group, theirs: Group, groups: set[Group]) -> bool:
        if self._objects(mine, theirs) or len(mine) + len(theirs) > MAX_SIZE:
            return False
        for middle, partner in ((mine, theirs), (theirs, mine)):
            for third in groups - {mine, theirs}:
                fits = any(self._score(a, b) >= AUTOMATIC for a, b in product(middle, third))
                if fits and self._objects(third, partner) and not self._objects(third, middle):
                    return False
        pairs = list(product(self._cores_of(mine), self._cores_of(theirs)))
        alike = sum(any(self._score(a, b) >= 0 for a, b in product(*pair)) for pair in pairs)
        return alike >= LEAST_SUPPORT * len(pairs)

    def _objects(self, mine: Group, theirs: Group) -> bool:
        said = self.in_force()
        if any(said.get((min(p), max(p))) == DIFFERENT for p in product(mine, theirs)):
            return True
        numbers = [
            {self._value(r, "identifier") for r in group} - {""} for group in (mine, theirs)
        ]
        if any(a != b for a, b in product(*numbers)):
            return True
        sources = [
            {r.source for key in group if (r := self.records[key]).is_unique}
            for group in (mine, theirs)
        ]
        if sources[0] & sources[1]:
            return True
        return all(any(len(core) > 1 for core in self._cores_of(g)) for g in (mine, theirs))

    def _cores_of(self, group: Group) -> set[Group]:
        return {core for core in self.cores() if core <= group}

    def _score(self, one: int, other: int) -> float:
        return self.scores.get((min(one, other), max(one, other)), -99.0)

    def _value(self, record: int, name: str) -> str:
        return self.records[record].values.get(name, "")

    def _survivor(self, active: list[int], group: set[int], name: str) -> str:
        mine = [
            p for p in self.pins if not p.is_over and p.attribute == name and p.record in group
        ]
        hidden = {p.record for p in mine if p.kind == "hide"}
        stating = [r for r in active if self._value(r, name) and r not in hidden]
        for pin in reversed(mine):
            if pin.kind == "value":
                return pin.value
            if pin.kind == "prefer" and pin.record in stating:
                return self._value(pin.record, name)
        if not stating:
            return ""
        said = [self._value(record, name) for record in stating]

        def rank(record: int) -> tuple[object, ...]:
            known, value = self.records[record], self._value(record, name)
            if name == "email":  # The latest word counts.
                return known.moment, known.trust, len(value), -record
            # Of given names: what most say, then the full form.
            return said.count(value), len(value), known.trust, known.moment, -record

        return self._value(max(stating, key=rank), name)


def pairs_of(records: Iterable[int]) -> list[Pair]:
    """Return every pair, the older record first."""
    return list(combinations(sorted(records), 2))
