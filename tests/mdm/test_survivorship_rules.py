"""Survivorship rules by the page: drafted, simulated, put in force, and taken back."""

import pytest
from django.test import Client
from django.urls import reverse

from mdm import golden_records, identity, jobs, survivorship_rules
from mdm.models import Customer, GoldenRecord, Job, SurvivorshipRule, SurvivorshipRuleSet
from mdm.survivorship import DEFAULT_RULES, GROUPS
from tests.factories import UserFactory
from tests.mdm.factories import make_record

pytestmark = pytest.mark.django_db

PAGE = reverse("mdm:survivorship")


def client_of(role):
    client = Client(headers={"accept-language": "en"})
    client.force_login(UserFactory(role=role))
    return client


@pytest.fixture
def steward():
    return client_of("steward")


def form(**changes):
    """What the form of the draft sends: the rules as delivered, and what differs."""
    fields = {
        f"{group}-{place}": name
        for group, rule in DEFAULT_RULES.items()
        for place, name in enumerate(rule.strategies)
    }
    return {**fields, "note": "", **changes}


def two_sources_that_differ():
    """One customer: the CRM is trusted more, the shop is fuller."""
    crm = make_record("crm", trust=90, given_name="A", family_name="Roux")
    shop = make_record("shop", trust=60, given_name="Adrienne", family_name="Roux")
    links = [identity.Link(record.pk, crm.pk, "decision") for record in (crm, shop)]
    identity.apply_links(links, user=None, reason="The same person")
    return Customer.objects.get(pk=crm.pk)


def run_latest(kind):
    job = Job.objects.filter(kind=kind).latest("created_at")
    jobs.run_now(job)
    return job


def put_in_force(client, **changes):
    client.post(reverse("mdm:survivorship-edit"))
    client.post(reverse("mdm:survivorship-save"), {**form(**changes), "simulate": "yes"})
    run_latest(survivorship_rules.SIMULATE)
    client.post(reverse("mdm:survivorship-activate"))
    return run_latest(survivorship_rules.APPLY)


TRUSTED = {f"given_name-{n}": name for n, name in enumerate(["trust", "completeness", "", "", ""])}


def test_a_draft_changes_nothing_until_it_is_simulated_and_put_in_force(steward):
    customer = two_sources_that_differ()
    steward.post(reverse("mdm:survivorship-edit"))

    steward.post(reverse("mdm:survivorship-save"), {**form(**TRUSTED), "simulate": "yes"})
    simulation = run_latest(survivorship_rules.SIMULATE)
    shown = steward.get(PAGE).content.decode()

    assert simulation.result["changed"] == 1
    assert simulation.result["attributes"] == {"given_name": 1}
    assert simulation.result["examples"] == [customer.public_id]
    assert "Adrienne" in shown
    assert GoldenRecord.objects.get(pk=customer.pk).given_name == "Adrienne"


def test_rules_in_force_choose_every_value_anew_with_history(steward):
    customer = two_sources_that_differ()

    done = put_in_force(steward, **TRUSTED)
    golden = GoldenRecord.objects.get(pk=customer.pk)

    assert done.result["changed"] == 1
    assert golden.given_name == "A"
    assert golden.lineage["given_name"][2] == "trust"
    assert golden.history.first().history_change_reason
    assert golden_records.differences([customer.pk]).count == 0


def test_a_source_can_be_trusted_more_for_one_attribute_alone(steward):
    customer = two_sources_that_differ()

    put_in_force(steward, **{**TRUSTED, "given_name-trust-shop": "95"})
    golden = GoldenRecord.objects.get(pk=customer.pk)
    why = steward.get(reverse("mdm:customer", args=[customer.public_id])).content.decode()

    # The fullest was she before: the value stays, and the reason is another one.
    assert golden.given_name == "Adrienne"
    assert "the most trusted source that gives it (95)" in why
    assert golden_records.differences([customer.pk]).count == 0


def test_rules_nobody_simulated_are_refused(steward):
    steward.post(reverse("mdm:survivorship-edit"))
    steward.post(reverse("mdm:survivorship-save"), form(**TRUSTED))

    response = steward.post(reverse("mdm:survivorship-activate"), follow=True)

    assert "Simulate these rules first" in response.content.decode()
    assert SurvivorshipRuleSet.objects.get().status == "draft"


