"""Samples of brokers' proofs, as pure rules: what is drawn, what is enough, what a word grants."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.quarantine import Tally, drawn
from consent.states import fold_all
from tests.consent.strategies import ledgers


@given(st.lists(st.uuids(), unique=True, max_size=150), st.uuids())
def test_a_draw_depends_on_the_seed_and_the_claims_alone(uuids: list[UUID], seed: UUID):
    sample = drawn(seed.hex, uuids, size=60)

    assert sample == drawn(seed.hex, reversed(uuids), size=60)
    assert len(sample) == min(60, len(uuids))
    # A claim more pushes out one at most: nobody hides claims among others.
    assert len(set(sample) - set(drawn(seed.hex, [*uuids, uuid4()], size=60))) <= 1


@given(ledgers)
def test_a_brokers_word_alone_grants_nothing(events):
    bought = [event._replace(actor="broker") for event in events]

    states = {state.state for state in fold_all(bought).values()}

    assert not states & {"given", "confirmed"}


@pytest.mark.parametrize(
    ("counted", "proved", "lacking", "is_enough"),
    [
        (60, 57, 3, True),
        (60, 56, 4, False),
        (3, 2, 1, False),
        (60, 57, 2, False),
        (0, 0, 0, False),
    ],
)
def test_how_many_proofs_are_enough(counted, proved, lacking, is_enough):
    assert Tally(counted, proved, lacking, 95).is_enough is is_enough
