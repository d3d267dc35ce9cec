"""What every set is made of: lines, names of a country, and how common words are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import accumulate
from random import Random
from typing import Any, NamedTuple

Values = dict[str, str]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file: which file, who is meant, and the cells by heading."""

    source: str
    entity: str
    cells: Mapping[str, str]


class Frequent(NamedTuple):
    """Words with cumulative weights: a few are common, as names are (Zipf-Mandelbrot)."""

    words: Sequence[str]
    weights: Sequence[float]

    @classmethod
    def ranked(cls, words: Sequence[str], *, flat: float = 2.0) -> "Frequent":
        """Return words of which the first are the commonest."""
        return cls(words, list(accumulate(1 / (rank + flat) for rank in range(len(words)))))

    @classmethod
    def shuffled(cls, words: Sequence[str], *, seed: int, flat: float = 12.0) -> "Frequent":
        """Return words of which the seed says which are common."""
        listed = sorted(set(words))
        Random(seed).shuffle(listed)
        return cls.ranked(listed, flat=flat)

    def draw(self, chance: Random) -> str:
        """Return one of the words."""
        return chance.choices(self.words, cum_weights=self.weights)[0]


def of_faker(locale: str, part: str = "person") -> Any:
    """Return Faker's lists of a country: of its people, addresses or companies."""
    return import_module(f"faker.providers.{part}.{locale}").Provider


def names_of(locale: str, seed: int) -> tuple[Frequent, Frequent, Frequent]:
    """Return names of men, of women and of families of a country."""
    people = of_faker(locale)
    kinds = (people.first_names_male, people.first_names_female, people.last_names)
    return (
        Frequent.shuffled([n for n in kinds[0] if n[0].isalpha()], seed=seed, flat=8),
        Frequent.shuffled([n for n in kinds[1] if n[0].isalpha()], seed=seed + 1, flat=8),
        Frequent.shuffled([n for n in kinds[2] if n[0].isalpha()], seed=seed + 2, flat=25),
    )
