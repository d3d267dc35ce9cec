"""Brokers' files: a consent that was bought permits nothing until proofs were seen."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import now

from campaigns.waterfall import measure
from consent.evaluation import may_contact, offer_for
from consent.ledger import PERMISSIVE
from consent.models import (
    ConsentEvent,
    Evidence,
    ProofFinding,
    QuarantineDecision,
    SampledClaim,
    SampleDraw,
)
from consent.permissions import Answer
from consent.projection import project, rebuild
from consent.quarantine import drawn, earlier_files, waiting_files
from consent.sealing import seal_events
from consent.verification import verify
from mdm import jobs
from mdm.erasure import erase
from mdm.models import Customer, Job, LoadBatch, SourceRecord, SourceSystem
from tests.campaigns.factories import frozen_list, make_campaign
from tests.campaigns.test_journey import take
from tests.consent.factories import email_of, enact, marketing, record_event
from tests.consent.test_conflicts import link
from tests.factories import UserFactory
from tests.mdm.factories import make_record
from tests.mdm.loading.files import load, row
from tests.mdm.loading.test_undo import undo_batch
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db
ADA, BOB, EVE = (
    row(name, nom=name, email=f"{name}@example.org", maj="01/10/2026", accord="O")
    for name in ("ada", "bob", "eve")
)
NO = row("no", nom="no", email="no@example.org", maj="01/10/2026", accord="N")


@pytest.fixture(autouse=True)
def broker() -> SourceSystem:
    return SourceSystem.objects.create(
        code="crm", label="Leads", broker="Data & Co", broker_contract="C-2026-7"
    )


@pytest.fixture
def batch() -> LoadBatch:
    return load(ADA, BOB, EVE, NO)


@pytest.fixture
def dpo() -> Client:
    return client_of("dpo")


def answer(key: str, channel: str = "email") -> Answer:
    customer = Customer.objects.get(records__source_key=key)
    return may_contact(customer, channel=channel, offer=offer_for(marketing())).answer


def post(dpo: Client, batch: LoadBatch, step: str, **values: object) -> str:
    page = reverse("consent:broker-file", args=[batch.pk])
    return dpo.post(page, {"step": step, **values}, follow=True).content.decode()


def claim_of(key: str) -> SampledClaim:
    return SampledClaim.objects.get(event__source_record__source_key=key)


def see_proofs(dpo: Client, batch: LoadBatch, *, without: str = "") -> None:
    post(dpo, batch, "draw")
    for claim in SampledClaim.objects.all():
        is_missing = claim.event.source_record.source_key == without
        post(
            dpo,
            batch,
            "missing" if is_missing else "seen",
            claim=claim.pk,
            reference=f"Data & Co {claim.pk}",
        )


def carry_out(kind: str = "settle_claims") -> None:
    for job in Job.objects.filter(kind=kind, state="queued"):
        jobs.run_now(job)


def test_claims_of_a_broker_wait_and_its_refusals_count(batch, dpo):
    assert answer("ada").rule == "G12"
    assert "G12" in answer("ada", "post").failed_gates  # No consent is needed there.
    assert "E1_bought" in answer("ada").failed_gates
    assert "not released" in answer("ada").reason
    assert answer("no").rule == "G6"
    assert "1 broker's file is in quarantine" in dpo.get(reverse("admin:index")).text
    call_command("rebuild", "--check")


def test_a_claim_in_quarantine_passes_no_waterfall_no_list_and_no_file(batch):
    marketer = UserFactory(role="marketer")
    campaign = make_campaign(marketer)
    own = record_event(_own_record(), "given").source_record

    target_list = frozen_list(campaign)

    waterfall = measure(campaign)
    assert (waterfall.start, waterfall.allowed) == (5, 1)
    client = Client()
    client.force_login(marketer)
    file = take(client, target_list).file.decode()
    assert own.email in file
    assert not any(f"{key}@example.org" in file for key in ("ada", "bob", "eve", "no"))


def test_the_page_of_the_file_tells_claims_refusals_conflicts_and_the_four_outcomes(dpo):
    record_event(_own_record("ada@example.org"), "objection")
    batch = load(ADA, BOB, NO)
    page, steward = reverse("mdm:batch", args=[batch.pk]), client_of("steward")

    told = steward.get(page)
    (report,) = told.context["reports"]
    assert (report["claims"], report["refusals"], report["conflicts"]) == (2, 1, 0)
    assert "permit nothing until" in told.text
    see_proofs(dpo, batch)
    assert "is checking a sample" in steward.get(page).text
    post(dpo, batch, "released")
    carry_out()
    assert "claims released" in steward.get(page).text
    # The same claims, once: the consents of the release are not counted beside them.
    assert steward.get(page).context["reports"][0]["claims"] == 2


def test_a_claim_of_somebody_who_said_no_is_a_conflict_and_stays_refused(batch, dpo):
    ada = ConsentEvent.objects.get(source_record__source_key="ada").source_record
    record_event(ada, "withdrawn", point=email_of(ada))

    report = client_of("steward").get(reverse("mdm:batch", args=[batch.pk])).context["reports"][0]
    see_proofs(dpo, batch)
    post(dpo, batch, "released")
    carry_out()

    assert report["conflicts"] == 1
    assert (answer("ada").rule, answer("bob").rule) == ("G6", "E1")


def test_a_release_makes_consents_of_the_claims_but_of_those_without_proof(dpo):
    rows = [row(n, nom=f"n{n}", email=f"n{n}@example.org", maj="01/10/2026", accord="O")
            for n in range(25)]  # fmt: skip
    batch = load(*rows)
    before = now()
    see_proofs(dpo, batch, without="7")

    post(dpo, batch, "released")
    assert "E1_bought" in answer("3").failed_gates  # Until the worker did it.
    carry_out()

    assert answer("3").rule == "E1"
    assert "E1_void" in answer("7").failed_gates
    decision = QuarantineDecision.objects.get()
    assert (decision.sampled_count, decision.proved_count) == (25, 24)
    released = ConsentEvent.objects.filter(source_record__source_key="3", actor_type="import")
    assert released.get().evidence.get().reference.startswith("Data & Co")
    customer = Customer.objects.get(records__source_key="3")
    then = may_contact(
        customer, channel="email", offer=offer_for(marketing()), at=before, known_at=before
    )
    assert then.answer.rule == "G12"
    assert not waiting_files().exists()
    call_command("rebuild", "--check")
    seal_events()
    assert verify().bad is None


def test_too_few_proofs_release_nothing(batch, dpo):
    post(dpo, batch, "draw")
    assert "must be seen for a release" in post(dpo, batch, "released")
    see_proofs(dpo, batch, without="eve")

    page = post(dpo, batch, "released")

    assert "3 proofs of 3 must be seen" in page
    assert not QuarantineDecision.objects.exists()
    assert answer("ada").rule == "G12"


def test_a_rejection_needs_its_reason_and_invalidates_every_claim(batch, dpo):
    post(dpo, batch, "draw")
    assert "Say why" in post(dpo, batch, "rejected", reason=" ")

    post(dpo, batch, "rejected", reason="The broker does not answer.")
    carry_out()

    assert all("E1_void" in answer(key).failed_gates for key in ("ada", "bob", "eve"))
    assert answer("no").rule == "G6"
    annulments = ConsentEvent.objects.filter(type="invalidated")
    assert {event.actor_id for event in annulments} == {
        QuarantineDecision.objects.get().decided_by_id
    }
    assert not waiting_files().exists()
    call_command("rebuild", "--check")


def test_the_sample_is_drawn_once_and_anybody_can_draw_it_again(batch, dpo):
    post(dpo, batch, "draw")
    draw, claims = SampleDraw.objects.get(), set(SampledClaim.objects.values_list("event__uuid"))

    assert "drawn already" in post(dpo, batch, "draw")

    assert SampleDraw.objects.get() == draw
    uuids = ConsentEvent.objects.filter(batch=batch, type="given").values_list("uuid", flat=True)
    assert {(uuid,) for uuid in drawn(draw.seed, uuids, size=60)} == claims


def test_what_was_drawn_found_and_decided_is_never_changed(batch, dpo):
    see_proofs(dpo, batch)
    post(dpo, batch, "released")

    for model in (SampleDraw, SampledClaim, ProofFinding, QuarantineDecision):
        row = model.objects.filter(pk=model.objects.latest("pk").pk)
        for attack in (row._raw_delete, lambda _database, row=row: row.update(id=0)):
            with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
                attack("default")


def test_of_a_proof_the_latest_finding_counts_and_a_document_is_kept(batch, dpo):
    post(dpo, batch, "draw")
    claim = claim_of("ada").pk
    post(dpo, batch, "missing", claim=claim)
    file = SimpleUploadedFile("ada.pdf", b"%PDF- proof")

    assert "Say where the proof is kept" in post(dpo, batch, "seen", claim=claim)
    assert "at most 200" in post(dpo, batch, "seen", claim=claim, reference="x" * 201)
    post(dpo, batch, "seen", claim=claim, file=file)

    assert Evidence.objects.get().file_type == "pdf"
    page = dpo.get(reverse("consent:broker-file", args=[batch.pk]))
    assert (page.context["tally"].proved, page.context["tally"].lacking) == (1, 0)


def test_the_list_of_brokers_files_costs_no_query_for_each(batch, dpo):
    page, counts = reverse("consent:brokers"), []
    for name in ("max", "zoe"):
        dpo.get(page)
        with CaptureQueriesContext(connection) as asked:
            rows = dpo.get(page).context["rows"]
        counts.append((len(asked), len(rows)))
        load(row(name, nom=name, email=f"{name}@example.org", maj="01/10/2026", accord="O"))

    assert counts == [(counts[0][0], 1), (counts[0][0], 2)]


def test_undoing_the_file_takes_back_what_was_released_too(batch, dpo):
    see_proofs(dpo, batch)
    post(dpo, batch, "released")
    carry_out()
    assert answer("ada").rule == "E1"

    undo_batch(batch)

    granted = ConsentEvent.objects.filter(type__in=PERMISSIVE, retractions=None)
    assert not granted.exists()


def test_claims_from_before_the_broker_was_named_go_into_quarantine(broker, dpo):
    SourceSystem.objects.filter(pk=broker.pk).update(broker="", broker_contract="")
    batch = load(ADA, BOB, NO)
    own, bob = _own_record("bob@example.org"), SourceRecord.objects.get(source_key="bob")
    link({own: own, bob: own})
    SourceSystem.objects.filter(pk=broker.pk).update(broker="Data & Co", broker_contract="C-1")
    before, page = now(), reverse("consent:broker-file", args=[batch.pk])
    assert (answer("ada").rule, answer("bob").rule) == ("E1", "E1")

    shown = dpo.get(page)
    seen = shown.context["earlier"]
    assert (seen.claim_count, seen.person_count, seen.standing_count) == (2, 2, 2)
    assert "1 file came before its source was named" in dpo.get(reverse("admin:index")).text
    assert "not in quarantine yet" in dpo.get(reverse("consent:brokers")).text
    assert "into quarantine first" in post(dpo, batch, "draw")
    post(dpo, batch, "quarantine")
    post(dpo, batch, "quarantine")  # A second click is the same job.
    carry_out("quarantine_claims")

    rules = [answer(key).rule for key in ("ada", "bob", "no")]
    assert rules == ["G12", "E1_bought", "G6"]  # Bob is known otherwise.
    assert list(waiting_files()) == [batch]
    assert "No claim of this file waits" in post(dpo, batch, "quarantine")
    told = client_of("steward").get(reverse("mdm:batch", args=[batch.pk])).context["reports"][0]
    assert (told["claims"], told["quarantine"]) == (2, "waiting")
    offer = offer_for(marketing())
    then = may_contact(own.customer, channel="email", offer=offer, at=before, known_at=before)
    assert then.answer.rule == "E1"
    see_proofs(dpo, batch)
    post(dpo, batch, "released")
    carry_out()
    assert (answer("ada").rule, answer("bob").rule) == ("E1", "E1")
    assert not earlier_files().exists()
    assert rebuild(check=True).difference_count == 0
    seal_events()
    assert verify().bad is None
    undo_batch(batch)
    assert not ConsentEvent.objects.filter(type__in=PERMISSIVE, retractions=None).exists()


def test_the_sample_and_its_limit_are_those_of_the_pack_when_it_was_drawn(dpo):
    enact(broker_sample_size=20, broker_proof_percent=70)
    batch = load(*(row(n, nom=f"n{n}", email=f"n{n}@example.org", maj="01/10/2026", accord="O")
                   for n in range(25)))  # fmt: skip
    assert (
        "20 claims, or all of a smaller file"
        in dpo.get(reverse("consent:broker-file", args=[batch.pk])).text
    )
    post(dpo, batch, "draw")
    enact(begins_at=now())

    page = dpo.get(reverse("consent:broker-file", args=[batch.pk]))

    assert (page.context["tally"].counted, page.context["tally"].needed) == (20, 14)


def test_erasing_somebody_of_the_sample_takes_her_proof_along(batch, dpo, settings):
    see_proofs(dpo, batch)
    file = SimpleUploadedFile("ada.pdf", b"%PDF- proof")
    post(dpo, batch, "seen", claim=claim_of("ada").pk, reference="Ada, box 7", file=file)
    path = settings.MEDIA_ROOT / Evidence.objects.exclude(file="").get().file.name

    erase(Customer.objects.get(records__source_key="ada"), reason="Request", by=None)

    assert not path.exists()
    assert not Evidence.objects.filter(reference="Ada, box 7").exists()
    tally = dpo.get(reverse("consent:broker-file", args=[batch.pk])).context["tally"]
    assert (tally.counted, tally.proved) == (2, 2)


def test_a_broker_has_a_contract_and_stays_a_broker_once_a_file_came(broker):
    steward = client_of("steward")
    page = reverse("admin:mdm_sourcesystem_change", args=[broker.pk])
    values = {
        "label": "Leads", "trust": 50, "region": "FR", "file_mode": "delta", "broker": "Data & Co",
        "broker_contract": "", "owner": "", "watched_folder": "", "database_variable": "",
        "database_query": "",
    }  # fmt: skip

    assert "Name the contract with the broker" in steward.post(page, values).text
    load(ADA)
    steward.post(page, values | {"broker": "", "broker_contract": "C-2026-8"})

    broker.refresh_from_db()
    assert (broker.broker, broker.broker_contract) == ("Data & Co", "C-2026-8")


def test_who_is_known_otherwise_is_asked_about_the_claim_alone(batch):
    own = _own_record("ada@example.org")
    SourceRecord.objects.filter(source_key="ada").update(customer=own.customer)
    project([own.customer_id])

    def rule() -> str:
        offer = offer_for(marketing())
        return may_contact(own.customer, channel="email", offer=offer).answer.rule

    assert rule() == "E1_bought"
    record_event(own, "given")
    assert rule() == "E1"


@pytest.mark.parametrize("role", ["steward", "marketer", "administrator"])
def test_only_the_dpo_checks_brokers(batch, role):
    client = client_of(role)

    assert client.get(reverse("consent:brokers")).status_code == 403
    address = reverse("consent:broker-file", args=[batch.pk])
    assert client.post(address, {"step": "draw"}).status_code == 403
    assert not SampleDraw.objects.exists()


def _own_record(email: str = "own@example.org") -> SourceRecord:
    return make_record(source="shop", email=email, source_created_at=now())
