"""Columns of invented people for the tests of linkage."""

import random
from collections.abc import Iterator, Mapping

from matching.linkage.columns import Columns

GIVEN = (
    "Marie Jean Pierre Anne Luc Paul Sophie Julie Nicolas Céline Hélène Rémi Chloé Inès Hugo Léa "
    "Manon Lucas Camille Yves Odile Denis Claire Éric Agnès Gilles Nadia Karim Lucie Arthur"
).split()
FAMILY = (
    "Martin Bernard Dubois Thomas Robert Richard Petit Durand Leroy Moreau Simon Laurent Lefebvre "
    "Michel Garcia David Bertrand Roux Vincent Fournier Morel Girard André Mercier Dupont Lambert "
    "Bonnet François Martinez Legrand Garnier Faure Rousseau Blanc Guérin Muller Henry Roussel"
).split()
Person = dict[str, str | None]


def households(count: int, seed: int = 1) -> Iterator[tuple[int, int, Person]]:
    """Yield (record id, person, values): couples with a child, a quarter of the people twice."""
    chance = random.Random(seed)
    record = person = 0
    for home in range(count):
        family = chance.choice(FAMILY) + chance.choice(["", "", "on", "et", "eau"])
        for age in (0, 1, 28)[: chance.randint(1, 3)]:
            person += 1
            values = _person(chance, home, family, age)
            for copy in range(1 + (chance.random() < 0.25)):
                record += 1
                yield record, person, _damaged(chance, values) if copy else values


def _person(chance: random.Random, home: int, family: str, age: int) -> Person:
    given = chance.choice(GIVEN)
    year = chance.randint(1940, 1990) + age
    return {
        "given_name": given,
        "family_name": family,
        "birth_date": f"{year}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}",
        "email": f"{given}.{family}{chance.randint(1, 9999)}@example.com".lower(),
        "phone": f"+33199{home:06}",
        "street_number": str(home % 90 + 1),
        "street": f"rue {FAMILY[home % len(FAMILY)]}",
        "postcode": f"{10000 + home % 300}",
        "city": f"Ville {chr(65 + home % 26)}",
    }


def _damaged(chance: random.Random, values: Person) -> Person:
    damaged = dict(values)
    for attribute in chance.sample(sorted(damaged), 3):
        value = damaged[attribute] or ""
        typo = value[:8] + "15" if attribute == "birth_date" else value[:2] + value[3:]
        damaged[attribute] = None if chance.random() < 0.6 else typo
    return damaged


def columns_of(rows: list[tuple[int, Mapping[str, str | None]]]) -> Columns:
    """Return columns in the given order."""
    return Columns.from_rows(rows)
