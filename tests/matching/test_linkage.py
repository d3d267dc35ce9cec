"""Candidate pairs and their scores: nothing lost, nothing invented, the same in any order."""

import random
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.automatic import held_back
from matching.clustering import Evidence, Guards, clusters
from matching.linkage import engine
from matching.linkage.columns import Columns
from matching.linkage.comparison import compare
from matching.linkage.encoding import encode
from matching.linkage.grouping import group
from matching.rulings import Ruling
from matching.scoring import ScoreModel
from tests.matching.people import households

ALL = engine.Settings(review_floor=-60.0)
ANYTHING = ("anna@one.test 111111", "bert@two.test 222222", "carla@one.test 333333")
"""Values of which folding leaves something, as a name, an e-mail or a phone."""


@pytest.fixture(scope="module")
def people() -> list[tuple[int, int, dict[str, str | None]]]:
    return list(households(400))


@pytest.fixture(scope="module")
def result(people) -> engine.Result:
    return engine.link(Columns.from_rows([(key, values) for key, _, values in people]), ALL)


def test_the_order_of_the_rows_changes_nothing(people, result):
    shuffled = [(key, values) for key, _, values in people]
    random.Random(7).shuffle(shuffled)

    again = engine.link(Columns.from_rows(shuffled), ALL)

    for column in ("left", "right", "pattern", "score", "automatic"):
        assert (getattr(again.pairs, column) == getattr(result.pairs, column)).all()
    assert again.model == result.model


def test_the_stored_score_is_the_score_of_the_stored_pattern(result):
    model = ScoreModel.from_state(result.model)

    for pattern, score in zip(result.pairs.pattern[:300], result.pairs.score[:300], strict=True):
        assert model.score(model.levels(int(pattern))) == score


def test_training_moves_the_parameters(result):
    given = result.model["probabilities"]["given_name"]
    same = result.model["classes"].index("same person")
    household = result.model["classes"].index("household")

    assert sum(given[same][1:4]) > 0.5 > sum(given[household][1:4])


def test_automatic_links_are_right_among_families(people, result):
    person = {key: who for key, who, _ in people}
    pairs = result.pairs
    right = [
        person[left] == person[other]
        for left, other in zip(
            pairs.left[pairs.automatic].tolist(),
            pairs.right[pairs.automatic].tolist(),
            strict=True,
        )
    ]

    assert sum(right) / len(right) > 0.99
    assert result.expected["precision"] == pytest.approx(sum(right) / len(right), abs=0.02)


def test_a_trained_model_scores_changed_records_alike(people, result):
    columns = Columns.from_rows([(key, values) for key, _, values in people])
    changed = [people[3][0], people[40][0]]

    part = engine.link(columns, ALL, model=result.model, changed=changed)

    whole = {
        (left, right): score
        for left, right, score in zip(
            result.pairs.left.tolist(),
            result.pairs.right.tolist(),
            result.pairs.score.tolist(),
            strict=True,
        )
        if left in changed or right in changed
    }
    found = dict(
        zip(
            zip(part.pairs.left.tolist(), part.pairs.right.tolist(), strict=True),
            part.pairs.score.tolist(),
            strict=True,
        )
    )
    assert found == whole


@pytest.mark.parametrize("rows", [[], [(1, {"given_name": "Luc"})], [(1, {}), (2, {})]])
def test_nothing_to_compare_is_said(rows):
    with pytest.raises(engine.NothingToCompare):
        engine.link(Columns.from_rows(rows))


def test_records_without_a_common_key_make_no_pairs():
    rows = [(1, {"given_name": "Luc"}), (2, {"given_name": "Odile"})]

    assert len(engine.link(Columns.from_rows(rows)).pairs) == 0


