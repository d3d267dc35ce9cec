"""Weights of levels as probabilities, and levels that miss the same part of a value."""

from collections.abc import Mapping

import numpy as np

from matching.levels import EXACT, LEVELS, Address, BirthDate
from matching.linkage.columns import Floats

REST = 1e-3
"""Weight of a level that nothing is said of."""

_YEARS_ALONE = (
    BirthDate.ONLY_YEAR_SAME,
    BirthDate.ONLY_YEAR_NEAR,
    BirthDate.ONLY_YEAR_DIFFERS,
)
_GROUPS: Mapping[str, tuple[tuple[int, ...], ...]] = {
    "address": (
        tuple(level for level in Address if 1 <= level <= 3),
        tuple(level for level in Address if level >= 4 and level % 4 == 0),
        tuple(level for level in Address if level >= 4 and level % 4 != 0),
    ),
    "birth_date": (
        tuple(level for level in BirthDate if level and level not in _YEARS_ALONE),
        _YEARS_ALONE,
    ),
}
"""Levels by which part of a value is missing: street, town, nothing; nothing, the day."""


def level_groups(field: str) -> tuple[tuple[int, ...], ...]:
    """Return the known levels, those together that miss the same part; the last says differs."""
    return _GROUPS.get(field, (tuple(range(1, len(LEVELS[field]))),))


def distribution(field: str, weights: Mapping[int, float], by_chance: Floats) -> Floats:
    """Return weights as probabilities of the levels, 0 for level 0.

    An address is missing its street or its town, and a birth date its day, as often as in the
    file: that a part is unknown says nothing about who it is.
    """
    values = np.full(len(LEVELS[field]), REST)
    for level, weight in weights.items():
        values[level] = weight
    values[0] = 0.0
    for group in _GROUPS.get(field, ()):
        levels = list(group)
        values[levels] *= by_chance[levels].sum() / values[levels].sum()
    return np.asarray(values / values.sum(), np.float64)


def exact_by_chance(field: str, by_chance: Floats) -> Floats:
    """Return how exact agreements spread over their levels when they are chance."""
    levels = sorted(EXACT[field])
    values = np.zeros(len(by_chance))
    values[levels] = by_chance[levels] + 1e-9
    return np.asarray(values / values.sum(), np.float64)
