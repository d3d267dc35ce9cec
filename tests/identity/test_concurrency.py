"""Stewards and runs at the same time, in real threads, each with its own connection."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from matching import runs
from matching.decisions import ContradictsDecisions, Verdict, decide
from matching.models import Decision, PairEvidence, Repair
from matching.neighbourhood import lock_neighbourhood, read_facts, settle
from matching.relinking import moves
from matching.repairs import RepairRefused, Wish, repair
from matching.versions import CustomersChanged, versions_of
from mdm import jobs
from mdm.contact_points import recount_all
from mdm.identity import Link, apply_links, lock_customers
from mdm.models import ContactPoint, Customer, SourceRecord
from mdm.replay import check
from mdm.signals import customers_changed
from tests.matching.factories import (
    anne,
    customers_of,
    make_company,
    make_evidence,
    make_steward,
    run_match,
    settled,
)
from tests.mdm.factories import make_records
from tests.sides import LONGEST_SECONDS, Side

pytestmark = pytest.mark.django_db(transaction=True)
_MEANWHILE_SECONDS = 0.3


def trio() -> list[SourceRecord]:
    records = make_records([{"given_name": n} for n in ("Anne", "Anna", "Annie")])
    for one, other in ((0, 1), (0, 2), (1, 2)):
        make_evidence(records[one], records[other])
    settled(records[0])
    return records


def assert_all_follows_from_facts() -> None:
    """Whatever the order was, the end is what the facts say."""
    facts = read_facts()
    assert moves(facts, facts.partition()) == []
    assert check().is_sound


def test_of_two_stewards_on_one_version_one_wins_and_the_other_sees_who_did_what():
    records = trio()
    stewards = [make_steward("a.petit"), make_steward("j.roux")]
    seen = versions_of([Customer.objects.get(pk=records[0].pk)])
    ready = threading.Barrier(2)

    def act(place: int) -> Repair:
        ready.wait(LONGEST_SECONDS)
        wish = Wish("unlink", records[0].pk, (records[place + 1].pk,))
        return repair(wish, by=stewards[place], versions=seen)

    sides = [Side(lambda place=place: act(place)) for place in (0, 1)]
    outcomes = [side.result() for side in sides]

    winner = next(place for place, o in enumerate(outcomes) if isinstance(o, Repair))
    refusal = outcomes[1 - winner]
    assert isinstance(refusal, CustomersChanged)
    assert stewards[winner].username in refusal.changes[0]
    assert Repair.objects.count() == 1
    assert customers_of(records[2 - winner]) == [records[0].pk]
    assert_all_follows_from_facts()


def test_the_same_key_sent_twice_at_once_has_one_effect():
    records, steward = trio(), make_steward()
    ready = threading.Barrier(3)

    def act() -> Repair:
        ready.wait(LONGEST_SECONDS)
        wish = Wish("unlink", records[0].pk, (records[1].pk,))
        return repair(wish, by=steward, idempotency_key="once")

    outcomes = [side.result() for side in [Side(act) for _ in range(3)]]

    assert outcomes == [Repair.objects.get()] * 3


@pytest.mark.postgresql
def test_who_works_on_another_customer_never_waits():
    here, there = trio(), trio()
    steward = make_steward()
    is_locked, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            lock_neighbourhood([here[0].pk])
            is_locked.set()
            may_end.wait(LONGEST_SECONDS)

    holder = Side(hold)
    assert is_locked.wait(LONGEST_SECONDS)
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '2s'")

    done = repair(Wish("unlink", there[0].pk, (there[1].pk,)), by=steward)

    assert not may_end.is_set()
    assert done.pk
    may_end.set()
    holder.result()


def test_many_stewards_at_once_end_where_their_decisions_lead():
    records = [record for _ in range(3) for record in trio()]
    stewards = [make_steward(f"steward{n}") for n in range(4)]
    keys = [record.pk for record in records]

    def act(number: int) -> int:
        done = 0
        for step in range(6):
            one, other = keys[(number + step) % 9], keys[(number * 5 + step * 2 + 1) % 9]
            if one == other:
                continue
            try:
                if step % 3:
                    verdict = Verdict.SAME if (number + step) % 2 else Verdict.DIFFERENT
                    decide(one, other, verdict, by=stewards[number])
                else:
                    home = SourceRecord.objects.get(pk=one).customer_id
                    repair(Wish("unlink", home, (one,)), by=stewards[number])
            except (ContradictsDecisions, RepairRefused):
                continue
            done += 1
        return done

    sides = [Side(lambda number=number: act(number)) for number in range(4)]
    outcomes = [side.result() for side in sides]

    assert all(isinstance(outcome, int) for outcome in outcomes), outcomes
    assert sum(outcomes)
    assert_all_follows_from_facts()


def test_a_run_never_undoes_what_a_steward_decides_meanwhile(monkeypatch):
    """She decides while the run links somebody else: the pair stays apart at every moment."""
    records = make_records([anne(), anne("shop"), anne("crm", **_LUC), anne("shop", **_LUC)])
    steward = make_steward()
    monkeypatch.setattr("matching.relinking.RECORDS_PER_CHUNK", 1)
    seen: list[list[int]] = []

    def follow(**_signal: Any) -> None:
        if not seen:
            with transaction.atomic():
                decide(records[2].pk, records[3].pk, Verdict.DIFFERENT, by=steward)
        seen.append(customers_of(records[2], records[3]))

    customers_changed.connect(follow)
    try:
        run_match()
    finally:
        customers_changed.disconnect(follow)

    assert customers_of(*records[:2]) == [records[0].pk] * 2
    assert seen
    assert all(one != other for one, other in seen)
    assert_all_follows_from_facts()


def test_links_made_two_chunks_at_a_time_are_what_the_facts_say(monkeypatch):
    """Those of a household share a phone, so that both chunks count who does."""
    make_company(30)
    monkeypatch.setattr("matching.relinking.RECORDS_PER_CHUNK", 1)
    threads = set[int]()

    def note(**_signal: Any) -> None:
        threads.add(threading.get_ident())

    customers_changed.connect(note)
    try:
        run_match()
    finally:
        customers_changed.disconnect(note)

    assert len(threads) == (2 if connection.vendor == "postgresql" else 1)
    assert recount_all(check=True) == 0
    assert_all_follows_from_facts()


def test_two_who_merge_carriers_of_one_contact_point_are_both_counted():
    shared = {"phone": "+33199005599"}
    rows = [{"given_name": name, **shared} for name in ("Anne", "Anna", "Luc", "Lucas")]
    records = [record.pk for record in make_records(rows)]
    merged = threading.Event()

    def merge(survivor: int, other: int, before_commit: Callable[[], Any]) -> None:
        with transaction.atomic():
            link = Link(other, survivor, "auto", 9.0)
            apply_links([link], user=None, reason="test")
            before_commit()

    def wait_for_the_other() -> None:
        merged.set()
        time.sleep(_MEANWHILE_SECONDS)

    side = Side(lambda: merge(*records[:2], wait_for_the_other))
    merged.wait(LONGEST_SECONDS)
    merge(*records[2:], lambda: None)
    side.result()

    assert ContactPoint.objects.get(value=shared["phone"]).shared_by == 2


def test_a_run_and_stewards_at_once_end_where_the_facts_lead():
    make_company(40)
    run_match()
    pairs = list(PairEvidence.objects.filter(automatic=True).values_list("left", "right")[:12])
    steward = make_steward()
    job = runs.prepare_run(by=None)

    def act() -> int:
        for number, (left, right) in enumerate(pairs):
            try:
                decide(left, right, Verdict.DIFFERENT if number % 3 else Verdict.SAME, by=steward)
            except ContradictsDecisions:
                continue
        return len(pairs)

    side = Side(act)
    jobs.run_now(job)
    assert side.result() == len(pairs)

    job.refresh_from_db()
    assert job.state == "done"
    for decision in Decision.objects.in_force():
        left, right = customers_of(decision.left, decision.right)
        assert (left == right) == (decision.verdict == "same")
    with transaction.atomic():
        settle([left for left, _right in pairs], by=None, reason="test")
    assert_all_follows_from_facts()


_LUC = {
    "given_name": "Luc",
    "family_name": "Moreau",
    "birth_date": "1950-02-01",
    "email": "luc.moreau@example.com",
    "phone": "+33199005566",
    "street": "quai de la Fosse",
    "postcode": "69001",
    "city": "Lyon",
}


@pytest.mark.postgresql
def test_a_click_that_meets_a_load_in_a_circle_is_done_again():
    """The load holds a contact point and wants its customers; the steward the other way round."""
    records = make_records([{"given_name": "Anne", "email": "one@example.org"}] * 2)
    steward = make_steward()
    is_held = threading.Event()

    def load() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL deadlock_timeout = '1min'")  # The steward's turn is ended.
            list(ContactPoint.objects.select_for_update().values_list("pk"))
            is_held.set()
            _wait_until_somebody_waits()
            lock_customers([record.pk for record in records])

    side = Side(load)
    assert is_held.wait(LONGEST_SECONDS)
    done = decide(records[0].pk, records[1].pk, Verdict.SAME, by=steward)

    assert side.result() is None
    assert Decision.objects.get() == done
    assert customers_of(*records) == [records[0].pk] * 2
    assert_all_follows_from_facts()


def _wait_until_somebody_waits() -> None:
    until = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    raise AssertionError("Nobody waits.")
