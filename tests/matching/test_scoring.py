"""A score can be taken apart, and the parts add up."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.levels import LEVELS
from matching.scoring import ScoreModel, probability

FIELDS = ("given_name", "family_name", "email", "birth_date")


@st.composite
def models(draw: st.DrawFn) -> ScoreModel:
    """Any model of two match classes and three others."""
    share = st.floats(1e-7, 1.0)
    probabilities = {
        field: tuple(
            (
                1.0,
                *draw(
                    st.lists(
                        share, min_size=len(LEVELS[field]) - 1, max_size=len(LEVELS[field]) - 1
                    )
                ),
            )
            for _ in range(5)
        )
        for field in FIELDS
    }
    # It tells the guards something, and weighs nothing: every class has it alike.
    probabilities["kinship"] = ((1.0,) * len(LEVELS["kinship"]),) * 5
    shares = tuple(draw(st.lists(st.floats(1e-6, 1.0), min_size=5, max_size=5)))
    return ScoreModel((*FIELDS, "kinship"), tuple("abcde"), 2, shares, probabilities)


level_sets = st.fixed_dictionaries({f: st.integers(0, len(LEVELS[f]) - 1) for f in FIELDS})


@given(models(), level_sets)
def test_contributions_add_up_to_the_score(model, levels):
    explanation = model.explain(levels)

    total = explanation.prior + sum(explanation.contributions.values())
    assert total == pytest.approx(model.score(levels), abs=1e-6)
    assert explanation.score == pytest.approx(model.score(levels), abs=1e-9)


@given(models(), level_sets, st.sampled_from(FIELDS))
def test_a_missing_value_is_no_evidence(model, levels, field):
    unknown = {**levels, field: 0}
    without = {name: level for name, level in levels.items() if name != field}

    assert model.score(unknown) == model.score(without)
    assert model.explain(unknown).contributions[field] == 0.0


@given(models(), level_sets)
def test_a_pattern_holds_the_level_of_every_field(model, levels):
    pattern, weight = 0, 1
    for field in FIELDS:
        pattern += levels[field] * weight
        weight *= len(LEVELS[field])

    assert model.levels(pattern) == {**levels, "kinship": 0}


@given(models(), level_sets)
def test_a_stored_model_scores_as_before(model, levels):
    stored = json.loads(json.dumps(model.to_state()))

    assert ScoreModel.from_state(stored).score(levels) == model.score(levels)


@pytest.mark.parametrize(
    ("score", "expected"), [(0, 0.5), (3, 8 / 9), (-3, 1 / 9), (9999, 1), (-9999, 0)]
)
def test_a_score_is_a_probability_in_bits(score, expected):
    assert probability(score) == pytest.approx(expected)
