"""The consent pages at the outermost door: by request, for each role."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import localdate, now

from consent.models import ConsentEvent, NoticeVersion, Purpose
from mdm import identity
from mdm.models import AccessLog, SourceRecord
from tests.consent.factories import email_of, record_event
from tests.mdm.factories import make_record, make_records

pytestmark = pytest.mark.django_db


def client_of(role: str) -> Client:
    user = User.objects.create_user(role, password="x", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


@pytest.fixture
def dpo() -> Client:
    return client_of("dpo")


@pytest.fixture
def record() -> SourceRecord:
    return make_record(email="ada@example.com", family_name="Lovelace", key="C-77")


@pytest.fixture
def event(record: SourceRecord) -> ConsentEvent:
    return record_event(record, "given", occurred_at=now() - timedelta(days=40))


def addresses(event: ConsentEvent) -> list[str]:
    return [
        reverse("consent:events"),
        reverse("consent:event", args=[event.uuid]),
        reverse("consent:customer", args=[event.source_record.customer.public_id]),
        reverse("admin:consent_purpose_changelist"),
        reverse("admin:consent_noticeversion_changelist"),
    ]


def test_the_dpo_reads_every_page(dpo: Client, event: ConsentEvent):
    assert [dpo.get(address).status_code for address in addresses(event)] == [200] * 5


@pytest.mark.parametrize("role", ["steward", "marketer", "administrator"])
def test_nobody_else_reads_consent_histories(role: str, event: ConsentEvent):
    client = client_of(role)

    answers = [client.get(address).status_code for address in addresses(event)]

    assert answers == [403] * 5


def test_a_stranger_is_sent_to_the_login(event: ConsentEvent, client: Client):
    for address in addresses(event):
        answer = client.get(address)
        assert answer.status_code == 302
        assert reverse("admin:login") in answer["Location"]


# A-ROLE-06: events by any page of the staff.
@pytest.mark.parametrize("role", ["steward", "dpo", "marketer", "administrator"])
def test_nobody_can_write_an_event_or_change_a_notice(role: str, event: ConsentEvent):
    client = client_of(role)
    notice = NoticeVersion.objects.create(
        code="form", version=1, body="As shown.", valid_from="2026-01-01"
    )

    writes = [
        client.post(reverse("consent:event", args=[event.uuid]), {"evidence_level": 4}),
        client.post(
            reverse("admin:consent_noticeversion_change", args=[notice.pk]), {"body": "x"}
        ),
        client.post(
            reverse("admin:consent_noticeversion_delete", args=[notice.pk]), {"post": "y"}
        ),
        client.get("/admin/consent/consentevent/"),
        client.get("/admin/consent/permissionstate/"),
    ]

    assert all(answer.status_code in {403, 404, 405} for answer in writes)
    assert ConsentEvent.objects.get(pk=event.pk).evidence_level == 2
    assert NoticeVersion.objects.get().body == "As shown."


def test_the_dpo_adds_a_purpose_and_a_notice(dpo: Client):
    purpose = {
        "code": "charity",
        "label_fr": "Dons",
        "label_en": "Donations",
        "nature": "charity",
        "product_families": "tea\nshoes\n",
        "is_active": "on",
    }
    notice = {
        "code": "web-form",
        "version": 1,
        "language": "fr",
        "valid_from": "2026-01-01",
        "body": "Nous vous écrirons.",
        "checkbox_label": "J'accepte",
    }

    answers = [
        dpo.post(reverse("admin:consent_purpose_add"), purpose),
        dpo.post(reverse("admin:consent_noticeversion_add"), notice),
    ]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert Purpose.objects.get(code="charity").product_families == ["tea", "shoes"]
    assert len(NoticeVersion.objects.get().sha256) == 64


def test_a_used_purpose_keeps_its_code_and_cannot_be_deleted(dpo: Client):
    purpose = Purpose.objects.get(code="marketing")
    address = reverse("admin:consent_purpose_change", args=[purpose.pk])

    dpo.post(address, {"code": "other", "label_fr": "x", "label_en": "Offers", "is_active": "on"})
    deletion = dpo.post(
        reverse("admin:consent_purpose_delete", args=[purpose.pk]), {"post": "yes"}
    )

    purpose.refresh_from_db()
    assert (purpose.code, purpose.label_en) == ("marketing", "Offers")
    assert deletion.status_code == 403


def test_nobody_is_canvassed_for_a_purpose_in_a_banned_sector(dpo: Client, event: ConsentEvent):
    purpose = Purpose.objects.get(code="marketing")
    here = reverse("consent:customer", args=[event.source_record.customer.public_id])
    free, names = dpo.get(here).text, {"label_fr": "x", "label_en": "Offers", "is_active": "on"}

    dpo.post(
        reverse("admin:consent_purpose_change", args=[purpose.pk]),
        {**names, "sector": "energy_renovation"},
    )

    assert "banned in this sector" not in free
    assert "banned in this sector" in dpo.get(here).text


SEARCHES = ["ada@example.com", "ADA@example.com", "lovelace", "C-77"]


@pytest.mark.parametrize("text", SEARCHES)
def test_a_person_is_found_by_post_and_stands_in_no_address(
    dpo: Client, event: ConsentEvent, text: str
):
    other = record_event(make_record(source="shop", email="eve@example.com"), "refused")

    page = dpo.post(reverse("consent:events"), {"text": text}).content.decode()

    assert str(event.uuid) in page
    assert str(other.uuid) not in page
    assert not AccessLog.objects.filter(reference__icontains=text).exists()


def test_events_are_filtered(dpo: Client, event: ConsentEvent):
    refusal = record_event(
        event.source_record, "refused", channel="sms", evidence_level=0, occurred_at=None
    )
    today, yesterday = localdate(), localdate() - timedelta(days=1)

    def page(**wanted: object) -> tuple[bool, bool]:
        text = dpo.post(reverse("consent:events"), wanted).content.decode()
        return str(event.uuid) in text, str(refusal.uuid) in text

    assert page() == (True, True)
    assert page(type="given") == (True, False)
    assert page(channel="sms") == (False, True)
    assert page(purpose=event.purpose_id) == (True, False)
    assert page(evidence="0") == (False, True)
    assert page(since=today) == (True, True)
    assert page(until=yesterday) == (False, False)


def test_older_events_are_a_click_away(dpo: Client, record: SourceRecord):
    events = [
        record_event(record, "refused", channel="sms", occurred_at=now() - timedelta(days=n + 1))
        for n in range(52)
    ]

    first = dpo.get(reverse("consent:events"))
    second = dpo.post(reverse("consent:events"), {"before": first.context["before"]})

    assert first.context["entries"][0].event.pk == events[-1].pk
    assert len(first.context["entries"]) == 50
    assert [entry.event.pk for entry in second.context["entries"]] == [events[1].pk, events[0].pk]
    assert second.context["before"] is None


def test_an_event_shows_the_words_the_person_read(dpo: Client, record: SourceRecord):
    notice = NoticeVersion.objects.create(
        code="form", version=3, body="We write about shoes.", valid_from="2026-01-01"
    )
    event = record_event(record, "given", notice_version_id=notice.pk, evidence_level=3)

    page = dpo.get(reverse("consent:event", args=[event.uuid])).content.decode()

    assert "We write about shoes." in page
    assert notice.sha256 in page
    assert "▮▮▮▯" in page
    assert "C-77" in page


def test_a_customer_page_answers_for_each_contact_point_and_any_day(
    dpo: Client, event: ConsentEvent
):
    customer = event.source_record.customer
    record_event(event.source_record, "withdrawn", point=event.contact_point)
    address = reverse("consent:customer", args=[customer.public_id])

    today = dpo.get(address).context["matrix"].rows[0].cells[0]
    month_ago = localdate() - timedelta(days=30)
    then = dpo.get(address, {"at": month_ago.isoformat()}).context["matrix"].rows[0].cells[0]

    assert (today.answer.rule, today.state) == ("G6", "no")
    assert (then.answer.rule, then.state) == ("E1", "yes")
    # The consent was recorded today: that day the system knew of none.
    assert then.then.rule == "E1_none"


def test_a_day_to_come_is_refused_in_words(dpo: Client, event: ConsentEvent):
    address = reverse("consent:customer", args=[event.source_record.customer.public_id])

    page = dpo.get(address, {"at": "2999-01-01"})

    assert "not in the future" in page.content.decode()
    assert not page.context["matrix"].is_past


def test_a_merged_id_still_opens_the_page(dpo: Client):
    one, two = make_records([{"email": "a@example.com"}, {"source": "shop"}])
    identity.apply_links([identity.Link(two.pk, one.pk, "auto")], user=None, reason="Merge.")

    page = dpo.get(reverse("consent:customer", args=[two.customer.public_id]))

    assert page.context["customer"].pk == one.pk
    assert dpo.get(reverse("consent:customer", args=["ZZZZZZZZ"])).status_code == 404


def test_opening_a_history_is_itself_recorded(dpo: Client, event: ConsentEvent):
    customer = event.source_record.customer

    dpo.get(reverse("consent:customer", args=[customer.public_id]))

    entry = AccessLog.objects.get()
    assert (entry.user.username, entry.reference) == ("dpo", customer.public_id)


@pytest.mark.parametrize("name", ["events", "customer"])
def test_pages_cost_the_same_queries_with_one_event_and_with_thirty(
    dpo: Client, record: SourceRecord, name: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("config.navigation._BADGE_SECONDS", 600)  # However slow the machine is.
    address = reverse("consent:events")
    if name == "customer":
        address = reverse("consent:customer", args=[record.customer.public_id])
    record_event(record, "given")
    record_event(record, "refused", channel="sms", point=email_of(record))  # Recorded late.
    dpo.get(address)
    with CaptureQueriesContext(connection) as few:
        dpo.get(address)
    for number in range(30):
        record_event(
            record,
            "refused",
            channel="sms",
            point=email_of(record),
            occurred_at=now() - timedelta(days=number + 1),
        )

    with CaptureQueriesContext(connection) as many:
        dpo.get(address)

    assert len(many) == len(few) < 45
