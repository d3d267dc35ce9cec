"""Suppression lists: what is on one is not contacted, and nobody can read who that is."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils.timezone import now

from consent.evaluation import evaluate, may_contact, offer_for
from consent.models import Suppression, SuppressionList
from consent.suppression import LeftOut, add_list, lost_line_count, read_contacts
from mdm.erasure import erase
from mdm.models import Customer, SourceRecord
from tests.consent.factories import marketing, record_event
from tests.mdm.factories import make_record
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> SourceRecord:
    """Agreed to e-mails a week ago."""
    record = make_record(email="ada.love@gmail.com", phone="+33639981234", source_created_at=now())
    record_event(record, "given", evidence_level=3)
    return record


def answer(record: SourceRecord, channel: str = "email"):
    customer = Customer.objects.get(pk=record.customer_id)
    one = may_contact(customer, channel=channel, offer=offer_for(marketing())).answer
    (many,) = evaluate([customer.pk], channel=channel, offer=offer_for(marketing()))
    assert one.rule == many.answer.rule
    return one


def bring(client, **values):
    told = {"name": "Robinson", "channel": "*", "lines": "ada.love@gmail.com\n", **values}
    return client.post(reverse("consent:suppression"), told, follow=True)


def test_what_is_on_a_list_is_not_contacted_whatever_was_agreed(ada):
    assert answer(ada).allowed

    response = bring(client_of("dpo"))

    assert answer(ada).rule == "G4"
    assert "1 contact point is new on the list" in response.content.decode()
    assert "gmail" not in response.content.decode()


def test_a_list_for_one_channel_forbids_that_one(ada):
    bring(client_of("dpo"), channel="phone")

    assert answer(ada).allowed


def test_other_spellings_of_a_mailbox_are_on_the_list(ada):
    add_list("Robinson", [("email", "adalove+shop@googlemail.com")], by=None)

    assert answer(ada).rule == "G4"


def test_who_comes_back_by_her_own_will_is_contacted(ada):
    add_list("Robinson", [("email", "ada.love@gmail.com")], by=None)
    Suppression.objects.update(since=now() - timedelta(days=30))

    assert answer(ada).allowed


def test_the_past_is_answered_by_what_stood_on_the_lists_then(ada):
    yesterday = now() - timedelta(days=1)
    bring(client_of("dpo"))

    def rule(**moments):
        return may_contact(
            ada.customer, channel="email", offer=offer_for(marketing()), **moments
        ).answer.rule

    assert rule() == "G4"
    assert rule(at=yesterday) == "E1"
    assert rule(known_at=yesterday) != "G4"


def test_a_list_can_be_switched_off_with_a_reason_and_on_again(ada):
    client = client_of("dpo")
    bring(client)
    key = SuppressionList.objects.get().pk

    client.post(reverse("consent:suppression"), {"switch": key})
    assert answer(ada).rule == "G4"
    client.post(reverse("consent:suppression"), {"switch": key, "reason": "The wrong file"})
    assert answer(ada).allowed
    client.post(reverse("consent:suppression"), {"switch": key})
    assert answer(ada).rule == "G4"

    reasons = SuppressionList.history.values_list("history_change_reason", flat=True)
    assert "The wrong file" in reasons


def test_one_can_ask_without_reading(ada):
    client = client_of("dpo")
    bring(client)

    def ask(text):
        return client.post(reverse("consent:suppression"), {"asked": text}).content.decode()

    assert "It is on:" in ask("Ada.Love@gmail.com")
    assert "It is on no list" in ask("06 39 98 12 34")
    assert "neither an e-mail address nor a phone number" in ask("hello")


def test_a_file_is_read_line_by_line_and_tells_what_it_left_out(ada):
    file = SimpleUploadedFile(
        "list.csv", "\ufeffemail;name\nada.love@gmail.com;Ada\n06 39 98 12 34\n".encode()
    )

    response = bring(client_of("dpo"), lines="", file=file)

    assert Suppression.objects.count() == 2
    assert "1 line is neither an address nor a number and was left out: 1." in (
        response.content.decode()
    )


def test_the_same_list_again_adds_nothing(ada):
    bring(client_of("dpo"))
    again = bring(client_of("dpo"), lines="adalove@gmail.com\nnew@example.com")

    assert Suppression.objects.count() == 2
    assert "1 contact point is new on the list" in again.content.decode()
    assert "1 stood there already." in again.content.decode()


def test_a_list_forbids_what_its_name_says_or_refuses(ada):
    client = client_of("dpo")
    bring(client, channel="phone", lines="0639981234")

    wider = bring(client, channel="*").content.decode()
    SuppressionList.objects.update(is_in_force=False)
    off = bring(client, channel="phone").content.decode()

    assert "forbids something else (phone): take another name" in wider
    assert "is switched off: switch it on first" in off
    assert "ada.love@gmail.com" in off  # Nothing typed is lost.
    assert Suppression.objects.count() == 1


def test_a_list_without_a_line_is_refused():
    response = bring(client_of("dpo"), lines="hello")

    assert "No e-mail address or telephone number was found." in response.content.decode()
    assert not SuppressionList.objects.exists()


def test_the_command_brings_a_file(ada, tmp_path, capsys):
    path = tmp_path / "bloctel.txt"
    path.write_text("0639981234\nnonsense\n")

    call_command("suppress", path, "--list", "Bloctel", "--json")

    assert capsys.readouterr().out.strip() == (
        '{"new": 1, "known": 0, "left_out": 1, "first_lines_left_out": [2]}'
    )
    assert "G4" in answer(ada, "phone").failed_gates
    with pytest.raises(CommandError):
        call_command("suppress", tmp_path / "none.txt", "--list", "Bloctel")


# A-ERA-02: loading the row of somebody who was erased.
def test_whoever_is_erased_and_brought_back_by_a_file_is_not_contacted(ada):
    erase(ada.customer, reason="Request of the person", by=None)

    back = make_record(email="ada.love@gmail.com", source_created_at=now())
    record_event(back, "given", actor_type="import", evidence_level=1)

    assert answer(back).rule == "G4"
    erased = SuppressionList.objects.get(origin="erased")
    assert erased.lines.count() == 2
    # That list cannot be switched off.
    sent = {"switch": erased.pk, "reason": "please"}
    assert client_of("dpo").post(reverse("consent:suppression"), sent).status_code == 404


def test_the_database_alone_tells_nothing_and_a_lost_key_is_noticed(ada, settings):
    settings.SUPPRESSION_KEYS = ["first key"]
    add_list("Robinson", [("email", "ada.love@gmail.com")], by=None)
    (line,) = Suppression.objects.values()
    assert "ada" not in str(line)

    settings.SUPPRESSION_KEYS = ["second key", "first key"]
    assert answer(ada).rule == "G4"
    settings.SUPPRESSION_KEYS = ["second key"]
    assert answer(ada).allowed
    assert lost_line_count() == 1
    page = client_of("dpo").get(reverse("consent:suppression")).content.decode()
    assert "protects nobody" in page


@pytest.mark.parametrize("role", ["steward", "marketer", "administrator"])
def test_other_roles_do_not_see_the_lists(role):
    assert client_of(role).get(reverse("consent:suppression")).status_code == 403


def test_lines_are_read_as_people_write_them():
    lines = ["A@Example.com", " +33 6 39 98 12 34 ;x", '"b@example.org",y', "", "nonsense"]

    left_out = LeftOut()
    assert list(read_contacts(lines, left_out)) == [
        ("email", "a@example.com"),
        ("phone", "+33639981234"),
        ("email", "b@example.org"),
    ]
    assert (left_out.count, left_out.first) == (1, [5])


def test_a_list_from_outside_may_be_called_anything(ada):
    bring(client_of("dpo"), name="people who were erased", lines="x@example.com")

    erase(ada.customer, reason="Request of the person", by=None)

    assert SuppressionList.objects.get(origin="erased").lines.count() == 2