def test_editing_a_draft_makes_its_simulation_void(steward):
    two_sources_that_differ()
    steward.post(reverse("mdm:survivorship-edit"))
    steward.post(reverse("mdm:survivorship-save"), {**form(**TRUSTED), "simulate": "yes"})
    run_latest(survivorship_rules.SIMULATE)

    steward.post(reverse("mdm:survivorship-save"), form())
    response = steward.post(reverse("mdm:survivorship-activate"), follow=True)

    assert "Simulate these rules first" in response.content.decode()


def test_going_back_to_an_earlier_version_restores_its_values(steward):
    customer = two_sources_that_differ()
    put_in_force(steward)
    put_in_force(steward, **TRUSTED)

    steward.post(reverse("mdm:survivorship-return", args=[1]))
    draft = SurvivorshipRuleSet.objects.get(status="draft")
    survivorship_rules.simulate(draft, by=None)
    run_latest(survivorship_rules.SIMULATE)
    steward.post(reverse("mdm:survivorship-activate"))
    run_latest(survivorship_rules.APPLY)

    assert GoldenRecord.objects.get(pk=customer.pk).given_name == "Adrienne"
    assert [v.status for v in SurvivorshipRuleSet.objects.all()] == [
        "active",
        "retired",
        "retired",
    ]


def test_a_stopped_derivation_is_shown_and_goes_on(steward):
    customer = two_sources_that_differ()
    steward.post(reverse("mdm:survivorship-edit"))
    steward.post(reverse("mdm:survivorship-save"), {**form(**TRUSTED), "simulate": "yes"})
    run_latest(survivorship_rules.SIMULATE)
    steward.post(reverse("mdm:survivorship-activate"))
    jobs.request_cancel(Job.objects.get(kind=survivorship_rules.APPLY))

    shown = steward.get(PAGE).content.decode()
    steward.post(reverse("mdm:survivorship-go-on"))
    run_latest(survivorship_rules.APPLY)

    assert reverse("mdm:survivorship-go-on") in shown
    assert GoldenRecord.objects.get(pk=customer.pk).given_name == "A"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"given_name-1": "valid"}, "Given name: a strategy stands twice"),
        ({"given_name-0": "beauty"}, "Unknown survivorship rule"),
        ({"given_name-trust-crm": "101"}, "Given name: trust is a figure from 0 to 100"),
        ({"given_name-trust-crm": "-1"}, "0 to 100"),
    ],
)
def test_impossible_rules_are_refused_with_the_reason(steward, changes, words):
    make_record("crm", given_name="A")
    steward.post(reverse("mdm:survivorship-edit"))

    sent = form(**{**changes, "family_name-0": "recency", "family_name-trust-crm": "7"})
    response = steward.post(reverse("mdm:survivorship-save"), {**sent, "note": "My reasons"})

    text = response.content.decode()
    assert response.status_code == 422
    assert words in text
    assert not SurvivorshipRule.objects.exists()
    rows = {row.group: row for row in response.context["draft_rows"]}
    assert rows["family_name"].places[0] == (0, "recency")
    assert [value for _source, value in rows["family_name"].trust] == ["7"]
    assert 'value="My reasons"' in text


def test_the_page_costs_the_same_queries_with_many_examples(
    steward, django_assert_max_num_queries
):
    for _number in range(6):
        two_sources_that_differ()
    steward.post(reverse("mdm:survivorship-edit"))
    steward.post(reverse("mdm:survivorship-save"), {**form(**TRUSTED), "simulate": "yes"})
    run_latest(survivorship_rules.SIMULATE)

    with django_assert_max_num_queries(25):
        shown = steward.get(PAGE)

    assert len(shown.context["examples"]) == 6


@pytest.mark.parametrize("role", ["dpo", "marketer", "administrator"])
def test_other_roles_neither_see_nor_change_the_rules(role):
    client = client_of(role)

    assert client.get(PAGE).status_code == 403
    for name in ("edit", "save", "discard", "activate", "go-on"):
        assert client.post(reverse(f"mdm:survivorship-{name}")).status_code == 403
    assert not SurvivorshipRuleSet.objects.exists()


def test_every_group_of_attributes_has_its_row(steward):
    assert [row.group for row in steward.get(PAGE).context["rows"]] == list(GROUPS)
