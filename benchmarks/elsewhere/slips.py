"""How people and clerks write a value wrongly, differently or not at all; seeded by the caller."""

from collections.abc import Mapping, Sequence
from random import Random

KEYS = "azertyuiopqsdfghjklmwxcvbn"


def typo(chance: Random, word: str) -> str:
    """Return a word of which one letter is lost, doubled, wrong, or swapped with its neighbour."""
    if len(word) < 4:
        return word
    place = chance.randrange(1, len(word) - 1)
    start, here, rest = word[:place], word[place], word[place + 1 :]
    if not here.isalnum():
        return word
    other = chance.choice("0123456789" if here.isdigit() else KEYS)
    return chance.choice(
        [start + rest, start + here + here + rest, start + other + rest,
         start + rest[:1] + here + rest[1:]]
    )  # fmt: skip


def varied(chance: Random, word: str, variants: Sequence[tuple[str, str]]) -> str:
    """Return a word in which one spelling has taken another's place, where one fits."""
    lower = word.lower()
    fitting = [(old, new) for old, new in variants if old in lower]
    if not fitting:
        return word
    old, new = chance.choice(fitting)
    return lower.replace(old, new, 1).title()


def without(
    chance: Random, values: Mapping[str, str], missing: Mapping[str, float]
) -> dict[str, str]:
    """Return the values with some left out, each with its own probability."""
    return {
        name: "" if chance.random() < missing.get(name, 0.0) else value
        for name, value in values.items()
    }


def born(chance: Random, first: int, last: int) -> str:
    """Return a day between two years, as ISO writes it."""
    return f"{chance.randint(first, last)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"


def misread_date(chance: Random, day: str) -> str:
    """Return a date with day and month turned, a digit wrong, or on the first of its year."""
    year, month, date = day.split("-")
    turned = (
        f"{year}-{date}-{month}" if int(date) <= 12 else f"{year}-{month}-{int(date) % 28 + 1:02}"
    )
    wrong = f"{year[:3]}{(int(year[3]) + chance.choice([1, 2, 9])) % 10}-{month}-{date}"
    return chance.choice([turned, wrong, f"{year}-01-01"])
