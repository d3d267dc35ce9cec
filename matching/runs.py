"""The search for duplicates, as a job: read, score, store evidence, link, open review tasks.

Every phase can be interrupted and repeated. The scores depend on the records alone, evidence is
replaced range by range, and links and tasks are differences to what should be: a second attempt
does only what is left, and ends where an uninterrupted one ends.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils.timezone import now

from matching import codes, evidence
from matching.clustering import Evidence, Partition
from matching.fan_out import JobCrew, end_of_work
from matching.learnt import Learnt, learnt_by
from matching.models import (
    Decision,
    MatchRun,
    PairEvidence,
    ReviewTask,
    RuleSet,
    WholeFile,
)
from matching.neighbourhood import Facts, neighbourhood, read_facts, settle
from matching.outcome import outcome
from matching.relinking import moves
from matching.review_tasks import Stand, derive_tasks
from matching.rule_sets import Parameters, active_rule_set
from matching.searching import score, score_changes
from mdm import jobs
from mdm.identity import apply_links, lock_customers_of
from mdm.jobs import JobRun
from mdm.models import Job, SourceRecord

if TYPE_CHECKING:
    from matching.linkage.engine import Pairs, Result

KIND = "match"
RECORDS_PER_CHUNK = 20_000
_UNCOMMITTED = timedelta(minutes=1)
"""A decision stamped before the facts were read may have been committed after."""
_LINKING = {"phase": "links"}  # The cursor once all evidence is written.


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
    """
    key = None if simulate else KIND
    return jobs.submit(KIND, _parameters(scope, simulate=simulate), by=by, idempotency_key=key)


def prepare_run(*, by: User | None, scope: str = "all", simulate: bool = False) -> Job:
    """Return the job of a search without ringing for a worker: for `jobs.run_now`.

    A search that waits or runs already is returned instead of a second one.
    """
    key = None if simulate else KIND
    return jobs.create(KIND, _parameters(scope, simulate=simulate), by=by, idempotency_key=key)


def last_run() -> MatchRun | None:
    """Return the last finished search that was not a simulation."""
    return MatchRun.objects.filter(simulated=False, finished_at__isnull=False).first()


@jobs.job(KIND)
def run_match(run: JobRun) -> Mapping[str, Any]:
    """Find duplicates among the records and bring evidence, links and tasks up to date."""
    return _simulate(run) if run.parameters.get("simulate") else _Match(run).result()


def _parameters(scope: str, *, simulate: bool) -> dict[str, Any]:
    if scope not in ("all", "changed"):
        raise ValueError(f"Unknown scope {scope!r}.")
    return {"scope": scope, "simulate": simulate}


class _Match:
    """One attempt at a run; its row is created by the first attempt and found by the others."""

    def __init__(self, run: JobRun) -> None:
        self.run = run
        self.row = _run_row(run)
        is_partial = run.parameters.get("scope") == "changed"
        self.learnt = learnt_by(last_run()) if is_partial else None
        self.changed: set[int] | None = None

    def result(self) -> Mapping[str, Any]:
        """Do what is left to do and return the counts."""
        if (self.run.cursor or {}).get("phase") != "links":
            self._write_evidence()
        elif self.learnt:
            self.changed = codes.changed_records(self.row)
        started = now()
        scope = None if self.changed is None else sorted(neighbourhood(self.changed))
        facts = read_facts(scope)
        partition = facts.partition()
        moved = self._link(facts, partition, started)
        self._open_tasks(partition)
        self._follow_decisions_since(started)
        return self._finish(moved)

    def _write_evidence(self) -> None:
        found = self._of_changes(self.learnt) if self.learnt else self._of_all()
        _remember(self.row, found)
        with self.run.chunk(cursor=self.run.cursor, phase="evidence"):
            self.row.save()
            _remember_whole_file(self.row, found, self.learnt)
        if self.changed is None:
            evidence.replace_all(self.run, found.pairs, self.row.pk, then=_LINKING)
        else:
            evidence.replace_of(self.run, found.pairs, self.row.pk, self.changed, then=_LINKING)

    def _of_all(self) -> "Result":
        stock = codes.read_stock(self.run)
        with self.run.chunk(cursor=self.run.cursor, phase="read"):
            codes.mark_seen(stock.page_ids, self.row)
        self.crew = JobCrew(self.run, self.row, stock.page_ids, stock.records.ids)
        parameters = Parameters.read(self.row.rule_set.parameters)
        return score(self.run, stock.records, parameters, self.crew)

    def _of_changes(self, learnt: Learnt) -> "Result":
        """Score what no search has seen with all, by what the last search learnt."""
        with self.run.chunk(cursor=self.run.cursor, phase="read"):
            codes.mark_seen(codes.unseen_pages(), self.row)
        self.changed = codes.changed_records(self.row)
        return score_changes(self.run, self.changed, learnt)

    def _link(self, facts: Facts, partition: Partition, started: datetime) -> int:
        """Apply the links that change; returns how many records moved.

        What a steward has decided since the facts were read is left to `_follow_decisions_since`.
        """
        groups = moves(facts, partition)
        done, total = 0, sum(map(len, groups))
        for group in groups:
            done += len(group)
            with self.run.chunk(cursor=_LINKING, done=done, total=total, phase="links"):
                lock_customers_of([link.record_id for link in group])
                late = neighbourhood(_decided_since(started))
                links = [link for link in group if link.record_id not in late]
                apply_links(links, user=self.run.job.requested_by, reason=str(self.row))
        return total

    def _open_tasks(self, partition: Partition) -> None:
        stand = Stand(partition.names, partition.refusals)
        done, total = 0, len(partition.names)
        for chunk in _whole_clusters(partition):
            done += len(chunk)
            with self.run.chunk(cursor=_LINKING, done=done, total=total, phase="tasks"):
                derive_tasks(chunk, stand)

    def _follow_decisions_since(self, moment: datetime) -> None:
        """Settle again what stewards decided while this run was linking."""
        for record in sorted(_decided_since(moment)):
            with self.run.chunk(cursor=_LINKING, phase="tasks"):
                settle([record], by=self.run.job.requested_by, reason=str(self.row))

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
        codes.tidy()
        return result


def _decided_since(moment: datetime) -> set[int]:
    """Return the records about which a steward decided, or took a decision back, since then."""
    since = moment - _UNCOMMITTED
    late = Decision.objects.filter(Q(decided_at__gte=since) | Q(retracted_at__gte=since))
    return {record for pair in late.values_list("left", "right") for record in pair}


def _simulate(run: JobRun) -> Mapping[str, Any]:
    """Count what a run over all records would change, and change nothing."""
    row = _run_row(run)
    parameters = Parameters.read(row.rule_set.parameters)
    found = score(run, codes.read_stock(run).records, parameters)
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


def _remember(row: MatchRun, found: "Result") -> None:
    row.record_count = found.counts["records"]
    row.model = dict(found.model)
    row.timings = found.timings
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


def _whole_clusters(partition: Partition) -> Iterator[Sequence[int]]:
    """Yield records in chunks that split no cluster: a task stands between two whole ones."""
    chunk: list[int] = []
    for members in partition.groups().values():
        chunk += members
        if len(chunk) >= RECORDS_PER_CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _as_evidence(pairs: "Pairs") -> list[Evidence]:
    columns = (pairs.left, pairs.right, pairs.score, pairs.automatic)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [Evidence(*row) for row in rows]


def _finished(row: MatchRun) -> Mapping[str, Any]:
    row.finished_at = now()
    row.save()
    return {"run": row.pk, "simulated": row.simulated, **row.counts, "timings": row.timings}
