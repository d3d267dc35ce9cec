"""Undoing a file takes back the consents it claimed, and leaves all else as people said it."""

import json
from datetime import timedelta
from itertools import permutations
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import now
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.evaluation import may_contact, offer_for
from consent.models import ConsentEvent, PermissionState
from consent.projection import rebuild
from consent.states import Event, EventType, fold_all, known
from mdm import jobs
from mdm.loading.undo import PREVIEW_UNDO_KIND, UndoRefused
from mdm.models import Customer, Job, SourceRecord
from tests.consent.factories import marketing, record_event
from tests.consent.strategies import instants, ledgers
from tests.consent.test_pages import client_of
from tests.mdm.loading.files import load, row
from tests.mdm.loading.test_undo import undo_batch

pytestmark = pytest.mark.django_db
ADA = {"email": "ada@example.org", "maj": "01/10/2026"}


def states() -> set[tuple[Any, ...]]:
    return set(PermissionState.objects.values_list("customer_id", "channel", "state", "since"))


def retractions() -> list[ConsentEvent]:
    return list(ConsentEvent.objects.filter(type="retracted").order_by("pk"))


def test_a_consent_of_an_undone_file_counts_as_never_given():
    load(row("C1", **ADA))
    before = states()
    batch = load(row("C1", **{**ADA, "accord": "O", "maj": "05/10/2026"}))
    claim = ConsentEvent.objects.get()
    told = now()

    undo_batch(batch)

    retraction = retractions()[0]
    assert states() == before == set()
    assert (retraction.annuls, retraction.batch, retraction.actor_type) == (claim, batch, "system")
    customer, offer = Customer.objects.get(), offer_for(marketing())
    then = may_contact(customer, channel="email", offer=offer, at=told, known_at=told)
    today = may_contact(customer, channel="email", offer=offer, at=told)
    assert (then.answer.rule, today.answer.allowed) == ("E1", False)
    assert rebuild(check=True).difference_count == 0


def test_the_contact_that_a_false_claim_was_ends_with_it():
    batch = load(row("C1", **ADA, accord="O"), row("C2", email="b@example.org", maj="01/10/2026"))
    undo_batch(batch)

    load(row("C1", **{**ADA, "maj": ""}))

    customer = SourceRecord.objects.get(source_key="C1").customer
    answer = may_contact(customer, channel="email", offer=offer_for(marketing())).answer
    assert answer.rule == "G10"


def test_refusals_of_an_undone_file_stay():
    batch = load(row("C1", **ADA, accord="N"), row("C2", email="b@example.org", stop="O"))
    before = states()

    undo_batch(batch)
    load(row("C1", **ADA), row("C2", email="b@example.org"))

    assert states() == before
    assert retractions() == []


def test_what_the_person_said_herself_stays():
    load(row("C1", **ADA))
    record_event(SourceRecord.objects.get(), "given")
    before = states()
    batch = load(row("C1", **{**ADA, "accord": "O", "maj": "05/10/2026"}))

    undo_batch(batch)

    assert states() == before


@pytest.mark.parametrize(("later", "taken_back"), [("O", 0), ("", 1)])
def test_a_claim_that_a_later_file_repeats_stays(later: str, taken_back: int):
    load(row("C1", **ADA))
    batch = load(row("C1", **{**ADA, "accord": "O", "maj": "05/10/2026"}))
    load(row("C1", **{**ADA, "nom": "NEW", "accord": later, "maj": "06/10/2026"}))

    assert undo_batch(batch) == {"kept": 1}

    assert len(retractions()) == taken_back


def test_loading_the_file_again_makes_the_claim_again_and_once():
    load(row("C1", **ADA))
    file = row("C1", **{**ADA, "accord": "O", "maj": "05/10/2026"})
    batch = load(file)
    after = states()

    for _ in range(2):
        undo_batch(batch)
        assert not states()
        batch = load(file)
        load(file)
        assert states() == after

    assert ConsentEvent.objects.count() == 5
    assert rebuild(check=True).difference_count == 0


def test_undoing_twice_takes_back_once():
    batch = load(row("C1", **ADA, accord="O"))
    undo_batch(batch)

    with pytest.raises(UndoRefused):
        undo_batch(batch)

    assert len(retractions()) == 1


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_files_undone_in_any_order_leave_no_consent_and_no_record(order: tuple[int, ...]):
    batches = [
        load(row("C1", **{**ADA, "nom": name, "accord": accord, "maj": f"0{day}/10/2026"}))
        for day, (name, accord) in enumerate([("A", "O"), ("B", ""), ("C", "O")], start=1)
    ]

    for place in order:
        undo_batch(batches[place])

    assert not SourceRecord.objects.active().exists()
    assert not states()


