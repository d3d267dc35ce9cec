"""The DPO's two clocks, and the rehearsal of an inspection."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import localdate, now

from campaigns.models import ListDownload, TargetList, TargetListMember
from consent.models import ConsentEvent, NoticeVersion
from consent.rehearsal import draw
from consent.sealing import seal_events
from tests.campaigns.factories import make_campaign
from tests.consent.factories import email_of, record_event
from tests.factories import UserFactory
from tests.mdm.factories import make_record
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def dpo() -> Client:
    return client_of("dpo")


def page_of(event: ConsentEvent) -> str:
    return reverse("consent:customer", args=[event.source_record.customer.public_id])


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> ConsentEvent:
    """A withdrawal written ten days ago and recorded two days ago; the consent is older."""
    record = make_record(email="ada@example.com", source_created_at=days_ago(50))
    monkeypatch.setattr("consent.ledger.now", lambda: days_ago(40))
    record_event(record, "given", occurred_at=days_ago(40))
    monkeypatch.setattr("consent.ledger.now", lambda: days_ago(2))
    return record_event(record, "withdrawn", point=email_of(record), occurred_at=days_ago(10))


def days_ago(days: int) -> datetime:
    return now() - timedelta(days=days)


def test_both_clocks_are_chosen_apart_and_the_difference_is_marked(dpo: Client, late):
    asked, yesterday = ((localdate() - timedelta(days=days)).isoformat() for days in (5, 1))

    then = dpo.get(page_of(late), {"at": asked})
    later = dpo.get(page_of(late), {"at": asked, "known_at": yesterday})

    # Withdrawn as we know today; nobody knew it that day, everybody did yesterday.
    assert then.context["matrix"].differing_count == 1
    assert "1 answer was otherwise as it was known on" in then.content.decode()
    assert "As it was known then: allowed" in then.content.decode()
    assert later.context["matrix"].differing_count == 0
    assert "every answer was the same" in later.content.decode()


def test_a_day_of_knowledge_to_come_is_refused(dpo: Client, late):
    tomorrow = (localdate() + timedelta(days=1)).isoformat()

    page = dpo.get(page_of(late), {"at": localdate().isoformat(), "known_at": tomorrow})

    assert "Choose a day that is not in the future" in page.content.decode()


@pytest.mark.parametrize(("days", "is_told"), [(12, False), (5, True), (1, False)])
def test_messages_that_left_before_the_refusal_was_recorded_are_told(
    dpo: Client, late, monkeypatch: pytest.MonkeyPatch, days: int, *, is_told: bool
):
    owner = UserFactory()
    campaign = make_campaign(owner, name="Autumn shoes", channel="email")
    target_list = TargetList.objects.create(campaign=campaign, owner=owner)
    TargetListMember.objects.create(
        target_list=target_list,
        customer=late.source_record.customer,
        contact_point=late.contact_point,
        rule="E1",
        basis="consent",
    )
    left_at = days_ago(days)
    with monkeypatch.context() as clock:
        clock.setattr("django.utils.timezone.now", lambda: left_at)
        ListDownload.objects.create(
            target_list=target_list,
            user=owner,
            format="csv",
            reason="mailing",
            watermark="w",
            row_count=1,
            removed_count=0,
            sha256="0" * 64,
        )

    page = dpo.get(page_of(late)).content.decode()

    assert ("Sent meanwhile, in good faith" in page) is is_told
    assert ("Autumn shoes" in page) is is_told


@pytest.fixture
def consents() -> list[ConsentEvent]:
    """One consent with everything that proves it, and one that is a mere claim."""
    notice = NoticeVersion.objects.create(code="w", version=1, body="b", valid_from="2026-01-01")
    proved = record_event(
        make_record(email="ada@example.com"),
        "confirmed",
        evidence_level=3,
        notice_version_id=notice.pk,
    )
    claim = record_event(
        make_record(email="bea@example.com"), "given", evidence_level=0, actor_type="import"
    )
    seal_events()
    return [proved, claim]


def test_the_rehearsal_leads_to_each_proof_and_says_what_lacks(dpo: Client, consents):
    for seed in range(50):  # Whichever seed draws both of them.
        if len(draw(seed)) == 2:
            break
    page = dpo.get(reverse("consent:rehearsal"), {"seed": seed}).content.decode()

    assert "1 of 2 could be proved in full today" in page
    assert all(reverse("consent:event", args=[event.uuid]) in page for event in consents)
    assert "the words shown" in page
    assert draw(seed) == draw(seed)


def test_a_refusal_is_never_drawn(dpo: Client):
    record_event(make_record(email="ada@example.com"), "refused")

    page = dpo.get(reverse("consent:rehearsal"), {"seed": "x" * 9}).content.decode()

    assert "No consent stands yet" in page


def test_the_rehearsal_costs_the_same_for_many_as_for_few(dpo: Client):
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as counted:
            dpo.get(reverse("consent:rehearsal"), {"seed": 7})
        return len(counted)

    record_event(make_record(email="a0@example.com"), "given")
    alone = queries()
    for number in range(1, 6):
        record_event(make_record(email=f"a{number}@example.com"), "given")

    # Each draw is one look-up by key: at most twenty, however many consents there are.
    assert queries() <= alone + 20


@pytest.mark.parametrize("role", ["steward", "marketer", "administrator"])
def test_the_rehearsal_is_the_dpos(dpo: Client, role: str):
    assert client_of(role).get(reverse("consent:rehearsal")).status_code == 403
