"""Words and mails of a double opt-in: what is on record, how many leave, to whom, and when not."""

from datetime import timedelta
from smtplib import SMTPException, SMTPRecipientsRefused

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.urls import reverse
from django.utils.timezone import now

from consent.mails import send_due_mails
from consent.models import (
    OptInChoice,
    OptInRequest,
    OutgoingMail,
    PermissionState,
)
from tests.consent.doors import (
    collection_point,
    confirm,
    mailed_token,
    notice,
    sign_up,
    visitor,
)

pytestmark = pytest.mark.django_db

State = OptInRequest.State


def test_the_words_that_were_shown_are_the_ones_on_record(point):
    choice = point.choices.get(channel="email")
    data = {"email": "ada@example.com", f"choice-{choice.pk}": ""}
    shown = notice(choice.notice_code, version=2)
    data[f"choice-{choice.pk}"] = str(shown.pk)
    notice(choice.notice_code, version=3)  # Published between showing and sending.

    visitor().post(reverse("public:sign-up", args=[point.code]), data)

    assert OptInChoice.objects.get().notice_version == shown


def test_words_of_another_notice_are_refused(point):
    choice = point.choices.get(channel="email")
    data = {"email": "ada@example.com", f"choice-{choice.pk}": str(notice("other").pk)}

    visitor().post(reverse("public:sign-up", args=[point.code]), data)

    assert not OptInRequest.objects.exists()


# A-PUB-08: mail bombing.
def test_one_address_gets_one_mail_a_day_for_the_same_sign_up(point):
    clients = [visitor() for _ in range(3)]
    for number in range(12):
        sign_up(point, client=clients[number % 3])

    send_due_mails()
    assert len(mail.outbox) == 1


def test_an_address_gets_three_mails_a_day_at_most_whatever_is_asked():
    points = [collection_point(f"form-{number}") for number in range(5)]
    for point in points:
        sign_up(point)

    send_due_mails()
    assert len(mail.outbox) == 3


def test_a_reminder_comes_after_a_day_and_twice_at_most(point):
    sign_up(point)
    first = mailed_token()
    for _ in range(4):
        OutgoingMail.objects.update(created_at=now() - timedelta(hours=25))
        sign_up(point)
        send_due_mails()

    assert len(mail.outbox) == 3
    assert "This link does not work" in confirm(first).text  # Only the latest mail's link works.
    assert "Thank you" in confirm(mailed_token()).text


# A-PUB-11: header injection.
def test_a_name_never_reaches_a_header_of_the_mail(point):
    sign_up(point, given_name="Ada\r\nBcc: x@example.org")
    send_due_mails()

    message = mail.outbox[0].message()
    assert message["To"] == "ada@example.com"
    assert message["Bcc"] is None


def test_a_person_who_did_not_sign_up_is_never_written_to_from_there_again(point):
    sign_up(point)

    answer = confirm(mailed_token(), act="disavow")
    OutgoingMail.objects.update(created_at=now() - timedelta(days=3))
    sign_up(point)
    send_due_mails()

    assert "it was not you" in answer.text
    assert len(mail.outbox) == 1
    request = OptInRequest.objects.get()
    assert (request.state, request.email) == (State.DISAVOWED, "")


@pytest.mark.parametrize(
    ("language", "words"), [("fr", "Offres commerciales"), ("en", "Commercial offers")]
)
def test_mails_have_a_text_and_a_page_in_the_persons_language(point, language, words):
    sign_up(point, client=visitor(**{"accept-language": language}))
    send_due_mails()

    message = mail.outbox[0]
    (html,) = message.alternatives
    assert words in message.body
    assert words in html.content
    assert html.mimetype == "text/html"


def test_the_receipt_has_the_words_and_a_way_out(point):
    sign_up(point)
    confirm(mailed_token())
    send_due_mails()

    receipt = mail.outbox[-1]
    assert "newsletter-marketing-email" in receipt.body
    assert "/preferences/" in receipt.body
    assert receipt.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    way_out = receipt.extra_headers["List-Unsubscribe"].strip("<>")
    assert visitor().post("/" + way_out.split("/", 3)[3]).status_code == 200
    assert PermissionState.objects.get(purpose__code="marketing").state == "withdrawn"


def test_a_mail_server_that_is_away_loses_no_mail(point, monkeypatch):
    sign_up(point)
    works = EmailBackend.send_messages

    def fails(*args):
        raise SMTPException("away")

    monkeypatch.setattr(EmailBackend, "send_messages", fails)
    assert send_due_mails() == 0
    monkeypatch.setattr(EmailBackend, "send_messages", works)
    assert send_due_mails() == 0  # Not at once: the server gets a minute.
    OutgoingMail.objects.update(due_at=now())

    assert send_due_mails() == 1
    assert "Thank you" in confirm(mailed_token()).text


def test_an_address_the_server_refuses_is_given_up(point, monkeypatch):
    sign_up(point)

    def refuses(*args):
        raise SMTPRecipientsRefused({})

    monkeypatch.setattr(EmailBackend, "send_messages", refuses)
    send_due_mails()

    assert OptInRequest.objects.get().state == State.UNDELIVERABLE
    assert not OutgoingMail.objects.filter(due_at__isnull=False).exists()