def test_the_page_of_an_undoing_counts_the_consents_and_the_command_too(capsys):
    steward = client_of("steward")
    batch = load(row("C1", **ADA, accord="O"), row("C2", email="b@example.org", stop="O"))

    address = steward.post(reverse("mdm:batch-ask-undo", args=[batch.pk])).url
    jobs.run_now(Job.objects.get(kind=PREVIEW_UNDO_KIND))
    call_command("undo_load", batch.pk, preview=True, json=True)
    told = json.loads(capsys.readouterr().out)
    asked = steward.get(address).text
    call_command("undo_load", batch.pk)
    page = steward.get(reverse("mdm:batch", args=[batch.pk])).text

    assert (told["claims"], told["refusals"]) == (1, 1)
    assert "1 consent that the file claimed is taken back" in asked
    assert "1 refusal told by the file stays" in asked
    assert "1 consents taken back" in capsys.readouterr().out
    assert "1 consent taken back" in page
    assert "Undo this file" not in page


def test_the_dpo_reads_both_the_claim_and_what_took_it_back():
    dpo = client_of("dpo")
    undo_batch(load(row("C1", **ADA, accord="O")))
    retraction = retractions()[0]

    pages = {
        name: dpo.get(address).text
        for name, address in {
            "claim": reverse("consent:event", args=[retraction.annuls.uuid]),
            "retraction": reverse("consent:event", args=[retraction.uuid]),
            "customer": reverse("consent:customer", args=[Customer.objects.get().public_id]),
            "events": reverse("consent:events"),
        }.items()
    }

    assert str(retraction.uuid) in pages["claim"]
    assert str(retraction.annuls.uuid) in pages["retraction"]
    assert "counts as never given" in pages["customer"]
    assert "Claim taken back" in pages["customer"] or "claim taken back" in pages["customer"]
    assert "taken back" in pages["events"]


def test_no_door_but_the_undoing_writes_or_changes_a_retraction():
    undo_batch(load(row("C1", **ADA, accord="O")))
    retraction = retractions()[0]

    with pytest.raises(DatabaseError), transaction.atomic():
        ConsentEvent.objects.filter(pk=retraction.pk).update(annuls=None)
    twice = ConsentEvent.objects.get(pk=retraction.pk)
    twice.pk, twice.uuid, twice.source_event_id = None, uuid4(), "again"
    with pytest.raises(IntegrityError), transaction.atomic():
        twice.save(force_insert=True)


def test_taking_back_costs_the_same_queries_however_many_claims():
    batches = (
        load(*[row(f"{name}{n}", email=f"{name}{n}@example.org", accord="O") for n in range(size)])
        for name, size in (("A", 1), ("B", 20), ("C", 30))
    )

    counts = []
    for batch in batches:
        with CaptureQueriesContext(connection) as queries:
            undo_batch(batch)
        counts.append(len(queries))

    assert len(retractions()) == 51
    # A row and its history are one statement, many rows and theirs two.
    assert counts[0] <= counts[1] == counts[2]


def _retracted(event: Event, at: Any) -> Event:
    return Event(event.event_id + 10**7, EventType.RETRACTED, event.key, at, annuls=event.event_id)


@settings(max_examples=50)
@given(ledgers, instants, st.data())
def test_a_retraction_leaves_the_permissions_as_if_the_grant_had_never_been(events, at, data):
    grants = [event for event in events if not event.is_restrictive]
    taken = data.draw(st.sets(st.sampled_from(grants))) if grants else set()
    told = [*events, *[_retracted(event, at) for event in taken]]

    expected = fold_all(event for event in events if event not in taken)
    assert fold_all(told) == expected
    later, before = at + timedelta(days=1), at - timedelta(days=1)
    for seen, kept in ((later, taken), (before, set())):
        assert fold_all(known(told, at=later, known_at=seen)) == fold_all(
            known([e for e in events if e not in kept], at=later, known_at=seen)
        )


@settings(max_examples=50)
@given(ledgers)
def test_nothing_takes_a_refusal_back(events: list[Event]):
    refusals = [event for event in events if event.is_restrictive]

    told = [*events, *[_retracted(refusal, refusal.recorded_at) for refusal in refusals]]

    assert fold_all(told) == fold_all(events)
