"""The search for duplicates, as a job: read, score, store evidence, link, open review tasks.

Every phase can be interrupted and repeated. The scores depend on the records alone, evidence is
replaced range by range, and links and tasks are differences to what should be: a second attempt
does only what is left, and ends where an uninterrupted one ends.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils.timezone import now
from django.utils.translation import gettext as _

from matching import codes, evidence
from matching.clustering import Evidence, Partition
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
from matching.scoring import is_current
from mdm import jobs
from mdm.identity import apply_links, lock_customers_of
from mdm.jobs import JobRefused, JobRun
from mdm.models import Job, SourceRecord

if TYPE_CHECKING:
    from matching.linkage.encoding import Folded
    from matching.linkage.engine import Pairs, Result, Settings
    from matching.linkage.keys import Rule
    from matching.scoring import ModelState

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
        before = last_run()
        is_partial = run.parameters.get("scope") == "changed" and before and _is_usable(before)
        self.before = before if is_partial else None
        self.changed: set[int] | None = None

    def result(self) -> Mapping[str, Any]:
        """Do what is left to do and return the counts."""
        if (self.run.cursor or {}).get("phase") != "links":
            self._write_evidence()
        elif self.before:
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
        stock = codes.read_stock(self.run)
        with self.run.chunk(cursor=self.run.cursor, phase="read"):
            codes.mark_seen(stock.page_ids, self.row)
        if self.before:
            self.changed = codes.changed_records(self.row)
        found = _score(self.run, stock.records, self.row.rule_set, self.before, self.changed)
        _remember(self.row, found)
        with self.run.chunk(cursor=self.run.cursor, phase="evidence"):
            self.row.save()
            WholeFile.objects.update_or_create(
                run=self.row, defaults={"known": found.known.to_state()}
            )
        if self.changed is None:
            evidence.replace_all(self.run, found.pairs, self.row.pk, then=_LINKING)
        else:
            evidence.replace_of(self.run, found.pairs, self.row.pk, self.changed, then=_LINKING)

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
        result = _finished(self.row)
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
    found = _score(run, codes.read_stock(run).records, row.rule_set, None, None)
    _remember(row, found)
    facts = read_facts(parameters=Parameters.read(row.rule_set.parameters))
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


def _is_usable(run: MatchRun) -> bool:
    """Say whether what a run learnt can score other records."""
    has_seen_all = WholeFile.objects.filter(run=run).exists()
    return bool(run.model) and has_seen_all and is_current(cast("ModelState", run.model))


def rules_of(run: MatchRun) -> "tuple[Rule, ...]":
    """Return the blocking rules that a finished run used, in their order."""
    from matching.linkage.keys import Rule

    used = (report["rule"] for report in run.counts.get("rules", ()) if report["used"])
    return tuple(Rule(tuple(name.split("+"))) for name in used)


def _score(
    run: JobRun,
    records: "Folded",
    rule_set: RuleSet,
    before: MatchRun | None,
    changed: set[int] | None,
) -> "Result":
    """Score the pairs of the records.

    Args:
        run: the job.
        records: all live records.
        rule_set: rules and thresholds.
        before: the run whose rules and model are used again; None to find both anew.
        changed: when given, only pairs with one of these records.

    Raises:
        JobRefused: when there is nothing to match.
    """
    from matching.linkage.blocking import TooManyPairs
    from matching.linkage.engine import NothingToCompare, link
    from matching.linkage.frame import ToolkitRun
    from matching.linkage.known import Known

    if not len(records):
        raise JobRefused(_("There are no records to match: load a file of customers first."))
    try:
        return link(
            records,
            _settings(Parameters.read(rule_set.parameters), before),
            model=None if before is None else cast("ModelState", before.model),
            known=None if before is None else Known.from_state(before.whole_file.known),
            changed=None if changed is None else sorted(changed),
            run_by=ToolkitRun,
            progress=lambda stage, done, total: run.progress(done, total or None, stage),
        )
    except NothingToCompare as error:
        raise JobRefused(
            _("There is nothing to compare: no two records share an attribute.")
        ) from error
    except TooManyPairs as error:
        raise JobRefused(
            _(
                "The blocking rules would make %(total)d pairs, more than one run may compare: "
                "%(pairs)d of them by %(rule)s, in blocks of up to %(largest)d records."
            )
            % {
                "total": error.total,
                "pairs": error.pairs,
                "rule": error.rule,
                "largest": error.largest_block,
            }
        ) from error


def _settings(parameters: Parameters, before: MatchRun | None) -> "Settings":
    from matching.linkage.engine import Settings
    from matching.linkage.keys import Rule

    rules = tuple(Rule(rule.parts, rule.budget) for rule in parameters.rules)
    return Settings(
        # Rules as delivered are chosen by the data; a run over changes uses those of the last one.
        rules=rules_of(before) if before else rules or None,
        review_floor=parameters.review_floor,
        automatic_threshold=parameters.automatic_threshold,
        block_cap=parameters.block_cap,
        clean_sources=None if parameters.link_only else frozenset(),
    )


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
            }
            for report in found.rules
        ],
    }


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
