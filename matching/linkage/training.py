"""Learn the classes of pairs from the pairs themselves, without labels (EM on distinct patterns).

What keeps it safe, each found by a failure without it:
- blocking itself makes agreement, so every rule has its own class "agrees because of the rule";
- these coincidence classes stay near their definition (`Training.shrink`);
- same person and same person moved differ in address and phone only;
- a household never learns to agree on given name, birth date or identifier;
- that two records are of one source may speak against one person, within limits, and never for;
- a missing value has probability 1 in every class: it is no evidence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2, prod

import numpy as np
from threadpoolctl import threadpool_limits

from matching.levels import LEVELS, Source
from matching.linkage.classes import Classes
from matching.linkage.columns import Floats, Ids, Levels
from matching.linkage.distributions import level_groups
from matching.linkage.profiles import (
    COUNTED_AS,
    EITHER,
    LEAST_HOUSEHOLDS_PER_MATCH,
    MOST_DIFFERING,
    MOVED,
    NAMESAKES_PER_MATCH,
    PERSONAL_LEVELS,
    SILENT_LEVELS,
)
from matching.scoring import TINY, ScoreModel

PRIOR_STRENGTH = 20.0
TOLERANCE = 1e-5
MOST_PATTERNS = 12_000
"""Patterns to train on; of rarer ones a sample stands for all."""

FLOOR = 1e-7
DIGITS = 9
"""Significant digits of stored probabilities: what is stored is what scores."""

MOST_AGAINST = 2.0
"""A source that seems to hold nobody twice may yet: it speaks by one bit at most."""

_MIX = 0x9E3779B97F4A7C15


@dataclass(frozen=True)
class Training:
    """How the classes are fitted."""

    most_rounds: int = 200
    shrink: float = 4.0
    """How strongly coincidences stay near their start."""
    prior_pairs: float = 10.0
    """Pairs that the starting shares of the classes weigh: only a small file notices."""


AS_DELIVERED = Training()


@dataclass(frozen=True)
class Fit:
    """A trained model with how it came about."""

    model: ScoreModel
    log_likelihood: float
    """Mean over the pairs, in nats."""
    rounds: int


def split_patterns(patterns: Ids, fields: Sequence[str]) -> dict[str, Levels]:
    """Return the level of each field in each pattern."""
    levels = {}
    for field in fields:
        patterns, level = np.divmod(patterns, len(LEVELS[field]))
        levels[field] = level.astype(np.uint8)
    return levels


def without(field: str, patterns: Ids, fields: Sequence[str]) -> Ids:
    """Return the patterns as if a field were unknown."""
    if field not in fields:
        return patterns
    place = prod(len(LEVELS[name]) for name in fields[: list(fields).index(field)])
    patterns = patterns.astype(np.int64)
    return np.asarray(patterns - patterns // place % len(LEVELS[field]) * place, np.int64)


def sample_patterns(
    patterns: Ids, counts: Floats, most: int = MOST_PATTERNS
) -> tuple[Ids, Floats]:
    """Return the commonest patterns and a sample of the rare ones with their weight.

    Which rare pattern is drawn depends on its number alone, so row order changes nothing.
    """
    if len(patterns) <= most:
        return patterns, counts
    order = np.lexsort((patterns, -counts))
    common, rare = order[: most // 2], order[most // 2 :]
    mixed = (patterns[rare].astype(np.uint64) * np.uint64(_MIX)) >> np.uint64(11)
    drawn = rare[np.argsort(mixed, kind="stable")[: most - len(common)]]
    kept = np.sort(np.r_[common, drawn])
    weights = counts.copy()
    weights[drawn] *= counts[rare].sum() / counts[drawn].sum()
    return patterns[kept], weights[kept]


def fit(patterns: Ids, counts: Floats, classes: Classes, training: Training = AS_DELIVERED) -> Fit:
    """Return the model that explains the patterns best, starting from the classes' definitions.

    Args:
        patterns: distinct patterns of levels.
        counts: number of pairs with each pattern.
        classes: the classes to fill.
        training: how.
    """
    patterns, counts = sample_patterns(patterns, counts)
    levels = split_patterns(patterns, classes.fields)
    found = _fit(levels, counts, classes, training)
    if classes.household_count and not _has_households(found.model, classes):
        return _fit(levels, counts, classes.without_households(), training)
    return found


def _fit(
    levels: Mapping[str, Levels], counts: Floats, classes: Classes, training: Training
) -> Fit:
    trainer = _Trainer(levels, counts, classes, training)
    if not len(counts):
        return Fit(trainer.model(), 0.0, 0)
    # These matrices are small: threads of BLAS would spend their time waiting for one another,
    # and beside a busy process they wait thirty times as long as they work.
    with threadpool_limits(1, "blas"):
        previous, likelihood, rounds = -np.inf, trainer.step(), 1
        while abs(likelihood - previous) >= TOLERANCE and rounds < training.most_rounds:
            previous, likelihood, rounds = likelihood, trainer.step(), rounds + 1
    return Fit(trainer.model(), likelihood, rounds)


def _has_households(model: ScoreModel, classes: Classes) -> bool:
    """Return whether households earn their place: enough pairs beside the matches."""
    matches = sum(model.shares[: classes.person_count])
    households = sum(model.shares[classes.match_count : classes.first_coincidence])
    return households >= LEAST_HOUSEHOLDS_PER_MATCH * matches


class _Half:
    """Half of the fields: the combinations of their levels, and which of them each pattern has.

    They are a tenth of the patterns, and so is what is worked out for them only.
    """

    def __init__(self, levels: Mapping[str, Levels], places: Mapping[str, slice]) -> None:
        """Take the level of each field in each pattern, and where fields stand in the table."""
        number = np.zeros(len(next(iter(levels.values()))), np.int64)
        for field in places:
            number = number * len(LEVELS[field]) + levels[field]
        _, first, self.combination = np.unique(number, return_index=True, return_inverse=True)
        self.order = np.argsort(self.combination, kind="stable")
        self.starts = np.searchsorted(self.combination[self.order], np.arange(len(first)))
        bounds = [place.start for place in places.values()], [p.stop for p in places.values()]
        self.place = slice(min(bounds[0], default=0), max(bounds[1], default=0))
        self.levels = np.zeros((len(first), self.place.stop - self.place.start))
        for field, place in places.items():
            unlearnt = (0, *SILENT_LEVELS.get(field, ()), *EITHER.get(field, ()))
            found = levels[field][first]
            known = np.flatnonzero(~np.isin(found, unlearnt))
            counted = np.take(_counted_as(field), found[known])
            self.levels[known, place.start - self.place.start + counted - 1] = 1.0

    def probability(self, table: Floats) -> Floats:
        """Return how likely the levels of each pattern are in each class."""
        of_combination = np.exp(self.levels @ np.log(table[self.place]))
        return np.take(of_combination, self.combination, axis=0)

    def mass(self, joint: Floats) -> Floats:
        """Return how many pairs have each level, by class, of so many with each pattern."""
        together = np.add.reduceat(np.take(joint, self.order, axis=0), self.starts, axis=0)
        return np.asarray(self.levels.T @ together)


class _Trainer:
    """The moving parts of EM: class shares, and one table of level probabilities by class.

    The rows of the table are the levels of all fields below one another. The probability of a
    pattern is the product of those of its halves; the least is far above the least number.
    """

    def __init__(
        self, levels: Mapping[str, Levels], counts: Floats, classes: Classes, training: Training
    ) -> None:
        self.counts, self.classes, self.training = counts, classes, training
        self.slices: dict[str, slice] = {}
        end = 0
        for field in classes.fields:
            self.slices[field] = slice(end, end + len(LEVELS[field]) - 1)
            end = self.slices[field].stop
        middle = len(self.slices) // 2
        listed = list(self.slices.items())
        self.halves = [_Half(levels, dict(part)) for part in (listed[:middle], listed[middle:])]
        self.start = np.concatenate([classes.start(field) for field in classes.fields])
        self.table = self.start.copy()
        weights = np.ones(len(classes.listed))
        weights[: classes.match_count] = 2.0
        self.first_shares = self.shares = weights / weights.sum()

    def step(self) -> float:
        """Improve the parameters once; return the mean log likelihood before it."""
        one, other = (half.probability(self.table) for half in self.halves)
        joint = one * other
        joint *= self.shares
        total = joint @ np.ones(len(self.shares))
        joint *= (self.counts / total)[:, None]
        likelihood = float(self.counts @ np.log(total) / self.counts.sum())
        mass = np.ones(len(joint)) @ joint + self.training.prior_pairs * self.first_shares
        self.shares = np.maximum(mass / mass.sum(), 1e-9)
        self._limit_namesakes()
        self._relearn(np.concatenate([half.mass(joint) for half in self.halves]))
        return likelihood

    def _relearn(self, counts: Floats) -> None:
        classes = self.classes
        chance = slice(classes.first_coincidence, None)
        for field, place in self.slices.items():
            found, start = counts[place], self.start[place]
            if field == "kind":
                continue
            if field == "source":
                self._relearn_sources(found, start, place)
                continue
            if field not in MOVED:
                found[:, : classes.person_count] = found[:, : classes.person_count].sum(
                    axis=1, keepdims=True
                )
            mass = found.sum(axis=0)
            found += PRIOR_STRENGTH * start
            found[:, chance] += self.training.shrink * mass[chance] * start[:, chance]
            found /= found.sum(axis=0)
            if field in MOST_DIFFERING:
                _limit_differing(field, found[:, : classes.match_count])
            for position, fixed in classes.fixed.items():
                if field in fixed:
                    found[:, position] = start[:, position]
                for level in PERSONAL_LEVELS.get(field, ()):
                    found[level - 1, position] = min(
                        found[level - 1, position], start[level - 1, position]
                    )
            self.table[place] = np.maximum(found, FLOOR)

    def _relearn_sources(self, counts: Floats, start: Floats, place: slice) -> None:
        """Learn how seldom a source holds one person twice; among others it is chance.

        Sources may be towns or years: people who have much in common then are of one source, and
        so are the records of one person. That says nothing, so it never speaks for one person.
        """
        matches = slice(self.classes.match_count)
        of_people = slice(self.classes.person_count)
        counts[:, of_people] = counts[:, of_people].sum(axis=1, keepdims=True)
        found = counts[:, matches] + PRIOR_STRENGTH * start[:, matches]
        by_chance = start[Source.SAME - 1, matches]
        same = found[Source.SAME - 1] / found.sum(axis=0)
        same = np.clip(same, by_chance / MOST_AGAINST, by_chance)
        self.table[place][Source.SAME - 1, matches] = same
        self.table[place][Source.DIFFERS - 1, matches] = 1 - same

    def _limit_namesakes(self) -> None:
        if self.classes.namesakes is not None:
            matches = self.shares[: self.classes.person_count].sum()
            place, limit = self.classes.namesakes, NAMESAKES_PER_MATCH * matches
            self.shares[place] = min(self.shares[place], limit)
            self.shares /= self.shares.sum()

    def model(self) -> ScoreModel:
        """Return the parameters as they are stored."""
        return ScoreModel(
            fields=self.classes.fields,
            classes=tuple(one.name for one in self.classes.listed),
            match_count=self.classes.match_count,
            shares=_rounded(self.shares),
            probabilities={
                field: tuple((1.0, *_rounded(row)) for row in self._stored(field, place))
                for field, place in self.slices.items()
            },
        )

    def _stored(self, field: str, place: slice) -> Floats:
        """Return one row per class; a level that is no evidence is certain in every class."""
        rows = self.table[place].T[:, _counted_as(field)[1:] - 1]
        for level in SILENT_LEVELS.get(field, ()):
            rows[:, level - 1] = 1.0
        for level, (of_one, *of_two) in EITHER.get(field, {}).items():
            rows[:, level - 1] = rows[:, of_one - 1]
            others = slice(self.classes.match_count, None)
            rows[others, level - 1] += rows[others][:, [one - 1 for one in of_two]].sum(axis=1)
        return rows


def _limit_differing(field: str, table: Floats) -> None:
    """Keep "differs", the last level of a group, likely at most; the others share the rest."""
    for group in level_groups(field):
        *others, last = (level - 1 for level in group)
        rest = table[others].sum(axis=0)
        most = MOST_DIFFERING[field] * (rest + table[last])
        excess = np.maximum(0.0, table[last] - most)
        table[others] *= 1 + excess / np.maximum(rest, FLOOR)
        table[last] -= excess


def _counted_as(field: str) -> Ids:
    """Return for each level the one whose evidence it is."""
    levels = np.arange(len(LEVELS[field]))
    for level, other in COUNTED_AS.get(field, {}).items():
        levels[level] = other
    return levels


def _rounded(values: Floats) -> tuple[float, ...]:
    return tuple(float(f"{value:.{DIGITS}g}") for value in values.tolist())


def score_patterns(model: ScoreModel, distinct: Ids) -> Floats:
    """Return the score of each pattern: what `ScoreModel.score` says, worked out at once."""
    same = np.zeros((len(distinct), len(model.shares)))
    same += np.array(model.shares)
    rest = distinct.astype(np.int64)
    for one in model.fields:
        rest, level = np.divmod(rest, len(model.probabilities[one][0]))
        same *= np.array(model.probabilities[one]).T[level]
    split = model.match_count
    # Python's sum, term by term: the score shown on a page is computed that way.
    match, other = np.zeros(len(distinct)), np.zeros(len(distinct))
    for position in range(same.shape[1]):
        side = match if position < split else other
        side += same[:, position]
    # Python's logarithm, too: numpy's differs from it in the last bit here and there.
    sides = zip(match.tolist(), other.tolist(), strict=True)
    return np.array([log2(max(one, TINY)) - log2(max(two, TINY)) for one, two in sides])
