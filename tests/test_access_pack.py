"""The access pack: all that is known of a person and nothing of others, in a file of her own."""

import csv
import hashlib
import io
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import escape
from django.utils.timezone import now

from campaigns.downloads import download
from config.access.tables import TABLES
from consent.models import AccessPack, ConsentEvent, Evidence, Pause, RightsRequest
from consent.offline import record_objection
from consent.rights import receive_request
from matching.decisions import Circumstances, decide
from matching.models import Decision
from matching.repairs import Wish, repair
from mdm import erasure
from mdm.households import relate
from mdm.models import AccessLog, ContactPoint, Customer, Sale, SourceRecord
from mdm.pins import pin
from tests.access_packs import page_of, take
from tests.campaigns.factories import frozen_list, make_campaign
from tests.consent.factories import record_event
from tests.factories import UserFactory
from tests.mdm.factories import make_record
from tests.mdm.loading.files import DOCUMENT, csv_bytes, load_bytes, row
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db

SHARED = "+33639980077"
_COLUMNS: list[dict[str, Any]] = [
    *DOCUMENT["column"],
    {"name": "ne", "attribute": "birth_date", "format": "%d/%m/%Y"},
    {"name": "rue", "attribute": "address_line"},
    {"name": "cp", "attribute": "postcode"},
    {"name": "ville", "attribute": "city"},
    {"name": "achat", "attribute": "sale_date", "format": "%d/%m/%Y"},
    {"name": "montant", "attribute": "sale_amount"},
]
_MAPPING = {**DOCUMENT, "column": _COLUMNS}
_NAMES = [column["name"] for column in _COLUMNS]


@pytest.fixture
def record() -> SourceRecord:
    """A customer from a file: with a purchase, a permission, a shared phone, a formula."""
    line = row(
        "C1", nom="Quenneville", prenom="Zyzanie", email="zyzanie@example.com",
        tel="06 39 98 00 77", accord="oui", ne="03/11/1984", rue="12 rue des Lilas",
        cp="44000", ville="Nantes", achat="03/02/2025", montant="59,90",
    )  # fmt: skip
    load_bytes(csv_bytes([line], _NAMES), document=_MAPPING)
    return SourceRecord.objects.get()


@pytest.fixture
def neighbour(record: SourceRecord) -> SourceRecord:
    """Somebody else, who carries the same phone."""
    return make_record(
        given_name="Nestor", family_name="Nachbar", email="nestor@example.com", phone=SHARED,
        source="till", key="SECRET-9", website="nestor.example.org",
    )  # fmt: skip


def test_the_file_holds_what_is_known_of_a_loaded_customer(record):
    pack = take(record)

    assert pack.files["summary.pdf"].startswith(b"%PDF-")
    assert pack.data["format"] == "orfevre-access-1"
    assert pack.data["customer"] == record.customer.display_id
    (stored,) = pack.table("source_records")
    assert (stored["source"], stored["source_key"], stored["file"]) == ("CRM", "C1", "crm.csv")
    assert (stored["family_name"], stored["birth_date"]) == ("Quenneville", "1984-11-03")
    cells = {cell["column"]: cell["value"] for cell in pack.table("received_cells")}
    assert (cells["nom"], cells["tel"], cells["ne"]) == (
        "Quenneville", "06 39 98 00 77", "03/11/1984"
    )  # fmt: skip
    golden = {value["attribute"]: value for value in pack.table("golden_record")}
    assert golden["email"]["value"] == "zyzanie@example.com"
    assert golden["email"]["source_key"] == "C1"
    assert {point["value"] for point in pack.table("contact_points")} >= {
        "zyzanie@example.com", SHARED
    }  # fmt: skip
    (event,) = pack.table("consent_events")
    assert (event["event"], event["contact_point"]) == ("given", "zyzanie@example.com")
    (sale,) = pack.table("sales")
    assert (sale["sold_on"], sale["amount"]) == ("2025-02-03", "59.90")
    answers = {(a["channel"], a["purpose"]): a for a in pack.table("permissions")}
    assert answers["email", "marketing"]["rule"]
    assert [created["event"] for created in pack.table("customer_events")] == ["created"]


