"""Double opt-in from the form to the ledger: by request and by mail, as people and machines do."""

import re
import threading
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.urls import reverse
from django.utils.timezone import now

from consent.double_opt_in import tidy
from consent.mails import send_due_mails
from consent.models import (
    ConsentEvent,
    Evidence,
    OptInRequest,
    OutgoingMail,
    PermissionState,
)
from mdm.models import Customer, SourceRecord
from tests.consent.doors import (
    confirm,
    link_of,
    mailed_token,
    sign_up,
    visitor,
)
from tests.consent.factories import email_of, record_event
from tests.mdm.factories import make_record

pytestmark = pytest.mark.django_db

State = OptInRequest.State


def everything() -> list[object]:
    """What no GET may change: the ledger, the states, the requests, the mails."""
    models = (ConsentEvent, PermissionState, OptInRequest, OutgoingMail, Evidence)
    return [list(model.objects.order_by("pk").values()) for model in models]


def test_nothing_is_permitted_before_the_person_confirms(point):
    answer = sign_up(point)

    assert answer.status_code == 200
    assert "Look into your mailbox" in answer.text
    assert not ConsentEvent.objects.exists()
    assert not SourceRecord.objects.exists()


def test_a_confirmed_sign_up_is_a_proved_consent_of_a_new_customer(point):
    sign_up(point, given_name="Ada", family_name="Lovelace")

    answer = confirm(mailed_token())

    assert "Thank you" in answer.text
    event = ConsentEvent.objects.get()
    assert (event.type, event.actor_type, event.evidence_level) == ("confirmed", "person", 3)
    assert event.contact_point.value == "ada@example.com"
    assert event.notice_version.code == "newsletter-marketing-email"
    record = event.source_record
    assert (record.source.code, record.given_name) == ("web-form", "Ada")
    assert PermissionState.objects.get(customer=record.customer).state == "confirmed"
    proof = event.evidence.get()
    assert proof.kind == "double_opt_in"
    assert proof.requested_at < proof.confirmed_at
    assert proof.requested_from == proof.confirmed_from == "127.0.0.0"


def test_a_settled_request_holds_no_details_any_more(point):
    sign_up(point, given_name="Ada")

    confirm(mailed_token())

    request = OptInRequest.objects.get()
    assert request.state == State.CONFIRMED
    assert [getattr(request, name) for name in OptInRequest.PERSONAL] == [""] * 4
    assert request.token_hash is None


def test_a_known_customer_gets_the_consent_at_the_very_address(point):
    known = make_record(email="Ada@example.com", given_name="Ada")
    other = make_record(email="bob@example.com")

    sign_up(point)
    confirm(mailed_token())

    event = ConsentEvent.objects.get()
    assert event.source_record == known
    assert event.contact_point == email_of(known)
    assert SourceRecord.objects.count() == 2
    assert not PermissionState.objects.filter(customer=other.customer).exists()


def test_a_shared_address_does_not_give_the_consent_to_somebody_else(point):
    make_record(email="ada@example.com", given_name="Charles", family_name="Babbage")

    sign_up(point, given_name="Ada", family_name="Lovelace")
    confirm(mailed_token())

    assert ConsentEvent.objects.get().source_record.given_name == "Ada"
    assert PermissionState.objects.count() == 1


def test_two_holders_without_a_name_to_tell_them_apart_are_left_alone(point):
    for name in ("Ada", "Charles"):
        make_record(email="ada@example.com", given_name=name)

    sign_up(point)
    confirm(mailed_token())

    assert ConsentEvent.objects.get().source_record.source.code == "web-form"


def test_an_address_that_is_confirmed_says_nothing_about_another(point):
    known = make_record(email="ada@example.com")
    make_record(email="ada@example.org")

    sign_up(point)
    confirm(mailed_token())

    assert [state.contact_point for state in PermissionState.objects.all()] == [email_of(known)]


def test_a_number_is_consented_to_by_the_form_and_not_called_confirmed(point):
    sign_up(point, "email", "sms", phone="06 39 98 12 34")

    confirm(mailed_token())

    by_channel = {event.channel: event for event in ConsentEvent.objects.all()}
    sms = by_channel["sms"]
    assert (sms.type, sms.evidence_level) == ("given", 2)
    assert sms.contact_point.value == "+33639981234"
    assert by_channel["email"].source_record == sms.source_record


