"""Whether two records are of one source: it may speak against one person, and never for."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.levels import LEVELS, Source
from matching.linkage import engine
from matching.linkage.columns import Columns
from matching.linkage.training import MOST_AGAINST, split_patterns, without
from matching.scoring import ScoreModel
from tests.matching.people import columns_of, households


def found_in(sources, *, link_only=False, automatic_threshold=3.0):
    """Return what a search finds among families whose records are of these sources."""
    rows = [(record, values) for record, _person, values in households(150)]
    columns = columns_of(rows)
    chosen = engine.Settings(
        clean_sources=None if link_only else frozenset(), automatic_threshold=automatic_threshold
    )
    codes = np.array([sources(record) for record, _values in rows], np.int32)
    return engine.link(Columns(columns.ids, columns.values, codes), chosen)


def bits(model, level):
    """Return what a level of the source weighs by itself, for one person against chance."""
    rows = model.probabilities["source"]
    return np.log2(rows[0][level] / rows[-1][level])


@settings(deadline=None, max_examples=8)
@given(st.integers(0, 1000), st.floats(0.1, 0.9))
def test_one_source_never_speaks_for_one_person_and_by_one_bit_at_most_against(seed, share):
    chance = random.Random(seed)

    found = found_in(lambda _record: 1 + (chance.random() < share))

    model = ScoreModel.from_state(found.model)
    assert -np.log2(MOST_AGAINST) - 1e-6 <= bits(model, Source.SAME) <= 1e-6
    assert bits(model, Source.DIFFERS) >= -1e-6
    for pattern in found.pairs.pattern[:20].tolist():
        levels = model.levels(pattern)
        same, unknown, other = (
            model.score({**levels, "source": level})
            for level in (Source.SAME, Source.UNKNOWN, Source.DIFFERS)
        )
        assert same <= unknown + 1e-6
        assert other >= unknown - 1e-6


def test_sources_in_which_people_live_together_say_nothing():
    homes = {
        record: int(values["postcode"]) % 5 for record, _person, values in households(150)
        if values["postcode"] and values["postcode"].isdigit()
    }  # fmt: skip

    found = found_in(lambda record: 1 + homes.get(record, 0))

    model = ScoreModel.from_state(found.model)
    assert bits(model, Source.SAME) == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize(
    ("sources", "link_only"),
    [
        (lambda _record: 1, False),
        (lambda _record: 0, False),
        (lambda record: 1 + record % 2, True),
    ],
    ids=["one source", "unknown", "pairs of two sources only"],
)
def test_sources_that_tell_nothing_are_not_compared(sources, link_only):
    assert "source" not in found_in(sources, link_only=link_only).model["fields"]


def test_that_two_sources_are_two_links_nobody():
    people = {record: person for record, person, _values in households(150)}

    def source(record: int) -> int:
        """Give the second record of a person to another source."""
        return 1 + (people.get(record - 1) == people[record])

    found = found_in(source)
    model = ScoreModel.from_state(found.model)
    rows = np.flatnonzero(found.pairs.automatic)
    scores = found.pairs.score[rows]
    without_source = np.array(
        [
            model.score({**model.levels(pattern), "source": Source.UNKNOWN})
            for pattern in found.pairs.pattern[rows].tolist()
        ]
    )
    helped = int(np.argmax(scores - without_source))
    assert scores[helped] > without_source[helped] + 0.1

    between = float(scores[helped] + without_source[helped]) / 2
    stricter = found_in(source, automatic_threshold=between)

    pair = found.pairs.left[rows][helped], found.pairs.right[rows][helped]
    links = stricter.pairs.automatic
    sides = (side[links].tolist() for side in (stricter.pairs.left, stricter.pairs.right))
    linked = set(zip(*sides, strict=True))
    assert linked
    assert tuple(map(int, pair)) not in linked


@given(st.lists(st.sampled_from(sorted(LEVELS)), min_size=1, unique=True), st.data())
def test_a_field_is_taken_out_of_a_pattern(fields, data):
    field = data.draw(st.sampled_from(fields))
    pattern, place = 0, 1
    for name in fields:
        level = data.draw(st.integers(0, len(LEVELS[name]) - 1))
        pattern, place = pattern + level * place, place * len(LEVELS[name])

    after = split_patterns(without(field, np.array([pattern]), fields), fields)

    before = split_patterns(np.array([pattern]), fields)
    assert after == {**before, field: np.array([0])}
