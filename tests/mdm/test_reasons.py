"""Why something was done is told to everybody in their own language."""

import json
from contextlib import suppress

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext_lazy, gettext_noop, override

from matching import decisions
from matching.decisions import Verdict
from matching.models import MatchRun
from matching.undoing import start_preview
from mdm import jobs
from mdm.loading.stored_files import LoadRefused
from mdm.models import Customer, CustomerAct, Job, LoadBatch
from mdm.reasons import LETTERS, Refusal, in_words, reason_of
from tests.matching.factories import anne, make_steward, run_match
from tests.mdm.factories import make_records
from tests.mdm.loading.files import csv_bytes, load, load_bytes, row
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


@pytest.mark.django_db
@pytest.mark.parametrize("action", ["load", "preview"])
def test_why_a_worker_refused_a_file_is_told_in_the_readers_language(action):
    load(*[row(f"C{n}") for n in range(4)], mode="full")
    file = SimpleUploadedFile("crm.csv", csv_bytes([row("C1")]))
    values = {"file": file, "source": "crm", "mode": "full", "action": action}
    client_of("steward").post(reverse("mdm:load-new"), values)
    with override("fr"):
        jobs.execute(str(Job.objects.first().pk))

    batch = LoadBatch.objects.first()
    pages = {language: client_of("steward", language=language).get(
        reverse("mdm:batch", args=[batch.pk])).text for language in ("en", "fr")}  # fmt: skip

    assert "3 of the 4 active records of CRM are not in this full file" in pages["en"]
    assert "3 des 4 fiches actives de CRM" in pages["fr"]
    assert "3 of the 4" not in pages["fr"]


@pytest.mark.django_db
def test_an_unforeseen_error_is_told_in_the_readers_language(monkeypatch):
    monkeypatch.setitem(jobs._handlers, "odd", lambda run: 1 / 0)
    with override("fr"), suppress(jobs.JobFailed):
        jobs.run_now(jobs.create("odd", {}, by=None))
    job = Job.objects.get()

    told = {language: client_of("steward", language=language).get(
        reverse("mdm:job-state", args=[job.pk])).json()["error"]
        for language in ("en", "fr")}  # fmt: skip

    assert told["en"].startswith("Something went wrong (ZeroDivisionError).")
    assert told["fr"].startswith("Quelque chose s’est mal passé (ZeroDivisionError)")


def test_a_refusal_that_is_passed_on_keeps_its_message_apart_from_its_values():
    with override("fr"):
        first = Refusal(
            gettext_lazy("The column “%(column)s” stands twice in the file."), column="a"
        )
        second = Refusal(first)
        typed = Refusal("100 % faux")

    assert str(second) == "The column “a” stands twice in the file."
    assert second.stored == first.stored
    assert (str(typed), typed.stored) == ("100 % faux", "100 % faux")


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

        told = in_words(stored)

    assert json.loads(stored) == ["Decision: %(verdict)s", {"verdict": ["Same person"]}]
    assert (in_words(stored), told) == ("Decision: Same person", "Décision\u00a0: Même personne")
    assert (len(long), in_words(long)) == (LETTERS, long)


def test_a_value_that_a_person_typed_stays_as_it_is():
    stored = reason_of(gettext_lazy("Request %(number)s"), number="Same person")

    with override("fr"):
        assert in_words(stored).endswith("Same person")


@pytest.mark.django_db
def test_why_a_search_is_not_undone_any_more_is_told_in_the_readers_language():
    make_records([anne(), anne("shop")])
    run_match()
    search = MatchRun.objects.get()
    preview = start_preview(search, by=None, is_foreground=True)
    MatchRun.objects.update(undone_at=now())
    with override("fr"), suppress(jobs.JobFailed):
        jobs.run_now(preview)

    preview.refresh_from_db()
    assert preview.error == "This search was undone already."
    with override("fr"):
        assert Job.objects.get(pk=preview.pk).error == "Cette recherche est déjà annulée."


@pytest.mark.django_db
def test_a_column_that_is_not_there_is_told_in_the_readers_language(tmp_path):
    content = csv_bytes([row("C1")]).replace(b"prenom", b"prenoms")
    with override("fr"), pytest.raises(LoadRefused) as refusal:
        load_bytes(content)

    assert str(refusal.value).endswith("Is “prenoms” the one?")
    with override("fr"):
        assert str(refusal.value).endswith("Est-ce «\u00a0prenoms\u00a0»\u00a0?")
