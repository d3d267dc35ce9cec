"""The preference centre beside the consents: pauses, requests, a copy, a fresh link."""

import json
from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse
from django.utils.timezone import localdate, now

from consent.evaluation import may_contact, offer_for
from consent.links import FULL_DAYS, make_link
from consent.mails import send_due_mails
from consent.models import (
    Pause,
    RightsRequest,
)
from tests.consent.doors import (
    act,
    link_of,
    may_write_to,
    visitor,
)
from tests.consent.factories import email_of, marketing, record_event

pytestmark = pytest.mark.django_db


def test_a_pause_holds_until_its_end(ada):
    record_event(ada, "confirmed", evidence_level=3)

    answer = act(link_of(ada), "pause", months="3")

    assert "You are on pause until" in answer.text
    assert not may_write_to(ada)
    pause = Pause.objects.get()
    assert timedelta(days=88) < pause.ends_at - pause.starts_at < timedelta(days=93)
    later = may_contact(
        ada.customer, channel="email", offer=offer_for(marketing()), at=pause.ends_at
    )
    assert later.answer.allowed


def test_a_pause_is_ended_by_her_and_gives_no_new_permission(ada):
    act(link_of(ada), "pause", months="6")
    act(link_of(ada), "pause", months="3")
    assert Pause.objects.count() == 1

    act(link_of(ada), "resume")

    assert not Pause.objects.filter(ends_at__gt=now()).exists()
    assert not may_write_to(ada)


@pytest.mark.parametrize("months", ["1", "99", "x", ""])
def test_no_other_pause_than_those_offered(ada, months):
    act(link_of(ada), "pause", months=months)

    assert not Pause.objects.exists()


def test_a_request_starts_its_clock_once(ada):
    for message in ("Please send me a copy.", "Again!"):
        answer = act(link_of(ada), "request", kind="access", message=message)

    request = RightsRequest.objects.get()
    assert "Your request has arrived" in answer.text
    assert (request.kind, request.customer_id) == ("access", ada.customer_id)
    assert request.message == "Please send me a copy."
    assert 28 <= (request.due_on - localdate()).days <= 36
    assert "copy" not in answer.text  # Whoever gets the link forwarded does not read it.


def test_consents_can_be_taken_along(ada):
    record_event(ada, "confirmed", evidence_level=3)
    act(link_of(ada), "stop")

    answer = visitor().get(reverse("public:consents-json", args=[link_of(ada)]))
    page = visitor().get(reverse("public:consents", args=[link_of(ada)]))

    document = json.loads(answer.content)
    assert [event["what"] for event in document["events"]] == ["confirmed", "objection"]
    assert "attachment" in answer["Content-Disposition"]
    assert "consent confirmed" in page.text.lower()


def test_an_old_link_only_stops_until_a_fresh_one_is_asked_for(ada):
    record_event(ada, "confirmed", evidence_level=3)
    day = localdate() - timedelta(days=FULL_DAYS + 1)
    link = make_link(email_of(ada).pk, ada.customer_id, day=day)

    shown = visitor().get(reverse("public:preferences", args=[link])).text
    act(link, "pause", months="3")
    act(link, "request", kind="access")
    act(link, "mail-link")
    act(link, "mail-link")
    send_due_mails()

    assert "more than a year old" in shown
    assert "What you receive" not in shown
    assert not Pause.objects.exists()
    assert not RightsRequest.objects.exists()
    assert mail.outbox[0].to == ["ada@example.com"]
    fresh = mail.outbox[0].body.split("/preferences/")[1].split("/")[0]
    assert "What you receive" in visitor().get(reverse("public:preferences", args=[fresh])).text
    act(link, "stop")
    assert not may_write_to(ada)