def test_a_stranger_cannot_lift_the_refusal_of_a_number_by_typing_it(point):
    victim = make_record(email="v@example.com", phone="+33639981234")
    phone = victim.contact_points.get(kind="phone")
    record_event(victim, "withdrawn", channel="sms", point=phone)

    sign_up(point, "email", "sms", phone="0639981234")
    confirm(mailed_token())

    assert not ConsentEvent.objects.filter(type="given").exists()
    assert ConsentEvent.objects.filter(type="confirmed", channel="email").count() == 1


def test_she_may_take_back_what_she_refused_at_her_own_number(point):
    ada = make_record(email="ada@example.com", phone="+33639981234")
    record_event(ada, "objection", channel="*", point=email_of(ada))

    sign_up(point, "email", "sms", phone="0639981234")
    confirm(mailed_token())

    granted = PermissionState.objects.filter(state__in=["given", "confirmed"])
    assert {state.channel for state in granted} == {"email", "sms"}


def test_nor_the_number_of_somebody_who_objected_by_mail(point):
    victim = make_record(email="v@example.com", phone="+33639981234")
    record_event(victim, "objection", channel="*", point=email_of(victim))

    sign_up(point, "email", "sms", phone="0639981234")
    confirm(mailed_token())

    assert not ConsentEvent.objects.filter(type="given").exists()


# A-PUB-01: scanners open links.
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"User-Agent": "Mozilla/5.0 (compatible; SafeLinks)"},
        {"Purpose": "prefetch", "Sec-Purpose": "prefetch;prerender"},
    ],
)
def test_opening_a_link_changes_nothing(point, headers):
    sign_up(point)
    address = reverse("public:confirm", args=[mailed_token()])
    before = everything()

    answers = [visitor(**headers).get(address) for _ in range(3)]
    answers.append(visitor(**headers).head(address))

    assert [answer.status_code for answer in answers] == [200] * 4
    assert "Yes, I confirm" in answers[0].text
    assert everything() == before


# A-PUB-04: one identical page for every token that does not work.
def test_only_the_first_use_of_an_exact_token_counts(point):
    sign_up(point)
    token = mailed_token()
    flipped = ("B" if token[0] == "A" else "A") + token[1:]
    bad = [flipped, token[:-1], f" {token}", f"{token} ", token.swapcase(), token * 2, "x"]

    refused = [confirm(text).text for text in bad]
    first = confirm(token)
    again = confirm(token)

    assert "Thank you" in first.text
    assert len({*refused, again.text}) == 1
    assert "This link does not work" in again.text
    assert ConsentEvent.objects.count() == 1


def test_an_expired_token_confirms_nothing_and_a_new_sign_up_does(point):
    sign_up(point)
    token = mailed_token()
    OptInRequest.objects.update(expires_at=now() - timedelta(seconds=1))

    answer = confirm(token)

    assert "This link does not work" in answer.text
    assert reverse("public:sign-up", args=[point.code]) in answer.text
    assert not ConsentEvent.objects.exists()
    sign_up(point)
    assert "Thank you" in confirm(mailed_token()).text


@pytest.mark.parametrize("kind", ["withdrawn", "refused", "objection"])
def test_a_refusal_since_the_sign_up_makes_its_link_void(point, kind):
    known = make_record(email="ada@example.com")
    sign_up(point)
    token = mailed_token()
    record_event(known, kind, point=email_of(known), occurred_at=now())

    answer = confirm(token)

    assert "This link does not work" in answer.text
    assert not ConsentEvent.objects.filter(type="confirmed").exists()


def test_an_older_refusal_is_lifted_only_by_confirming(point):
    known = make_record(email="ada@example.com")
    record_event(known, "withdrawn", point=email_of(known), purpose=None)

    sign_up(point)
    assert {state.state for state in PermissionState.objects.all()} == {"withdrawn"}
    confirm(mailed_token())

    state = PermissionState.objects.get(purpose__code="marketing")
    assert state.state == "confirmed"


def test_stopping_ends_what_waits_for_a_confirmation(point):
    known = make_record(email="ada@example.com")
    sign_up(point)
    token = mailed_token()

    visitor().post(reverse("public:unsubscribe", args=[link_of(known)]))

    assert "This link does not work" in confirm(token).text
    assert not ConsentEvent.objects.filter(type="confirmed").exists()


