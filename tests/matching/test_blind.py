"""Blind pairs: shown without the score, drawn by nobody, and counted on the page of agreement."""

import pytest
from django.urls import reverse
from django.utils.html import strip_tags

from matching import review
from matching.agreement import agreement, interval
from matching.blind import is_blind, weak_or_drawn
from matching.former import evidence_now
from matching.models import Decision, ReviewTask
from mdm.birth_ids import public_id
from tests.matching.factories import (
    anne,
    customers_of,
    make_evidence,
    make_steward,
    open_task,
    run_match,
    settled,
)
from tests.matching.test_review_page import form_of
from tests.mdm.factories import make_records
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def all_blind(settings):
    settings.BLIND_REVIEW_ONE_IN = settings.AUDIT_LINKS_ONE_IN = 1


def test_a_blind_pair_shows_the_values_and_neither_score_nor_reasons(settings):
    make_records([anne(), anne("shop", given_name="Claire", email="")])
    run_match()
    client = client_of("steward")
    seeing = client.get("/review/").text
    settings.BLIND_REVIEW_ONE_IN = 1

    blind = client.get("/review/").text

    assert "rv-evidence" in seeing
    assert "If same" in seeing
    assert "Why you are asked" in seeing
    assert "shown without score" in blind
    assert "Lefebvre" in blind
    for given_away in ("rv-evidence", "If same", "Why you are asked", "rv-bits", "likely"):
        assert given_away not in blind


def test_a_blind_answer_is_kept_as_such_and_carried_out_as_any_other(all_blind):
    records = make_records([anne(), anne("shop", given_name="Claire", email="")])
    run_match()
    client = client_of("steward")
    url, carried = form_of(client.get("/review/").text)

    client.post(url, {**carried, "verdict": "same", "seconds": "4.2", "note": "her card"})

    decision = Decision.objects.get()
    assert (decision.is_blind, decision.score_shown) == (True, None)
    assert (decision.seconds, decision.note) == (4.2, "her card")
    assert len(set(customers_of(*records))) == 1
    page = client.get(reverse("mdm:customer", args=[public_id(records[0].pk)])).text
    assert "answered blind in 4 s · her card" in page


def test_a_sighted_answer_keeps_the_score_that_was_shown():
    task = open_task(*make_records([anne(), anne("shop")]), score=2.5)

    review.answer(task.pk, Decision.Verdict.SAME, by=make_steward())

    assert Decision.objects.values_list("is_blind", "score_shown").get() == (False, 2.5)


@pytest.mark.parametrize("kind", ["conflict", "recheck"])
def test_what_is_asked_for_a_reason_is_never_blind(all_blind, kind):
    assert not is_blind(ReviewTask(left_id=1, right_id=2, kind=kind, score=1.0))


def test_about_one_in_so_many_is_drawn_wherever_the_records_stand(settings):
    settings.BLIND_REVIEW_ONE_IN = 20
    for distance in (1, 2, 20, 1_000):
        drawn = sum(
            is_blind(ReviewTask(left_id=left, right_id=left + distance, kind="pair", score=1.0))
            for left in range(1, 4_001)
        )
        assert 140 < drawn < 260


def test_a_drawn_link_comes_to_the_queue_until_somebody_judges_it(all_blind):
    one, other = make_records([anne(), anne("shop")])
    make_evidence(one, other, 9.0)
    settled(one)
    task = ReviewTask.objects.get()
    assert (task.kind, task.state) == ("audit", "open")
    client = client_of("steward")
    url, carried = form_of(client.get("/review/").text)

    client.post(url, {**carried, "verdict": "same"})

    task.refresh_from_db()
    assert task.state == "decided"
    assert settled(one, other) == [one.pk, one.pk]
    assert not ReviewTask.objects.filter(state="open").exists()


def test_a_drawn_link_that_is_wrong_is_taken_apart(all_blind):
    one, other = make_records([anne(), anne("shop")])
    make_evidence(one, other, 9.0)
    settled(one)

    review.answer(ReviewTask.objects.get().pk, Decision.Verdict.DIFFERENT, by=make_steward())

    assert customers_of(one, other) == [one.pk, other.pk]
    assert not ReviewTask.objects.filter(state="open").exists()


def test_a_drawn_link_looks_like_any_blind_pair(all_blind):
    one, other = make_records([anne(), anne("shop")])
    make_evidence(one, other, 9.0)
    settled(one)

    page = strip_tags(client_of("steward").get("/review/").text)

    assert "Blind" in page
    for given_away in ("automatic", "checked", one.birth_id, "2 records"):
        assert given_away not in page


def test_the_draw_in_the_database_is_the_draw_in_the_program(settings):
    settings.BLIND_REVIEW_ONE_IN = settings.AUDIT_LINKS_ONE_IN = 3
    records = make_records([anne(key=f"K{n}") for n in range(8)])
    pairs = [(one, other) for one in records for other in records if one.pk < other.pk]
    for one, other in pairs:
        make_evidence(one, other)

    [evidence] = weak_or_drawn(evidence_now())
    drawn = set(evidence.values_list("left", "right"))

    assert drawn == {
        (one.pk, other.pk)
        for one, other in pairs
        if is_blind(ReviewTask(left=one, right=other, kind="pair", score=1.0))
    }


def test_the_page_counts_blind_answers_beside_the_score_and_apart_from_the_others(all_blind):
    records = make_records([anne(key=f"K{n}") for n in range(6)])
    steward = make_steward()
    for place, (score, verdict, blind) in enumerate(
        [(9.0, "same", True), (2.0, "different", True), (-1.0, "different", False)]
    ):
        one, other = records[2 * place : 2 * place + 2]
        make_evidence(one, other, score, automatic=score > 4)
        values = {"verdict": verdict, "is_blind": blind, "decided_by": steward, "seconds": 5}
        Decision.objects.create(left=one, right=other, **values)

    found = agreement()
    page = client_of("steward").get(reverse("matching:agreement"))

    assert [
        (b.blind.count, b.blind.agreeing, b.seeing.count, b.seeing.agreeing) for b in found.bands
    ] == [
        (1, 1, 0, 0),
        (1, 0, 0, 0),
        (0, 0, 1, 1),
    ]
    assert found.right_links.share == 1.0
    assert found.blind.share == 0.5
    assert page.status_code == 200
    assert "Linked without a person" in page.text
    assert "5 s" in page.text


def test_without_answers_the_page_says_so_and_others_may_not_open_it():
    assert "No drawn link was judged yet." in client_of("steward").get("/matching/agreement/").text
    assert client_of("marketer").get("/matching/agreement/").status_code == 403


@pytest.mark.parametrize(
    ("agreeing", "count", "low", "high"),
    # Wilson's score interval at 95 %, as published tables give it.
    [(10, 10, 0.7225, 1.0), (0, 10, 0.0, 0.2775), (81, 263, 0.2553, 0.3662)],
)
def test_the_interval_is_wilsons(agreeing, count, low, high):
    found = interval(agreeing, count)

    assert found.low == pytest.approx(low, abs=5e-4)
    assert found.high == pytest.approx(high, abs=5e-4)
