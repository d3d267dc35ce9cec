"""Undoing a whole run: the evidence before it comes back, and what follows from all facts now.

Decisions, pins and ids kept since are facts of their own: they stay, and the partition is derived
from them and the former evidence together. Only the latest run can be undone, then the one before.
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from matching import codes, former, key_table
from matching.clustering import Partition
from matching.derivation import Derivation, whole_clusters
from matching.later_work import later_work
from matching.models import FormerEvidence, MatchRun, PairEvidence, ReviewTask
from matching.neighbourhood import neighbourhood, read_facts
from matching.outcome import outcome
from matching.reading import rows_of
from matching.review_tasks import Stand, foresee_tasks
from matching.runs import KIND, UNDO_KIND
from mdm import jobs
from mdm.audit import acting_as
from mdm.jobs import JobRefused, JobRun
from mdm.models import Job, SourceRecord
from mdm.reasons import Refusal, reason_of

PREVIEW_KIND = "preview_undo_match"
MANY_RECORDS = 10_000
_LINKING = {"phase": "links"}  # The cursor once the evidence is back.


class UndoRefused(Refusal):
    """The run cannot be undone now; the text says why."""


def why_not(row: MatchRun, *, beside: Job | None = None) -> UndoRefused | None:
    """Return why a run cannot be undone now, nothing when it can.

    `beside`: the job of the undoing itself, when it asks.
    """
    busy = Job.objects.filter(idempotency_key=KIND).first()
    later = MatchRun.objects.in_the_way().filter(pk__gt=row.pk).first()
    if row.simulated:
        return UndoRefused(_("A simulation changes nothing: there is nothing to undo."))
    if row.undone_at:
        return UndoRefused(_("This search was undone already."))
    if busy == beside:
        busy = None
    if busy and busy.kind == UNDO_KIND:
        return UndoRefused(_("A search is being undone already."))
    if busy:
        return UndoRefused(_("A search for duplicates is under way: wait until it has ended."))
    if later:
        return UndoRefused(
            _("Search %(number)d came after this one: undo that one first."), number=later.pk
        )
    if not row.keeps_former and not row.finished_at:
        return UndoRefused(_("This search ended before it changed anything."))
    if not row.keeps_former:
        return UndoRefused(
            _(
                "What this search replaced is no longer kept: "
                "only the last %(count)d can be undone."
            ),
            count=settings.MATCH_UNDO_KEPT,
        )
    return None


def start_preview(row: MatchRun, *, by: User | None, is_foreground: bool = False) -> Job:
    """Have a job tell what undoing a run would do today.

    Raises:
        UndoRefused: when it cannot be undone now.
    """
    _refuse(why_not(row))
    make = jobs.create if is_foreground else jobs.submit
    return make(PREVIEW_KIND, {"run": row.pk}, by=by)


@transaction.atomic
def start_undo(row: MatchRun, *, by: User | None, reason: str, is_foreground: bool = False) -> Job:
    """Have a job undo a run; no search starts until it has ended.

    Raises:
        UndoRefused: when it cannot be undone now, or nobody said why.
    """
    row = MatchRun.objects.select_for_update().get(pk=row.pk)
    _refuse(why_not(row))
    if not reason.strip():
        raise UndoRefused(_("Say why the search is undone: others will ask."))
    make = jobs.create if is_foreground else jobs.submit
    job = make(UNDO_KIND, {"run": row.pk}, by=by, idempotency_key=KIND)
    if job.kind != UNDO_KIND or job.parameters["run"] != row.pk:  # Started since we asked.
        raise why_not(row) or UndoRefused(_("A search is being undone already."))
    row.undo_job, row.undo_reason = job, reason.strip()[:400]
    row.save(update_fields=["undo_job", "undo_reason"])
    return job


@jobs.job(PREVIEW_KIND)
def run_preview(run: JobRun) -> Mapping[str, Any]:
    """Tell what undoing the run of the parameters would do, computed as it is; nothing is written.

    Customers are told by public id, work of people by key: no values of anybody.
    """
    row = _asked(run)
    evidence = former.evidence_before(row)
    scope = sorted(neighbourhood(former.concerned_records(row))) if _is_partial(row) else None
    partition = read_facts(scope, evidence=evidence).partition()
    stand = Stand(partition.names, partition.refusals, evidence)
    opened = closed = done = 0
    for chunk in whole_clusters(partition):
        done += len(chunk)
        run.progress(done, len(partition.names), "tasks")
        more, fewer = foresee_tasks(chunk, stand)
        opened, closed = opened + more, closed + fewer
    present = _present(partition)
    touched = _touched(row, partition, present)
    figures = {"run": row.pk, **_figures(partition, present)}
    work = later_work(touched, {present[record] for record in touched}, since=row.started_at)
    return {**figures, "opened": opened, "closed": closed, "work": work}


@jobs.job(UNDO_KIND, lane=KIND)
def run_undo(run: JobRun) -> Mapping[str, Any]:
    """Undo the run of the parameters: evidence, then links and tasks, then the run's own marks."""
    cursor = run.cursor or {}
    if cursor.get("phase") == "end":  # Killed between its last chunk and its end.
        return dict(cursor["figures"])
    row = _asked(run)
    by = run.job.requested_by
    reason = reason_of(gettext_noop("Search %(number)d undone"), number=row.pk)
    with acting_as(by, reason, correlation=run.job.pk):
        if cursor.get("phase") != "links":
            former.restore(run, row, then=_LINKING, notes_new=_is_partial(row))
        around = former.concerned_records(row) if _is_partial(row) else None
        derivation = Derivation(run, reason=reason, around=around)
        _note_figures(run, derivation.partition)
        derivation.carry_out()
    figures = {"run": row.pk, **run.cursor["figures"]}
    figures["open_tasks"] = ReviewTask.objects.filter(state=ReviewTask.State.OPEN).count()
    with run.chunk(cursor={"phase": "end", "figures": figures}, phase="tasks"):
        _mark_undone(row, by=by)
    former.tidy()
    return figures


