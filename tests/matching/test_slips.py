"""Mailboxes one slip of the hand apart: of one person, or of two whose names differ so."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from matching.levels import Email
from matching.linkage import engine
from matching.linkage.mailboxes import are_slips_inside
from matching.scoring import ScoreModel
from tests.matching.people import columns_of, households


def test_a_slip_without_names_weighs_as_one_persons_against_that_of_any_two():
    rows = [(record, values) for record, _person, values in households(200)]

    found = engine.link(columns_of(rows))

    model = ScoreModel.from_state(found.model)
    for position, row in enumerate(model.probabilities["email"]):
        of_two = row[Email.SLIP_OF_NAMES] if position >= model.match_count else 0.0
        assert abs(row[Email.SLIP_UNNAMED] - row[Email.ONE_SLIP] - of_two) < 1e-7
    nameless = model.score({"email": Email.SLIP_UNNAMED})
    assert nameless <= model.score({"email": Email.ONE_SLIP})


words = st.lists(st.text("abcdeilmnorst", min_size=2, max_size=8), min_size=1, max_size=3)


@given(words, st.integers(0, 2), st.integers(1, 7))
def test_a_letter_lost_inside_a_word_is_a_slip(parts, which, place):
    word = parts[which := which % len(parts)]
    place = min(place, len(word) - 1)
    slipped = [*parts[:which], word[:place] + word[place + 1 :], *parts[which + 1 :]]

    assert are_slips_inside([".".join(parts)], [".".join(slipped)]).all()


@given(words, st.sampled_from("uvwxyz"))
def test_another_initial_or_another_separator_is_none(parts, initial):
    others = ["-".join(parts), ".".join([initial + parts[0][1:], *parts[1:]])]

    assert not are_slips_inside([".".join(parts)] * 2, others).any()


@settings(deadline=None, max_examples=5)
@given(st.integers(0, 100))
def test_a_mailbox_mistyped_on_a_record_without_a_name_is_found(seed):
    chance = random.Random(seed)
    rows = [
        (record, values) for record, _person, values in households(150, seed) if values["email"]
    ]
    whose, mailbox = chance.choice([(n, row["email"]) for n, row in rows if "." in row["email"]])
    added = max(record for record, _values in rows) + 1
    place = mailbox.index(".") - 1
    slipped = mailbox[:place] + mailbox[place] + mailbox[place:]

    found = engine.link(columns_of([*rows, (added, {"email": slipped})]))

    pairs = set(zip(found.pairs.left.tolist(), found.pairs.right.tolist(), strict=True))
    assert (whose, added) in pairs
