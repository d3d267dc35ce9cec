"""One description finds the customers that a search would link with it, with score and reasons."""

import json
import subprocess
import sys

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from django.utils import translation

from matching import key_table
from matching.learnt import learnt_with_keys
from matching.models import PairEvidence
from matching.resemblance import compared, resembling, standard
from mdm import jobs
from mdm.models import SourceRecord
from mdm.standardise.record import ATTRIBUTES, StandardRecord
from tests.instance import ROOT
from tests.matching.factories import anne, make_company, run_match
from tests.mdm.factories import make_records

pytestmark = pytest.mark.django_db


@pytest.fixture
def anne_among_others() -> SourceRecord:
    make_company(30)
    record, _other = make_records([anne(), anne("shop", given_name="Ane")])
    run_match()
    jobs.run_now(key_table.prepare())
    return record


@pytest.fixture
def steward(client: Client) -> Client:
    user = User.objects.create_user("s.teward", is_staff=True)
    user.groups.add(Group.objects.get(name="steward"))
    client.force_login(user)
    return client


def test_a_record_resembles_what_the_search_found_for_it_with_the_same_scores(anne_among_others):
    learnt = learnt_with_keys()
    assert learnt is not None
    model, expected, found = learnt.model, {}, {}
    # What is described has no source; it weighs one bit at most, so no pair further up is missing.
    least = learnt.parameters.review_floor + 1
    for row in PairEvidence.objects.all():
        levels = {**model.levels(row.pattern), "source": 0}
        if model.score(levels) >= least:
            for pair in ((row.left_id, row.right_id), (row.right_id, row.left_id)):
                expected[pair] = (levels, pytest.approx(model.score(levels)))
    for record in SourceRecord.objects.order_by("pk"):
        described = StandardRecord(*(getattr(record, name) for name in ATTRIBUTES))
        for score, other, pattern in compared(described, learnt):
            if other != record.pk and score >= least:
                found[record.pk, other] = (model.levels(pattern), score)

    assert found == expected
    assert len(found) > 20


def test_a_steward_types_what_she_knows_and_sees_who_it_may_be(steward, anne_among_others):
    with translation.override("en"):
        page = steward.post(
            reverse("matching:similar"),
            {
                "given_name": "anne",
                "family_name": "LEFEBVRE",
                "birth_date": "1984-11-03",
                "address_line": "12, r. du Pré",
                "postcode": "44000",
            },
            headers={"accept-language": "en"},
        )

    text = page.content.decode()
    assert reverse("mdm:customer", args=[anne_among_others.customer.public_id]) in text
    assert page.context["hits"][0]["golden"].family_name == "Lefebvre"
    assert {one.field for one in page.context["hits"][0]["speaks_for"]} >= {
        "given_name",
        "birth_date",
    }


def test_nobody_like_her_is_said_and_an_empty_form_searches_nothing(steward, anne_among_others):
    address = reverse("matching:similar")

    unknown = steward.post(address, {"given_name": "Zébulon", "family_name": "Quark"})
    empty = steward.post(address, {})

    assert unknown.context["hits"] == []
    assert "is_searched" not in empty.context
    assert steward.get(address).status_code == 200


def test_before_any_search_the_page_says_what_to_do(steward):
    make_records([anne()])

    page = steward.post(reverse("matching:similar"), {"family_name": "Lefebvre"})

    assert page.context["refusal"]


def test_the_door_for_other_systems_answers_with_ids_scores_and_reasons(
    steward, anne_among_others, django_assert_max_num_queries
):
    described = {
        "given_name": "Anne",
        "family_name": "Lefebvre",
        "email": "anne.lefebvre@example.com",
    }

    with django_assert_max_num_queries(10):
        answer = steward.post(
            reverse("matching:api-similar"), json.dumps(described), content_type="text/json"
        )

    (found, *_others) = answer.json()["candidates"]
    assert found["customer"] == anne_among_others.customer.public_id
    assert found["probability"] > 0.9
    reasons = sum(reason["bits"] for reason in found["reasons"])
    prior = resembling(standard(described))[0].reasons.prior
    assert found["score"] == pytest.approx(prior + reasons, abs=0.2)
    assert "Lefebvre" not in answer.content.decode()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[]", 400),
        (b"{", 400),
        (b'{"given_name": 1}', 400),
        (b'{"colour": "red"}', 400),
        (b'{"given_name": "' + b"a" * 10_000 + b'"}', 400),
        (b'{"given_name": "Anne"}', 409),
    ],
)
def test_what_other_systems_cannot_ask_is_refused(steward, body, status):
    answer = steward.post(reverse("matching:api-similar"), body, content_type="text/json")

    assert answer.status_code == status


def test_only_those_who_may_see_customers_may_ask(client):
    address = reverse("matching:api-similar")
    assert client.post(address, b"{}", content_type="text/json").status_code == 401
    assert client.get(address).status_code == 405
    client.force_login(User.objects.create_user("m.arketer", is_staff=True))

    assert client.post(address, b"{}", content_type="text/json").status_code == 403
    assert client.get(reverse("matching:similar")).status_code == 403


def test_a_form_of_another_site_cannot_ask():
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(User.objects.create_user("s.teward", is_staff=True, is_superuser=True))

    answer = careful.post(reverse("matching:api-similar"), b"{}", content_type="text/json")

    assert answer.status_code == 403


def test_the_web_process_imports_no_heavy_library_for_it():
    program = (
        "import django, sys; django.setup()\n"
        "from matching import resemblance, codes, key_table\n"
        "import matching.linkage.comparison, matching.linkage.encoding\n"
        "assert not {'pandas', 'recordlinkage', 'scipy', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)
