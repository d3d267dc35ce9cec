"""The ways in which two records come to be a pair: the classes that training starts from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from matching.levels import EXACT, LEVELS, NO_EVIDENCE, Kind
from matching.linkage.columns import Floats, Levels
from matching.linkage.distributions import distribution, exact_by_chance
from matching.linkage.keys import NAMES, PART_FIELDS, Rule
from matching.linkage.profiles import (
    HOUSEHOLD_FIXED,
    HOUSEHOLDS,
    MOVED,
    NAMESAKES,
    NAMESAKES_FIXED,
    SAME_ORGANISATION,
    SAME_PERSON,
    STRANGERS,
    Profile,
)

FLOOR = 1e-7

IMPOSSIBLE = 1e-300
"""Whatever else agrees, a person is no organisation."""

USUAL_PAIRS = 2_000.0
"""Pairs that usual strangers weigh beside the random pairs of the file."""


BESIDE_STRANGERS, BESIDE_FEW_STRANGERS = 50.0, 500.0
"""Pairs that chance in the whole file weighs beside strangers who share a part of a key. Most who
share a part of a mailbox are one person, so that strangers are few, and drawn again and again."""


@dataclass(frozen=True)
class Chance:
    """Level distributions of pairs that agree by chance only."""

    at_random: dict[str, Floats]
    """Field -> distribution over random pairs."""
    under_rule: list[dict[str, Floats]]
    """Per rule: distribution of each field it blocks on, over strangers that share its key."""
    organisations: "Chance | None" = None
    """The same among the organisations of the file, where it has some."""


@dataclass(frozen=True)
class LatentClass:
    """One way in which two records come to be a pair, with its expected levels by field."""

    name: str
    expected: dict[str, Floats]


@dataclass(frozen=True)
class Classes:
    """The classes in order: matches, households, coincidences."""

    fields: tuple[str, ...]
    listed: tuple[LatentClass, ...]
    match_count: int
    household_count: int
    organisation_count: int = 0
    """How many of the matches, the last ones, are of organisations."""

    @property
    def person_count(self) -> int:
        """Number of classes that say "one person"."""
        return self.match_count - self.organisation_count

    @property
    def first_coincidence(self) -> int:
        """Position of the first coincidence class."""
        return self.match_count + self.household_count

    @cached_property
    def namesakes(self) -> int | None:
        """Position of the class of father and son of one name, if it is among them."""
        names = [one.name for one in self.listed]
        return names.index(NAMESAKES) if NAMESAKES in names else None

    @cached_property
    def fixed(self) -> dict[int, tuple[str, ...]]:
        """Position of a household class -> fields that it never learns."""
        return {
            position: NAMESAKES_FIXED if position == self.namesakes else HOUSEHOLD_FIXED
            for position in range(self.match_count, self.first_coincidence)
        }

    def without_households(self) -> "Classes":
        """Return the matches and the coincidences only."""
        kept = (*self.listed[: self.match_count], *self.listed[self.first_coincidence :])
        return replace(self, listed=kept, household_count=0)

    def start(self, field: str) -> Floats:
        """Return one row per known level and one column per class; columns add up to 1."""
        rows = np.stack([one.expected[field][1:] for one in self.listed])
        if field == "kind":
            return np.asarray(np.maximum(rows, IMPOSSIBLE).T, np.float64)
        rows = np.maximum(rows, FLOOR)
        return np.asarray((rows / rows.sum(axis=1, keepdims=True)).T, np.float64)


def build_classes(
    fields: tuple[str, ...], rules: Sequence[Rule], chance: Chance, *, with_homes: bool
) -> Classes:
    """Return the classes that suit the fields and rules of a file.

    Args:
        fields: the compared fields.
        rules: the blocking rules in use, in order.
        chance: what agrees by chance.
        with_homes: whether records say where a person lives, so that she may have moved and may
            share a home with others.
    """
    at_random = chance.at_random
    matches = [_profiled("same person", SAME_PERSON, fields, at_random)]
    if with_homes:
        moved = {**SAME_PERSON, **MOVED}
        matches.append(_profiled("same person, moved", moved, fields, at_random))
    families = [
        _profiled(name, profile, fields, at_random)
        for name, profile in (HOUSEHOLDS if with_homes else {}).items()
    ]
    coincidences = [LatentClass("chance", at_random)]
    for rule, blocked in zip(rules, chance.under_rule, strict=True):
        coincidences += _coincidences(rule, fields, {**at_random, **blocked}, at_random)
    found = Classes(
        fields=fields,
        listed=(*matches, *families, *coincidences),
        match_count=len(matches),
        household_count=len(families),
    )
    return found if chance.organisations is None else _beside(found, chance.organisations, rules)


def _profiled(
    name: str, profile: Profile, fields: Sequence[str], at_random: Mapping[str, Floats]
) -> LatentClass:
    expected = {
        field: distribution(field, profile.get(field, SAME_PERSON[field]), at_random[field])
        for field in fields
        if field not in ("source", *NO_EVIDENCE)
    }
    expected |= {field: at_random[field] for field in ("source", "kinship") if field in fields}
    return LatentClass(name, expected)


def _beside(persons: Classes, chance: Chance, rules: Sequence[Rule]) -> Classes:
    """Return the classes of persons with those of organisations, a model of their own.

    The kind of a pair is known and no class allows two: what one model learns, the other does
    not notice.
    """
    at_random = chance.at_random
    match = _profiled("same organisation", SAME_ORGANISATION, persons.fields, at_random)
    mixed = LatentClass("a person and an organisation", at_random)
    coincidences = [LatentClass("chance, organisations", at_random)]
    coincidences += [
        LatentClass(f"chance: {rule.name}, organisations", {**at_random, **blocked})
        for rule, blocked in zip(rules, chance.under_rule, strict=True)
        if blocked
    ]
    listed, split = persons.listed, persons.first_coincidence
    return replace(
        persons,
        listed=(
            *_of_kind(Kind.PERSONS, listed[: persons.match_count]),
            *_of_kind(Kind.ORGANISATIONS, [match]),
            *_of_kind(Kind.PERSONS, listed[persons.match_count : split]),
            *_of_kind(Kind.MIXED, [mixed]),
            *_of_kind(Kind.ORGANISATIONS, coincidences),
            *_of_kind(Kind.PERSONS, listed[split:]),
        ),
        match_count=persons.match_count + 1,
        organisation_count=1,
    )


def _of_kind(kind: Kind, classes: Sequence[LatentClass]) -> list[LatentClass]:
    levels = np.zeros(len(Kind))
    levels[kind] = 1.0
    return [replace(one, expected={**one.expected, "kind": levels}) for one in classes]


def _coincidences(
    rule: Rule,
    fields: tuple[str, ...],
    expected: dict[str, Floats],
    at_random: dict[str, Floats],
) -> list[LatentClass]:
    """Return the class of a rule; a shared phone or mailbox also comes with one shared name."""
    classes = [LatentClass(f"chance: {rule.name}", expected)]
    if rule.parts in (("email",), ("phone",), ("email_name",)):
        classes += [
            LatentClass(
                f"chance: {rule.name} and {field}",
                {**expected, field: _mostly_exact(field, at_random[field])},
            )
            for field in NAMES
            if field in fields
        ]
    return classes


def _mostly_exact(field: str, at_random: Floats) -> Floats:
    return np.asarray(0.98 * exact_by_chance(field, at_random) + 0.02 * at_random, np.float64)


def parts_by_field(rule: Rule, fields: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return, per compared field that a rule blocks on, the parts of its key that speak of it."""
    found: dict[str, tuple[str, ...]] = {}
    for part in rule.parts:
        for field in PART_FIELDS[part]:
            if field in fields:
                found[field] = (*found.get(field, ()), part)
    return found


