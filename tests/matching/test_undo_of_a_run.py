"""Undoing a whole run: everything is as before it, and what people did since is kept."""

import pytest
from django.core.management import call_command

from matching import codes, key_table, learnt
from matching.decisions import Verdict, decide
from matching.learnt import learnt_with_keys
from matching.models import FormerEvidence, MatchRun, PairEvidence, ReviewTask, WholeFile
from matching.repairs import Wish, repair
from matching.runs import last_run
from matching.undoing import UndoRefused, start_undo
from mdm import jobs, pins
from mdm.models import SourceRecord
from tests.matching.factories import (
    anne,
    customers_of,
    links,
    make_steward,
    run_match,
)
from tests.matching.undoing import change, changes, everything_holds, latest, preview, state, undo
from tests.mdm.factories import make_record, make_records

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("scope", ["all", "changed"])
def test_two_runs_undone_one_after_the_other_leave_what_was_before_each(company, scope):
    run_match()
    changes(company)
    first, before = latest(), state()
    run_match(scope=scope)
    second = latest()
    assert state()["links"] != before["links"]
    foreseen = preview(second)

    figures = undo(second)

    assert state() == before
    assert {name: figures[name] for name in ("parted", "joined", "moved")} == {
        name: foreseen[name] for name in ("parted", "joined", "moved")
    }
    assert figures["parted"] > 0
    assert last_run() == first
    everything_holds()
    undo(first)
    assert {rule for _customer, rule in links().values()} == {"birth"}
    assert (state()["evidence"], state()["tasks"]) == ([], [])
    assert last_run() is None
    assert not FormerEvidence.objects.exists()
    everything_holds()


def test_a_first_run_writes_nothing_beside_and_can_be_undone_and_done_again(company):
    run_match()
    found = state()
    assert not FormerEvidence.objects.exists()

    undo(latest())
    run_match()

    assert [row[:2] + row[3:] for row in state()["evidence"]] == [
        row[:2] + row[3:] for row in found["evidence"]
    ]
    assert state()["links"] == found["links"]


def test_the_preview_counts_the_tasks_that_open_and_go(company):
    run_match()
    changes(company)
    run_match()
    row, tasks = (
        latest(),
        set(ReviewTask.objects.filter(state="open").values_list("left", "right")),
    )
    foreseen = preview(row)
    before = state()
    assert state() == before

    undo(row)

    now = set(ReviewTask.objects.filter(state="open").values_list("left", "right"))
    assert (foreseen["opened"], foreseen["closed"]) == (len(now - tasks), len(tasks - now))


def test_later_human_work_is_kept_and_listed(company):
    run_match()
    row, steward = latest(), make_steward()
    pairs = list(PairEvidence.objects.filter(automatic=True).order_by("pk")[:4])
    kept, parted = pairs[0], pairs[1]
    decision = decide(kept.left_id, kept.right_id, Verdict.SAME, by=steward)
    pin = pins.pin(
        parted.left_id, "email", "value", by=steward, reason="said so",
        values={"email": "new@example.com"},
    )  # fmt: skip
    confirmed = repair(Wish("confirm", pairs[2].left_id), by=steward)

    foreseen = preview(row)
    undo(row)

    assert foreseen["work"]["counts"] == {"decision": 1, "pin": 1, "confirmed": 1}
    assert foreseen["work"]["sample"] == [
        ["confirmed", confirmed.pk], ["pin", pin.pk], ["decision", decision.pk],
    ]  # fmt: skip
    assert customers_of(kept.left, kept.right) == [kept.left_id] * 2
    assert customers_of(parted.left, parted.right) == [parted.left_id, parted.right_id]
    pin.refresh_from_db()
    assert pin.retracted_at is None
    everything_holds()


def test_only_the_last_runs_keep_what_they_replaced(company, settings):
    settings.MATCH_UNDO_KEPT = 2
    for _ in range(4):
        run_match()
    rows = list(MatchRun.objects.order_by("pk"))

    assert [row.keeps_former for row in rows] == [False, False, True, True]
    kept = FormerEvidence.objects.order_by().values_list("replaced_by", flat=True).distinct()
    assert set(kept) == {rows[2].pk, rows[3].pk}
    undo(rows[3])
    undo(rows[2])
    with pytest.raises(UndoRefused, match=r"2"):
        start_undo(rows[1], by=None, reason="wrong")


def test_nothing_goes_by_an_undone_run(company):
    run_match()
    first = latest()
    WholeFile.objects.update(is_keyed=True)
    changes(company)
    unseen = codes.changed_records()
    run_match()
    WholeFile.objects.update(is_keyed=True)
    assert codes.changed_records() == set()
    known = learnt_with_keys()
    assert known is not None
    assert known.run_id == latest().pk

    undo(latest())

    assert codes.changed_records() == unseen
    known = learnt_with_keys()
    assert known is not None
    assert known.run_id == first.pk


def test_records_that_came_since_get_the_keys_of_the_rules_before(company):
    run_match()
    jobs.run_now(key_table.prepare())
    run_match()
    WholeFile.objects.filter(run=latest()).update(rules=["email"], is_keyed=True)
    learnt._read.cache_clear()
    make_records([anne("shop")])

    undo(latest())
    jobs.run_now(key_table.prepare())

    call_command("rebuild", "--check")


def test_pages_of_a_run_that_can_be_undone_are_not_put_together(company, monkeypatch):
    monkeypatch.setattr("matching.codes.MOST_PAGES", 1)
    run_match()
    changes(company)
    unseen = codes.changed_records()
    run_match()

    undo(latest())

    assert codes.changed_records() == unseen
    everything_holds()


def test_who_is_free_once_a_pair_has_gone_is_joined_by_a_search_of_changes():
    one, other, rival = make_records([anne(), anne("shop"), anne("erp")])
    rival.source.one_record_per_person = True
    rival.source.save()
    double = make_record("erp", **{k: v for k, v in anne().items() if k != "source"})
    run_match()
    assert len(set(customers_of(one, rival, double))) > 1
    elsewhere = {"street": "", "city": "Lyon", "postcode": "69001", "birth_date": "1950-01-01"}
    change(double, given_name="Odile", family_name="Roux", email="", phone="", **elsewhere)

    run_match(scope="changed")
    around = links()
    call_command("rebuild")

    assert links() == around
    assert len(set(customers_of(one, other, rival))) == 1


def test_pairs_of_a_record_erased_since_stay_as_they_are(company):
    run_match()
    row = latest()
    pair = PairEvidence.objects.filter(automatic=True).order_by("pk").first()
    assert pair is not None
    SourceRecord.objects.filter(pk__in=(pair.left_id, pair.right_id)).update(status="erased")

    undo(row)

    left = PairEvidence.objects.values_list("left", "right")
    assert set(left) == {(pair.left_id, pair.right_id)}
