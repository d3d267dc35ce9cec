"""Households and relations on the customer page: derived, confirmed, denied, taken back."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from mdm.birth_ids import display, public_id
from mdm.identity import Link, apply_links
from mdm.models import Customer, Relation, SourceRecord
from tests.mdm.factories import make_record, make_records
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db

PHONE = "+33465710000"


def page_of(record: SourceRecord) -> str:
    return reverse("mdm:customer", args=[public_id(record.pk)])


def add(client, record, relative, **fields):
    address = reverse("mdm:relation-add", args=[public_id(record.pk)])
    fields = {"kind": "household", "other": display(public_id(relative.pk)), **fields}
    return client.post(address, fields, follow=True)


def family(*given_names: str, **values: object) -> list[SourceRecord]:
    shared = {"family_name": "Roux", "phone": PHONE, **values}
    return make_records([{**shared, "given_name": name} for name in given_names])


def housemates(answer):
    mates = answer.context["file"].relations.housemates
    return {mate.customer.golden.given_name: mate.state for mate in mates}


def test_who_shares_phone_and_family_name_is_shown_as_a_probable_household():
    anna, _jean = family("Anna", "Jean")
    make_record(given_name="Zoé", family_name="Petit", phone=PHONE)

    answer = client_of("steward").get(page_of(anna))

    assert housemates(answer) == {"Jean": "proposed"}
    assert "same name and phone" in answer.text


def test_a_married_woman_lives_with_those_who_bear_her_birth_name():
    anna = make_record(given_name="Anna", family_name="Petit", birth_name="ROUX", phone=PHONE)
    family("Jean")

    assert housemates(client_of("steward").get(page_of(anna))) == {"Jean": "proposed"}


def test_a_number_of_many_customers_makes_no_household():
    first, *_others = family(*(f"Anna{number}" for number in range(13)))

    assert housemates(client_of("steward").get(page_of(first))) == {}


def test_a_confirmed_household_outlives_the_shared_number_and_is_seen_from_both_sides():
    anna, jean = family("Anna", "Jean")
    steward = client_of("steward")

    add(steward, anna, jean, reason="Told at the till")
    jean.carried.all().delete()

    assert housemates(steward.get(page_of(anna))) == {"Jean": "confirmed"}
    assert housemates(steward.get(page_of(jean))) == {"Anna": "confirmed"}
    assert "Told at the till" in steward.get(page_of(jean)).text


def test_a_denied_household_is_proposed_again_once_the_word_is_taken_back():
    anna, jean = family("Anna", "Jean")
    steward = client_of("steward")

    add(steward, anna, jean, holds="no")
    denied = housemates(steward.get(page_of(jean)))
    relation = Relation.objects.get()
    steward.post(reverse("mdm:relation-take-back", args=[public_id(anna.pk), relation.pk]))

    assert denied == {"Anna": "denied"}
    assert housemates(steward.get(page_of(jean))) == {"Anna": "proposed"}
    assert Relation.objects.get().history.count() == 2


def test_the_latest_word_on_two_customers_is_in_force():
    anna, jean = family("Anna", "Jean")
    steward = client_of("steward")

    add(steward, anna, jean, holds="no")
    add(steward, jean, anna)

    assert housemates(steward.get(page_of(anna))) == {"Jean": "confirmed"}
    assert Relation.objects.filter(retracted_at=None).count() == 1


def test_relations_follow_their_records_through_a_merge_and_never_cause_one():
    anna, jean = family("Anna", "Jean")
    twin = make_record(given_name="Jean", family_name="Roux")
    steward = client_of("steward")
    add(steward, anna, twin)

    apply_links(
        [Link(jean.pk, jean.pk, "birth"), Link(twin.pk, jean.pk, "decision")],
        user=None,
        reason="test",
    )

    assert housemates(steward.get(page_of(anna))) == {"Jean": "confirmed"}
    assert Customer.objects.filter(merged_into=None).count() == 2


def test_a_guardian_and_her_ward_are_shown_on_both_pages():
    mother, child = family("Anna", "Zoé")
    steward = client_of("steward")

    add(steward, mother, child, kind="guardian")

    assert "guardian of" in steward.get(page_of(mother)).text
    assert "under the guardianship of" in steward.get(page_of(child)).text


@pytest.mark.parametrize(
    ("kind", "from_here", "from_there"),
    [
        ("ward", "under the guardianship of", "guardian of"),
        ("employs", "employs", "works for"),
    ],
)
def test_a_relation_is_recorded_from_either_side_with_who_and_why(kind, from_here, from_there):
    one, other = family("Zoé", "Anna")
    steward = client_of("steward")

    add(steward, one, other, kind=kind, reason="her passport")

    [here] = steward.get(page_of(one)).context["file"].relations.ties
    page = steward.get(page_of(other)).text
    assert (here.is_outgoing, here.other.pk) == (False, other.pk)
    assert from_there in page
    assert "her passport" in page
    assert from_here in steward.get(page_of(one)).text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"other": "G-0000-0000"}, "No customer has this id"),
        ({"other": ""}, "No customer has this id"),
        ({"kind": "marriage"}, "unknown"),
    ],
)
def test_an_impossible_relation_is_refused_with_the_reason(fields, words):
    anna, jean = family("Anna", "Jean")

    answer = add(client_of("steward"), anna, jean, **fields)

    assert words in answer.text
    assert not Relation.objects.exists()


def test_a_customer_is_not_her_own_housemate():
    (anna,) = family("Anna")

    assert "cannot be related to herself" in add(client_of("steward"), anna, anna).text


@pytest.mark.parametrize("role", ["dpo", "marketer", "administrator"])
def test_only_stewards_record_relations(role):
    anna, jean = family("Anna", "Jean")
    address = reverse("mdm:relation-add", args=[public_id(anna.pk)])

    answer = client_of(role).post(address, {"kind": "household", "other": public_id(jean.pk)})

    assert answer.status_code == 403
    assert not Relation.objects.exists()


def test_a_large_household_costs_no_more_queries_than_a_small_one():
    small, *_ = family("Anna", "Jean")
    large, *_ = family(*(f"Luc{n}" for n in range(8)), phone="+33465710001")
    steward = client_of("steward")
    steward.get(page_of(small))

    with CaptureQueriesContext(
        connection,
    ) as of_small:
        steward.get(page_of(small))
    with CaptureQueriesContext(connection) as of_large:
        steward.get(page_of(large))

    assert len(of_large) == len(of_small)
