"""Undoing a whole run: everything is as before it, and what people did since is kept."""

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from matching import codes, former, key_table, learnt, runs
from matching.decisions import Verdict, decide
from matching.learnt import learnt_with_keys
from matching.models import FormerEvidence, MatchRun, PairEvidence, ReviewTask, WholeFile
from matching.repairs import Wish, repair
from matching.runs import last_run
from matching.undoing import UndoRefused, start_preview, start_undo
from mdm import identity, jobs, pins
from mdm.birth_ids import public_id
from mdm.models import Customer, CustomerAct, CustomerEvent, Job, SourceRecord
from tests.factories import UserFactory
from tests.matching.factories import (
    anne,
    customers_of,
    links,
    make_company,
    make_steward,
    run_match,
)
from tests.mdm.factories import make_record, make_records

pytestmark = pytest.mark.django_db


def state() -> dict[str, Any]:
    """Return all that a run writes, as it can be compared: without keys, versions and moments."""
    evidence = PairEvidence.objects.order_by("left", "right")
    tasks = ReviewTask.objects.filter(state="open").order_by("left", "right")
    return {
        "evidence": list(
            evidence.values_list("left", "right", "run", "score", "pattern", "automatic")
        ),
        "links": links(),
        "tasks": list(tasks.values_list("left", "right", "kind", "reason", "score")),
        "ids": list(Customer.objects.order_by("pk").values_list("pk", "status", "merged_into")),
    }


def undo(row: MatchRun, **options: Any) -> dict[str, Any]:
    job = start_undo(row, by=make_steward(), reason="wrong file", is_foreground=True, **options)
    return dict(jobs.run_now(job).result or {})


def preview(row: MatchRun) -> dict[str, Any]:
    return dict(jobs.run_now(start_preview(row, by=None, is_foreground=True)).result or {})


def latest() -> MatchRun:
    return MatchRun.objects.latest("pk")


def change(record: SourceRecord, **values: Any) -> None:
    SourceRecord.objects.filter(pk=record.pk).update(**values)
    identity.refresh([record.customer_id], record_ids=[record.pk])


def changes(company: list[SourceRecord]) -> None:
    """Bring a twin, and take from others what told that they were one person."""
    twin, *_others = company
    values = ("given_name", "family_name", "birth_date", "email", "phone")
    make_record("shop", **{name: getattr(twin, name) for name in values})
    pair = PairEvidence.objects.filter(automatic=True).order_by("pk")[3]
    change(pair.right, given_name="Zoé", email="", phone="", birth_date="1931-01-02")


def everything_holds() -> None:
    for command in (["rebuild", "--check"], ["check_invariants"], ["replay_events", "--check"]):
        call_command(*command)


@pytest.fixture
def company() -> list[SourceRecord]:
    return make_company(25)


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


class Killed(BaseException):
    """Stands for `kill -9`: nothing catches it."""


