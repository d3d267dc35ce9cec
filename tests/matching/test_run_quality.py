"""The page that tells how good a search was, by what stewards answered."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from matching.decisions import decide
from matching.models import Decision, MatchRun
from tests.factories import UserFactory
from tests.matching.factories import (
    anne,
    make_company,
    make_evidence,
    make_steward,
    run_match,
    use_a_rule_too_broad,
)
from tests.mdm.factories import make_records

pytestmark = pytest.mark.django_db


def client_of(role):
    client = Client(headers={"accept-language": "en"})
    client.force_login(UserFactory(role=role))
    return client


def page(run):
    return client_of("steward").get(reverse("matching:run-quality", args=[run.pk]))


def answer(left, right, verdict):
    decide(left.pk, right.pk, verdict, by=make_steward())


def test_without_decisions_the_page_says_so_and_shows_where_pairs_were_looked_for():
    make_company(30)
    run_match()

    shown = page(MatchRun.objects.get())

    assert "No pair has been answered yet" in shown.content.decode()
    rules = shown.context["rules"]
    assert (
        sum(rule.new_pairs for rule in rules) == MatchRun.objects.get().counts["candidate_pairs"]
    )
    assert all(rule.decided is None for rule in rules)
    assert max(rule.largest_block for rule in rules if rule.is_used) >= 2


def test_a_rule_with_too_many_pairs_is_told_apart_from_one_that_finds_nothing():
    make_company(30)
    use_a_rule_too_broad()
    run_match()

    shown = page(MatchRun.objects.get())

    told = [(rule.words, rule.is_used, rule.is_over_budget) for rule in shown.context["rules"]]
    assert told == [("e-mail", True, False), ("family name", False, True)]
    assert shown.context["rules"][1].pairs > 0
    assert "No two records share: web site." in shown.text.replace("</p>", "")
    assert "more pairs than the budget allows" in shown.text


def test_answers_stand_beside_what_the_scores_promised():
    make_company(30)
    run_match()
    one, two, three, four, five = make_records(
        [anne(), anne("shop"), anne(given_name="Claire"), anne(given_name="Luc"), anne("web")]
    )
    make_evidence(one, two, score=8.0)
    make_evidence(one, three, score=1.0, automatic=False)
    make_evidence(one, four, score=7.0)
    answer(one, two, Decision.Verdict.SAME)
    answer(one, three, Decision.Verdict.DIFFERENT)
    answer(one, four, Decision.Verdict.DIFFERENT)
    answer(two, five, Decision.Verdict.SAME)

    found = page(MatchRun.objects.filter(job__isnull=False).get()).context["decisions"]

    assert (found.count, found.linked_same, found.linked_different) == (4, 1, 1)
    assert found.unseen_same == 1
    high, low = found.bands
    assert (high.least, high.count, high.same) == (6.0, 2, 1)
    assert high.promised == pytest.approx(256 / 257 + 128 / 129)
    assert (low.least, low.count, low.same) == (0.0, 1, 0)


def test_each_blocking_rule_tells_how_many_decided_pairs_it_brings_together():
    make_company(30)
    run_match()
    one, two = make_records([anne(), anne("shop", phone="", birth_date="1960-01-01")])
    answer(one, two, Decision.Verdict.SAME)

    rules = page(MatchRun.objects.get()).context["rules"]

    decided = {rule.words: rule.decided for rule in rules if rule.is_used}
    assert decided["sound of the e-mail"] == 1
    assert 0 in decided.values()


def test_the_page_costs_the_same_with_few_answers_and_with_many():
    make_company(30)
    run_match()
    run = MatchRun.objects.get()
    records = make_records([anne(given_name=f"Anne{n}") for n in range(9)])
    answer(records[0], records[1], Decision.Verdict.SAME)
    client = client_of("steward")
    url = reverse("matching:run-quality", args=[run.pk])
    client.get(url)

    with CaptureQueriesContext(connection) as few:
        client.get(url)
    for record in records[2:]:
        answer(records[0], record, Decision.Verdict.SAME)
    with CaptureQueriesContext(connection) as many:
        client.get(url)

    assert len(many) == len(few)


@pytest.mark.parametrize("role", ["marketer", "dpo", "administrator"])
def test_only_stewards_read_it(role):
    make_company(30)
    run_match()
    url = reverse("matching:run-quality", args=[MatchRun.objects.get().pk])

    assert client_of(role).get(url).status_code == 403