def _asked(run: JobRun) -> MatchRun:
    """Return the run of the parameters.

    Raises:
        JobRefused: when it cannot be undone any more.
    """
    row = MatchRun.objects.select_related("job").get(pk=run.parameters["run"])
    if refusal := why_not(row, beside=run.job):
        raise JobRefused(refusal)
    return row


def _note_figures(run: JobRun, partition: Partition) -> None:
    """Keep what the first attempt finds: a later one would count only what is left."""
    if "figures" not in run.cursor:
        figures = _figures(partition, _present(partition))
        with run.chunk(cursor={**_LINKING, "figures": figures}, phase="links"):
            pass


def _mark_undone(row: MatchRun, *, by: User | None) -> None:
    """Let nobody go by the run any more: what it was the first to see is unseen again."""
    MatchRun.objects.filter(pk=row.pk).update(undone_at=now(), undone_by=by, keeps_former=False)
    codes.follow_undo(row)
    key_table.follow_undo(row)


def _figures(partition: Partition, present: Mapping[int, int]) -> dict[str, Any]:
    """Return what becomes of customers: counts, and examples by public id."""
    found = outcome(present, partition)
    return {
        "parted": found.split_customers,
        "joined": found.merged_customers,
        "moved": sum(present[record] != name for record, name in partition.names.items()),
        "merges": found.merges,
        "splits": found.splits,
    }


def _present(partition: Partition) -> dict[int, int]:
    """Return the customer of today of every record."""
    rows = SourceRecord.objects.order_by().values_list("pk", "customer_id")
    inside = partition.names.keys()
    keys = inside if len(inside) < MANY_RECORDS else None
    return {pk: home for pk, home in rows_of(rows, "pk", keys) if pk in inside}


def _touched(row: MatchRun, partition: Partition, present: Mapping[int, int]) -> set[int]:
    """Return the records of every customer whom the run joined or parted, or may have."""
    mine = PairEvidence.objects.filter(run=row, automatic=True)
    replaced = FormerEvidence.objects.filter(replaced_by=row, automatic=True, run__isnull=False)
    pairs = set(mine.values_list("left", "right")) ^ set(replaced.values_list("left", "right"))
    found = {record for pair in pairs for record in pair}
    found |= {record for record, name in partition.names.items() if present[record] != name}
    customers = {present[record] for record in found if record in present}
    return {record for record, home in present.items() if home in customers}


def _is_partial(row: MatchRun) -> bool:
    """Return whether the run looked at what had changed alone: then so does its undoing."""
    return bool(row.job and row.job.parameters.get("scope") == "changed")


def _refuse(refusal: UndoRefused | None) -> None:
    if refusal:
        raise refusal