ANNE = {
    "given_name": "Anne",
    "family_name": "Lefebvre",
    "birth_date": "1984-11-03",
    "email": "famille.lefebvre@example.com",
    "phone": "+33199001122",
    "street_number": "12",
    "street": "rue du Pré",
    "postcode": "44000",
    "city": "Nantes",
    "sex": "f",
}
NOTHING_ELSE = dict.fromkeys(ANNE.keys() - {"given_name", "family_name"})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"street": "avenue Foch", "phone": None}, None),
        ({"given_name": "Paul", "birth_date": "1982-01-20", "sex": "m"}, "birth_date_conflict"),
        ({"given_name": "Paul", "birth_date": None, "sex": "m"}, "sex_conflict"),
        ({"given_name": "Claire"}, "given_name_conflict"),
        ({"birth_date": "1955-02-11"}, "birth_date_conflict"),
        ({"birth_date": "1955"}, "birth_date_conflict"),
        ({"birth_date": "1983"}, None),
        ({"birth_date": "1983", "given_name": "Claire"}, "given_name_conflict"),
        ({"given_name": None, "birth_date": None}, "given_name_unconfirmed"),
        ({"given_name": None, "family_name": None, "birth_date": None}, "given_name_unconfirmed"),
        ({"given_name": "Lefebvre", "family_name": "Anne"}, None),
        (
            {"given_name": "Lefebvre", "family_name": "Anne", **NOTHING_ELSE},
            "given_name_alone",
        ),
        (NOTHING_ELSE, "names_alone"),
        ({**NOTHING_ELSE, "sex": "f"}, "names_alone"),
        ({**NOTHING_ELSE, "city": "Nantes"}, None),
        ({**NOTHING_ELSE, "birth_date": "1984"}, None),
    ],
    ids=[
        "moved",
        "couple",
        "couple without birth date",
        "twins",
        "mother and daughter of one name",
        "mother and daughter, year alone",
        "age given roughly",
        "sisters, year alone",
        "no given name",
        "e-mail only",
        "names swapped",
        "names swapped and nothing else",
        "a full name and nothing else",
        "a full name and its sex",
        "a full name and a town",
        "a full name and a year",
    ],
)
def test_household_evidence_never_links_by_itself(change, reason):
    encoded = encode(Columns.from_rows([(1, ANNE), (2, {**ANNE, **change}), (3, ANNE)]))

    found = compare(encoded, np.array([0], np.int32), np.array([1], np.int32))

    assert held_back({field: int(level[0]) for field, level in found.items()}) == reason


def test_scoring_needs_none_of_the_heavy_libraries():
    """The web process scores one record against its candidates with the very same code."""
    code = (
        "import sys; from matching.linkage import engine; "
        "print(sorted({'pandas', 'recordlinkage', 'scipy', 'sklearn', 'django'} & {*sys.modules}))"
    )

    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600
    )

    assert found.stdout.strip() == "[]"


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.2, 0.3, 0.5, 0.6, 1.0]))
def test_clusters_of_a_whole_file_are_those_of_the_rules(seed, support):
    chance = random.Random(seed)
    # Six records are often linked each with each, or all but for a few pairs.
    size, draws, least, most = chance.choice(
        [(30, 25, -3, 5), (6, 70, 0.01, 0), (6, 25, 0.01, 0), (5, 12, -1, 3)]
    )
    drawn = {tuple(sorted(chance.sample(range(size), 2))) for _ in range(draws)}
    rows = [
        Evidence(*pair, score := chance.uniform(least, 9), score >= chance.uniform(0, most))
        for pair in sorted(drawn)
    ]
    rulings = [Ruling(0, 1, is_same=True)] if chance.random() < 0.5 else []
    guards = Guards(unique_source={2: "crm", 3: "crm"} if size == 30 else {}, max_size=size - 1)
    guards = replace(chance.choice([guards, Guards()]), least_support=support)
    columns = (np.array(column) for column in zip(*rows, strict=True))

    found = group(size, *columns, guards=guards, rulings=rulings)

    expected = clusters(range(size), rows, rulings, guards)
    assert dict(enumerate(found.oldest.tolist())) == dict(expected.names)
    assert set(found.refusals) == set(expected.refusals)
