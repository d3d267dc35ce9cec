"""Which value survives: pure, total, independent of the order in which records come.

For each attribute (the address as a whole) an ordered list of strategies compares the records
that have a value; the oldest record wins what is still undecided, so there is always exactly one
winner. A pin beats every record. Lineage names, for every surviving value, the record or pin it
comes from and the strategy that decided. A pin may also prefer one record, or hide its value.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from mdm.standardise.record import ADDRESS_ATTRIBUTES, ATTRIBUTES

ADDRESS = "address"
OTHER_PHONE = "other_phone"  # Chosen after the phone, among other numbers than that.
# What is chosen together: each attribute for itself, an address as a whole.
GROUPS: dict[str, tuple[str, ...]] = {
    **{name: (name,) for name in ATTRIBUTES if name not in ADDRESS_ATTRIBUTES},
    ADDRESS: ADDRESS_ATTRIBUTES,
}
# What two records say is seldom a slip of both, so it counts before trust in one of them, and a
# full given name before a short form.
# People change numbers, so the latest word counts; they move, too, but a town without a street is
# what a form asked for, no news of a move. `make bench` shows what each order gets right.
_LATEST = ("valid", "recency", "trust", "completeness")
DEFAULT_STRATEGIES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(GROUPS, ("valid", "trust", "frequency", "recency", "completeness")),
    "given_name": ("valid", "frequency", "completeness", "trust", "recency"),
    **dict.fromkeys(
        ("family_name", "birth_name", "birth_date"), ("valid", "frequency", "trust", "recency")
    ),
    **dict.fromkeys(("email", "phone", "other_phone"), _LATEST),
    ADDRESS: ("whole", *_LATEST),
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
# Where the values of each group stand in a row of all attributes: the parts of an address follow
# one another.
_PLACES: dict[str, slice] = {
    group: slice(ATTRIBUTES.index(names[0]), ATTRIBUTES.index(names[-1]) + 1)
    for group, names in GROUPS.items()
}
_UNKNOWN = tuple(None if name == "birth_date" else "" for name in ATTRIBUTES)


class Candidate(NamedTuple):
    """One active source record as survivorship sees it."""

    record_id: int
    source_id: int
    trust: int
    updated_at: float  # Seconds; 0 when the source gives no date.
    faulty: frozenset[str]  # Attributes with an issue.
    values: tuple[Any, ...]  # In the order of ATTRIBUTES.


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
    """The golden values, in the order of ATTRIBUTES, and where each comes from."""

    row: tuple[Any, ...]
    lineage: Lineage

    @property
    def values(self) -> dict[str, Any]:
        """The golden values by attribute."""
        return dict(zip(ATTRIBUTES, self.row, strict=True))


Value = tuple[Any, ...]
"""What a record says of a group: as many parts as the group has attributes."""


class _Rival(NamedTuple):
    """A candidate with its value of one group, and how many candidates say the same."""

    candidate: Candidate
    value: Value
    agreeing: int
    faulty: bool
    trust: int


def _is_whole(value: Value) -> bool:
    """Tell whether an address has what an envelope needs; all other values have one part."""
    if len(value) == 1:
        return True
    _number, street, complement, postcode, city, _country = value
    return bool((street or complement) and (postcode or city))


# Greater wins.
STRATEGIES: dict[str, Callable[[_Rival], float]] = {
    "whole": lambda rival: _is_whole(rival.value),
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
    row = list(_UNKNOWN)
    lineage: Lineage = {}
    latest_first = sorted(pins, key=lambda pin: -pin.pin_id)
    columns = _columns(candidates)
    oldest = min((candidate.record_id for candidate in candidates), default=None)
    for group, place in _PLACES.items():
        mine = [pin for pin in latest_first if pin.attribute == group] if pins else ()
        if group == OTHER_PHONE:
            columns[place] = [others_than(row[_PHONE] or "", columns[_OTHER_PHONE])]
        said = list(zip(*columns[place], strict=True))
        # All say the same, or nothing: so it mostly is, and nothing needs to be compared.
        if len(said) > 1 and not mine and said.count(said[0]) == len(said):
            if any(said[0][:-1] or said[0]):
                row[place], lineage[group] = said[0], [oldest, None, "agreed"]
            continue
        stated = _stated(candidates, columns[place], mine)
        if chosen := _pinned(mine, stated, place) or _chosen(stated, group, rules):
            row[place], lineage[group] = chosen
    return Survivors(tuple(row), lineage)


def others_than(phone: str, numbers: Sequence[str]) -> Value:
    """Return other phones of records without the surviving phone: no number stands twice."""
    return tuple("" if number == phone else number for number in numbers)


def _sole(candidate: Candidate) -> Survivors:
    """Return what the only candidate says: most customers have one record, and nobody to duel."""
    values, record = candidate.values, candidate.record_id
    lineage = {g: [record, None, "only"] for g, place in _SINGLE.items() if values[place]}
    if any(values[_STREET:-1]):
        lineage[ADDRESS] = [record, None, "only"]
        return Survivors(values, lineage)
    return Survivors(values[:_STREET] + _UNKNOWN[_STREET:], lineage)


_PHONE, _OTHER_PHONE = ATTRIBUTES.index("phone"), ATTRIBUTES.index(OTHER_PHONE)
# The groups of one attribute, and where the address begins, which ends with the country.
_SINGLE = {group: place.start for group, place in _PLACES.items() if group != ADDRESS}
_STREET = _PLACES[ADDRESS].start


def _columns(candidates: Sequence[Candidate]) -> list[Value]:
    """Return what the candidates say, one attribute after the other."""
    said = list(zip(*(candidate.values for candidate in candidates), strict=True))
    return said or [()] * len(ATTRIBUTES)


def _stated(
    candidates: Sequence[Candidate], columns: Sequence[Value], pins: Sequence[PinnedValue]
) -> list[tuple[Candidate, Value]]:
    """Return who says what about a group, but for what a pin hides.

    `columns` hold what the candidates say, one attribute of the group after the other.
    """
    # A country alone is no address: sources fill it in by default.
    if not any(map(any, columns[:-1] or columns)):
        return []
    rows = zip(candidates, zip(*columns, strict=True), strict=True)
    stated = [(c, value) for c, value in rows if any(value[:-1] or value)]
    if hidden := {pin.record_id for pin in pins if pin.kind == "hide"}:
        return [(c, value) for c, value in stated if c.record_id not in hidden]
    return stated


def _pinned(
    pins: Sequence[PinnedValue], stated: Sequence[tuple[Candidate, Value]], place: slice
) -> tuple[Value, list[Any]] | None:
    """Return what the latest pin that has anything to say chooses, and its lineage."""
    said = {candidate.record_id: value for candidate, value in stated} if pins else {}
    for pin in pins:
        if pin.kind == "value":
            names = zip(ATTRIBUTES[place], _UNKNOWN[place], strict=True)
            value = tuple(pin.values.get(name, unknown) for name, unknown in names)
            return value, [None, pin.pin_id, "pin"]
        if pin.kind == "prefer" and pin.record_id in said:
            return said[pin.record_id], [pin.record_id, pin.pin_id, "preferred"]
    return None


def _chosen(
    stated: Sequence[tuple[Candidate, Value]], group: str, rules: Mapping[str, Rule]
) -> tuple[Value, list[Any]] | None:
    """Return the value that wins, and its lineage; the strategies are asked in a dispute alone."""
    if not stated:
        return None
    candidate, value = stated[0]
    if len(stated) == 1:
        return value, [candidate.record_id, None, "only"]
    if all(other == value for _, other in stated):
        return value, [min(c.record_id for c, _ in stated), None, "agreed"]
    rule = rules.get(group, DEFAULT_RULES[group])
    winner, strategy = _duel(_rivals(stated, group, rule), rule.strategies)
    return winner.value, [winner.candidate.record_id, None, strategy]


def _rivals(stated: Sequence[tuple[Candidate, Value]], group: str, rule: Rule) -> list[_Rival]:
    said = [value for _, value in stated]
    names = (group, *GROUPS[group])
    return [
        _Rival(
            candidate=c,
            value=value,
            agreeing=said.count(value),
            faulty=not c.faulty.isdisjoint(names),
            trust=rule.trust.get(c.source_id, c.trust),
        )
        for c, value in stated
    ]


def _duel(rivals: list[_Rival], strategies: Sequence[str]) -> tuple[_Rival, str]:
    """Return the winner among rivals who disagree, and the strategy that decided, else `birth`."""
    for name in strategies:
        rivals = _best(rivals, name)
        if len({rival.value for rival in rivals}) == 1:
            return _oldest(rivals), name
    return _oldest(rivals), "birth"


def _best(rivals: list[_Rival], strategy: str) -> list[_Rival]:
    """Return the rivals that a strategy leaves."""
    rank = STRATEGIES[strategy]
    ranks = [rank(rival) for rival in rivals]
    best = max(ranks)
    return [rival for rival, its in zip(rivals, ranks, strict=True) if its == best]


def defeats(
    candidates: Sequence[Candidate],
    group: str,
    pins: Sequence[PinnedValue],
    rule: Rule,
    *,
    phone: str = "",
) -> dict[int, str]:
    """Return why each record lost whose value of a group did not survive.

    The strategy that put it out, `birth`, `pin`, `preferred` (another record) or `hidden`.
    `phone` is the surviving one: whoever gives it as the other phone has lost nothing.
    """
    place = _PLACES[group]
    columns = _columns(candidates)[place]
    if group == OTHER_PHONE:
        columns = [others_than(phone, columns[0])]
    mine = sorted((p for p in pins if p.attribute == group), key=lambda pin: -pin.pin_id)
    said = _stated(candidates, columns, [])
    stated = _stated(candidates, columns, mine)
    seen = {candidate.record_id for candidate, _ in stated}
    lost = {c.record_id: "hidden" for c, _ in said if c.record_id not in seen}
    if chosen := _pinned(mine, stated, place):
        value, (_record, _pin, code) = chosen
        return lost | {c.record_id: code for c, its in stated if its != value}
    return lost | _put_out(_rivals(stated, group, rule), rule.strategies)


def _put_out(rivals: list[_Rival], strategies: Sequence[str]) -> dict[int, str]:
    """Return who was put out by which strategy, in the way of `_duel`."""
    if not rivals:
        return {}
    put_out = dict.fromkeys((rival.candidate.record_id for rival in rivals), "birth")
    left = rivals
    for name in strategies:
        if len({rival.value for rival in left}) < 2:
            break
        best = _best(left, name)
        put_out |= {rival.candidate.record_id: name for rival in left if rival not in best}
        left = best
    value = _oldest(left).value
    # Who says what survives has not lost, although a strategy put the record out.
    return {
        r.candidate.record_id: put_out[r.candidate.record_id] for r in rivals if r.value != value
    }


def _oldest(rivals: list[_Rival]) -> _Rival:
    return min(rivals, key=lambda rival: rival.candidate.record_id)
