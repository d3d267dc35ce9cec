"""Rules for finding duplicates by the page: drafted, simulated against today, put in force."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from matching.linkage.proposals import DEFAULT_RULES
from matching.models import MatchRun, PairEvidence, RuleSet
from matching.rule_sets import Parameters, active_rule_set
from matching.runs import KIND
from mdm import jobs
from mdm.identity import refresh
from mdm.models import Customer, Job, SourceRecord
from tests.matching.factories import make_company, run_match
from tests.mdm.factories import SourceSystemFactory
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db

PAGE = reverse("matching:rules")


@pytest.fixture
def steward():
    return client_of("steward")


def form(**changes):
    """What the form of the draft sends when nothing is changed, and what differs."""
    figures = {
        name: getattr(Parameters(), name)
        for name in (
            "review_floor",
            "automatic_threshold",
            "max_cluster_size",
            "least_support",
            "block_cap",
            "most_rounds",
            "shrink",
            "prior_pairs",
        )
    }
    rules = {f"budget-{rule.name}": rule.budget for rule in DEFAULT_RULES}
    return {**figures, **rules, "rule": [rule.name for rule in DEFAULT_RULES], **changes}


def act(client, name, fields=None):
    return client.post(reverse(f"matching:rules-{name}"), fields or {}, follow=True)


def run_latest():
    job = Job.objects.filter(kind=KIND).latest("created_at")
    jobs.run_now(job)
    return job


def simulate(client, **changes):
    act(client, "edit")
    act(client, "save", {**form(**changes), "simulate": "yes"})
    run_latest()
    return client.get(PAGE)


def make_company_of_two_sources():
    """Every second record of the company comes from a shop."""
    records = make_company(60)
    shop = SourceSystemFactory(code="shop")
    keys = [record.pk for record in records[::2]]
    SourceRecord.objects.filter(pk__in=keys).update(source=shop)
    refresh(keys, record_ids=keys)


def test_a_draft_is_compared_with_the_customers_of_today_and_changes_none(steward):
    make_company(60)
    run_match()
    before = set(Customer.objects.filter(merged_into=None).values_list("pk", flat=True))

    shown = simulate(steward, automatic_threshold="25")
    found = shown.context["outcome"]

    assert found["split_customers"] > 0
    assert found["merged_customers"] == 0
    assert len(shown.context["splits"]) == min(found["split_customers"], 20)
    assert all(example.customers and example.new_ids for example in shown.context["splits"])
    assert set(Customer.objects.filter(merged_into=None).values_list("pk", flat=True)) == before


def test_rules_put_in_force_do_what_their_simulation_said(steward):
    make_company(60)
    run_match()
    shown = simulate(steward, automatic_threshold="25")
    foreseen = shown.context["run"].counts["customers"]

    act(steward, "activate")
    run_latest()

    assert active_rule_set().parameters == {"automatic_threshold": 25.0}
    assert Customer.objects.filter(merged_into=None, status="active").count() == foreseen


def test_going_back_brings_the_customers_back(steward):
    make_company(60)
    run_match()
    before = dict(Customer.objects.values_list("pk", "merged_into"))
    first = active_rule_set().version
    simulate(steward, automatic_threshold="25")
    act(steward, "activate")
    run_latest()

    steward.post(reverse("matching:rules-return", args=[first]))
    act(steward, "save", {**form(), "simulate": "yes"})
    run_latest()
    act(steward, "activate")
    run_latest()

    assert dict(Customer.objects.values_list("pk", "merged_into")) == before
    assert active_rule_set().parameters == {}


def test_only_the_ticked_rules_look_for_pairs_and_one_more_can_be_added(steward):
    make_company(60)

    shown = simulate(
        steward, rule=["email"], **{"new-part-0": "family_sound", "new-part-1": "birth_year"}
    )
    used = {rule["rule"] for rule in shown.context["run"].counts["rules"]}

    assert used == {"email", "family_sound+birth_year"}


def test_rules_as_delivered_are_stored_as_such_so_that_they_follow_the_product(steward):
    act(steward, "edit")
    act(steward, "save", form())

    assert RuleSet.objects.get(status="draft").parameters == {}


def test_the_page_tells_of_the_last_search_over_all_records(steward):
    make_company(30)
    run_match()
    before = {row.name: row.pairs for row in steward.get(PAGE).context["rules"]}

    run_match(scope="changed")

    assert MatchRun.objects.count() == 2
    assert {row.name: row.pairs for row in steward.get(PAGE).context["rules"]} == before
    assert any(before.values())


def test_records_of_one_source_are_not_compared_when_every_source_is_clean(steward):
    make_company_of_two_sources()

    simulated = simulate(steward, link_only="yes").context["run"]
    act(steward, "activate")
    run_latest()
    pairs = PairEvidence.objects.values_list("left__source", "right__source")

    assert simulated.counts["evidence"] == len(pairs) > 0
    assert [pair for pair in pairs if pair[0] == pair[1]] == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"automatic_threshold": "-9"}, "above the floor"),
        ({"least_support": "1.5"}, "share from 0 to 1"),
        ({"max_cluster_size": "1"}, "joins nothing"),
        ({"block_cap": "many"}, "is no number"),
        ({"rule": []}, "Without any blocking rule"),
        ({"new-part-0": "shoe_size"}, "Unknown part"),
        ({"new-part-0": "email"}, "stands twice"),
        ({"budget-email": "1000"}, "at most 100"),
    ],
)
def test_rules_that_make_no_sense_are_refused_with_the_reason(steward, changes, words):
    act(steward, "edit")

    answer = act(steward, "save", form(**changes))

    assert words in answer.text
    assert RuleSet.objects.get(status="draft").parameters == {}


def test_rules_nobody_simulated_are_not_put_in_force(steward):
    act(steward, "edit")
    act(steward, "save", form(automatic_threshold="25"))

    answer = act(steward, "activate")

    assert "Simulate these rules first" in answer.text
    assert not MatchRun.objects.exists()


def test_the_page_costs_the_same_queries_whatever_the_simulation_found(steward):
    make_company(60)
    run_match()
    simulate(steward, automatic_threshold="12")
    with CaptureQueriesContext(connection) as few:
        steward.get(PAGE)
    act(steward, "save", {**form(automatic_threshold="30"), "simulate": "yes"})
    run_latest()

    with CaptureQueriesContext(connection) as many:
        shown = steward.get(PAGE)

    assert len(shown.context["splits"]) > 1
    assert len(many) <= len(few) + 1


@pytest.mark.parametrize("role", ["dpo", "marketer", "administrator"])
def test_other_roles_do_not_change_the_rules(role):
    client = client_of(role)

    for name in ("edit", "save", "discard", "activate"):
        assert client.post(reverse(f"matching:rules-{name}")).status_code == 403
    assert client.get(PAGE).status_code == (200 if role == "administrator" else 403)
