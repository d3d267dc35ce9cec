"""What happens to a customer is an event; replayed from nothing, they give what is so today."""

import json

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from matching.decisions import Circumstances, Verdict, decide, retract
from matching.repairs import Wish, repair, undo
from mdm import identity
from mdm.models import Customer, CustomerEvent, SourceRecord
from mdm.replay import check
from tests.matching.factories import make_evidence, make_steward, settled
from tests.mdm.factories import make_record, make_records
from tests.mdm.loading.files import csv_bytes, load_bytes, row

pytestmark = pytest.mark.django_db


def events_of(record: SourceRecord) -> list[tuple[int, str, int | None, int | None]]:
    events = CustomerEvent.objects.filter(customer=record.pk).order_by("number")
    return list(events.values_list("number", "kind", "record", "other"))


def test_a_file_tells_who_is_born_and_which_values_change():
    load_bytes(csv_bytes([row("1"), row("2")]))
    load_bytes(
        csv_bytes([row("1"), row("2", nom="GRAND", email="g@example.com", maj="02/02/2024")])
    )
    one, other = SourceRecord.objects.order_by("pk")

    assert events_of(one) == [(1, "created", one.pk, None)]
    assert events_of(other) == [(1, "created", other.pk, None), (2, "value_changed", None, None)]
    changed = CustomerEvent.objects.get(kind="value_changed")
    assert changed.details == ["family_name", "email"]
    assert "GRAND" not in json.dumps(changed.details)
    assert len(set(CustomerEvent.objects.values_list("correlation"))) == 2
    assert check().is_sound


def test_the_same_file_twice_tells_nothing():
    load_bytes(csv_bytes([row("1"), row("2")]))
    load_bytes(csv_bytes([row("1"), row("2")]))

    assert CustomerEvent.objects.count() == 2


def test_a_record_a_full_file_lacks_makes_its_customer_inactive_and_its_return_restores_her():
    rows = [row(str(n)) for n in range(40)]
    load_bytes(csv_bytes(rows))
    load_bytes(csv_bytes(rows[1:]), mode="full")
    load_bytes(csv_bytes(rows), mode="full")

    first = SourceRecord.objects.order_by("pk")[0]
    assert [kind for _n, kind, *_ in events_of(first)] == ["created", "inactivated", "restored"]
    assert check().is_sound


def test_a_merge_and_its_undo_tell_both_sides_under_one_correlation():
    one, other = make_records([{"family_name": "Roux"}, {"given_name": "Anne"}])
    steward = make_steward()

    decision = decide(one.pk, other.pk, Verdict.SAME, by=steward)
    assert events_of(one)[1:] == [
        (2, "joined", other.pk, other.pk),
        (3, "value_changed", None, None),
    ]
    assert events_of(other)[1:] == [(2, "left", other.pk, one.pk), (3, "merged", None, one.pk)]
    late = CustomerEvent.objects.exclude(kind="created")
    assert set(late.values_list("by", flat=True)) == {steward.pk}
    assert late.values("correlation").distinct().count() == 1

    retract(decision, by=steward)
    assert [kind for _n, kind, *_ in events_of(one)[3:]] == ["left", "split", "value_changed"]
    assert [kind for _n, kind, *_ in events_of(other)[3:]] == ["joined", "restored"]
    split = CustomerEvent.objects.get(kind="split")
    assert split.details == {str(other.pk): [other.pk]}
    assert check().is_sound


def test_a_move_is_two_events_with_one_correlation():
    target, one, other = make_records([{"given_name": n} for n in ("Ève", "Anne", "Anna")])
    make_evidence(one, other)
    settled(one)
    before = set(CustomerEvent.objects.values_list("pk", flat=True))

    repair(
        Wish("move", one.pk, (other.pk,), other_id=target.pk),
        by=make_steward(),
        circumstances=Circumstances("document"),
    )

    new = CustomerEvent.objects.exclude(pk__in=before).exclude(kind="value_changed")
    assert set(new.values_list("customer", "kind", "record", "other")) == {
        (one.pk, "left", other.pk, target.pk),
        (target.pk, "joined", other.pk, one.pk),
        (other.pk, "merged", None, target.pk),
    }
    assert new.values("correlation").distinct().count() == 1
    assert check().is_sound


def test_ids_follow_a_merged_customer_wherever_she_goes():
    one, other, third = make_records([{}, {}, {}])
    steward = make_steward()
    done = repair(Wish("link", other.pk, other_id=third.pk), by=steward, circumstances=_why())
    decide(one.pk, third.pk, Verdict.SAME, by=steward)
    undo(done, by=steward)
    decide(one.pk, other.pk, Verdict.DIFFERENT, by=steward)

    assert check().is_sound


def test_the_check_finds_a_gap_and_a_record_moved_behind_our_back(capsys):
    one, other = make_records([{}, {}])
    call_command("replay_events", "--check", "--json")
    assert json.loads(capsys.readouterr().out) == {
        "events": 2,
        "live_customers": 2,
        "customers_with_gaps": 0,
        "customers_that_differ": 0,
    }

    CustomerEvent.objects.filter(customer=other.pk).update(number=2)
    with pytest.raises(CommandError):
        call_command("replay_events", "--check")
    CustomerEvent.objects.filter(customer=other.pk).update(number=1)
    SourceRecord.objects.filter(pk=other.pk).update(customer=one.pk)
    with pytest.raises(CommandError):
        call_command("replay_events", "--check")


def test_the_number_of_queries_does_not_depend_on_the_number_of_events():
    def queries(records: int) -> int:
        made = [make_record("crm") for _ in range(records + 1)]
        links = [identity.Link(record.pk, made[0].pk, "auto", 9.0) for record in made]
        with CaptureQueriesContext(connection) as captured, transaction.atomic():
            identity.apply_links(links, user=None, reason="test")
        return len(captured)

    assert queries(1) <= queries(20) == queries(30)  # Few rows and their history: one statement.


def test_an_erased_customer_is_told_as_such():
    record = make_record(family_name="Roux")
    SourceRecord.objects.filter(pk=record.pk).update(status="erased", family_name="")
    with transaction.atomic():
        identity.refresh([record.pk], record_ids=[record.pk])

    assert Customer.objects.get().status == "erased"
    assert [kind for _n, kind, *_ in events_of(record)] == ["created", "erased"]
    assert check().is_sound


def _why() -> Circumstances:
    return Circumstances("document")
