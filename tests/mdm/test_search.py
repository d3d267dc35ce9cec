"""The search box: by whatever one knows about a customer."""

from datetime import date

import pytest
from django.test import Client
from django.urls import reverse

from mdm.birth_ids import display, public_id
from mdm.identity import Link, apply_links
from mdm.models import SourceRecord
from mdm.search import MOST_HITS, find
from tests.factories import UserFactory
from tests.mdm.factories import make_record, make_records
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db


def lefebvre(**values: str) -> SourceRecord:
    return make_record(
        key="88121",
        given_name="Zoé",
        family_name="Lefèbvre",
        email="zoe@example.com",
        phone="+33639981234",
        city="Nantes",
        **values,
    )


def found(text: str) -> list[int]:
    return [hit.customer_id for hit in find(text)]


@pytest.mark.parametrize(
    "text",
    [
        "lefebvre",
        "LEFÈBVRE zoe",
        "zoé nantes",
        "febv",
        "zoe@example.com",
        "ZOE@example.com",
        "06 39 98 12 34",
        "+33 6 39 98 12 34",
        "0033639981234",
        "39981234",
        "88121",
        "crm·88121",
    ],
)
def test_a_customer_is_found_by_whatever_one_knows(text):
    record = lefebvre()
    make_record(given_name="Paul", family_name="Durand", phone="+33639985555", city="Lyon")

    assert found(text) == [record.customer_id]


def test_every_written_form_of_the_customer_id_opens_her():
    record = lefebvre()
    letters = public_id(record.pk)

    assert found(letters) == found(letters.lower()) == found(display(letters)) == [record.pk]


def test_a_merged_id_finds_the_customer_it_went_into():
    first, second = make_records([{"family_name": "Petit"}, {"family_name": "Petit"}])
    apply_links(
        [Link(second.pk, first.pk, "auto", 9.0), Link(first.pk, first.pk, "birth")],
        user=None,
        reason="",
    )

    (hit,) = find(public_id(second.pk))

    assert hit.customer_id == first.pk
    assert display(public_id(second.pk)) in hit.reason


def test_a_value_only_a_losing_record_has_finds_her():
    first, second = make_records(
        [
            {"family_name": "Petit", "email": "new@example.com", "trust": 90},
            {"source": "web", "family_name": "Grand", "email": "old@example.com", "trust": 10},
        ]
    )
    apply_links(
        [Link(second.pk, first.pk, "auto", 9.0), Link(first.pk, first.pk, "birth")],
        user=None,
        reason="",
    )

    assert found("grand") == found("old@example.com") == [first.pk]


def test_names_in_full_come_before_towns_and_parts_of_words():
    town = make_record(family_name="Abel", city="Saint Martin")
    part = make_record(family_name="Abdelmartin")
    name = make_record(family_name="Martin")

    assert found("martin")[0] == name.pk
    assert set(found("martin")) == {town.pk, part.pk, name.pk}


@pytest.mark.parametrize("text", ["", "   ", "%", "_", "'", "nobody", "0000", "@", "é" * 200])
def test_odd_and_empty_words_find_nobody_and_break_nothing(text):
    lefebvre()

    assert found(text) == []


def test_the_number_of_queries_does_not_depend_on_how_many_are_found(
    django_assert_max_num_queries,
):
    make_records([{"family_name": "Martin", "given_name": f"Luc {n}"} for n in range(60)])

    with django_assert_max_num_queries(6):
        hits = find("martin")

    assert len(hits) == MOST_HITS + 1


def test_a_single_find_opens_the_customer_at_once():
    record = lefebvre()

    answer = client_of("steward").post(reverse("mdm:search"), {"text": "lefebvre"})

    assert answer.status_code == 302
    assert answer["Location"] == reverse("mdm:customer", args=[public_id(record.pk)])


def test_several_finds_are_listed_and_too_many_are_told():
    born = {"birth_date": date(1968, 7, 16)}
    make_records(
        [{"family_name": "Martin", "given_name": f"Luc{n:02}", **born} for n in range(55)]
    )

    answer = client_of("dpo").post(reverse("mdm:search"), {"text": "martin"})

    assert "Luc07 Martin" in answer.text
    assert "There are more than 50" in answer.text
    assert answer.text.count("16/07/1968") == 50
    assert answer["Cache-Control"].startswith("max-age=0, no-cache, no-store")


def test_nobody_found_says_what_to_try():
    answer = client_of("steward").post(reverse("mdm:search"), {"text": "xyzzy"})

    assert "Nobody found" in answer.text


def test_words_never_stand_in_the_address():
    lefebvre()

    answer = client_of("steward").get(reverse("mdm:search"), {"text": "lefebvre"})

    assert "88121" not in answer.text.replace('<dd class="o-mono">88121</dd>', "")
    assert "Zoé" not in answer.text


@pytest.mark.parametrize("role", ["marketer", "administrator"])
def test_who_sees_no_customers_has_no_search(role):
    client = client_of(role)

    assert client.post(reverse("mdm:search"), {"text": "a"}).status_code == 403
    assert "data-search" not in client.get(reverse("admin:index")).text


def test_the_anonymous_are_sent_to_the_login():
    answer = Client().post(reverse("mdm:search"), {"text": "a"})

    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("admin:login"))


def test_the_box_demands_the_token_of_its_form():
    client = Client(enforce_csrf_checks=True)
    client.force_login(UserFactory(role="steward"))

    assert client.post(reverse("mdm:search"), {"text": "a"}).status_code == 403
