"""Learn the classes of pairs from the pairs themselves, without labels (EM on distinct patterns).

What keeps it safe, each found by a failure without it:
- blocking itself makes agreement, so every rule has its own class "agrees because of the rule";
- these coincidence classes stay near their definition (`SHRINK`);
- same person and same person moved differ in address and phone only;
- a household never learns to agree on given name, birth date or identifier;
- a missing value has probability 1 in every class: it is no evidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from matching.levels import EXACT, LEVELS
from matching.linkage.blocking import PART_FIELDS, Rule
from matching.linkage.columns import Floats, Ids, Levels
from matching.linkage.profiles import (
    HOUSEHOLD_FIXED,
    HOUSEHOLDS,
    LEAST_HOUSEHOLDS_PER_MATCH,
    MOVED,
    NAMESAKES,
    NAMESAKES_FIXED,
    NAMESAKES_PER_MATCH,
    SAME_PERSON,
    STRANGERS,
    Profile,
    distribution,
    exact_by_chance,
)
from matching.scoring import ScoreModel

SHRINK = 2.0
PRIOR_STRENGTH = 20.0
PRIOR_PAIRS = 10.0
"""Pairs that the starting shares of the classes weigh: only a small file notices."""

USUAL_PAIRS = 2_000.0
"""Pairs that usual strangers weigh beside the random pairs of the file."""

TOLERANCE = 1e-5
MOST_ROUNDS = 200
FLOOR = 1e-7
DIGITS = 9
"""Significant digits of stored probabilities: what is stored is what scores."""


@dataclass(frozen=True)
class Chance:
    """Level distributions of pairs that agree by chance only."""

    at_random: dict[str, Floats]
    """Field -> distribution over random pairs."""
    under_rule: list[dict[str, Floats]]
    """Per rule: distribution of each field it blocks on, over strangers that share its key."""


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

    @property
    def first_coincidence(self) -> int:
        """Position of the first coincidence class."""
        return self.match_count + self.household_count

    def without_households(self) -> "Classes":
        """Return the matches and the coincidences only."""
        kept = (*self.listed[: self.match_count], *self.listed[self.first_coincidence :])
        return replace(self, listed=kept, household_count=0)

    def start(self, field: str) -> Floats:
        """Return one row of expected levels per class, 0 for level 0."""
        rows = np.stack([one.expected[field] for one in self.listed])
        rows = np.maximum(rows, FLOOR)
        rows[:, 0] = 0.0
        return np.asarray(rows / rows.sum(axis=1, keepdims=True), np.float64)


@dataclass(frozen=True)
class Fit:
    """A trained model with how it came about."""

    model: ScoreModel
    log_likelihood: float
    rounds: int


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

    def expect(profile: Profile) -> dict[str, Floats]:
        return {
            field: distribution(field, profile.get(field, SAME_PERSON[field]), at_random[field])
            for field in fields
        }

    matches = [LatentClass("same person", expect(SAME_PERSON))]
    if with_homes:
        matches.append(LatentClass("same person, moved", expect({**SAME_PERSON, **MOVED})))
    families = [LatentClass(name, expect(profile)) for name, profile in HOUSEHOLDS.items()]
    families = families if with_homes else []
    coincidences = [LatentClass("chance", at_random)]
    for rule, blocked in zip(rules, chance.under_rule, strict=True):
        coincidences += _coincidences(rule, fields, {**at_random, **blocked}, at_random)
    return Classes(
        fields=fields,
        listed=(*matches, *families, *coincidences),
        match_count=len(matches),
        household_count=len(families),
    )


def _coincidences(
    rule: Rule,
    fields: tuple[str, ...],
    expected: dict[str, Floats],
    at_random: dict[str, Floats],
) -> list[LatentClass]:
    """Return the class of a rule; a shared phone or e-mail also comes with one shared name."""
    classes = [LatentClass(f"chance: {rule.name}", expected)]
    if rule.parts in (("email",), ("phone",)):
        classes += [
            LatentClass(
                f"chance: {rule.name} and {field}",
                {**expected, field: _mostly_exact(field, at_random[field])},
            )
            for field in ("given_name", "family_name")
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


def chance_when_sharing(field: str, levels: dict[str, Levels], at_random: Floats) -> Floats:
    """Return how a field agrees when strangers share a part of it, as a blocking rule asks.

    Strangers are pairs that agree on nothing else, so this also understands a key that is a part
    of a value: a birth year, the start of a name.

    Args:
        field: the field.
        levels: of random pairs that share the part.
        at_random: distribution of the field over random pairs.
    """
    others = [other for other in levels if other not in (field, "sex")]
    agreements = np.zeros(len(levels[field]), np.int64)
    known = np.zeros_like(agreements)
    for other in others:
        agreements += np.isin(levels[other], list(EXACT[other]))
        known += levels[other] > 0
    strangers = levels[field][(agreements == 0) & (known > 0)]
    counts = np.bincount(strangers, minlength=len(LEVELS[field])).astype(np.float64)
    counts[0] = 0.0
    usual = _mostly_exact(field, at_random)
    return np.asarray((counts + 50 * usual) / (counts.sum() + 50), np.float64)


def chance_at_random(levels: dict[str, Levels], pair_count: int) -> dict[str, Floats]:
    """Return how often each level of each field occurs among random pairs.

    Args:
        levels: of a sample of pairs drawn at random.
        pair_count: number of pairs there are to draw from: a small file cannot say what chance
            does, since its duplicates weigh too much, so what is usual joins in.
    """
    found = {}
    for field, column in levels.items():
        counts = np.bincount(column, minlength=len(LEVELS[field])) + 0.5
        counts[0] = 0.0
        counts *= min(1.0, pair_count / max(1, len(column)))
        share = counts / counts.sum()
        usual = USUAL_PAIRS * distribution(field, STRANGERS[field], np.asarray(share, np.float64))
        found[field] = np.asarray((counts + usual) / (counts + usual).sum(), np.float64)
    return found


def split_patterns(patterns: Ids, fields: tuple[str, ...]) -> dict[str, Levels]:
    """Return the level of each field in each pattern."""
    levels = {}
    for field in fields:
        patterns, level = np.divmod(patterns, len(LEVELS[field]))
        levels[field] = level.astype(np.uint8)
    return levels


def fit(levels: dict[str, Levels], counts: Floats, classes: Classes) -> Fit:
    """Return the model that explains the patterns best, starting from the classes' definitions.

    Args:
        levels: field -> level, one row per distinct pattern.
        counts: number of pairs with each pattern.
        classes: the classes to fill.
    """
    found = _fit(levels, counts, classes)
    if classes.household_count and not _has_households(found.model, classes):
        return _fit(levels, counts, classes.without_households())
    return found


def _fit(levels: dict[str, Levels], counts: Floats, classes: Classes) -> Fit:
    trainer = _Trainer(levels, counts, classes)
    if not len(counts):
        return Fit(trainer.model(), 0.0, 0)
    previous, likelihood, rounds = -np.inf, trainer.step(), 1
    while abs(likelihood - previous) >= TOLERANCE and rounds < MOST_ROUNDS:
        previous, likelihood, rounds = likelihood, trainer.step(), rounds + 1
    return Fit(trainer.model(), likelihood * float(counts.sum()), rounds)


def _has_households(model: ScoreModel, classes: Classes) -> bool:
    """Return whether households earn their place: enough pairs beside the matches."""
    matches = sum(model.shares[: classes.match_count])
    households = sum(model.shares[classes.match_count : classes.first_coincidence])
    return households >= LEAST_HOUSEHOLDS_PER_MATCH * matches


class _Trainer:
    """The moving parts of EM: class shares and level probabilities."""

    def __init__(self, levels: dict[str, Levels], counts: Floats, classes: Classes) -> None:
        self.levels, self.counts, self.classes = levels, counts, classes
        self.start = {field: classes.start(field) for field in classes.fields}
        self.rows = {field: self._usable(rows) for field, rows in self.start.items()}
        self.one_hot = {
            field: np.eye(len(LEVELS[field]))[column] for field, column in levels.items()
        }
        names = [one.name for one in classes.listed]
        self.namesakes = names.index(NAMESAKES) if NAMESAKES in names else None
        self.families = range(classes.match_count, classes.first_coincidence)
        weights = np.ones(len(classes.listed))
        weights[: classes.match_count] = 2.0
        self.first_shares = self.shares = weights / weights.sum()

    def step(self) -> float:
        """Improve the parameters once; return the mean log likelihood before it."""
        joint = np.tile(self.shares, (len(self.counts), 1))
        for field, rows in self.rows.items():
            joint *= rows.T[self.levels[field]]
        total = joint.sum(axis=1, keepdims=True)
        expected = joint * (self.counts[:, None] / total)
        mass = expected.sum(axis=0) + PRIOR_PAIRS * self.first_shares
        self.shares = np.maximum(mass / mass.sum(), 1e-9)
        self._limit_namesakes()
        for field in self.rows:
            self.rows[field] = self._usable(self._relearn(field, expected))
        return float((self.counts * np.log(total[:, 0])).sum() / self.counts.sum())

    def _relearn(self, field: str, expected: Floats) -> Floats:
        classes, start = self.classes, self.start[field]
        counts = expected.T @ self.one_hot[field]
        counts[:, 0] = 0.0
        matches = slice(0, classes.match_count)
        if field not in MOVED:
            counts[matches] = counts[matches].sum(axis=0)
        mass = counts.sum(axis=1, keepdims=True)
        counts += PRIOR_STRENGTH * start
        chance = slice(classes.first_coincidence, None)
        counts[chance] += SHRINK * mass[chance] * start[chance]
        learnt = counts / counts.sum(axis=1, keepdims=True)
        for position in self.families:
            fixed = NAMESAKES_FIXED if position == self.namesakes else HOUSEHOLD_FIXED
            if field in fixed:
                learnt[position] = start[position]
        return np.asarray(learnt, np.float64)

    def _limit_namesakes(self) -> None:
        if self.namesakes is not None:
            matches = self.shares[: self.classes.match_count].sum()
            limit = NAMESAKES_PER_MATCH * matches
            self.shares[self.namesakes] = min(self.shares[self.namesakes], limit)
            self.shares /= self.shares.sum()

    def _usable(self, rows: Floats) -> Floats:
        """Return rows in which a missing value is certain and nothing is impossible."""
        usable = np.maximum(rows, FLOOR)
        usable[:, 0] = 1.0
        return usable

    def model(self) -> ScoreModel:
        """Return the parameters as they are stored."""
        return ScoreModel(
            fields=self.classes.fields,
            classes=tuple(one.name for one in self.classes.listed),
            match_count=self.classes.match_count,
            shares=_rounded(self.shares),
            probabilities={
                field: tuple(_rounded(row) for row in rows) for field, rows in self.rows.items()
            },
        )


def _rounded(values: Floats) -> tuple[float, ...]:
    return tuple(float(f"{value:.{DIGITS}g}") for value in values.tolist())
