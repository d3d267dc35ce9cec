"""Files unlike our own: what is missing, constant or repeated in them breaks nothing."""

import random
import zlib
from collections.abc import Iterator, Mapping
from itertools import islice

import numpy as np
import pytest

from benchmarks.elsewhere.sets import SETS
from matching.linkage import engine
from matching.linkage.columns import Columns
from matching.linkage.judging import true_pairs
from tests.matching.companies import companies
from tests.matching.people import FAMILY, GIVEN, households

Labelled = tuple[str, str, Mapping[str, str | None]]
"""Source, entity and values of a record."""

CYRILLIC = tuple(chr(number) for number in range(0x430, 0x450))
GREEK = tuple("αβγδεζηθικλμνξοπρστυφχψω")
ARABIC = tuple("ابتثجحخدذرزسشصضطظعغفقكلمنهوي")
HAN = tuple(chr(number) for number in range(0x4E00, 0x4F00))


def word(chance: random.Random, letters: tuple[str, ...], length: int) -> str:
    """Return a word of some letters."""
    return "".join(chance.choice(letters) for _ in range(length))


def people(letters: tuple[str, ...] = (), copies: int = 1, share: float = 0.3) -> list[Labelled]:
    """Return 600 people in source a, a share of them again in b with a slip and a gap."""
    chance = random.Random(2)
    given = [word(chance, letters, 3) for _ in range(60)] if letters else GIVEN
    family = [word(chance, letters, 5) for _ in range(200)] if letters else FAMILY
    rows: list[Labelled] = []
    for person in range(600):
        values = {
            "given_name": chance.choice(given),
            "family_name": chance.choice(family),
            "birth_date": f"{chance.randint(1940, 2005)}-{chance.randint(1, 12):02}-11",
            "email": f"u{chance.randrange(10**9)}@example.com",
            "phone": f"+331{chance.randrange(10**8):08}",
            "postcode": f"{chance.randrange(10_000, 99_000)}",
        }
        rows.append(("a", str(person), values))
        for _ in range(copies if chance.random() < share else 0):
            slip, gap = chance.sample(sorted(values), 2)
            damaged = {**values, gap: None, slip: values[slip][:2] + values[slip][3:]}
            rows.append(("b", str(person), damaged))
    return rows


def census() -> Iterator[Labelled]:
    """Yield two counts ten years apart: families, no birth date, phone or e-mail."""
    chance = random.Random(1)
    for home in range(500):
        family = chance.choice(FAMILY) + chance.choice(["", "son", "ley", "ton", "well", "ford"])
        there = {"street": f"{word(chance, tuple('abcdeilmnorst'), 6)} street", "city": "Ashby"}
        for member, given in enumerate(chance.sample(GIVEN, chance.randint(1, 4))):
            values = {
                **there,
                "given_name": given,
                "family_name": family,
                "street_number": str(home % 70),
                "occupation": chance.choice(["farmer", "weaver", "servant", "miner"]),
                "birth_place": word(chance, tuple("abcdeilmnorst"), 7),
            }
            yield "1881", f"{home}-{member}", values
            if chance.random() < 0.6:
                slip = chance.choice(["given_name", "family_name", "occupation", "street"])
                yield "1891", f"{home}-{member}", {**values, slip: values[slip][1:]}


def judged(rows: list[Labelled], *, link_only: bool = False) -> tuple[engine.Result, float, float]:
    """Return what a search finds, and precision and recall of what is likely."""
    rows = random.Random(5).sample(rows, len(rows))
    columns = Columns.from_rows((number, row) for number, (_, _, row) in enumerate(rows, 1))
    sources = np.array([1 + (source in ("b", "1891")) for source, _, _ in rows], np.int32)
    entity = np.unique([name for _, name, _ in rows], return_inverse=True)[1]
    found = engine.link(
        Columns(columns.ids, columns.values, sources),
        engine.Settings(clean_sources=None if link_only else frozenset()),
    )
    likely = found.pairs.score >= 0
    right = (entity[found.pairs.left - 1] == entity[found.pairs.right - 1])[likely]
    hits, total = float(right.sum()), true_pairs(entity)
    return found, hits / max(1, len(right)), hits / max(1, total)


@pytest.mark.parametrize("letters", [CYRILLIC, GREEK, ARABIC, HAN], ids=str)
def test_names_in_any_script(letters):
    _, precision, recall = judged(people(letters))

    assert precision > 0.99
    assert recall > 0.98


@pytest.mark.parametrize("link_only", [False, True])
def test_a_census_without_birth_dates_phones_or_mailboxes(link_only):
    _, precision, recall = judged(list(census()), link_only=link_only)

    assert precision > 0.97
    assert recall > 0.93


