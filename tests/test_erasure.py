"""Erasing a person: nothing of her is found anywhere, and what others rest on still holds."""

import json
import zlib
from io import StringIO

import pytest
from django.apps import apps
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse
from django.utils import translation
from django.utils.timezone import now

from consent.mails import address_fingerprint
from consent.models import (
    CollectionPoint,
    ConsentEvent,
    EventSeal,
    Evidence,
    OptInRequest,
    OutgoingMail,
    PermissionState,
    RightsRequest,
)
from consent.rights import receive_request
from consent.sealing import seal_events
from consent.verification import verify
from matching import codes
from matching.decisions import Circumstances, decide
from matching.models import CodedPage, Decision
from matching.repairs import Wish, repair
from mdm.households import relate
from mdm.models import ContactPoint, Customer, SourceRecord
from mdm.pins import pin
from tests.consent.factories import email_of, record_event
from tests.factories import UserFactory
from tests.mdm.factories import make_record, make_records
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db

CANARIES = ["Zyzanie", "Quenneville", "zyzanie@example.com", "+33639980077", "Canari lane"]


@pytest.fixture
def record() -> SourceRecord:
    """A person with something in every place: events, evidence, requests, mails, a document."""
    record = make_record(
        given_name="Zyzanie",
        family_name="Quenneville",
        email="zyzanie@example.com",
        phone="+33639980077",
        street="Canari lane",
        raw={"mail": "zyzanie@example.com"},
    )
    event = record_event(record, "given")
    proof = Evidence(kind="signed_paper", reference="Quenneville, box 7", form_origin="x")
    proof.file.save("proof.pdf", ContentFile(b"%PDF- Zyzanie"), save=True)
    proof.events.add(event)
    record_event(record, "objection", channel="*")
    request = OptInRequest.objects.create(
        collection_point=CollectionPoint.objects.create(
            code="w", method="web", title_fr="w", title_en="w"
        ),
        email="zyzanie@example.com",
        language="fr",
        address_fingerprint=address_fingerprint("zyzanie@example.com"),
        choices_digest="",
        expires_at=now(),
    )
    OutgoingMail.objects.create(
        kind="receipt", request=request, customer=record.customer, language="fr",
        address_fingerprint=request.address_fingerprint,
    )  # fmt: skip
    receive_request(record.customer, kind="erasure", message="I am Zyzanie Quenneville")
    seal_events()
    codes.rebuild()
    return record


def erase(record: SourceRecord) -> None:
    call_command("erase_person", record.customer.public_id, reason="Request of the person")


def found(words: list[str]) -> set[str]:
    """Return where the words stand, in any column of any table of ours."""
    places = set()
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            if model._meta.app_label not in {"mdm", "consent", "matching", "campaigns", "admin"}:
                continue
            cursor.execute(f"SELECT * FROM {model._meta.db_table}")
            text = repr(cursor.fetchall()).casefold()
            places |= {model._meta.db_table for word in words if word.casefold() in text}
    for page in CodedPage.objects.all():
        text = zlib.decompress(bytes(page.content)).decode(errors="replace").casefold()
        places |= {"codes" for word in words if word.casefold() in text}
    return places


def test_nothing_of_her_is_found_in_any_table_or_file(record, settings):
    assert {"codes", "mdm_sourcerecord", "consent_evidence"} <= found(CANARIES)
    path = settings.MEDIA_ROOT / Evidence.objects.get().file.name

    erase(record)

    assert found(CANARIES) == set()
    assert not path.exists()
    assert Customer.objects.get(pk=record.customer_id).status == "erased"


