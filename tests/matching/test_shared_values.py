"""A value that many people carry says little about who one of them is."""

from typing import Any

import pytest
from django.urls import reverse

from matching.explanation import explain
from matching.models import PairEvidence, ReviewTask
from mdm.models import ContactPoint, SourceRecord
from tests.matching.factories import anne, customers_of, make_company, open_task, run_match
from tests.mdm.factories import make_records
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db

COUNTER = "+33199777777"
GIVEN = "Aubin Blaise Cyr Désiré Edgar Fanny Gaby Hilda Irma Jules".split()
FAMILY = "Abadie Bescond".split()


def at_the_counter() -> list[dict[str, Any]]:
    """Twenty people whose clerk typed the number of the shop."""
    return [
        {"given_name": given, "family_name": f"{family}{given}", "phone": COUNTER}
        for family in FAMILY
        for given in GIVEN
    ]


def twice(given: str, family: str, phone: str) -> list[dict[str, Any]]:
    """One person in two sources, who gave nothing but a name and a phone."""
    values = {"given_name": given, "family_name": family, "phone": phone}
    return [{"source": "crm", **values}, {"source": "shop", **values}]


def score(left: SourceRecord, right: SourceRecord) -> float:
    evidence = PairEvidence.objects.filter(left=left, right=right).first()
    return evidence.score if evidence else float("-inf")


def bits_of_phone(left: SourceRecord, right: SourceRecord) -> float:
    told = explain(PairEvidence.objects.get(left=left, right=right))
    (bits,) = (said.bits for said in told.speaks_for if said.field == "phone")
    return bits


def test_a_phone_of_twenty_people_joins_none_of_them():
    make_company()
    people = make_records(at_the_counter())

    run_match()

    assert ContactPoint.objects.get(value=COUNTER).shared_by == 20
    assert len(set(customers_of(*people))) == 20


def test_a_phone_of_twenty_people_says_less_than_ones_own():
    make_company(300)  # Of fewer pairs a model knows little but what it began with.
    make_records(at_the_counter())
    own = make_records(twice("Yseult", "Kervadec", "+33199888888"))
    counter = make_records(twice("Ombline", "Tanguidec", COUNTER))

    run_match()

    assert score(*counter) < score(*own) - 0.5
    assert bits_of_phone(*counter) < bits_of_phone(*own)
    assert len(set(customers_of(*own))) == 1


def test_the_review_page_marks_what_many_people_carry():
    make_company()
    make_records(at_the_counter())
    left, right = make_records(
        [anne(phone=COUNTER), anne("shop", given_name="Claire", phone=COUNTER, email="")]
    )
    run_match()
    task = ReviewTask.objects.filter(left=left, right=right).first() or open_task(left, right)

    page = client_of("steward").get(reverse("matching:review", args=[task.pk])).text

    point = ContactPoint.objects.get(value=COUNTER)
    assert f"shared by {point.shared_by}" in page
    assert reverse("mdm:quality-carriers", args=["phone", point.pk]) in page
    assert "lefebvre@example.com" in page
    assert page.count("shared by") == 2  # The phone, on both sides, and nothing else.
