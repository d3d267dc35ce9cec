"""The search for duplicates, as a job: read, score, store evidence, link, open review tasks.

Every phase can be interrupted and repeated. The scores depend on the records alone, evidence is
replaced range by range, and links and tasks are differences to what should be: a second attempt
does only what is left, and ends where an uninterrupted one ends.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from matching import codes, evidence, former
from matching.clustering import Evidence
from matching.derivation import Derivation
from matching.fan_out import JobCrew, end_of_work, give_up
from matching.learnt import Learnt, learnt_by
from matching.models import MatchRun, PairEvidence, ReviewTask, RuleSet, WholeFile
from matching.neighbourhood import read_facts
from matching.outcome import outcome
from matching.relinking import moves
from matching.rule_sets import Parameters, active_rule_set
from matching.searching import score, score_changes, start
from matching.timings import timed
from mdm import jobs
from mdm.freed import give_back
from mdm.jobs import JobRefused, JobRun
from mdm.models import Job, SourceRecord
from mdm.reasons import reason_of
from mdm.rings import rare_collections

if TYPE_CHECKING:
    from matching.linkage.engine import Pairs, Result

KIND = "match"
UNDO_KIND = "undo_match"
_LINKING = {"phase": "links"}  # The cursor once all evidence is written.


class SearchRefused(Exception):
    """No search can start now; the text says why."""


def start_simulation(rule_set: RuleSet, *, by: User | None) -> Job:
    """Queue a search by a draft of rules that counts what would change, and changes nothing."""
    parameters = {**_parameters("all", simulate=True), "rule_set": rule_set.pk}
    return jobs.submit(KIND, parameters, by=by, idempotency_key=f"{KIND} {rule_set.pk}")


def start_run(*, by: User | None, scope: str = "all", simulate: bool = False) -> Job:
    """Queue a search for duplicates; one that is under way is returned instead of a second one.

    Args:
        by: who asks for it.
        scope: `all` records, or only those `changed` since the last run.
        simulate: count what would change, and change nothing.

    Raises:
        SearchRefused: while a search is being undone.
    """
    key = None if simulate else KIND
    parameters = _parameters(scope, simulate=simulate)
    return _no_undo(jobs.submit(KIND, parameters, by=by, idempotency_key=key))


def prepare_run(*, by: User | None, scope: str = "all", simulate: bool = False) -> Job:
    """Return the job of a search without ringing for a worker: for `jobs.run_now`.

    A search that waits or runs already is returned instead of a second one.

    Raises:
        SearchRefused: while a search is being undone.
    """
    key = None if simulate else KIND
    parameters = _parameters(scope, simulate=simulate)
    return _no_undo(jobs.create(KIND, parameters, by=by, idempotency_key=key))


def _no_undo(job: Job) -> Job:
    """Return the job unless it is the undoing that holds the place of a search."""
    if job.kind == KIND:
        return job
    raise SearchRefused(_("A search is being undone: start a new one when that has ended."))


def last_run() -> MatchRun | None:
    """Return the last finished search that was neither a simulation nor undone."""
    return MatchRun.objects.standing().first()


@jobs.job(KIND)
def run_match(run: JobRun) -> Mapping[str, Any]:
    """Find duplicates among the records and bring evidence, links and tasks up to date."""
    with rare_collections():
        if run.parameters.get("simulate"):
            return _simulate(run)
        match = _Match(run)
        try:
            return match.result()
        except jobs.Cancelled:
            give_up(match.row)
            raise


def why_not_again(row: MatchRun) -> JobRefused | None:
    """Return why a search that broke off cannot go on, nothing when it can."""
    if row.undo_job_id:
        return JobRefused(_("This search was undone: start a new one."))
    if MatchRun.objects.in_the_way().filter(pk__gt=row.pk).exists():
        return JobRefused(_("There was another search since: start a new one."))
    return None


def _parameters(scope: str, *, simulate: bool) -> dict[str, Any]:
    if scope not in ("all", "changed"):
        raise ValueError(f"Unknown scope {scope!r}.")
    return {"scope": scope, "simulate": simulate}


class _Match:
    """One attempt at a run; its row is created by the first attempt and found by the others."""

    def __init__(self, run: JobRun) -> None:
        self.run = run
        self.row = _run_row(run)
        if refusal := why_not_again(self.row):
            raise refusal
        is_partial = run.parameters.get("scope") == "changed"
        self.learnt = learnt_by(last_run()) if is_partial else None
        self.changed: set[int] | None = None

    def result(self) -> Mapping[str, Any]:
        """Do what is left to do and return the counts."""
        if (self.run.cursor or {}).get("phase") != "links":
            self._write_evidence()
        elif self.learnt:
            self.changed = codes.changed_records(self.row)
        reason = reason_of(gettext_noop("Search no. %(number)d"), number=self.row.pk)
        derivation = Derivation(self.run, reason=reason, around=self._concerned())
        moved = derivation.carry_out()
        self.row.timings |= derivation.timings
        return self._finish(moved)

    def _concerned(self) -> set[int] | None:
        """Return the records whose pairs changed; None for all.

        Who was known to be like a changed record, and no longer is, may be free to join others.
        """
        if self.changed is None:
            return None
        return self.changed | former.concerned_records(self.row)

    def _write_evidence(self) -> None:
        self.row.timings = {}
        with timed(self.row.timings, "start"):
            start(self.run)
        found = self._of_changes(self.learnt) if self.learnt else self._of_all()
        give_back()
        _remember(self.row, found)
        self.row.keeps_former = True
        with self.run.chunk(cursor=self.run.cursor, phase="evidence"):
            self.row.save()
            _remember_whole_file(self.row, found, self.learnt)
        with timed(self.row.timings, "evidence"):
            self._replace_evidence(found.pairs)

    def _replace_evidence(self, pairs: "Pairs") -> None:
        if self.changed is None:
            evidence.replace_all(self.run, pairs, self.row.pk, then=_LINKING)
        else:
            evidence.replace_of(self.run, pairs, self.row.pk, self.changed, then=_LINKING)

    def _of_all(self) -> "Result":
        with timed(self.row.timings, "read"):
            stock = codes.read_stock(self.run)
            with self.run.chunk(cursor=self.run.cursor, phase="read"):
                codes.mark_seen(stock.page_ids, self.row)
        self.crew = JobCrew(self.run, self.row, stock.page_ids, stock.records.ids)
        parameters = Parameters.read(self.row.rule_set.parameters)
        learnt = _learnt_before(self.row, parameters)
        return score(self.run, stock.records, parameters, self.crew, learnt)

    def _of_changes(self, learnt: Learnt) -> "Result":
        """Score what no search has seen with all, by what the last search learnt."""
        with self.run.chunk(cursor=self.run.cursor, phase="read"):
            codes.mark_seen(codes.unseen_pages(), self.row)
        self.changed = codes.changed_records(self.row)
        return score_changes(self.run, self.changed, learnt)

    def _finish(self, moved: int) -> Mapping[str, Any]:
        records = SourceRecord.objects.order_by()
        linked = records.exclude(link_rule="birth").count()
        tasks = ReviewTask.objects.filter(state=ReviewTask.State.OPEN)
        self.row.counts |= {
            "evidence": PairEvidence.objects.count(),
            "automatic": PairEvidence.objects.filter(automatic=True).count(),
            "customers": records.count() - linked,
            "linked_records": linked,
            "moved_records": moved,
            "open_tasks": tasks.count(),
        }
        self.row.plan = {}
        result = _finished(self.row)
        end_of_work(self.row)
        former.tidy()
        codes.tidy()
        return result


def _simulate(run: JobRun) -> Mapping[str, Any]:
    """Count what a run over all records would change, and change nothing."""
    row = _run_row(run)
    parameters = Parameters.read(row.rule_set.parameters)
    row.timings = {}
    with timed(row.timings, "start"):
        start(run)
    learnt = _learnt_before(row, parameters)
    found = score(run, codes.read_stock(run).records, parameters, learnt=learnt)
    _remember(row, found)
    facts = read_facts(parameters=parameters)
    facts = replace(facts, evidence=_as_evidence(found.pairs))
    partition = facts.partition()
    customers = len(set(partition.names.values()))
    present = dict(SourceRecord.objects.order_by().values_list("pk", "customer_id"))
    row.counts |= {
        "customers": customers,
        "linked_records": len(partition.names) - customers,
        "moved_records": sum(map(len, moves(facts, partition))),
        "review_pairs": int((~found.pairs.automatic).sum()),
        "outcome": asdict(outcome(present, partition)),
    }
    return _finished(row)


def _run_row(run: JobRun) -> MatchRun:
    row, _created = MatchRun.objects.get_or_create(
        job=run.job,
        defaults={
            "rule_set": _rule_set(run),
            "simulated": bool(run.parameters.get("simulate")),
        },
    )
    return row


def _rule_set(run: JobRun) -> RuleSet:
    named = run.parameters.get("rule_set")
    return RuleSet.objects.get(pk=named) if named else active_rule_set()


def _learnt_before(row: MatchRun, parameters: Parameters) -> Learnt | None:
    """Return what the last search of all records by these rules learnt, where they go by it."""
    if parameters.learns_anew:
        return None
    earlier = MatchRun.objects.standing().filter(rule_set=row.rule_set, pk__lt=row.pk)
    return learnt_by(earlier.exclude(job__parameters__scope="changed").first())


def _remember(row: MatchRun, found: "Result") -> None:
    row.record_count = found.counts["records"]
    row.model = dict(found.model)
    row.timings |= found.timings
    row.counts = {
        **found.counts,
        "expected_matches": found.expected["matches"],
        "expected_precision": found.expected["precision"],
        "rules": [
            {
                "rule": report.rule,
                "pairs": report.pairs,
                "new_pairs": report.new_pairs,
                "used": report.used,
                "largest_block": report.largest_block,
                "capped_blocks": report.capped_blocks,
                "left_out": report.left_out or "",
            }
            for report in found.rules
        ],
    }


def _remember_whole_file(row: MatchRun, found: "Result", before: Learnt | None) -> None:
    """Keep what single records are scored by; a search of changes uses that of the one before."""
    if before:
        whole = WholeFile.objects.get(run=before.run_id)
        kept = {"known": whole.known, "rules": whole.rules, "is_keyed": whole.is_keyed}
    else:
        used = [report.rule for report in found.rules if report.used]
        kept = {"known": found.known.to_state(), "rules": used, "is_keyed": False}
    WholeFile.objects.update_or_create(run=row, defaults=kept)


def _as_evidence(pairs: "Pairs") -> list[Evidence]:
    columns = (pairs.left, pairs.right, pairs.score, pairs.automatic)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [Evidence(*row) for row in rows]


def _finished(row: MatchRun) -> Mapping[str, Any]:
    row.finished_at = now()
    row.save()
    return {"run": row.pk, "simulated": row.simulated, **row.counts, "timings": row.timings}
