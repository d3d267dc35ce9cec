"""Pins: a steward's word on a value; it survives merges and leaves with its record."""

import re
from datetime import date

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.urls import reverse

from matching.decisions import Verdict, decide, retract
from mdm import pins
from mdm.birth_ids import public_id
from mdm.models import GoldenRecord, Pin, SourceRecord
from tests.identity.snapshots import snapshot
from tests.matching.factories import make_steward
from tests.mdm.factories import make_records
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def couple():
    """Two records of one customer that disagree on everything."""
    one, other = make_records(
        [
            {"source": "crm", "trust": 90, "given_name": "Anne", "email": "a@example.com"},
            {"source": "web", "trust": 10, "given_name": "Anna", "email": "b@example.com"},
        ]
    )
    decide(one.pk, other.pk, Verdict.SAME, by=make_steward())
    return one, other


def page_of(record: SourceRecord, name: str) -> str:
    return reverse(f"mdm:{name}", args=[public_id(record.pk)])


def golden(record: SourceRecord) -> GoldenRecord:
    return GoldenRecord.objects.get(pk=record.pk)


@pytest.mark.parametrize(
    ("kind", "on", "expected", "lineage"),
    [
        ("prefer", 1, "Anna", "preferred"),
        ("value", 1, "Anna", "pin"),
        ("hide", 0, "Anna", "only"),
        ("hide", 1, "Anne", "only"),
    ],
)
def test_a_steward_pins_from_the_page_with_a_reason(couple, kind, on, expected, lineage):
    client, record = client_of("steward"), couple[on]
    sent = {"group": "given_name", "kind": kind, "record": record.pk}
    url = page_of(couple[0], "customer-pin")

    asked = client.post(url, sent)
    assert asked.status_code == 200
    assert not Pin.objects.exists()
    value = {"value": record.given_name} if kind == "value" else {}
    refused = client.post(url, {**sent, **value, "confirm": "1", "reason": ""})
    assert refused.status_code == 400
    answer = client.post(
        url,
        {**sent, **value, "confirm": "1", "reason": "she said so", "review_on": "2027-01-31"},
        follow=True,
    )

    assert "she said so" in answer.text
    assert golden(couple[0]).given_name == expected
    assert golden(couple[0]).lineage["given_name"][2] == lineage
    assert Pin.objects.get().review_on == date(2027, 1, 31)
    call_command("rebuild", "--check")


def test_a_value_of_ones_own_is_stored_as_a_source_would_be(couple):
    client, url = client_of("steward"), page_of(couple[0], "customer-pin")
    sent = {"group": "phone", "kind": "value", "confirm": "1", "reason": "on the phone"}

    assert client.post(url, {**sent, "value": "no number"}).status_code == 400
    client.post(url, {**sent, "value": "06 39 98 12 34"})

    assert golden(couple[0]).phone == "+33639981234"
    assert Pin.objects.get().record == couple[0]


def test_a_pin_taken_back_on_the_page_lets_the_rules_decide_again(couple):
    before = snapshot()
    pins.pin(couple[1].pk, "email", "prefer", by=make_steward(), reason="newer")
    client = client_of("steward")
    page = client.get(page_of(couple[0], "customer")).text
    (key,) = re.findall(r'name="pin" value="(\d+)"', page)
    assert golden(couple[0]).email == "b@example.com"

    client.post(page_of(couple[0], "customer-unpin"), {"pin": key})
    again = client.post(page_of(couple[0], "customer-unpin"), {"pin": key}, follow=True)

    assert "already taken back" in again.text
    Pin.objects.all().delete()
    assert snapshot() == before


def test_a_preference_follows_what_its_record_comes_to_say(couple):
    pins.pin(couple[1].pk, "given_name", "prefer", by=make_steward(), reason="hers")
    SourceRecord.objects.filter(pk=couple[1].pk).update(given_name="Annette")
    pins.identity.refresh([couple[0].pk])

    assert golden(couple[0]).given_name == "Annette"


def test_a_pin_leaves_with_its_record_and_comes_back_with_it(couple):
    steward = make_steward()
    pins.pin(
        couple[1].pk, "given_name", "value", by=steward, reason="x", values={"given_name": "Zoé"}
    )
    assert golden(couple[0]).given_name == "Zoé"
    joined = snapshot()

    apart = decide(couple[0].pk, couple[1].pk, Verdict.DIFFERENT, by=steward)
    assert golden(couple[0]).given_name == "Anne"
    assert golden(couple[1]).given_name == "Zoé"
    retract(apart, by=steward)

    assert snapshot() == joined


def test_the_latest_pin_wins_and_a_new_one_replaces_that_on_its_record(couple):
    steward = make_steward()
    for record, name in ((couple[0], "Zoé"), (couple[1], "Léa"), (couple[0], "Ève")):
        values = {"given_name": name}
        pins.pin(record.pk, "given_name", "value", by=steward, reason="x", values=values)
        assert golden(couple[0]).given_name == name

    assert Pin.objects.filter(retracted_at=None).count() == 2


@pytest.mark.parametrize("role", ["dpo", "marketer", "administrator"])
@pytest.mark.parametrize("name", ["customer-pin", "customer-unpin"])
def test_only_stewards_pin(couple, role, name):
    assert client_of(role).post(page_of(couple[0], name), {"pin": "1"}).status_code == 403


def test_a_pin_on_a_record_of_somebody_else_is_not_found(couple):
    stranger = make_records([{}])[0]
    sent = {
        "group": "given_name",
        "kind": "hide",
        "record": stranger.pk,
        "confirm": "1",
        "reason": "x",
    }

    assert client_of("steward").post(page_of(couple[0], "customer-pin"), sent).status_code == 404
    assert not Pin.objects.exists()


def test_the_dpo_reads_in_words_who_opened_a_value_to_pin_it(couple):
    wish = {"group": "given_name", "kind": "prefer", "record": couple[0].pk}
    client_of("steward").post(page_of(couple[0], "customer-pin"), wish)

    User.objects.filter(groups__name="steward").update(first_name="Anne", last_name="Roux")
    register = client_of("dpo").get(reverse("admin:mdm_accesslog_changelist"))

    assert "opened a value of a customer to pin it" in register.text
    assert "Anne Roux" in register.text
