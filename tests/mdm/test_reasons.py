"""Why something was done is told to everybody in their own language."""

import json

import pytest
from django.utils.translation import gettext_lazy, gettext_noop, override

from matching import decisions
from matching.decisions import Verdict
from mdm.models import Customer, CustomerAct
from mdm.reasons import LETTERS, in_words, reason_of
from tests.matching.factories import anne, make_steward, run_match
from tests.mdm.factories import make_records
from tests.mdm.pages import client_of
from tests.mdm.test_customer_page import page_of


@pytest.mark.django_db
def test_a_page_tells_in_its_own_language_what_a_worker_did_in_another():
    one, _other = make_records([anne(), anne("shop")])
    with override("fr"):
        run_match()

    told = {language: client_of("steward", language=language).get(page_of(one)).text
            for language in ("en", "fr")}  # fmt: skip

    number = CustomerAct.objects.get().reason.split()[-1]
    assert f"Search no. {number}" in told["en"]
    assert f"Recherche n°\xa0{number}" in told["fr"]
    assert "Search no." not in told["fr"]


@pytest.mark.django_db
def test_histories_and_acts_tell_what_was_said_in_another_language():
    one, other = make_records([anne(), anne("shop")])
    with override("fr"):
        decisions.decide(one.pk, other.pk, Verdict.SAME, by=make_steward())

    told = Customer.history.filter(id=one.pk).latest().history_change_reason

    assert told == "Decision: Same person"
    assert CustomerAct.objects.filter(reason__contains="Decision").get().reason == told
    with override("fr"):
        assert str(CustomerAct.objects.get(reason__contains="Decision")).startswith("Décision")


def test_what_a_person_typed_stays_as_it_is():
    for typed in (
        "",
        "wrong file",
        '["',
        '["a"]',
        '["%(x)d", {}]',
        '["%(x)d", {"x": "y"}]',
        "[1]",
    ):
        assert in_words(typed) == typed


def test_values_are_translated_too_and_what_is_too_long_is_cut():
    with override("fr"):
        stored = reason_of(gettext_noop("Decision: %(verdict)s"), verdict=Verdict.SAME.label)
        long = reason_of(gettext_lazy("Request %(number)s"), number="x" * LETTERS)

    assert json.loads(stored) == ["Decision: %(verdict)s", {"verdict": "Same person"}]
    assert in_words(stored) == "Decision: Same person"
    assert (len(long), in_words(long)) == (LETTERS, long)
