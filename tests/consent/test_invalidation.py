"""A notice that misled people is withdrawn: its consents count as never given."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils.timezone import now

from consent.evaluation import may_contact, offer_for
from consent.models import ConsentEvent, NoticeVersion, NoticeWithdrawal, PermissionState
from consent.notices import notices_in_force
from mdm import jobs
from mdm.models import Job
from tests.consent.factories import marketing, record_event
from tests.mdm.factories import make_record
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def notice() -> NoticeVersion:
    return NoticeVersion.objects.create(
        code="web", version=1, body="Tick to win.", checkbox_label="I win", valid_from="2026-01-01"
    )


@pytest.fixture
def consent(notice) -> ConsentEvent:
    return record_event(make_record(email="ada@example.com"), "given", notice_version_id=notice.pk)


def rule(event: ConsentEvent, **when: object) -> str:
    offer = offer_for(marketing())
    customer = event.source_record.customer
    return may_contact(customer, channel="email", offer=offer, **when).answer.rule


def withdraw(notice: NoticeVersion, reason: str = "The box was ticked beforehand.") -> None:
    page = reverse("consent:notice", args=[notice.pk])
    client_of("dpo").post(page, {"reason": reason})
    for job in Job.objects.filter(kind="invalidate_consents", state="queued"):
        jobs.run_now(job)


def test_the_impact_is_told_before_and_the_consents_count_no_more(notice, consent):
    other = record_event(make_record(email="bea@example.com"), "given")
    before = now()
    page = client_of("dpo").get(reverse("consent:notice", args=[notice.pk])).content.decode()
    assert "1 consent of 1 people will count as never given" in page
    assert notice.sha256 in page

    withdraw(notice)

    assert PermissionState.objects.get(customer=consent.source_record.customer).state == (
        "invalidated"
    )
    assert (rule(consent), rule(other)) == ("E1_void", "E1")
    # It never counted, as we know today; as it was known then, it did.
    yesterday = now() - timedelta(days=1)
    assert rule(consent, at=yesterday) == "E1_void"
    assert rule(consent, at=before, known_at=before) == "E1"
    call_command("rebuild", "--check")


def test_the_reason_is_mandatory(notice, consent):
    withdraw(notice, "   ")

    assert not NoticeWithdrawal.objects.exists()
    assert rule(consent) == "E1"


def test_a_withdrawn_notice_is_shown_no_more(notice):
    earlier = NoticeVersion.objects.create(
        code="web", version=0, body="Tick if you like.", valid_from="2025-01-01"
    )

    withdraw(notice)

    assert notices_in_force(["web"], "fr")["web"] == earlier


def test_whoever_agrees_again_on_other_words_may_be_written_to(notice, consent):
    withdraw(notice)
    record_event(consent.source_record, "given", occurred_at=now())

    assert rule(consent) == "E1"


def test_a_refusal_made_on_the_notice_stays(notice, consent):
    record_event(consent.source_record, "withdrawn", notice_version_id=notice.pk)

    withdraw(notice)

    assert rule(consent) == "G6"


def test_twice_is_once(notice, consent):
    withdraw(notice)
    withdraw(notice)

    assert ConsentEvent.objects.filter(type="invalidated").count() == 1
    assert NoticeWithdrawal.objects.get().reason == "The box was ticked beforehand."


@pytest.mark.parametrize("role", ["steward", "marketer", "administrator"])
def test_only_the_dpo_withdraws(notice, consent, role: str):
    page = reverse("consent:notice", args=[notice.pk])

    assert client_of(role).post(page, {"reason": "x"}).status_code == 403
    assert not NoticeWithdrawal.objects.exists()
