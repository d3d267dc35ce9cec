"""`manage.py may_contact` from a shell: one object, or a few clear lines."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import translation
from django.utils.timezone import now, timedelta

from mdm.models import SourceRecord
from tests.consent.factories import record_event
from tests.mdm.factories import make_record

pytestmark = pytest.mark.django_db
EMAIL = ["--channel", "email", "--purpose", "marketing"]


@pytest.fixture
def record() -> SourceRecord:
    return make_record(email="ada@example.com", phone="+33639980001")


def run(*arguments: str) -> str:
    out = StringIO()
    with translation.override("en"):
        call_command("may_contact", *arguments, stdout=out)
    return out.getvalue()


def answer(*arguments: str) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(run(*arguments, "--json"))
    return report


def test_the_answer_names_rule_proof_and_duties(record: SourceRecord):
    event = record_event(record, "given")

    report = answer("--customer", record.birth_id, *EMAIL)

    assert (report["allowed"], report["rule"], report["basis"]) == (True, "E1", "consent")
    assert (report["evidence_level"], report["deciding_event"]) == (2, str(event.uuid))
    assert report["customer"] == record.birth_id
    assert report["policy"] == "FR-2026-11"
    assert "Offer" not in report["reason"]
    assert any("unsubscribe" in duty for duty in report["obligations"])


def test_a_refusal_is_an_answer_in_words(record: SourceRecord):
    text = run(
        "--customer", record.birth_id.lower(), "--channel", "phone", "--purpose", "marketing"
    )

    assert "refused" in text
    assert "G10" in text
    assert "P1_none" in text
    assert text.rstrip().endswith("Answered by policy pack FR-2026-11.")


@pytest.mark.parametrize("value", ["ADA@example.com", " ada@example.com"])
def test_a_contact_point_is_found_as_people_write_it(record: SourceRecord, value: str):
    record_event(record, "given")

    assert answer("--contact-point", value, *EMAIL)["rule"] == "E1"


def test_a_number_is_found_in_its_national_form(record: SourceRecord):
    record_event(record, "objection", channel="phone")

    report = answer(
        "--contact-point", "06 39 98 00 01", "--channel", "phone", "--purpose", "marketing"
    )

    assert report["rule"] == "G5"


def test_both_clocks_can_be_set(record: SourceRecord):
    record_event(record, "given", occurred_at=now() - timedelta(days=30))
    day = (now() - timedelta(days=10)).date().isoformat()
    whom = ["--customer", record.birth_id, *EMAIL, "--at", day]

    assert answer(*whom)["rule"] == "E1"
    assert answer(*whom, "--known-at", day)["failed"] == ["E1_none", "E2_sale"]
    assert answer(*whom, "--known-at", day)["allowed"] is False


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [(["--channel", "email", "--purpose", "astrology"], "G0"),
     (["--channel", "telepathy", "--purpose", "marketing"], "G0")],
)  # fmt: skip
def test_what_is_unknown_is_refused(record: SourceRecord, arguments: list[str], rule: str):
    assert answer("--customer", record.birth_id, *arguments)["rule"] == rule


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--customer", "G-ZZZZ-ZZZZ", *EMAIL], "--customer"),
        (["--contact-point", "nobody@example.com", *EMAIL], "no customer carries"),
        (["--customer", "{id}", *EMAIL, "--at", "31/12/2026"], "--at: write a day"),
        (["--customer", "{id}", *EMAIL, "--at", "2026-02-30"], "--at: write a day"),
    ],
)
def test_bad_input_is_one_clear_line(record: SourceRecord, arguments: list[str], words: str):
    filled = [argument.replace("{id}", record.birth_id) for argument in arguments]

    with pytest.raises(CommandError, match=words) as refusal:
        run(*filled)

    assert "\n" not in str(refusal.value)