def test_nothing_is_left_where_she_was_once_taken_for_another_and_kept_the_number(record):
    """What another customer's page showed of her in the past, and what stewards wrote, goes."""
    RightsRequest.objects.update(message="")  # It was received from the number, who keeps it.
    others = make_records([{"given_name": name} for name in ("Luc", "Lucie", "Lucien")])
    steward = UserFactory(first_name="", last_name="")
    why = Circumstances("other", note="Zyzanie Quenneville, she said")
    for other in others:
        decide(record.pk, other.pk, Decision.Verdict.SAME, by=steward, circumstances=why)
    wish = Wish("unlink", record.pk, (record.pk,), leaves_companions=True, keeps_id=True)
    repair(wish, by=steward, circumstances=why)
    record.refresh_from_db()
    one, other = record.customer, Customer.objects.get(pk=record.pk)
    relate(one, other, "guardian", by=steward, reason="Quenneville told so")
    pin(record.pk, "email", "hide", by=steward, reason="Zyzanie asked")

    erase(record)

    assert found(CANARIES) == set()
    assert Customer.objects.get(pk=one.pk).status == "erased"
    assert Customer.objects.get(pk=other.pk).status == "active"
    call_command("check_invariants", stdout=StringIO())


def test_the_chain_verifies_and_counts_her_events_as_erased(record):
    record_event(make_record(email="other@example.com"), "given")
    seal_events()

    erase(record)

    findings = verify()
    assert (findings.bad, findings.event_count, findings.erased_count) == (None, 3, 2)
    assert set(EventSeal.objects.filter(salt=None).values_list("event__contact_point")) == {
        (None,)
    }
    call_command("rebuild", "--check")


def test_an_event_that_was_erased_before_it_was_sealed_is_sealed_afterwards(record):
    record_event(record, "refused", channel="sms", point=email_of(record))

    erase(record)
    seal_events()

    assert verify().bad is None


def test_her_refusal_of_an_address_that_others_carry_goes_on_protecting_them(record):
    shared = make_record(email="zyzanie@example.com", source="till", key="T1")
    point = ContactPoint.objects.get(value="zyzanie@example.com")
    refusal = record_event(record, "refused", point=point)
    before = set(PermissionState.objects.filter(customer=shared.customer).values_list("state"))

    erase(record)

    assert ContactPoint.objects.filter(value="zyzanie@example.com").exists()
    assert ConsentEvent.objects.get(pk=refusal.pk).contact_point == point
    after = set(PermissionState.objects.filter(customer=shared.customer).values_list("state"))
    assert before == after == {("refused",)}
    assert verify().bad is None


def test_the_plan_changes_nothing(record, capsys):
    call_command("erase_person", record.customer.public_id, plan=True, json=True)

    reached = json.loads(capsys.readouterr().out)
    assert sum(reached.values()) >= 10
    assert len(found(CANARIES)) >= 6
    assert RightsRequest.objects.get().message


def test_an_erasure_needs_its_reason_and_happens_once(record):
    with translation.override("en"), pytest.raises(CommandError, match="Say why"):
        call_command("erase_person", record.customer.public_id)
    erase(record)
    with pytest.raises(CommandError):
        erase(record)


def test_the_dpo_sees_the_plan_and_erases_from_the_request(record):
    request = RightsRequest.objects.get()
    page = reverse("consent:request", args=[request.uuid])
    dpo = client_of("dpo")
    assert "Evidence and its documents" in dpo.get(page).content.decode()

    assert 'name="sure" required' in dpo.get(page).text
    hasty = dpo.post(reverse("consent:erase", args=[request.uuid]), follow=True)
    assert "Nobody was erased" in hasty.text
    assert Customer.objects.get(pk=record.customer_id).status == "active"

    dpo.post(reverse("consent:erase", args=[request.uuid]), {"sure": "on"})

    assert found(CANARIES) == set()
    request.refresh_from_db()
    assert (request.state, request.answer_note) == ("answered", "Erased.")
    assert dpo.get(page).status_code == 200
    assert dpo.get(reverse("mdm:customer", args=[record.customer.public_id])).status_code == 200


@pytest.mark.parametrize("role", ["steward", "marketer", "administrator"])
def test_only_the_dpo_erases(record, role: str):
    request = RightsRequest.objects.get()

    response = client_of(role).post(reverse("consent:erase", args=[request.uuid]), {"sure": "on"})

    assert response.status_code == 403
    assert Customer.objects.get(pk=record.customer_id).status == "active"


def test_a_request_of_another_kind_erases_nobody(record):
    request = receive_request(record.customer, kind="access", message="")

    response = client_of("dpo").post(reverse("consent:erase", args=[request.uuid]), {"sure": "on"})

    assert response.status_code == 404
    assert Customer.objects.get(pk=record.customer_id).status == "active"