def test_every_table_is_a_csv_with_the_keys_of_the_json_that_computes_nothing(record):
    pin(record.pk, "family_name", "prefer", by=UserFactory(), reason="=1+1")
    pack = take(record)

    for table in TABLES:
        text = pack.files[f"tables/{table.name}.csv"].decode("utf-8-sig")
        header, *_lines = csv.reader(io.StringIO(text), delimiter=";")
        assert tuple(header) == table.columns
        assert len(pack.csv(f"tables/{table.name}.csv")) == len(pack.table(table.name))
    assert pack.csv("tables/pins.csv")[0]["reason"] == "'=1+1"
    assert pack.table("pins")[0]["reason"] == "=1+1"


def test_a_phone_that_others_carry_is_left_out_wherever_it_stands(record, neighbour):
    steward = UserFactory(first_name="", last_name="")
    pin(record.pk, "family_name", "prefer", by=steward, reason="Called back on 0639.98.00.77")
    Sale.objects.update(contact_point=ContactPoint.objects.get(value=SHARED))

    page = client_of("dpo").get(page_of(record)).text
    pack = take(record)

    assert SHARED in page
    assert "1 other customer carries it too." in page
    found = re.sub(r"[^0-9]", "", re.sub(r"[0-9a-f]{64}|[0-9a-f-]{36}", "", pack.text))
    assert "639980077" not in found
    assert pack.data["left_out"] == {"point": 1}
    assert pack.table("source_records")[0]["phone"] is None
    assert pack.table("pins")[0]["reason"] is None
    assert pack.table("sales")[0]["contact_point"] is None
    assert "zyzanie@example.com" in pack.text
    assert "Nachbar" not in pack.text
    assert AccessPack.objects.get().left_out_count == 1


def test_where_she_lives_is_told_whoever_lives_there_too(record):
    other = row("C2", nom="Nachbar", prenom="Nestor", rue="12 rue des Lilas", cp="44000",
                ville="Nantes")  # fmt: skip
    load_bytes(csv_bytes([other], _NAMES), document=_MAPPING)

    pack = take(record)

    assert pack.data["left_out"] == {}
    assert "lilas" in pack.text.casefold()
    assert pack.table("source_records")[0]["postcode"] == "44000"
    assert "Nachbar" not in pack.text


def test_the_dpo_adds_what_concerns_others_for_a_reason_alone(record, neighbour):
    code = f"point-{ContactPoint.objects.get(value=SHARED).pk}"

    refused = client_of("dpo").post(page_of(record), {"language": "en", "added": code})
    assert "Say why" in refused.text
    assert 'value="' + code + '" checked' in refused.text
    assert not AccessPack.objects.exists()

    pack = take(record, added=code, reason="It is her own number, her husband uses it too.")

    assert pack.table("source_records")[0]["phone"] == SHARED
    assert pack.data["left_out"] == {}
    made = AccessPack.objects.get()
    assert (made.added, made.left_out_count) == ([code], 0)
    assert made.reason.startswith("It is her own number")


def test_what_is_not_offered_cannot_be_added(record, neighbour):
    answer = client_of("dpo").post(
        page_of(record), {"language": "en", "added": f"record-{neighbour.pk}", "reason": "Why not"}
    )

    assert answer["Content-Type"].startswith("text/html")
    assert not AccessPack.objects.exists()


def parted(record: SourceRecord, neighbour: SourceRecord) -> None:
    """Take the neighbour for her, part them again, and note that they live together."""
    steward = UserFactory(first_name="", last_name="")
    why = Circumstances("other", note="Nachbar is her husband")
    decide(record.pk, neighbour.pk, Decision.Verdict.SAME, by=steward, circumstances=why)
    repair(
        Wish("unlink", record.pk, (neighbour.pk,), leaves_companions=True),
        by=steward,
        circumstances=why,
    )
    one, other = (Customer.objects.get(pk=key) for key in (record.pk, neighbour.pk))
    relate(one, other, "household", by=steward, reason="Monsieur Nachbar said so")


