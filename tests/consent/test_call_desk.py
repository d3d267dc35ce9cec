"""The call desk: a number is checked before it is dialled, and the outcome counts at once."""

from datetime import datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse

from consent import call_desk, call_pages, evaluation
from consent.call_desk import callees, record_call
from consent.evaluation import may_contact, offer_for
from consent.models import CallAttempt, ConsentEvent
from mdm.models import AccessLog, ContactPoint, SourceRecord
from tests.consent.factories import marketing, record_event
from tests.factories import UserFactory
from tests.mdm.factories import make_record
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db

# After whatever day the tests run on: the ledger stamps events by the clock.
TUESDAY_AT_ELEVEN = datetime(2031, 11, 25, 11, tzinfo=ZoneInfo("Europe/Paris"))
NUMBER = "+33639981234"


@pytest.fixture(autouse=True)
def _clock(monkeypatch):
    for module in (call_desk, call_pages, evaluation):
        monkeypatch.setattr(module, "now", lambda: TUESDAY_AT_ELEVEN)


@pytest.fixture
def ada() -> SourceRecord:
    """Agreed to be called."""
    record = make_record(
        family_name="LOVELACE",
        phone=NUMBER,
        source_created_at=TUESDAY_AT_ELEVEN - timedelta(days=30),
    )
    record_event(
        record,
        "given",
        channel="phone",
        point=record.contact_points.get(kind="phone"),
        occurred_at=TUESDAY_AT_ELEVEN - timedelta(days=20),
    )
    return record


def check(client, number="06 39 98 12 34", **more):
    values = {"number": number, "purpose": marketing().pk, **more}
    return client.post(reverse("consent:calls"), values)


def outcome(ada: SourceRecord, said: str, **more) -> dict[str, object]:
    return {
        "customer": ada.customer_id,
        "contact_point": ada.contact_points.get(kind="phone").pk,
        "key": uuid4(),
        "outcome": said,
        **more,
    }


def test_a_consenting_person_may_be_called_within_the_hours(ada):
    response = check(client_of("caller"))

    (callee,) = response.context["callees"]
    assert (callee.answer.rule, len(callee.left)) == ("P1", 4)
    assert "You may call now" in response.content.decode()
    assert "Open until" in response.content.decode()
    assert NUMBER not in response.request["QUERY_STRING"]


def test_nobody_is_called_in_the_evening(ada, monkeypatch):
    evening = TUESDAY_AT_ELEVEN.replace(hour=20)
    for module in (call_desk, evaluation):
        monkeypatch.setattr(module, "now", lambda: evening)

    response = check(client_of("caller"))

    (callee,) = response.context["callees"]
    assert callee.answer.rule == "P4"
    assert "Do not call" in response.content.decode()
    assert "Opens on" in response.content.decode()
    # The list of tomorrow may still hold her.
    assert may_contact(ada.customer, channel="phone", offer=offer_for(marketing())).answer.allowed


def test_every_attempt_counts_and_the_fifth_is_refused(ada):
    client = client_of("caller")

    for said in ("no_answer", "voicemail", "no_answer", "reached"):
        response = check(client, **outcome(ada, said))

    (callee,) = response.context["callees"]
    assert callee.answer.rule == "P5"
    assert len(callee.left) == 0
    assert response.context["today"] == {"calls": 4, "reached": 1, "refused": 0}
    answer = may_contact(ada.customer, channel="phone", offer=offer_for(marketing())).answer
    assert answer.rule == "P5"


def test_a_second_click_is_the_same_attempt(ada):
    client, told = client_of("caller"), outcome(ada, "no_answer")

    check(client, **told)
    check(client, **told)

    assert CallAttempt.objects.count() == 1


def test_a_refusal_in_the_call_is_an_objection_at_once(ada):
    response = check(client_of("caller"), **outcome(ada, "refused"))

    (callee,) = response.context["callees"]
    assert callee.answer.rule == "G5"
    event = ConsentEvent.objects.get(type="objection")
    assert (event.channel, event.purpose, event.contact_point) == ("phone", None, None)
    assert event.evidence.get().kind == "spoken"


def test_a_refusal_of_calls_says_nothing_about_letters(ada):
    check(client_of("caller"), **outcome(ada, "refused"))

    (event,) = ConsentEvent.objects.filter(type="objection")
    assert event.channel == "phone"
    assert not ConsentEvent.objects.filter(type="withdrawn").exists()


def test_somebody_elses_number_is_used_no_more(ada):
    response = check(client_of("caller"), **outcome(ada, "wrong_number"))

    (callee,) = response.context["callees"]
    assert callee.answer.rule == "G3"
    assert ContactPoint.objects.get(value=NUMBER).status == "reassigned"


def test_attempts_of_both_records_count_for_the_merged_person(ada):
    other = make_record(phone="+33639985678")
    caller = UserFactory(role="caller")
    point = other.contact_points.get(kind="phone")
    for _ in range(4):
        record_call(other.customer, point, marketing(), "no_answer", key=uuid4(), by=caller)
    SourceRecord.objects.filter(pk=other.pk).update(customer=ada.customer)

    (callee,) = callees(NUMBER, marketing())

    assert callee.answer.rule == "P5"


def test_an_unknown_number_and_nonsense_are_told_apart(ada):
    client = client_of("caller")

    assert "Nobody here has this number" in check(client, "06 39 98 00 00").content.decode()
    assert "This is no telephone number" in check(client, "hello").content.decode()
    assert CallAttempt.objects.count() == 0


def test_a_number_that_moved_away_is_told(ada):
    told = outcome(ada, "reached")
    SourceRecord.objects.filter(pk=ada.pk).update(status="deleted")

    response = check(client_of("caller"), **told)

    assert "not the customer&#x27;s any more" in response.content.decode()
    assert CallAttempt.objects.count() == 0


@pytest.mark.parametrize("role", ["dpo", "marketer", "administrator"])
def test_other_roles_do_not_call(role):
    assert client_of(role).get(reverse("consent:calls")).status_code == 403


def test_checking_writes_who_looked_and_no_number(ada, caplog):
    check(client_of("caller"))

    assert AccessLog.objects.get(action="call check").reference == ada.customer.public_id
    assert NUMBER not in caplog.text
