"""The review page and the pages of the search, by request."""

import re

import pytest
from django.urls import reverse

from matching.decisions import Verdict, decide
from matching.models import Decision, MatchRun, ReviewTask
from mdm.models import Job
from tests.matching.factories import anne, customers_of, make_steward, open_task, run_match
from tests.mdm.factories import make_records
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def twins():
    """Two records that a run leaves to a steward."""
    one, other = make_records([anne(), anne("shop", given_name="Claire", email="")])
    run_match()
    return one, other


def form_of(html: str) -> tuple[str, dict[str, str]]:
    """Return where the answer goes and what it carries along."""
    action = re.search(r'action="(/review/\d+/answer/)"', html)
    hidden = dict(re.findall(r'name="(versions|key)" value="([^"]*)"', html))
    assert action, html
    return action[1], hidden


@pytest.mark.parametrize(
    ("verdict", "together"), [("same", True), ("different", False), ("unsure", False)]
)
def test_a_steward_answers_without_javascript(twins, verdict, together):
    client = client_of("steward")
    url, carried = form_of(client.get("/review/").content.decode())

    response = client.post(url, {**carried, "verdict": verdict})

    assert response.status_code == 302
    assert Decision.objects.get().verdict == verdict
    left, right = customers_of(*twins)
    assert (left == right) is together


def test_a_value_that_the_other_has_under_another_heading_is_no_conflict():
    one, other = make_records(
        [
            anne(given_name="Roland", family_name="Bousquet", phone="+33639980001"),
            anne("shop", given_name="Bousquet", family_name="", phone="+33199002233",
                 other_phone="+33639980001"),
        ]
    )  # fmt: skip
    open_task(one, other)

    page = client_of("steward").get("/review/").text

    rows = re.findall(r'rv-row--(\w+).*?rv-label">([\w -]+)<', page, re.DOTALL)
    states = {label: tone for tone, label in rows}
    assert (states["Given name"], states["Phone"]) == ("close", "close")
    assert states["Family name"] == "missing"
    assert page.count("the other has it elsewhere") == 2


def test_what_waits_for_others_is_counted_apart(twins):
    client = client_of("steward")
    open_task(*make_records([anne(family_name="Roux"), anne("shop", family_name="Roux")]))
    url, carried = form_of(client.get("/review/").text)

    page = client.post(url, {**carried, "verdict": "unsure"}, follow=True).text

    assert "<b>1</b> pair to decide" in page
    assert "1 for others or later" in page
    assert 'data-open="2"' in page


def test_undo_brings_the_pair_back(twins):
    client = client_of("steward")
    url, carried = form_of(client.get("/review/").content.decode())
    client.post(url, {**carried, "verdict": "same"})

    client.post(reverse("matching:undo"))

    assert Decision.objects.get().retracted_at is not None
    assert len(set(customers_of(*twins))) == 2
    assert form_of(client.get("/review/").content.decode())[0] == url


def test_an_undo_after_somebody_changed_the_customer_is_refused_and_says_who(twins):
    client = client_of("steward")
    url, carried = form_of(client.get("/review/").content.decode())
    client.post(url, {**carried, "verdict": "same"})
    page = client.get("/review/").text
    sent = dict(re.findall(r'name="(decision|versions)" value="([^"]*)"', page))
    [third] = make_records([anne("web", given_name="Zoé")])
    decide(twins[0].pk, third.pk, Verdict.SAME, by=make_steward("b.roux"))

    refused = client.post(reverse("matching:undo"), sent, headers={"x-requested-with": "fetch"})

    assert refused.status_code == 409
    assert "b.roux" in refused.text
    assert not Decision.objects.exclude(retracted_at=None).exists()
    again = dict(re.findall(r'name="(decision|versions)" value="([^"]*)"', refused.text))
    client.post(reverse("matching:undo"), again)
    assert Decision.objects.exclude(retracted_at=None).count() == 1


def test_the_same_answer_sent_twice_has_one_effect(twins):
    client = client_of("steward")
    url, carried = form_of(client.get("/review/").content.decode())

    for _ in range(2):
        client.post(url, {**carried, "verdict": "same"}, headers={"x-requested-with": "fetch"})

    assert Decision.objects.count() == 1


def test_an_answer_to_a_pair_that_changed_meanwhile_is_refused_with_409(twins):
    client = client_of("steward")
    url, carried = form_of(client.get("/review/").content.decode())

    response = client.post(
        url,
        {"key": carried["key"], "versions": "0-0", "verdict": "same"},
        headers={"x-requested-with": "fetch"},
    )

    assert response.status_code == 409
    assert "look again" in response.content.decode()
    assert not Decision.objects.exists()


def test_two_stewards_get_different_pairs():
    records = make_records([anne(key=f"A{n}", given_name=f"N{n}") for n in range(4)])
    open_task(records[0], records[1])
    open_task(records[2], records[3])

    urls = {form_of(client_of("steward").get("/review/").content.decode())[0] for _ in range(2)}

    assert len(urls) == 2


def test_the_pair_costs_few_queries(twins, django_assert_max_num_queries):
    client = client_of("steward")
    client.get("/review/")

    # Session, account and permissions of the frame, and the lease, stand beside the pair's own.
    with django_assert_max_num_queries(30):
        client.get("/review/")


@pytest.mark.parametrize("role", ["dpo", "marketer", "administrator"])
def test_other_roles_are_refused(twins, role):
    client = client_of(role)
    task = ReviewTask.objects.get()

    answers = [
        client.get("/review/"),
        client.post(f"/review/{task.pk}/answer/", {"verdict": "same"}),
        client.post(reverse("matching:undo")),
        client.get("/matching/"),
        client.post(reverse("matching:start")),
    ]

    assert {answer.status_code for answer in answers} == {403}
    assert not Decision.objects.exists()


def test_without_a_login_the_way_leads_there(client):
    assert "/login/" in client.get("/review/")["Location"]


def test_the_button_starts_one_search_and_the_run_page_shows_what_it_learnt(twins):
    client = client_of("steward")

    client.post(reverse("matching:start"))
    client.post(reverse("matching:start"))

    assert Job.objects.filter(kind="match", state="queued").count() == 1
    run = MatchRun.objects.latest("pk")
    assert client.get(reverse("matching:run", args=[run.pk])).status_code == 200
    assert client.get("/matching/").status_code == 200


def test_before_any_search_the_page_says_so():
    html = client_of("steward").get("/review/").content.decode()

    assert "Nobody has searched for duplicates yet" in html
