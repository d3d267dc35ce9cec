"""A company whose searches are undone: what stands, what an undo does, and what must hold."""

from typing import Any

from django.core.management import call_command

from matching.models import MatchRun, PairEvidence
from matching.undoing import start_preview, start_undo
from mdm import identity, jobs
from mdm.models import SourceRecord
from tests.matching.factories import make_steward
from tests.matching.interrupting import outcome
from tests.mdm.factories import make_record


def state() -> dict[str, Any]:
    """Return all that an undo brings back: of evidence also the run, of tasks the open ones."""
    columns = ("left", "right", "run", "score", "pattern", "automatic")
    evidence = PairEvidence.objects.order_by("left", "right").values_list(*columns)
    return {**outcome(state="open"), "evidence": list(evidence)}


def undo(row: MatchRun, **options: Any) -> dict[str, Any]:
    """Undo a run as a worker does; return the figures."""
    job = start_undo(row, by=make_steward(), reason="wrong file", is_foreground=True, **options)
    return dict(jobs.run_now(job).result or {})


def preview(row: MatchRun) -> dict[str, Any]:
    """Return what undoing a run would do."""
    return dict(jobs.run_now(start_preview(row, by=None, is_foreground=True)).result or {})


def latest() -> MatchRun:
    """Return the run that came last."""
    return MatchRun.objects.latest("pk")


def change(record: SourceRecord, **values: Any) -> None:
    """Let a record say something else."""
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
    """Prove all that is derived by the commands that do."""
    for command in (["rebuild", "--check"], ["check_invariants"], ["replay_events", "--check"]):
        call_command(*command)
