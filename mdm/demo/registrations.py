"""Who left her details where, and when: each registration becomes one line of one file."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, islice
from random import Random

from mdm.demo.households import DRAWN_ON, Neighbourhood
from mdm.demo.people import Person

SOURCES = ("crm", "shop", "newsletter")
LINES_PER_PERSON = 1.34
"""What the weights below come to: one line in four is a duplicate."""
_LINE_COUNTS = (1, 2, 3, 4, 5)
_LINE_COUNT_WEIGHTS = (0.775, 0.14, 0.06, 0.02, 0.005)
_SOURCE_WEIGHTS = (0.45, 0.30, 0.25)
_SAME_SOURCE_AGAIN = 0.25
_OLDEST_DAYS = 365 * 12
_AGE_OF_CONTRACT = 18
_GROWTH = 1.6  # above 1, the company grows: more people came lately than long ago


@dataclass(frozen=True, slots=True)
class Registration:
    """A person known to one source, first seen and last updated at two moments."""

    person: Person
    source: str
    created_at: datetime
    updated_at: datetime


def register(
    rng: Random, neighbourhood: Neighbourhood, *, rows: int, now: datetime
) -> dict[str, list[Registration]]:
    """Register people until there are `rows` lines; give them by source, the oldest first."""
    people = chain.from_iterable(neighbourhood.households())
    everyone = chain.from_iterable(_registrations(rng, person, now) for person in people)
    by_source: dict[str, list[Registration]] = {source: [] for source in SOURCES}
    for registration in islice(everyone, rows):
        by_source[registration.source].append(registration)
    for registrations in by_source.values():
        # Systems number their customers by arrival; it also parts the duplicates in the file.
        registrations.sort(key=lambda registration: registration.created_at)
    return by_source


def _registrations(rng: Random, person: Person, now: datetime) -> Iterator[Registration]:
    line_count = rng.choices(_LINE_COUNTS, _LINE_COUNT_WEIGHTS)[0]
    for source in _choose_sources(rng, person, line_count):
        oldest = min(_OLDEST_DAYS, _days_of_age(person))
        days = 2 + int((oldest - 2) * rng.random() ** _GROWTH)
        created_at = now - timedelta(days=days, seconds=rng.randrange(86_400))
        age = now - created_at
        updated_at = created_at + age * rng.random() if rng.random() < 0.7 else created_at
        yield Registration(person, source, created_at, updated_at.replace(microsecond=0))


def _days_of_age(person: Person) -> int:
    return (DRAWN_ON - person.born_on).days - _AGE_OF_CONTRACT * 365


def _choose_sources(rng: Random, person: Person, line_count: int) -> list[str]:
    chosen: list[str] = []
    while len(chosen) < line_count:
        source = rng.choices(SOURCES, _SOURCE_WEIGHTS)[0]
        if source == "newsletter" and not person.email.latest:
            continue
        if source not in chosen or rng.random() < _SAME_SOURCE_AGAIN:
            chosen.append(source)
    return chosen
