"""The proof pack: a file that holds by itself, a digest in the register, a line in the log."""

import hashlib
import json
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from consent.models import ConsentEvent, Evidence, NoticeVersion, ProofPack
from consent.signing_keys import pem_of, signing_key
from mdm.models import AccessLog
from tests.consent.factories import email_of, record_event
from tests.mdm.factories import make_record
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def event() -> ConsentEvent:
    notice = NoticeVersion.objects.create(
        code="web", version=3, body="Nous écrivons à <vous> & à d’autres.", valid_from="2026-01-01"
    )
    record = make_record(email="zoe@example.com", family_name="Œuvrard", given_name="Zoé")
    event = record_event(record, "confirmed", notice_version_id=notice.pk, evidence_level=3)
    proof = Evidence.objects.create(kind="double_opt_in", confirmed_from="192.0.2.0")
    proof.events.add(event)
    record_event(record, "withdrawn", channel="sms")
    return event


def take(client: Client, event: ConsentEvent, file_format: str) -> HttpResponse:
    public_id = event.source_record.customer.public_id
    return client.post(reverse("consent:proof-pack", args=[public_id]), {"format": file_format})


def sha256(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()


def statuses(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    records = document["dpv:hasRecordOfActivity"]
    return {
        status["@id"]: status for record in records for status in record["dpv:hasConsentStatus"]
    }


def test_anybody_computes_the_seals_again_from_the_file_alone(event):
    document = json.loads(take(client_of("dpo"), event, "jsonld").content)
    seal = statuses(document)[event.uuid.urn]["orf:seal"]

    salt = bytes.fromhex(seal["salt"])
    assert sha256(salt, seal["event"].encode()) == seal["digest"]
    assert sha256(salt, seal["evidence"].encode()) == seal["proof"]
    place = seal["place"].to_bytes(8, "big")
    parts = [bytes.fromhex(seal[name]) for name in ("previous", "digest", "proof")]
    assert sha256(parts[0], place, *parts[1:]) == seal["hash"]
    assert event.uuid.hex in seal["event"]
    (notice,) = document["dpv:hasNotice"]
    assert sha256(f"{notice['dct:description']}\n".encode()) == notice["orf:sha256"]


def test_the_public_key_of_the_checkpoints_stands_in_the_pack(event):
    document = json.loads(take(client_of("dpo"), event, "jsonld").content)

    assert document["orf:ledger"]["orf:checkpointKey"] == pem_of(signing_key().public_key())


def test_the_records_speak_the_words_of_the_standard(event):
    document = json.loads(take(client_of("dpo"), event, "jsonld").content)

    assert document["@type"] == "dpv:ConsentReceipt"
    assert document["dct:conformsTo"].endswith("dpv-27560#receipt-eu-gdpr")
    record = document["dpv:hasRecordOfActivity"][0]
    assert record["@type"] == "dpv:ConsentRecord"
    assert record["dpv:hasProcess"]["orf:contactPoint"] == email_of(event.source_record).value
    found = statuses(document)
    assert found[event.uuid.urn]["@type"] == [
        "dpv:ConsentGiven", "dpv:ExplicitlyExpressedConsent"
    ]  # fmt: skip
    assert found[event.uuid.urn]["orf:evidence"][0]["orf:clickedFrom"] == "192.0.2.0"
    assert ["dpv:ConsentWithdrawn"] in [status["@type"] for status in found.values()]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_pdf_embeds_its_fonts_and_stands_in_the_register(event, language: str):
    response = take(client_of("dpo", language=language), event, "pdf")

    assert response.content.startswith(b"%PDF-")
    assert response.content.count(b"/FontFile2") == 2
    row = ProofPack.objects.get()
    assert row.sha256 == sha256(response.content)
    assert (row.language, row.event_count) == (language, 2)
    assert str(row.uuid) in response["Content-Disposition"]
    assert AccessLog.objects.filter(action="proof pack", reference=str(row.uuid)).exists()
    page = client_of("dpo").get(
        reverse("consent:customer", args=[event.source_record.customer.public_id])
    )
    assert row.sha256 in page.content.decode()


def test_a_name_in_other_letters_and_a_person_without_any_event_make_a_pdf():
    record = make_record(family_name="Ψαρράς <b>", given_name="山田", email="p@example.com")

    dpo = client_of("dpo")
    page = reverse("consent:proof-pack", args=[record.customer.public_id])

    assert dpo.post(page, {"format": "pdf"}).content.startswith(b"%PDF-")


def test_the_refusal_of_another_holder_tells_nothing_of_her(event):
    neighbour = make_record(
        email="zoe@example.com", source="till", key="SECRET-9", family_name="Nachbar"
    )
    refusal = record_event(neighbour, "refused", point=email_of(neighbour))
    Evidence.objects.create(kind="letter", reference="Nachbar's letter").events.add(refusal)

    content = take(client_of("dpo"), event, "jsonld").content.decode()

    assert refusal.uuid.urn in content
    assert "SECRET-9" not in content
    assert "Nachbar" not in content


@pytest.mark.parametrize("role", ["steward", "marketer", "administrator"])
def test_only_the_dpo_makes_proof_packs(event, role: str):
    assert take(client_of(role), event, "pdf").status_code == 403
    assert not ProofPack.objects.exists()


def test_another_format_is_refused(event):
    assert take(client_of("dpo"), event, "exe").status_code == 400
    assert not ProofPack.objects.exists()
