"""The DPO sees whether the ledger holds, and can have it verified."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from consent.housekeeping import tidy_up
from consent.ledger_jobs import check_soon, check_when_due
from consent.models import ConsentEvent, EventSeal, Evidence, LedgerCheck
from consent.sealing import seal_events
from mdm import jobs
from mdm.models import Job
from tests.consent.factories import record_event
from tests.mdm.factories import make_record
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def setting_up(settings, tmp_path):
    settings.LEDGER_FOLDER = tmp_path / "ledger"


@pytest.fixture
def dpo() -> Client:
    return client_of("dpo")


@pytest.fixture
def event() -> ConsentEvent:
    event = record_event(make_record(email="ada@example.com"), "given")
    seal_events()
    return event


def test_a_click_has_the_ledger_verified_and_the_result_stands_on_the_home_page(
    dpo: Client, event, settings
):
    page = reverse("consent:ledger")
    assert "not verified yet" in dpo.get(reverse("admin:index")).content.decode()

    dpo.post(page)
    jobs.run_now(Job.objects.get(kind="verify_ledger"))

    shown = dpo.get(page)
    assert "Ledger intact: 1 event, " in shown.content.decode()
    assert '<span class="o-stat__value">1</span>' in shown.content.decode()
    assert "Ledger intact: 1 event, " in dpo.get(reverse("admin:index")).content.decode()
    assert len(list(settings.LEDGER_FOLDER.iterdir())) == 1


def test_a_fault_is_named_on_both_pages_and_leads_to_the_event(dpo: Client, event):
    Evidence.objects.create(kind="spoken").events.add(event)
    jobs.run_now(check_soon(by=None))

    page = dpo.get(reverse("consent:ledger")).content.decode()
    assert "The ledger does not hold" in page
    assert "the evidence of an event was altered" in page
    assert reverse("consent:event", args=[event.uuid]) in page
    assert "does not hold" in dpo.get(reverse("admin:index")).content.decode()
    shown = dpo.get(reverse("consent:event", args=[event.uuid])).content.decode()
    assert "does not match its seal" in shown


def test_an_event_shows_its_place_in_the_chain(dpo: Client, event):
    later = record_event(make_record(email="bea@example.com"), "given")

    sealed = dpo.get(reverse("consent:event", args=[event.uuid])).content.decode()
    waiting = dpo.get(reverse("consent:event", args=[later.uuid])).content.decode()
    timeline = dpo.get(reverse("consent:customer", args=[event.source_record.customer.public_id]))

    assert "sealed, place 1" in sealed
    assert EventSeal.objects.get().hash_hex in sealed
    assert "not sealed yet" in waiting
    assert "sealed, place 1" in timeline.content.decode()


@pytest.mark.parametrize("role", ["steward", "marketer", "administrator"])
def test_the_ledger_is_the_dpos(role: str):
    client = client_of(role)

    assert client.get(reverse("consent:ledger")).status_code == 403
    assert client.post(reverse("consent:ledger")).status_code == 403
    assert not Job.objects.exists()


def test_the_sweeper_seals_and_asks_for_a_verification_a_day(monkeypatch):
    monkeypatch.setattr("consent.housekeeping._tidied_at", float("-inf"))
    record_event(make_record(email="ada@example.com"), "given")

    tidy_up()
    again = check_when_due()

    assert EventSeal.objects.count() == 1
    assert (Job.objects.filter(kind="verify_ledger").count(), again) == (1, False)


def test_a_verification_of_today_is_enough(event):
    LedgerCheck.objects.create(
        started_at=now(), finished_at=now(), event_count=1, erased_count=0, unsealed_count=0
    )

    assert check_when_due() is False


def test_no_checkpoint_is_written_of_a_ledger_that_does_not_hold(event, settings):
    Evidence.objects.create(kind="spoken").events.add(event)

    done = jobs.run_now(check_soon(by=None))

    assert done.result["fault"]
    assert not settings.LEDGER_FOLDER.exists()