@pytest.mark.parametrize(("chunks", "scope"), [(1, "all"), (3, "changed"), (4, "all"), (6, "all")])
def test_an_undo_killed_between_chunks_ends_like_one_that_was_not(
    company, chunks, scope, monkeypatch
):
    monkeypatch.setattr("matching.former.PAIRS_PER_CHUNK", 5)
    monkeypatch.setattr("matching.relinking.RECORDS_PER_CHUNK", 2)
    run_match()
    changes(company)
    before = state()
    run_match(scope=scope)
    foreseen = preview(latest())
    job = start_undo(latest(), by=make_steward(), reason="wrong")
    left, original = chunks, jobs.JobRun.chunk

    def killed_after(self: jobs.JobRun, **options: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed
        return original(self, **options)

    with monkeypatch.context() as patched:
        patched.setattr(jobs.JobRun, "chunk", killed_after)
        with pytest.raises(Killed):
            jobs.execute(str(job.pk))
    Job.objects.filter(pk=job.pk).update(state=Job.State.QUEUED, lease_until=None)
    jobs.execute(str(job.pk))

    job.refresh_from_db()
    assert (job.state, job.attempt) == (Job.State.DONE, 2)
    assert state() == before
    assert (job.result or {})["moved"] == foreseen["moved"]
    acts = CustomerAct.objects.filter(pk=job.pk)
    assert acts.get().reason in {
        f"Search {latest().pk} undone",
        f"Recherche {latest().pk} annulée",
    }
    everything_holds()


def test_a_run_killed_while_it_wrote_and_begun_anew_can_be_undone(company, monkeypatch):
    run_match()
    changes(company)
    before = state()
    monkeypatch.setattr("matching.evidence.PAIRS_PER_CHUNK", 3)
    job, original = runs.start_run(by=None), jobs.JobRun.chunk

    ends: list[int] = []

    def killed_in_evidence(self: jobs.JobRun, **options: Any) -> Any:
        ends.extend([options["cursor"]["left"]] if "left" in (options["cursor"] or {}) else [])
        if len(ends) > 2:
            raise Killed
        return original(self, **options)

    with monkeypatch.context() as patched:
        patched.setattr(jobs.JobRun, "chunk", killed_in_evidence)
        with pytest.raises(Killed):
            jobs.execute(str(job.pk))
    assert FormerEvidence.objects.exists()
    # What was read has changed meanwhile: evidence is written from its beginning again.
    change(SourceRecord.objects.get(pk=company[5].pk), given_name="Ursule")
    Job.objects.update(state=Job.State.QUEUED, lease_until=None)
    jobs.execute(str(job.pk))
    job.refresh_from_db()
    assert job.state == Job.State.DONE

    undo(latest())

    assert state()["evidence"] == before["evidence"]


def test_a_search_that_broke_off_stands_in_the_way_until_it_is_undone(company, monkeypatch):
    run_match()
    first, before = latest(), state()
    changes(company)
    job = runs.start_run(by=None)
    monkeypatch.setattr("matching.derivation.Derivation.carry_out", lambda self: 1 / 0)
    jobs.execute(str(job.pk))
    monkeypatch.undo()
    broken = latest()
    assert broken.finished_at is None

    with pytest.raises(UndoRefused, match=str(broken.pk)):
        start_undo(first, by=None, reason="wrong")
    undo(broken)

    assert state()["evidence"] == before["evidence"]
    jobs.retry(Job.objects.get(pk=job.pk))
    jobs.execute(str(job.pk))
    job.refresh_from_db()
    assert job.state == Job.State.FAILED
    assert state()["evidence"] == before["evidence"]


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


# ---- the doors


@pytest.fixture
def page():
    client = Client(headers={"accept-language": "en"})
    client.force_login(UserFactory(role="steward", username="m.roux"))
    return client


def test_a_steward_reads_what_an_undo_would_change_says_why_and_has_it_done(company, page):
    run_match()
    row = latest()
    pair = PairEvidence.objects.filter(automatic=True).order_by("pk").first()
    assert pair is not None
    decide(pair.left_id, pair.right_id, Verdict.SAME, by=make_steward("c.moreau"))
    address = reverse("matching:run", args=[row.pk])
    assert reverse("matching:run-undo-ask", args=[row.pk]) in page.get(address).content.decode()

    asked = page.post(reverse("matching:run-undo-ask", args=[row.pk]))
    jobs.run_now(Job.objects.get(kind="preview_undo_match"))
    shown = page.get(asked.url)
    text = shown.content.decode()
    assert "c.moreau" in text
    assert "Same person" in text
    assert reverse("mdm:customer", args=[public_id(pair.left_id)]) in text
    assert len(shown.context["parts"]) == min(20, shown.context["found"]["parted"])
    page.post(reverse("matching:run-undo-now", args=[row.pk]), {"reason": " "})
    assert not Job.objects.filter(kind="undo_match").exists()
    page.post(reverse("matching:run-undo-now", args=[row.pk]), {"reason": "the wrong file"})
    assert "data-job-state" in page.get(address).content.decode()
    refused = page.post(reverse("matching:start"), follow=True)
    assert "being undone" in refused.content.decode()
    jobs.run_now(Job.objects.get(kind="undo_match"))

    done = page.get(address).content.decode()
    assert "the wrong file" in done
    assert "m.roux" in done
    assert "the wrong file" in page.get(reverse("matching:home")).content.decode()
    assert customers_of(pair.left, pair.right) == [pair.left_id] * 2
    acts = CustomerEvent.objects.filter(correlation=Job.objects.get(kind="undo_match").pk)
    assert acts.exists()


def test_a_preview_that_was_stopped_says_so_and_is_asked_for_again(company, page):
    run_match()
    ask = reverse("matching:run-undo-ask", args=[latest().pk])
    asked = page.post(ask)
    jobs.request_cancel(Job.objects.get(kind="preview_undo_match"))

    text = page.get(asked.url).content.decode()

    assert "stopped before it ended" in text
    assert ask in text
    assert page.post(ask).url != asked.url


def test_an_undoing_that_stopped_is_shown_until_it_is_done_again(company, page):
    run_match()
    row = latest()
    jobs.request_cancel(start_undo(row, by=None, reason="wrong"))

    home, shown = reverse("matching:home"), reverse("matching:run", args=[row.pk])
    assert "undoing stopped" in page.get(home).content.decode()
    assert "stopped half-way" in page.get(shown).content.decode()
    undo(row)
    assert "undoing stopped" not in page.get(home).content.decode()


def test_an_undo_is_refused_with_its_reason(company, page):
    run_match()
    first = latest()
    run_match(simulate=True)
    simulated = latest()
    run_match()
    second = latest()

    def told(row: MatchRun) -> str:
        response = page.post(reverse("matching:run-undo-ask", args=[row.pk]), follow=True)
        return response.content.decode()

    assert f"Search {second.pk} came after this one" in told(first)
    assert "A simulation changes nothing" in told(simulated)
    runs.start_run(by=None)
    assert "under way" in told(second)
    Job.objects.all().update(state="cancelled", idempotency_key=None)
    undo(second)
    assert "undone already" in told(second)
    MatchRun.objects.update(keeps_former=False)
    assert "no longer kept" in told(first)
    assert not Job.objects.filter(kind="preview_undo_match").exists()


@pytest.mark.parametrize("role", ["marketer", "dpo", "administrator"])
def test_only_who_may_search_may_undo(company, role):
    run_match()
    client = Client()
    client.force_login(UserFactory(role=role))

    for name in ("run-undo-ask", "run-undo-now"):
        address = reverse(f"matching:{name}", args=[latest().pk])
        assert client.post(address, {"reason": "because"}).status_code == 403
    assert not Job.objects.filter(kind__contains="undo").exists()


def test_the_command_shows_and_undoes(company, capsys):
    run_match()
    number = latest().pk

    call_command("match", "--undo", str(number))
    assert "--yes" in capsys.readouterr().out
    assert PairEvidence.objects.exists()
    with pytest.raises(CommandError):
        call_command("match", "--undo", str(number), "--yes")
    call_command("match", "--undo", str(number), "--yes", "--reason", "wrong file", "--json")

    assert json.loads(capsys.readouterr().out)["parted"] > 0
    assert not PairEvidence.objects.exists()
    with pytest.raises(CommandError):
        call_command("match", "--undo", str(number))
    assert former.evidence_now()[0].count() == 0
