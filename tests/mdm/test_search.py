"""The search box: by whatever one knows about a customer."""

from datetime import date
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from mdm.birth_ids import display, public_id
from mdm.identity import Link, apply_links
from mdm.models import GoldenRecord, SourceRecord
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


@pytest.mark.parametrize(
    ("text", "reason"),
    [("zoé nantes", "name, town"), ("39981234", "phone")],
)
def test_the_page_says_by_what_somebody_was_found(text, reason):
    lefebvre()
    make_record(given_name="Zoé", family_name="Lefèbvre", city="Nantes", phone="+33739981234")

    page = client_of("steward").post(reverse("mdm:search"), {"text": text})

    assert [hit.reason for hit in page.context["hits"]] == [f"found by: {reason}"] * 2
    assert page.text.count(f'<div class="o-quiet">found by: {reason}</div>') == 2


def test_of_whom_the_name_alone_was_typed_it_goes_without_saying():
    lefebvre()
    make_record(given_name="Zoé", family_name="Lefèbvre")

    page = client_of("steward").post(reverse("mdm:search"), {"text": "lefebvre"})

    assert [hit.reason for hit in page.context["hits"]] == ["", ""]
    assert "found by" not in page.text


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
        "zoe@exam",
        "zoe example.com",
        "mple.c",
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


@pytest.mark.parametrize("text", ["8812", "8121", "zoe 881", "lefebvre nantes 121"])
def test_a_part_of_a_source_key_finds_her_too(text):
    record = lefebvre()
    make_record(given_name="Zoé", family_name="Durand", phone="+33639985555", city="Nantes")

    assert found(text) == [record.customer_id]


def test_a_part_of_a_key_is_found_beside_phones_that_hold_it():
    record = lefebvre()
    caller = make_record(given_name="Paul", phone="+33639988121")

    assert set(found("8121")) == {record.pk, caller.pk}


@pytest.mark.parametrize("text", ["DupontJ", "dupontj", "pontj", "luc pontj"])
def test_a_source_key_of_letters_is_found_however_it_is_typed(text):
    record = make_record(key="DupontJ", given_name="Luc", family_name="Moreau")
    make_record(key="DurandL", given_name="Luc", family_name="Petit")

    assert found(text) == [record.pk]


def test_a_part_of_the_customer_id_finds_her():
    record = lefebvre()
    make_record(given_name="Paul", family_name="Durand", city="Lyon")

    assert found(public_id(record.pk)[1:].lower()) == [record.pk]


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
    with translation.override("en"):
        assert find("grand petit")[0].reason == "found by: name, what one of her records says"


@pytest.mark.postgresql
@pytest.mark.parametrize("text", ["lefebvre", "zoe nantes", "lefebvre 8812", "zoe 39981234"])
def test_words_are_looked_up_in_their_index(text):
    lefebvre()

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    with CaptureQueriesContext(connection) as asked:
        assert len(find(text)) == 1

    last = [q["sql"] for q in asked if "split_part" in q["sql"]][-1]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {last}")
        assert "golden_record_search" in "\n".join(line for (line,) in cursor.fetchall())


def test_the_update_leaves_the_texts_that_are_derived():
    first, second, _other = make_records(
        [
            {"given_name": "Zoé", "family_name": "Petit", "key": "A 1"},
            {"source": "web", "family_name": "Grand", "email": "old@example.com", "key": "É2"},
            {"given_name": "Paul", "phone": "+33639985555", "key": "33639985555"},
        ]
    )
    apply_links(
        [Link(second.pk, first.pk, "auto", 9.0), Link(first.pk, first.pk, "birth")],
        user=None,
        reason="",
    )
    texts = dict(GoldenRecord.objects.values_list("pk", "search_text"))
    GoldenRecord.objects.update(search_text="as it was before")
    update = import_module("mdm.migrations.0006_index_names_alone").index_names_alone

    update(apps, connection.SchemaEditorClass(connection))

    assert dict(GoldenRecord.objects.values_list("pk", "search_text")) == texts
    assert (
        texts[first.pk]
        == f"zoe petit grand old  old@example.com a 1 e2 {public_id(first.pk).lower()}"
    )


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