def test_records_that_were_parted_and_notes_on_the_household_are_left_out(record, neighbour):
    parted(record, neighbour)

    page = client_of("dpo").get(page_of(record)).text
    pack = take(record)

    assert "SECRET-9" in page
    assert "Monsieur Nachbar said so" in page
    for word in ("SECRET-9", "Nachbar", "Nestor", "nestor@example.com", "nestor.example.org"):
        assert word not in pack.text
    assert pack.data["left_out"] == {"point": 1, "relation": 1, "record": 1}
    told = pack.table("decisions")
    assert {(line["source_key"], line["other_source_key"]) for line in told} == {("C1", None)}
    added = [f"record-{neighbour.pk}"]
    pack = take(record, added=added, reason="She asked which record was taken for hers.")
    assert pack.table("records_of_others")[0]["source_key"] == "SECRET-9"
    assert "Monsieur Nachbar" not in pack.text


def test_a_note_of_staff_is_shown_before_it_leaves_and_left_out_when_ticked(record):
    steward = UserFactory()
    pin(record.pk, "family_name", "prefer", by=steward, reason="Her son Nestor told us")
    pin(record.pk, "given_name", "prefer", by=steward, reason="Seen on her card")

    page = client_of("dpo").get(page_of(record)).text
    (code,) = re.findall(r'name="without" value="(\w+)"> <span>Her son', page)
    told, pack = take(record), take(record, without=code)

    assert "Her son Nestor" in told.text
    assert "Nestor" not in pack.text
    assert "Seen on her card" in pack.text
    assert pack.data["left_out"] == {"note": 1}


def test_what_she_provided_goes_apart_without_scores_or_others_words(record):
    record_event(record, "withdrawn", channel="sms")
    record_objection(record.customer, by=UserFactory())
    SourceRecord.objects.update(link_score=12.5)

    pack = take(record)

    given = json.loads(pack.files["provided.json"])["tables"]
    assert given["source_records"][0]["email"] == "zyzanie@example.com"
    assert given["sales"][0]["amount"] == "59.90"
    assert [event["event"] for event in given["consent_events"]] == ["given", "withdrawn"]
    lines = pack.csv("provided.csv")
    assert {"attribute": "birth_date", "value": "1984-11-03"}.items() <= next(
        line for line in lines if line["attribute"] == "birth_date"
    ).items()
    words = json.dumps(given)
    assert not re.search(r"score|quality|issues|link_rule|\"sex\"", words)
    assert "12.5" not in words
    record.source.broker, record.source.broker_contract = "Listes SA", "L-7"
    record.source.save()
    given = json.loads(take(record).files["provided.json"])["tables"]
    assert given["source_records"] == given["sales"] == []


def test_lists_and_who_downloaded_them_are_told(record):
    SourceRecord.objects.update(source_created_at=now() - timedelta(days=30))
    record_event(record, "confirmed", evidence_level=3)
    marketer = UserFactory(role="marketer", first_name="Maud", last_name="Lange")
    target_list = frozen_list(make_campaign(marketer))
    download(target_list, format="csv", reason="Sent by Brevo", by=marketer).file.close()

    pack = take(record)

    (member,) = pack.table("target_lists")
    assert (member["campaign"], member["contact_point"]) == ("Winter sale", "zyzanie@example.com")
    (taken,) = pack.table("downloads")
    assert (taken["list"], taken["by"], taken["reason"]) == (
        target_list.pk, "Maud Lange", "Sent by Brevo"
    )  # fmt: skip


@pytest.mark.parametrize("role", ["steward", "marketer", "administrator", "caller"])
def test_only_the_dpo_looks_and_makes(record, role: str):
    client = client_of(role)

    assert client.get(page_of(record)).status_code == 403
    assert client.post(page_of(record), {"language": "en"}).status_code == 403
    assert not AccessPack.objects.exists()


