"""The review page by requests: answers, undo, refusals in words, leases, roles and its budget."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from matching import review
from matching.decisions import Verdict, decide
from matching.models import Decision, ReviewTask
from mdm.models import SourceRecord
from tests.factories import UserFactory
from tests.matching.factories import anne, customers_of, open_task, run_match
from tests.mdm.factories import make_records

pytestmark = pytest.mark.django_db

REVIEW = reverse("matching:review")
FETCH = {"X-Requested-With": "fetch"}
ENGLISH = {"accept-language": "en"}


def client_of(user):
    client = Client(headers=ENGLISH)
    client.force_login(user)
    return client


@pytest.fixture
def steward():
    return UserFactory(role="steward", username="petit")


@pytest.fixture
def page(steward):
    return client_of(steward)


@pytest.fixture
def records():
    """Four records that nobody but a steward would join."""
    names = ("Anne", "Claire", "Denise", "Odile")
    return make_records(
        [anne(f"source{n}", given_name=name, email="") for n, name in enumerate(names)]
    )


@pytest.fixture
def pairs(records):
    """Let a run open the tasks, as it does in life."""
    run_match()
    return list(ReviewTask.objects.filter(state="open").order_by("-score", "pk"))


def form_of(response, verdict="same", **changes):
    """Return what the form on a page would send."""
    pair, desk = response.context["desk"].pair, response.context["desk"]
    return {"versions": pair.versions, "key": desk.answer_key, "verdict": verdict, **changes}


def answer(client, response, verdict="same", *, fetch=True, **changes):
    task = response.context["desk"].pair.task
    return client.post(
        reverse("matching:answer", args=[task.pk]),
        form_of(response, verdict, **changes),
        headers=FETCH if fetch else {},
    )


def test_the_page_shows_both_records_and_says_what_same_would_do(page, pairs):
    response = page.get(REVIEW)

    shown = response.context["desk"].pair
    html = response.content.decode()
    assert shown.task == pairs[0]
    assert shown.left.display_id in html
    assert shown.right.display_id in html
    assert shown.if_same in html
    assert re.search(r'data-key="s"', html)


@pytest.mark.parametrize("verdict", ["same", "different", "unsure"])
def test_each_answer_takes_effect_and_brings_the_next_pair(page, pairs, steward, verdict):
    first = page.get(REVIEW)
    task = first.context["desk"].pair.task

    response = answer(page, first, verdict, note=" met her ", seconds="2.5")

    decision = Decision.objects.get()
    assert (decision.verdict, decision.decided_by, decision.note) == (verdict, steward, "met her")
    assert decision.seconds == 2.5
    assert response.status_code == 200
    assert response.context["toast"]
    assert "<html" not in response.content.decode()
    following = response.context["desk"].pair
    assert following is None or following.task != task
    left, right = customers_of(decision.left, decision.right)
    assert (left == right) is (verdict == "same")


def test_a_skipped_pair_comes_back_after_the_others(page, pairs):
    first = page.get(REVIEW)
    task = first.context["desk"].pair.task

    response = answer(page, first, "skip")

    assert not Decision.objects.exists()
    assert response.context["back_to"] == task.pk
    assert response.context["desk"].pair.task != task
    back = page.get(reverse("matching:review", args=[task.pk]))
    assert back.context["desk"].pair.task == task


def test_undo_restores_everything_and_shows_the_pair_again(page, pairs):
    before = list(SourceRecord.objects.order_by("pk").values_list("pk", "customer_id"))
    first = page.get(REVIEW)
    task = first.context["desk"].pair.task
    answered = answer(page, first, "same")

    decision = answered.context["desk"].undoable
    response = page.post(reverse("matching:undo"), {"decision": decision.pk}, headers=FETCH)

    after = list(SourceRecord.objects.order_by("pk").values_list("pk", "customer_id"))
    assert after == before
    assert response.context["desk"].pair.task == task
    assert Decision.objects.get().retracted_at


def test_undo_pressed_twice_takes_back_one_answer(page, pairs):
    second = answer(page, page.get(REVIEW), "different")
    third = answer(page, second, "different")
    named = {"decision": third.context["desk"].undoable.pk}

    page.post(reverse("matching:undo"), named, headers=FETCH)
    again = page.post(reverse("matching:undo"), named, headers=FETCH)

    assert again.status_code == 409
    assert Decision.objects.filter(retracted_at=None).count() == 1


def test_nobody_undoes_a_colleagues_answer(page, pairs):
    colleague = UserFactory(role="steward")
    task = pairs[0]
    theirs = decide(task.left_id, task.right_id, Verdict.DIFFERENT, by=colleague)

    response = page.post(reverse("matching:undo"), {"decision": theirs.pk}, headers=FETCH)

    assert response.status_code == 409
    theirs.refresh_from_db()
    assert theirs.retracted_at is None


def test_a_form_sent_twice_has_one_effect(page, pairs):
    first = page.get(REVIEW)

    once = answer(page, first, "same")
    twice = answer(page, first, "same")

    assert (once.status_code, twice.status_code) == (200, 200)
    assert Decision.objects.count() == 1


def test_a_late_answer_is_refused_with_who_decided_what(page, pairs):
    late = page.get(REVIEW)
    task = late.context["desk"].pair.task
    colleague = UserFactory(role="steward", username="roux")
    decide(task.left_id, task.right_id, Verdict.DIFFERENT, by=colleague)

    response = answer(page, late, "same")

    assert response.status_code == 409
    assert "roux" in response.context["notice"]
    assert Decision.objects.count() == 1
    assert response.context["desk"].pair is None or response.context["desk"].pair.task != task


def test_an_answer_about_changed_customers_is_refused_with_the_fresh_pair(page, pairs):
    shown = page.get(REVIEW)
    task = shown.context["desk"].pair.task

    response = answer(page, shown, "same", versions="1.1-2.9", note="sure")

    assert response.status_code == 409
    assert not Decision.objects.exists()
    assert response.context["desk"].pair.task == task
    assert "sure" in response.content.decode()


def test_a_contradiction_is_refused_with_its_chain(page, steward, records):
    one, two, three, _four = records
    decide(one.pk, two.pk, Verdict.SAME, by=steward)
    decide(two.pk, three.pk, Verdict.DIFFERENT, by=steward)
    task = open_task(one, three)
    shown = page.get(reverse("matching:review", args=[task.pk]))
    assert shown.context["desk"].pair.outcome is None

    response = answer(page, shown, "same")

    assert response.status_code == 409
    assert str(two) in response.context["notice"]
    assert "petit" in response.context["notice"]
    assert Decision.objects.count() == 2


def test_a_conflict_says_which_guard_held_the_records_apart(page, records):
    open_task(records[0], records[1], kind="conflict", reason="exclusive_identifier")

    response = page.get(REVIEW)

    assert response.context["desk"].pair.reason in response.content.decode()
    assert "o-note--conflict" in response.content.decode()


def test_two_stewards_get_different_pairs(page, records):
    open_task(records[0], records[1])
    open_task(records[2], records[3])
    colleague = client_of(UserFactory(role="steward"))

    mine, theirs = page.get(REVIEW), colleague.get(REVIEW)

    assert mine.context["desk"].pair.task != theirs.context["desk"].pair.task


def test_without_javascript_the_form_posts_and_comes_back(page, pairs):
    first = page.get(REVIEW)

    response = answer(page, first, "different", fetch=False)
    undone = page.post(reverse("matching:undo"), follow=True)

    assert response.status_code == 302
    assert response.url == REVIEW
    assert undone.status_code == 200
    assert undone.context["desk"].pair.task == first.context["desk"].pair.task
    assert Decision.objects.get().retracted_at


def test_an_unknown_answer_is_a_bad_request(page, pairs):
    assert answer(page, page.get(REVIEW), "maybe").status_code == 400


def test_a_link_to_an_answered_pair_says_so(page, pairs, steward):
    task = pairs[0]
    decide(task.left_id, task.right_id, Verdict.SAME, by=steward)

    response = page.get(reverse("matching:review", args=[task.pk]))

    assert "petit" in response.context["notice"]


def test_an_empty_desk_says_why(page, records, steward):
    assert page.get(REVIEW).context["desk"].empty == "never_searched"
    run_match()
    ReviewTask.objects.update(state="withdrawn")
    assert page.get(REVIEW).context["desk"].empty == "done"
    task = open_task(records[0], records[1]) if not ReviewTask.objects.exists() else None
    task = task or ReviewTask.objects.first()
    ReviewTask.objects.filter(pk=task.pk).update(state="open")
    review.next_task(UserFactory(role="steward"))
    assert page.get(REVIEW).context["desk"].empty == "with_colleagues"


@pytest.mark.parametrize("role", ["marketer", "dpo", "administrator"])
def test_only_stewards_review(role, pairs):
    client = client_of(UserFactory(role=role))
    task = pairs[0]

    assert client.get(REVIEW).status_code == 403
    assert client.post(reverse("matching:answer", args=[task.pk]), {}).status_code == 403
    assert client.post(reverse("matching:undo")).status_code == 403
    assert not Decision.objects.exists()


def test_who_is_not_logged_in_is_sent_to_the_login(client, pairs):
    for response in (
        client.get(REVIEW),
        client.post(reverse("matching:answer", args=[pairs[0].pk]), {"verdict": "same"}),
    ):
        assert response.status_code == 302
        assert "login" in response.url


def test_a_pair_costs_twelve_queries_and_forty_kilobytes(page, pairs):
    page.get(REVIEW)
    for task in pairs:
        with CaptureQueriesContext(connection) as queries:
            review.comparison(task)
        assert len(queries) <= 12

    with CaptureQueriesContext(connection) as queries:
        response = answer(page, page.get(REVIEW), "skip")
    assert len(response.content) < 40_000
    assert response["Content-Type"].startswith("text/html")