def test_a_census_with_ages_hardly_needs_a_steward():
    chance, rows = random.Random(3), []
    for source, name, values in census():
        born = 1830 + zlib.crc32(name.encode()) % 50
        year = born + (chance.choice([-1, 0, 0, 0, 1]) if source == "1891" else 0)
        rows.append((source, name, {**values, "birth_date": str(year), "birth_place": None}))

    found, precision, recall = judged(rows)

    assert precision > 0.99
    assert recall > 0.95
    assert found.pairs.automatic.sum() > 0.9 * true_pairs(
        np.unique([name for _, name, _ in rows], return_inverse=True)[1]
    )


def test_two_clean_sources_are_linked_and_not_searched_within():
    found, precision, recall = judged(people(share=0.6), link_only=True)

    assert precision > 0.99
    assert recall > 0.98
    assert found.counts["candidate_pairs"] < 3 * found.counts["records"]


def test_organisations_by_name_and_place_without_their_numbers():
    rows = [
        (source, entity, {k: v for k, v in row.items() if k != "identifier"})
        for source, entity, row in companies(400)
        if not row.get("family_name")
    ]

    _, precision, recall = judged(rows)

    assert precision > 0.95
    assert recall > 0.95


@pytest.mark.parametrize("copies", [2, 5])
def test_a_file_of_nothing_but_exact_copies(copies):
    found, precision, recall = judged([row for row in people(share=0) for _ in range(copies)])

    assert precision > 0.99
    assert recall > 0.99
    assert found.pairs.automatic.mean() > 0.99


@pytest.mark.parametrize(
    ("people_count", "copies", "share"), [(200, 9, 1.0), (600, 1, 0.008), (60, 1, 0.4)]
)
def test_ten_records_of_each_person_hardly_a_duplicate_or_a_tiny_file(people_count, copies, share):
    rows = [row for row in people(copies=copies, share=share) if int(row[1]) < people_count]

    found, precision, recall = judged(rows)

    assert precision > 0.98
    assert recall > 0.99
    assert found.pairs.automatic.sum() > 0.9 * true_pairs(
        np.unique([name for _, name, _ in rows], return_inverse=True)[1]
    )


def test_families_without_any_duplicate_are_hardly_ever_linked():
    alone = {person: ("a", str(person), row) for _, person, row in households(500)}

    found, _, _ = judged(list(alone.values()))

    assert found.pairs.automatic.sum() < 0.005 * len(alone)


def test_columns_that_are_empty_or_always_the_same_do_no_harm():
    constant = {"city": "Paris", "phone": "+33100000000", "street": None, "birth_date": None}
    rows = [(source, name, {**row, **constant}) for source, name, row in people()]

    found, precision, recall = judged(rows)

    assert precision > 0.93
    assert recall > 0.99
    assert found.counts["candidate_pairs"] < 7.5 * found.counts["records"]


@pytest.mark.parametrize("column", ["given_name", "family_name", "birth_date"])
def test_a_file_of_one_column_that_many_people_share_links_nobody(column):
    rows = [(source, name, {column: row[column]}) for source, name, row in people()]

    found, _, _ = judged(rows)

    assert not found.pairs.automatic.any()


def test_records_that_are_mailboxes_alone_link_by_their_mailbox():
    rows = [row for row in people(share=0.6) if row[0] == "a"]
    rows += [("b", name, {"email": row["email"]}) for _, name, row in rows[:300]]
    rows += [("b", name, {"email": row["email"]}) for _, name, row in rows[:200]]

    found, precision, recall = judged(rows)

    assert precision > 0.99
    assert recall > 0.98
    assert found.pairs.automatic.sum() >= 200


def test_a_file_of_phone_numbers_alone_finds_its_pairs():
    rows = [("a", str(n % 400), {"phone": f"+3319900{n % 400:04}"}) for n in range(600)]

    _, precision, recall = judged(rows)

    assert precision == 1
    assert recall == 1


ATTRIBUTE_OF = {
    "prénom": "given_name", "nom": "family_name", "code postal": "postcode", "ville": "city",
    "téléphone": "phone", "raison sociale": "organisation", "siren": "identifier",
    "site web": "website", "adresse": "street", "first name": "given_name",
    "surname": "family_name", "address": "street", "town": "city", "postcode": "postcode",
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "precision_floor", "recall_floor"),
    [("tills", 0.95, 0.88), ("letters", 0.92, 0.82), ("firms", 0.99, 0.65)],
)
def test_sets_of_the_benchmarks(name, precision_floor, recall_floor):
    """Cards with a phone for a family, addresses without contacts, firms without numbers."""
    lines = islice(SETS[name].lines(random.Random(name)), 3_000)
    rows = [
        (line.source, line.entity, {ATTRIBUTE_OF[k]: v or None for k, v in line.cells.items()})
        for line in lines
    ]

    _, precision, recall = judged(rows)

    assert precision > precision_floor
    assert recall > recall_floor
