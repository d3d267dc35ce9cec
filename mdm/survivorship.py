"""Which value survives: pure, total, independent of the order in which records come.

For each attribute (the address as a whole) an ordered list of strategies compares the records
that have a value; the oldest record wins what is still undecided, so there is always exactly one
winner. A pin beats every record. Lineage names, for every surviving value, the record or pin it
comes from and the strategy that decided. A pin may also prefer one record, or hide its value.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mdm.standardise.record import ADDRESS_ATTRIBUTES, ATTRIBUTES

ADDRESS = "address"
# What is chosen together: each attribute for itself, an address as a whole.
GROUPS: dict[str, tuple[str, ...]] = {
    **{name: (name,) for name in ATTRIBUTES if name not in ADDRESS_ATTRIBUTES},
    ADDRESS: ADDRESS_ATTRIBUTES,
}
# People move and change numbers, so the latest word counts; names and dates of birth do not
# change, so the most careful source does.
_LATEST = ("valid", "recency", "trust", "completeness")
DEFAULT_STRATEGIES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(GROUPS, ("valid", "trust", "frequency", "recency", "completeness")),
    **dict.fromkeys(("email", "phone", "other_phone", ADDRESS), _LATEST),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """How one group of attributes is chosen: strategies in order, the first that tells decides.

    `trust` holds, by source, the trust that differs from the source's own for this group alone.
    """

    strategies: tuple[str, ...]
    trust: Mapping[int, int] = field(default_factory=dict)


DEFAULT_RULES: dict[str, Rule] = {
    group: Rule(strategies) for group, strategies in DEFAULT_STRATEGIES.items()
}
# Lineage: [source record or None, pin or None, strategy].
Lineage = dict[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One active source record as survivorship sees it."""

    record_id: int
    source_id: int
    trust: int
    updated_at: float  # Seconds; 0 when the source gives no date.
    faulty: frozenset[str]  # Attributes with an issue.
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PinnedValue:
    """A steward's choice in force."""

    pin_id: int
    attribute: str
    values: Mapping[str, Any]
    kind: str = "value"
    """`value`; or `prefer` or `hide`, which are about what the record says."""
    record_id: int = 0


@dataclass(frozen=True, slots=True)
class Survivors:
    """The golden values (missing attribute: unknown) and where each comes from."""

    values: dict[str, Any]
    lineage: Lineage


@dataclass(frozen=True, slots=True)
class _Rival:
    """A candidate with its value of one group, and how many candidates say the same."""

    candidate: Candidate
    value: tuple[Any, ...]
    agreeing: int
    faulty: bool
    trust: int


# Greater wins.
STRATEGIES: dict[str, Callable[[_Rival], float]] = {
    "valid": lambda rival: not rival.faulty,
    "trust": lambda rival: rival.trust,
    "recency": lambda rival: rival.candidate.updated_at,
    "frequency": lambda rival: rival.agreeing,
    "completeness": lambda rival: sum(len(str(part)) for part in rival.value if part),
}


def survive(
    candidates: Sequence[Candidate],
    pins: Sequence[PinnedValue] = (),
    rules: Mapping[str, Rule] = DEFAULT_RULES,
) -> Survivors:
    """Choose the value of every attribute among a customer's active records and pins."""
    if len(candidates) == 1 and not pins:
        return _sole(candidates[0])
    values: dict[str, Any] = {}
    lineage: Lineage = {}
    latest_first = sorted(pins, key=lambda pin: -pin.pin_id)
    for group, attributes in GROUPS.items():
        mine = [pin for pin in latest_first if pin.attribute == group]
        hidden = {pin.record_id for pin in mine if pin.kind == "hide"}
        rule = rules.get(group, DEFAULT_RULES[group])
        seen = [c for c in candidates if c.record_id not in hidden] if hidden else candidates
        rivals = _rivals(seen, group, attributes, rule)
        if chosen := _pinned(mine, rivals, attributes):
            chosen_values, lineage[group] = chosen
            values.update(chosen_values)
        elif rivals:
            winner, strategy = _duel(rivals, rule.strategies)
            values.update(zip(attributes, winner.value, strict=True))
            lineage[group] = [winner.candidate.record_id, None, strategy]
    return Survivors(values, lineage)


def _pinned(
    pins: Sequence[PinnedValue], rivals: Sequence[_Rival], attributes: tuple[str, ...]
) -> tuple[Mapping[str, Any], list[Any]] | None:
    """Return what the latest pin that has anything to say chooses, and its lineage."""
    stated = {rival.candidate.record_id: rival.value for rival in rivals}
    for pin in pins:
        if pin.kind == "value":
            return pin.values, [None, pin.pin_id, "pin"]
        if pin.kind == "prefer" and pin.record_id in stated:
            value = zip(attributes, stated[pin.record_id], strict=True)
            return dict(value), [pin.record_id, pin.pin_id, "preferred"]
    return None


def _sole(candidate: Candidate) -> Survivors:
    """Return what the only candidate says: most customers have one record, and nobody to duel."""
    values: dict[str, Any] = {}
    lineage: Lineage = {}
    for group, attributes in GROUPS.items():
        stated = tuple(candidate.values[name] for name in attributes)
        if _says_something(group, stated):
            values.update(zip(attributes, stated, strict=True))
            lineage[group] = [candidate.record_id, None, "only"]
    return Survivors(values, lineage)


def _rivals(
    candidates: Sequence[Candidate], group: str, attributes: tuple[str, ...], rule: Rule
) -> list[_Rival]:
    stated = [(c, tuple(c.values[name] for name in attributes)) for c in candidates]
    stated = [(c, value) for c, value in stated if _says_something(group, value)]
    said = [value for _, value in stated]
    return [
        _Rival(
            candidate=c,
            value=value,
            agreeing=said.count(value),
            faulty=not c.faulty.isdisjoint((group, *attributes)),
            trust=rule.trust.get(c.source_id, c.trust),
        )
        for c, value in stated
    ]


def _says_something(group: str, value: tuple[Any, ...]) -> bool:
    # A country alone is no address: sources fill it in by default.
    return any(value[:-1]) if group == ADDRESS else any(value)


def _duel(rivals: list[_Rival], strategies: Sequence[str]) -> tuple[_Rival, str]:
    """Return the winner and the strategy that left it alone (`only`, `agreed`, …, `birth`)."""
    if len(rivals) == 1:
        return rivals[0], "only"
    if len({rival.value for rival in rivals}) == 1:
        return _oldest(rivals), "agreed"
    for name in strategies:
        best = max(map(STRATEGIES[name], rivals))
        rivals = [rival for rival in rivals if STRATEGIES[name](rival) == best]
        if len({rival.value for rival in rivals}) == 1:
            return _oldest(rivals), name
    return _oldest(rivals), "birth"


def _oldest(rivals: list[_Rival]) -> _Rival:
    return min(rivals, key=lambda rival: rival.candidate.record_id)