# A-PUB-05: what a token is, and where it is not.
def test_tokens_are_random_and_the_database_has_only_their_hashes(point, caplog):
    tokens = set()
    for number in range(40):
        client = visitor()
        client.defaults["REMOTE_ADDR"] = f"10.0.{number}.1"
        sign_up(point, client=client, email=f"person{number}@example.com")
        tokens.add(mailed_token())

    assert len(tokens) == 40
    assert {len(token) for token in tokens} == {43}  # 256 bits in base 64.
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", token) for token in tokens)
    ones = sum(letter.isupper() for token in tokens for letter in token) / (40 * 43)
    assert 0.3 < ones < 0.5  # 26 of 64 letters.
    stored = repr(everything()) + caplog.text
    assert not [token for token in tokens if token in stored]


# A-PUB-07: no oracle.
def test_the_answer_is_the_same_whatever_is_known_of_an_address(point):
    known = make_record(email="known@example.com")
    refused = make_record(email="refused@example.com")
    record_event(known, "confirmed", evidence_level=3)
    record_event(refused, "objection")

    answers = [
        sign_up(point, email=f"{name}@example.com") for name in ("known", "refused", "nobody")
    ]

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    send_due_mails()
    assert sorted(message.to[0] for message in mail.outbox) == [
        "known@example.com",
        "nobody@example.com",
        "refused@example.com",
    ]


def test_known_and_unknown_addresses_cost_the_same_queries(
    point, django_assert_num_queries, django_assert_max_num_queries
):
    make_record(email="known@example.com")
    sign_up(point, email="first@example.com")
    with django_assert_max_num_queries(40) as known:
        sign_up(point, email="known@example.com")

    with django_assert_num_queries(len(known)):
        sign_up(point, email="unknown@example.com")


# A-PUB-08: mail bombing.
def test_one_client_cannot_sign_up_everybody(point):
    client = visitor()
    codes = [
        sign_up(point, client=client, email=f"person{number}@example.com").status_code
        for number in range(25)
    ]

    assert codes == [200] * 20 + [429] * 5
    assert OptInRequest.objects.count() == 20


def test_the_trap_for_machines_is_dropped_without_a_word(point):
    trapped = sign_up(point, website="https://spam.example")

    assert trapped.content == sign_up(point, email="real@example.com").content
    assert OptInRequest.objects.count() == 1


# A-PUB-11: header injection.
@pytest.mark.parametrize(
    "email",
    [
        "a@example.com\nBcc: x@example.org",
        "a@example.com\r\nTo: x@example.org",
        "a@example.com, x@example.org",
        "Ada <a@example.com>",
        "mailto:a@example.com",
        "a@example.com x@example.org",
        "a@b",
        "",
    ],
)
def test_anything_but_one_plain_address_is_refused(point, email):
    answer = sign_up(point, email=email)

    assert not OptInRequest.objects.exists()
    assert "p-error" in answer.text


def test_what_nobody_confirmed_is_ended_and_then_deleted(point):
    sign_up(point)
    disavowed = sign_up(point, email="not-me@example.com")
    assert disavowed.status_code == 200
    confirm(mailed_token(), act="disavow")

    tidy(at=now() + timedelta(days=8))
    assert set(OptInRequest.objects.values_list("state", flat=True)) == {"lapsed", "disavowed"}
    assert OutgoingMail.objects.exists()
    tidy(at=now() + timedelta(days=39))

    assert [request.state for request in OptInRequest.objects.all()] == [State.DISAVOWED]
    assert not OutgoingMail.objects.exists()


# A-PUB-14: parallel clicks.
@pytest.mark.django_db(transaction=True)
def test_fifty_confirmations_at_once_write_one_event(point):
    sign_up(point)
    token = mailed_token()
    start, answers = threading.Barrier(50), []

    def click() -> None:
        start.wait()
        try:
            answers.append(confirm(token).text)
        finally:
            connection.close()

    threads = [threading.Thread(target=click) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(answers) == 50
    assert sum("Thank you" in text for text in answers) == 1
    assert ConsentEvent.objects.count() == 1
    assert Evidence.objects.count() == 1
    assert Customer.objects.count() == 1