def test_the_pack_stands_in_the_registers_and_with_its_request(record):
    request = receive_request(record.customer, kind="access", message="Everything you have")
    of_request = reverse("consent:request", args=[request.uuid])
    dpo = client_of("dpo")
    assert page_of(record) in dpo.get(of_request).text

    pack = take(record)

    digest = hashlib.sha256(pack.response.content).hexdigest()
    made = AccessPack.objects.get()
    assert (made.sha256, made.request, made.language) == (digest, request, "en")
    assert AccessLog.objects.filter(action="access pack", reference__contains=digest).exists()
    assert "Zyzanie" not in pack.response["Content-Disposition"]
    assert str(made.uuid) in pack.response["Content-Disposition"]
    assert "no-store" in pack.response["Cache-Control"]
    shown = dpo.get(of_request).text
    assert f"SHA-256 {digest}</textarea>" in shown
    dpo.post(of_request, {"note": f"Sent, SHA-256 {digest}"})
    assert RightsRequest.objects.get().state == "answered"
    take(record)
    assert AccessPack.objects.latest("pk").request is None


def test_the_register_says_who_looked(record):
    client_of("dpo").get(page_of(record))

    seen = AccessLog.objects.get(action="access pack.view")
    assert seen.reference == record.customer.public_id


def test_the_page_counts_each_section_and_the_customer_page_leads_to_it(record):
    dpo = client_of("dpo")

    page = dpo.get(page_of(record)).text

    for table in TABLES:
        assert escape(str(table.title)) in page
    assert "Nothing in the file concerns anybody else." in page
    of_customer = reverse("mdm:customer", args=[record.customer.public_id])
    assert page_of(record) in dpo.get(of_customer).text
    assert page_of(record) not in client_of("steward").get(of_customer).text


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_summary_is_in_the_language_of_the_person(record, language: str):
    summary = take(record, language=language).files["summary.pdf"]

    assert f"/Lang ({language})".encode() in summary
    assert AccessPack.objects.get().language == language


def test_an_erased_person_is_told_what_is_left_and_why(record):
    receive_request(record.customer, kind="access", message="I am Zyzanie Quenneville")
    erasure.erase(record.customer, reason="She asked", by=None)

    page = client_of("dpo").get(page_of(record)).text
    pack = take(record)

    assert "This person was erased: what is left, and why" in page
    assert pack.data["customer_status"] == "erased"
    assert "zyzanie" not in pack.text.casefold()
    (event,) = pack.table("consent_events")
    assert event["contact_point"] is None
    assert pack.table("sales")[0]["contact_point"] is None


def test_an_erasure_takes_the_reasons_of_packs_along(record, neighbour):
    code = f"point-{ContactPoint.objects.get(value=SHARED).pk}"
    take(record, added=code, reason="Zyzanie said it is hers")

    erasure.erase(record.customer, reason="She asked", by=None)

    assert AccessPack.objects.get().reason == ""


def test_the_queries_do_not_grow_with_the_file(record):
    client = client_of("dpo")

    def spent(method: str) -> int:
        ask = getattr(client, method)
        ask(page_of(record), {"language": "en"})
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert ask(page_of(record), {"language": "en"}).status_code == 200
        return len(queries)

    def grow(number: int) -> None:
        Sale.objects.create(record=record, reference=f"R{number}", sold_on="2025-01-01")
        event = record_event(record, "withdrawn", channel="sms")
        proof = Evidence.objects.create(kind="letter", reference=f"box {number}")
        proof.events.add(event)
        Pause.objects.create(
            source_record=record, contact_point=record.contact_points.first(),
            starts_at=now(), ends_at=now() + timedelta(days=9),
        )  # fmt: skip
        make_record(phone=SHARED, source="till", key=f"T{number}")

    grow(0)
    few = spent("get"), spent("post")
    for number in range(1, 13):
        grow(number)

    assert ConsentEvent.objects.count() == 14
    assert (spent("get"), spent("post")) == few
