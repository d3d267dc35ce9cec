"""Which pairs wait for a steward: derived from evidence, decisions and the present clusters.

One task per two clusters: answering it settles all pairs between them. A pair that a steward
answered, or that is together by now, waits for nobody, until a value that told the two apart
changes: then the decision is to be confirmed, and holds meanwhile.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

from django.db.models import QuerySet
from django.utils.timezone import now

from matching.blind import may_need_a_person, place_in_queue, weak_or_drawn
from matching.clustering import Reason, Refusal
from matching.former import Evidence, evidence_now
from matching.models import Decision, MatchRun, ReviewTask
from matching.reading import in_chunks, kept_pairs, pairs_touching
from matching.rechecks import stale_decisions
from matching.scoring import ScoreModel, is_current
from matching.second_opinions import wanted_pairs
from matching.standing import Alike, Standing, decisions_touching
from mdm import bulk
from mdm.kept_queries import kept
from mdm.key_sets import among
from mdm.models import SourceRecord
from mdm.signals import Births


@dataclass(frozen=True)
class Stand:
    """Where clustering ended: the cluster of each record, the links it refused, and by what."""

    names: Mapping[int, int]
    refusals: Sequence[Refusal]
    evidence: Evidence = field(default_factory=evidence_now)


class Wanted(NamedTuple):
    """A task that should be open."""

    score: float
    kind: str
    reason: str
    rival: int | None = None


Pair = tuple[int, int]
VALUES_CHANGED = "values_changed"
"""The reason of a task about a decision whose ground has moved."""


def derive_tasks(
    record_ids: Sequence[int],
    stand: Stand,
    standing: Sequence[Standing] | None = None,
    evidence: Iterable[Alike] | None = None,
) -> int:
    """Bring the tasks that touch these records up to date; returns how many are open.

    Call it inside a transaction, with the records of whole clusters. `standing` are the decisions
    and `evidence` all that stands and touches them, where they were read already.
    """
    if standing is None:
        standing = decisions_touching(record_ids)
    wanted = wanted_tasks(record_ids, stand, standing, evidence)
    _bring_about(wanted, set(record_ids), _pairs(standing))
    return len(wanted)


def follow_load(*, record_ids: Sequence[int], births: Births, **_signal: object) -> None:
    """Ask again about decisions on records that a load has just changed; see `mdm.signals`."""
    # Nobody knew the rest.
    follow_change(record_ids=[key for key in record_ids if key not in births.carried])


def follow_change(*, record_ids: Sequence[int], **_signal: object) -> None:
    """Ask again about decisions on records that changed, by an undone file for instance."""
    if not record_ids or not Decision.objects.in_force().exists():
        return
    if standing := decisions_touching(record_ids):
        decided = _pairs(standing)
        _bring_about(rechecks(standing), set(record_ids), decided, only=decided)


class _Changes(NamedTuple):
    """Tasks that are not as they should be: to open, to open again or differently, to close."""

    new: dict[Pair, Wanted]
    other: dict[Pair, tuple[int, Wanted]]
    over: dict[Pair, tuple[int, str]]
    reopened_count: int


def wrong_tasks(record_ids: Sequence[int], stand: Stand) -> set[Pair]:
    """Return the pairs whose task is not as it should be; see `derive_tasks`."""
    found = _changes_of(record_ids, stand)
    return {*found.new, *found.other, *found.over}


def foresee_tasks(record_ids: Sequence[int], stand: Stand) -> tuple[int, int]:
    """Return how many tasks `derive_tasks` would open, and how many it would close."""
    found = _changes_of(record_ids, stand)
    return len(found.new) + found.reopened_count, len(found.over)


def _bring_about(
    wanted: Mapping[Pair, Wanted],
    record_ids: Set[int],
    decided: Set[Pair],
    *,
    only: Set[Pair] | None = None,
) -> None:
    """Open what is wanted; close the others that touch the records, or `only` those pairs."""
    found = _changes(wanted, record_ids, decided, only=only)
    _insert(list(found.new.items()))
    _update(found.other.values())
    _close(found.over.values())


def _changes(
    wanted: Mapping[Pair, Wanted],
    record_ids: Set[int],
    decided: Set[Pair],
    *,
    only: Set[Pair] | None = None,
) -> _Changes:
    concerned = {*record_ids, *chain.from_iterable(wanted)}
    present = {(row[0], row[1]): row[2:] for row in _stored(concerned)}
    return _Changes(
        {pair: task for pair, task in wanted.items() if pair not in present},
        {
            pair: (present[pair][0], task)
            for pair, task in wanted.items()
            if pair in present and present[pair][1:] != (ReviewTask.State.OPEN, *task)
        },
        {
            pair: (
                row[0],
                ReviewTask.State.DECIDED if pair in decided else ReviewTask.State.WITHDRAWN,
            )
            for pair, row in present.items()
            if row[1] == ReviewTask.State.OPEN and pair not in wanted
            if (pair in only if only is not None else not record_ids.isdisjoint(pair))
        },
        sum(pair in present and present[pair][1] != ReviewTask.State.OPEN for pair in wanted),
    )


_COLUMNS = ("left", "right", "pk", "state", "score", "kind", "reason", "rival")
_stored = kept_pairs(lambda: ReviewTask.objects.order_by().values_list(*_COLUMNS))


def _changes_of(record_ids: Sequence[int], stand: Stand) -> _Changes:
    standing = decisions_touching(record_ids)
    wanted = wanted_tasks(record_ids, stand, standing)
    return _changes(wanted, set(record_ids), _pairs(standing))


def wanted_tasks(
    record_ids: Sequence[int],
    stand: Stand,
    standing: Sequence[Standing],
    evidence: Iterable[Alike] | None = None,
) -> dict[Pair, Wanted]:
    """Return the pairs that touch these records and that a person should look at.

    `standing` are the decisions that touch them; `evidence` as `derive_tasks` has it.
    """
    if evidence is None:
        shown = list(_shown(record_ids, stand.evidence))
    else:
        shown = [x for x in evidence if may_need_a_person(*x[:2], automatic=x.automatic)]
    candidates = dict(_candidates(record_ids, stand, [row for row in shown if not row.automatic]))
    rivals = {task.rival for task in candidates.values() if task.rival is not None}
    names = _cluster_names({*chain.from_iterable(candidates), *rivals}, stand)
    apart = _apart(standing, stand)
    drawn = {row[:2] for row in shown if row.automatic}
    wanted = _audits(drawn - _pairs(standing), stand)
    wanted |= second_opinions(standing) | rechecks(standing)
    taken: set[frozenset[int]] = set()
    for pair, task in sorted(candidates.items(), key=_order):
        between = frozenset((names[pair[0]], names[pair[1]]))
        if len(between) == 2 and between not in apart and between not in taken:
            taken.add(between)
            if task.rival is not None:
                taken |= {frozenset((name, names[task.rival])) for name in between}
            wanted[pair] = task
    return wanted


def _shown(record_ids: Sequence[int], evidence: Evidence) -> Iterator[Alike]:
    """Yield the evidence touching these records that a person may have to look at."""
    for table in weak_or_drawn(evidence):
        for row in pairs_touching(table.values_list(*Alike._fields), record_ids):
            yield Alike(*row)


def _audits(unjudged: Set[Pair], stand: Stand) -> dict[Pair, Wanted]:
    """Return those of these drawn links, which nobody has judged, that hold."""
    names = _cluster_names(chain.from_iterable(unjudged), stand)
    return {
        pair: Wanted(place_in_queue(*pair), ReviewTask.Kind.AUDIT, "")
        for pair in unjudged
        if names[pair[0]] == names[pair[1]]
    }


def second_opinions(standing: Sequence[Standing]) -> dict[Pair, Wanted]:
    """Return the pairs that another steward is to judge blind, spread among the others."""
    return {
        pair: Wanted(place_in_queue(*pair), ReviewTask.Kind.SECOND, "")
        for pair in wanted_pairs(standing)
    }


def rechecks(standing: Sequence[Standing]) -> dict[Pair, Wanted]:
    """Return the decided pairs whose ground has moved."""
    return {
        (stale.left, stale.right): Wanted(stale.score, ReviewTask.Kind.RECHECK, VALUES_CHANGED)
        for stale in stale_decisions(standing)
    }


def _order(candidate: tuple[Pair, Wanted]) -> tuple[bool, float, Pair]:
    """What a rule held apart comes first, so that its task names the rule."""
    pair, task = candidate
    return task.kind != ReviewTask.Kind.CONFLICT, -task.score, pair


def _candidates(
    record_ids: Sequence[int], stand: Stand, weak: Sequence[Alike]
) -> Iterator[tuple[Pair, Wanted]]:
    """Yield the weak or held-back evidence and the refused links."""
    models = _models({row.run for row in weak if row.score > 0})
    for left, right, score, _automatic, pattern, run in weak:
        model = models.get(run) if score > 0 else None
        reason = model.held_back(model.levels(pattern)) if model else None
        yield (left, right), Wanted(score, ReviewTask.Kind.PAIR, reason or "")
    inside = set(record_ids)
    for refusal in stand.refusals:
        touches = refusal.left in inside or refusal.right in inside
        if touches and refusal.reason != Reason.DECIDED_DIFFERENT:
            yield (
                (refusal.left, refusal.right),
                Wanted(
                    refusal.score,
                    ReviewTask.Kind.CONFLICT,
                    refusal.reason.value,
                    refusal.rival,
                ),
            )


def _models(run_ids: Set[int]) -> dict[int, ScoreModel]:
    """Return the models by which these runs scored, those that can still be read."""
    if not run_ids:
        return {}
    runs = MatchRun.objects.filter(pk__in=run_ids, simulated=False)
    return {
        pk: ScoreModel.from_state(model)
        for pk, model in runs.values_list("pk", "model")
        if model and is_current(model)
    }


def _cluster_names(record_ids: Iterable[int], stand: Stand) -> dict[int, int]:
    """Return the cluster of every one of these records; outsiders are where they were."""
    names = {record: stand.names.get(record) for record in record_ids}
    outside = sorted(record for record, name in names.items() if name is None)
    names.update(chain.from_iterable(map(_homes_of, in_chunks(outside))))
    return {record: name for record, name in names.items() if name is not None}


@kept
def _homes_of(record_ids: Collection[int]) -> "QuerySet[SourceRecord, tuple[int, int]]":
    records = SourceRecord.objects.filter(among("pk", record_ids)).order_by()
    return records.values_list("pk", "customer_id")


def _apart(standing: Iterable[Standing], stand: Stand) -> set[frozenset[int]]:
    """Return the pairs of clusters that a DIFFERENT decision keeps apart."""
    pairs = [said.pair for said in standing if said.verdict == Decision.Verdict.DIFFERENT]
    names = _cluster_names(chain.from_iterable(pairs), stand)
    return {frozenset((names[left], names[right])) for left, right in pairs}


def _pairs(standing: Iterable[Standing]) -> set[Pair]:
    return {said.pair for said in standing}


def _insert(tasks: Sequence[tuple[Pair, Wanted]]) -> None:
    moment = now()
    bulk.insert(
        ReviewTask,
        ("left_id", "right_id", "score", "kind", "reason", "rival_id", "state", "created_at"),
        [(*pair, *task, ReviewTask.State.OPEN, moment) for pair, task in tasks],
    )


def _update(tasks: Iterable[tuple[int, Wanted]]) -> None:
    bulk.update(
        ReviewTask,
        ("id", "score", "kind", "reason", "rival_id", "state", "closed_at"),
        [(key, *task, ReviewTask.State.OPEN, None) for key, task in tasks],
    )


def _close(tasks: Iterable[tuple[int, str]]) -> None:
    moment = now()
    bulk.update(
        ReviewTask,
        ("id", "state", "closed_at", "leased_by_id", "leased_until"),
        [(key, state, moment, None, None) for key, state in tasks],
    )
