"""A pair judged blind comes to another steward, and the page tells how far two agree."""

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from matching import review
from matching.concordance import cohens_kappa, concordance, meaning
from matching.decisions import decide
from matching.models import Decision, ReviewTask
from tests.matching.factories import anne, customers_of, make_steward, run_match
from tests.matching.test_review_page import form_of
from tests.mdm.factories import make_records
from tests.mdm.pages import client_of

Verdict = Decision.Verdict


@pytest.fixture
def pair(settings, db):
    """Two records in doubt, to be judged blind, and by two stewards."""
    settings.BLIND_REVIEW_ONE_IN = settings.SECOND_OPINION_ONE_IN = 1
    records = make_records([anne(), anne("shop", given_name="Claire", email="")])
    run_match()
    return records


def answer_as(user: User, verdict: Verdict) -> Decision:
    return review.answer(ReviewTask.objects.get().pk, verdict, by=user)


def test_what_one_judged_blind_comes_blind_to_another_and_to_nobody_else(pair):
    first, second = client_of("steward"), client_of("steward")
    url, carried = form_of(first.get("/review/").text)
    first.post(url, {**carried, "verdict": "different"})
    assert ReviewTask.objects.values_list("kind", "state").get() == ("second", "open")
    assert "The last pairs are with colleagues" in first.get("/review/").text
    url, carried = form_of(second.get("/review/").text)
    assert "shown without score" in second.get("/review/").text

    second.post(url, {**carried, "verdict": "same"})

    assert ReviewTask.objects.get().state == "decided"
    assert len(set(customers_of(*pair))) == 1, "The later answer is in force."
    page = second.get(reverse("matching:agreement")).text
    assert "1 pair judged twice." in page
    assert "1 pair on which two stewards differ" in page
    assert page.count("are one person.") == page.count("are two people.") == 1


def test_a_steward_alone_reads_that_nobody_else_may_decide(pair):
    alone = client_of("steward")
    url, carried = form_of(alone.get("/review/").text)
    alone.post(url, {**carried, "verdict": "different"})

    assert "1 pair waits for somebody else" in alone.get("/review/").text
    assert "nobody else here may decide" in alone.get("/review/").text


def test_who_judged_first_cannot_give_the_second_opinion(pair):
    steward = make_steward()
    answer_as(steward, Verdict.SAME)

    with pytest.raises(review.TaskGone, match="second opinion"):
        answer_as(steward, Verdict.DIFFERENT)

    assert Decision.objects.count() == 1


def test_an_undone_second_opinion_leaves_the_first_and_is_asked_for_again(pair):
    one, other = make_steward("one"), make_steward("other")
    answer_as(one, Verdict.SAME)
    answer_as(other, Verdict.DIFFERENT)

    review.undo_last(other)

    assert ReviewTask.objects.get().kind == "second"
    assert Decision.objects.in_force().get().decided_by == one
    assert concordance().all.count == 0


def test_a_pair_decided_anew_leaves_the_list_and_stays_in_the_figures(pair):
    one, other = make_steward("one"), make_steward("other")
    answer_as(one, Verdict.SAME)
    answer_as(other, Verdict.DIFFERENT)
    assert concordance().differing_count == 1

    decide(pair[0].pk, pair[1].pk, Verdict.SAME, by=one)

    found = concordance()
    assert (found.differing_count, found.all.count) == (0, 1)
    assert found.by_two[0].who == "one · other"
    assert not ReviewTask.objects.filter(state="open").exists()


def test_where_nobody_wants_second_opinions_there_are_none(pair, settings):
    settings.SECOND_OPINION_ONE_IN = 0

    answer_as(make_steward(), Verdict.SAME)

    assert ReviewTask.objects.get().state == "decided"


def test_kappa_is_cohens():
    """The example of Cohen's measure in textbooks: 20, 5, 10 and 15 of fifty."""
    answers = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15

    assert cohens_kappa(answers) == pytest.approx(0.4)
    assert cohens_kappa([]) is None
    assert cohens_kappa([("y", "y")] * 9) is None


@given(st.lists(st.tuples(st.sampled_from("sd"), st.sampled_from("sd")), min_size=1))
def test_kappa_is_one_for_equal_answers_only_and_does_not_ask_who_was_first(answers):
    kappa = cohens_kappa(answers)

    assert kappa == cohens_kappa([(other, one) for one, other in answers])
    if kappa is not None:
        assert -1 <= kappa <= 1
        assert (kappa == 1) == all(one == other for one, other in answers)
        assert meaning(kappa)
