"""What a pair's score is and where it comes from; pure Python, so that a page can explain a pair.

A trained model is a set of latent classes. Some say "same person", the others say how two
different people come to be compared: by chance, as one household, because a blocking rule put
them together. The score of a pair is the log2 odds of the first against the others, given its
levels. The engine, the store and the review page all call `ScoreModel.score`.

Source: Fellegi & Sunter 1969, with several non-match classes instead of one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from math import comb, log2, prod
from operator import add
from typing import NotRequired, TypedDict, cast

from matching.automatic import UNTOLD, Sharing, held_back
from matching.levels import LEVELS, NO_EVIDENCE

TINY = 1e-300
"""Keeps a logarithm finite when every class of a side finds a pattern impossible."""


class OutdatedModel(Exception):
    """The model was learnt when fields had other levels: its figures can no longer be read."""


class ModelState(TypedDict):
    """A model as JSON, as a run stores it."""

    fields: list[str]
    classes: list[str]
    match_count: int
    shares: list[float]
    probabilities: dict[str, list[list[float]]]
    personal: NotRequired[list[str]]
    has_families: NotRequired[bool]
    unguarded: NotRequired[list[str]]


@dataclass(frozen=True)
class Explanation:
    """A score taken apart: `prior` plus the sum of `contributions` is `score`, in bits."""

    score: float
    prior: float
    contributions: Mapping[str, float]


@dataclass(frozen=True)
class ScoreModel:
    """Latent classes over the fields' levels; the first `match_count` classes mean "same"."""

    fields: tuple[str, ...]
    classes: tuple[str, ...]
    match_count: int
    shares: tuple[float, ...]
    probabilities: Mapping[str, tuple[tuple[float, ...], ...]]
    """Field -> one row per class -> probability of each level, 1 for level 0."""
    sharing: Sharing = UNTOLD
    """What people of the file share: household evidence, or none."""
    unguarded: tuple[str, ...] = ()
    """Reasons to hold a pair back that the rules of its search do without."""

    @classmethod
    def from_state(cls, state: ModelState) -> "ScoreModel":
        """Return the model that `to_state` wrote.

        Raises:
            OutdatedModel: when it knows other fields or levels than `matching.levels`.
        """
        if not is_current(state):
            raise OutdatedModel
        return cls(
            fields=tuple(state["fields"]),
            classes=tuple(state["classes"]),
            match_count=state["match_count"],
            shares=tuple(state["shares"]),
            probabilities={
                field: tuple(tuple(row) for row in rows)
                for field, rows in state["probabilities"].items()
            },
            sharing=Sharing(tuple(state.get("personal", ())), state.get("has_families", True)),
            unguarded=tuple(state.get("unguarded", ())),
        )

    def to_state(self) -> ModelState:
        """Return the model as plain JSON values."""
        return cast(
            "ModelState",
            {
                "fields": list(self.fields),
                "classes": list(self.classes),
                "match_count": self.match_count,
                "shares": list(self.shares),
                "probabilities": {
                    field: [list(row) for row in rows]
                    for field, rows in self.probabilities.items()
                },
                "personal": list(self.sharing.personal),
                "has_families": self.sharing.has_families,
                **({"unguarded": list(self.unguarded)} if self.unguarded else {}),
            },
        )

    @cached_property
    def radixes(self) -> tuple[int, ...]:
        """Number of levels of each field."""
        return tuple(len(LEVELS[field]) for field in self.fields)

    @cached_property
    def _columns(self) -> dict[str, tuple[tuple[float, ...], ...]]:
        """Field -> level -> probability in each class."""
        return {
            field: tuple(zip(*rows, strict=True)) for field, rows in self.probabilities.items()
        }

    def levels(self, pattern: int) -> dict[str, int]:
        """Return the level of each field in a pattern (a mixed-radix number)."""
        levels = {}
        for field, radix in zip(self.fields, self.radixes, strict=True):
            pattern, levels[field] = divmod(pattern, radix)
        return levels

    def held_back(self, levels: Mapping[str, int]) -> str | None:
        """Return why these levels may not link by themselves in its search, or None."""
        return held_back(levels, self.sharing, self.unguarded)

    def score(self, levels: Mapping[str, int]) -> float:
        """Return the log2 odds that a pair with these levels is one person."""
        known = [self._columns[field][level] for field, level in levels.items() if level]
        return self._log_odds(known)

    def explain(self, levels: Mapping[str, int]) -> Explanation:
        """Return the score with what each known field adds to it.

        What kind the two are of is where the odds start, no evidence. A contribution is the
        field's Shapley value: what it adds to the score, averaged over
        every order in which the fields could be looked at. It is the one division of the score
        that adds up, treats the fields alike and gives nothing to a field that says nothing.
        """
        names = [field for field, level in levels.items() if level and field not in NO_EVIDENCE]
        worth = self._worth_of_subsets(
            self._shares_of(levels.get("kind", 0)),
            [self._columns[field][levels[field]] for field in names],
        )
        contributions = dict.fromkeys(levels, 0.0)
        for position, field in enumerate(names):
            contributions[field] = _shapley_value(worth, position, len(names))
        return Explanation(score=worth[-1], prior=worth[0], contributions=contributions)

    def _shares_of(self, kind: int) -> tuple[float, ...]:
        """Return the shares of the classes among pairs of a kind."""
        if not kind:
            return self.shares
        column = self._columns["kind"][kind]
        return tuple(share * part for share, part in zip(self.shares, column, strict=True))

    def _worth_of_subsets(
        self, shares: tuple[float, ...], known: Sequence[tuple[float, ...]]
    ) -> list[float]:
        """Return the score from each subset of the known fields; bit n stands for field n."""
        products: list[tuple[float, ...]] = [shares]
        for column in known:
            products += [
                tuple(left * right for left, right in zip(row, column, strict=True))
                for row in products
            ]
        return [self._odds(row) for row in products]

    def _log_odds(self, known: Sequence[tuple[float, ...]]) -> float:
        return self._odds([prod(row) for row in zip(self.shares, *known, strict=True)])

    def _odds(self, weights: Sequence[float]) -> float:
        # One by one, as numpy adds so few: `sum` mends its rounding since Python 3.12, and a score
        # would not be the same, to the last bit, by another version.
        same = reduce(add, weights[: self.match_count], 0.0)
        other = reduce(add, weights[self.match_count :], 0.0)
        return log2(max(same, TINY)) - log2(max(other, TINY))


def is_current(state: ModelState) -> bool:
    """Say whether a stored model knows the fields and levels of `matching.levels`."""
    fields = state["fields"]
    knows_families = "kinship" in fields or not {"given_name", "birth_date"} & {*fields}
    return knows_families and all(
        len(row) == len(LEVELS.get(field, ()))
        for field, rows in state["probabilities"].items()
        for row in rows
    )


def probability(score: float) -> float:
    """Return the probability, from 0 to 1, that a score in bits stands for."""
    return 1 / (1 + float(2.0 ** -max(min(score, 500.0), -500.0)))


def _shapley_value(worth: Sequence[float], position: int, count: int) -> float:
    bit = 1 << position
    return sum(
        (worth[subset | bit] - worth[subset]) / (count * comb(count - 1, subset.bit_count()))
        for subset in range(1 << count)
        if not subset & bit
    )
