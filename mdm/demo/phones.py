"""Phone numbers that ring nowhere: the ranges France reserves for fiction.

ARCEP, décision 2018-0881 (plan national de numérotation), numbers for audiovisual works: 10,000
numbers in each of five landline ranges and 10,000 mobiles. Numbers are dealt like cards, so
nobody shares one by accident in a small company. Past 10,000 mobiles the pack is shuffled and
dealt again, at most twice in all; beyond that people simply have no number, since a number on
dozens of strangers would be false evidence for matching.
"""

from random import Random

LANDLINE_PREFIXES = ("019900", "026191", "035301", "046571", "053649")
MOBILE_PREFIXES = ("063998",)
_NUMBERS_PER_PREFIX = 10_000
_MOST_HOLDERS = 2


class PhonePack:
    """A shuffled pack of the numbers of some ranges; `deal` gives "" to whoever goes without."""

    def __init__(self, prefixes: tuple[str, ...], rng: Random, *, draws: int, rate: float) -> None:
        """Prepare for about `draws` requests, of which at most the share `rate` is served.

        The share sinks when the numbers would not suffice, so that numbers are
        spread over all people rather than given to the first.
        """
        self._numbers = [f"{p}{n:04d}" for p in prefixes for n in range(_NUMBERS_PER_PREFIX)]
        self._rng = rng
        supply = len(self._numbers) * (1 if draws * rate <= len(self._numbers) else _MOST_HOLDERS)
        self._rate = min(rate, 0.95 * supply / max(draws, 1))
        self._supply = supply
        self._dealt = 0

    def deal(self) -> str:
        """Give the next number in ten digits, or "" for a person without one."""
        if self._rng.random() >= self._rate or self._dealt >= self._supply:
            return ""
        position = self._dealt % len(self._numbers)
        if position == 0:
            self._rng.shuffle(self._numbers)
        self._dealt += 1
        return self._numbers[position]
