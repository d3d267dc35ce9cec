"""Registers of oppositions: Bloctel for calls until August 2026, Robinson for strangers."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import DatabaseError, transaction
from django.urls import reverse
from django.utils import translation
from django.utils.timezone import localdate, now

from consent.evaluation import may_contact, offer_for
from consent.models import (
    RegisterCheck,
    Suppression,
    SuppressionList,
)
from consent.permissions import Answer
from consent.suppression import Asked, add_list
from mdm.models import ContactPoint, Contract, Customer, RecordContactPoint, SourceRecord
from tests.consent.factories import marketing, record_event, release
from tests.mdm.factories import make_record
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db
ASKED_ON = date(2026, 7, 20)
IN_TIME = datetime(2026, 8, 3, 9, tzinfo=UTC)
TOO_LATE = datetime(2026, 8, 20, 9, tzinfo=UTC)


@pytest.fixture
def ada() -> SourceRecord:
    return make_record(
        phone="+33639981234", source_created_at=datetime(2026, 1, 5, tzinfo=UTC), key="A"
    )


@pytest.fixture
def stranger() -> SourceRecord:
    """Known from a broker's file alone, which was released."""
    record = make_record(
        source="leads", email="eve@example.org", family_name="Léger", street_number="3 bis",
        street="Rue des Lilas", postcode="44000", city="Nantes", source_created_at=now(),
    )  # fmt: skip
    record.source.broker, record.source.broker_contract = "Data & Co", "C-7"
    record.source.save()
    home = ContactPoint.objects.create(kind="post", value="3 bis rue des lilas", display="home")
    RecordContactPoint.objects.create(record=record, contact_point=home, attribute="address")
    release(record.batch)
    return record


def answer(record: SourceRecord, channel: str, **moments: datetime) -> Answer:
    customer = Customer.objects.get(pk=record.customer_id)
    offer = offer_for(marketing(), families=["energy"])
    return may_contact(customer, channel=channel, offer=offer, **moments).answer


def bring(**values: object) -> str:
    told = {
        "name": "Bloctel 2026", "register": "bloctel", "checked_on": ASKED_ON.isoformat(),
        "reference": "BT-17", "lines": "06 39 98 12 34", **values,
    }  # fmt: skip
    page = client_of("dpo").post(reverse("consent:suppression"), told, follow=True)
    return page.content.decode()


def test_bloctel_is_named_and_counts_for_calls_before_the_law_changed(ada):
    assert answer(ada, "phone", at=IN_TIME).failed_gates == ("P1_none", "P2_none", "P0_check")

    bring()

    listed = answer(ada, "phone", at=IN_TIME)
    assert listed.failed_gates == ("P1_none", "P2_none", "P0_bloctel")
    assert "Bloctel 2026" in listed.reason
    # Since August 2026 calls need consent; Bloctel says nothing any more.
    assert answer(ada, "phone", at=TOO_LATE).failed_gates == ("P1_none", "P2_none")
    Contract.objects.create(
        record=ada, reference="K1", product_family="energy", starts_on=date(2026, 1, 1)
    )
    assert answer(ada, "phone", at=IN_TIME).rule == "P2"


def test_who_is_not_on_bloctel_was_callable_for_thirty_days_after_it_was_asked(ada):
    bring(lines="06 39 98 99 99")

    assert answer(ada, "phone", at=IN_TIME).rule == "P0"
    known = answer(ada, "phone", at=IN_TIME, known_at=IN_TIME)
    assert "P0_check" in known.failed_gates  # It was written down later.
    SuppressionList.objects.get().checks.create(checked_on=date(2026, 6, 1))
    assert answer(ada, "phone", at=datetime(2026, 7, 2, 9, tzinfo=UTC)).rule == "P1_none"
    last_days = datetime(2026, 6, 30, 9, tzinfo=UTC)
    assert answer(ada, "phone", at=last_days).rule == "P0"


def test_e_robinson_stops_a_consent_that_a_stranger_told_and_none_of_her_own(stranger):
    record_event(stranger, "given", actor_type="import", evidence_level=1)
    assert answer(stranger, "email").rule == "E1"

    bring(name="e-Robinson", register="erobinson", lines="eve@example.org")

    with translation.override("en"):
        assert answer(stranger, "email").rule == "E1_robin"
        assert answer(stranger, "email").reason.endswith("On the list “e-Robinson”.")
    record_event(stranger, "given")
    assert answer(stranger, "email").rule == "E1"


def test_e_robinson_is_nothing_to_our_own_customers(ada):
    own = make_record(email="own@example.org", source_created_at=now(), key="B")
    record_event(own, "given", actor_type="import", evidence_level=1)

    bring(name="e-Robinson", register="erobinson", lines="own@example.org")
    bring(name="Old system", register="", checked_on="", lines="another@example.org")

    assert answer(own, "email").rule == "E1"


def test_robinson_knows_strangers_by_name_and_home(stranger):
    assert answer(stranger, "post").rule == "L1"

    bring(name="Robinson", register="robinson", lines="LEGER; 3 bis, rue des Lilas; 44000; NANTES")

    assert (answer(stranger, "post").rule, answer(stranger, "post").list_name) == (
        "L2", "Robinson",
    )  # fmt: skip
    assert not Suppression.objects.filter(fingerprint__contains="leger").exists()
    stranger.source.broker = ""
    stranger.source.save()
    assert answer(stranger, "post").rule == "L1"


def test_an_ordinary_list_is_named_too(ada):
    bring(name="Old system", register="", checked_on="", channel="*")

    with translation.override("en"):
        assert answer(ada, "phone").rule == "G4"
        assert answer(ada, "phone").reason.endswith("On the list “Old system”.")


def test_a_register_is_asked_on_a_day_that_has_been_and_may_name_nobody():
    assert "Say on which day the register was asked." in bring(checked_on="")
    tomorrow = localdate() + timedelta(days=1)
    assert "not in the future" in bring(checked_on=tomorrow.isoformat())
    assert not RegisterCheck.objects.exists()

    page = bring(lines="", checked_on=ASKED_ON.isoformat())

    check = RegisterCheck.objects.get()
    assert (check.checked_on, check.reference, check.list.channel) == (ASKED_ON, "BT-17", "phone")
    assert "BT-17" in page
    assert "take another name" in bring(register="", checked_on="", channel="phone")


def test_a_check_is_never_changed():
    add_list("Bloctel", [], asked=Asked("bloctel", ASKED_ON), by=None)

    for attack in (RegisterCheck.objects.all()._raw_delete, _redate):
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
            attack("default")


def test_the_command_brings_a_register(ada, tmp_path, capsys):
    path = tmp_path / "answer.txt"
    path.write_text("0639981234\n")

    call_command(
        "suppress", path, "--list", "Bloctel", "--register", "bloctel", "--asked-on", "2026-07-20",
        "--json",
    )  # fmt: skip

    assert "P0_bloctel" in answer(ada, "phone", at=IN_TIME).failed_gates


def _redate(_database: str) -> None:
    RegisterCheck.objects.update(checked_on=localdate())