_TELLS_LITTLE = ("sex", "country", "source", *NO_EVIDENCE)


def chance_when_sharing(
    field: str, levels: Mapping[str, Levels], at_random: Floats, parts: Sequence[str]
) -> Floats:
    """Return how a field agrees when strangers share a part of it, as a blocking rule asks.

    Strangers are pairs that agree on nothing else, so this also understands a key that is a part
    of a value: a birth year, the start of a name. Names of mailboxes that are alike are alike,
    too, by chance as well.

    Args:
        field: the field.
        levels: of random pairs that share the part.
        at_random: distribution of the field over random pairs.
        parts: what they share, which may speak of the field or not.
    """
    asked = parts_by_field(Rule(tuple(parts)), tuple(levels))
    follows = field in NAMES and field not in asked
    spoken_of = {field, *asked, *(NAMES if follows else ())}
    others = [other for other in levels if other not in (*_TELLS_LITTLE, *spoken_of)]
    agreements = np.zeros(len(levels[field]), np.int64)
    known = np.zeros_like(agreements)
    for other in others:
        agreements += np.isin(levels[other], list(EXACT[other]))
        known += levels[other] > 0
    if follows:
        agreements += np.isin(levels["email"], list(EXACT["email"]))
    strangers = levels[field][(agreements == 0) & (known > 0)]
    counts = np.bincount(strangers, minlength=len(LEVELS[field])).astype(np.float64)
    counts[0] = 0.0
    # Mailboxes that begin or end alike are strangers'; one that is equal has one owner or home.
    is_equal_by_chance = field in asked and (field != "email" or parts == ("email",))
    usual = _mostly_exact(field, at_random) if is_equal_by_chance else at_random
    if not (is_equal_by_chance or follows):
        # What is equal here are the matches among the pairs, not chance.
        equal = list(EXACT[field])
        counts[equal] = counts.sum() * at_random[equal]
    weight = BESIDE_FEW_STRANGERS if follows else BESIDE_STRANGERS
    return np.asarray((counts + weight * usual) / (counts.sum() + weight), np.float64)


def chance_at_random(levels: Mapping[str, Levels], pair_count: int) -> dict[str, Floats]:
    """Return how often each level of each field occurs among random pairs.

    Args:
        levels: of a sample of pairs drawn at random.
        pair_count: number of pairs there are to draw from: a small file cannot say what chance
            does, since its duplicates weigh too much, so what is usual joins in.
    """
    found = {}
    for field, column in levels.items():
        if field == "kind":
            continue
        counts = np.bincount(column, minlength=len(LEVELS[field])) + 0.5
        counts[0] = 0.0
        counts *= min(1.0, pair_count / max(1, len(column)))
        share = counts / counts.sum()
        if field in ("source", "kinship"):
            # How sources share the records out is this file's own affair.
            found[field] = np.asarray(share, np.float64)
            continue
        usual = USUAL_PAIRS * distribution(field, STRANGERS[field], np.asarray(share, np.float64))
        found[field] = np.asarray((counts + usual) / (counts + usual).sum(), np.float64)
    return found
