"""Which pairs wait for a steward: derived from evidence, decisions and the present clusters.

One task per two clusters: answering it settles all pairs between them. A pair that a steward
answered, or that is together by now, waits for nobody, until a value that told the two apart
changes: then the decision is to be confirmed, and holds meanwhile.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

from django.utils.timezone import now

from matching.automatic import held_back
from matching.blind import drawn_links, place_in_queue
from matching.clustering import Reason, Refusal
from matching.former import Evidence, evidence_now
from matching.models import Decision, MatchRun, ReviewTask
from matching.reading import pairs_touching, rows_of
from matching.rechecks import stale_decisions
from matching.scoring import ScoreModel, is_current
from matching.second_opinions import wanted_pairs
from mdm import bulk
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

_CLEAR = (Decision.Verdict.SAME, Decision.Verdict.DIFFERENT)


def derive_tasks(record_ids: Sequence[int], stand: Stand) -> int:
    """Bring the tasks that touch these records up to date; returns how many are open.

    Call it inside a transaction, with the records of whole clusters.
    """
    wanted = wanted_tasks(record_ids, stand)
    _bring_about(wanted, set(record_ids), set(_decided(record_ids, *_CLEAR)))
    return len(wanted)


def follow_load(*, record_ids: Sequence[int], births: Births, **_signal: object) -> None:
    """Ask again about decisions on records that a load has just changed; see `mdm.signals`."""
    record_ids = [key for key in record_ids if key not in births.carried]  # Nobody knew the rest.
    if not record_ids or not Decision.objects.in_force().exists():
        return
    if decided := set(_decided(record_ids, *_CLEAR)):
        _bring_about(rechecks(record_ids), set(record_ids), decided, only=decided)


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
    columns = ("left", "right", "pk", "state", "score", "kind", "reason", "rival")
    rows = ReviewTask.objects.order_by().values_list(*columns)
    concerned = {*record_ids, *chain.from_iterable(wanted)}
    present = {(row[0], row[1]): row[2:] for row in pairs_touching(rows, concerned)}
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


def _changes_of(record_ids: Sequence[int], stand: Stand) -> _Changes:
    decided = set(_decided(record_ids, *_CLEAR))
    return _changes(wanted_tasks(record_ids, stand), set(record_ids), decided)


def wanted_tasks(record_ids: Sequence[int], stand: Stand) -> dict[Pair, Wanted]:
    """Return the pairs that touch these records and that a person should look at."""
    candidates = dict(_candidates(record_ids, stand))
    rivals = {task.rival for task in candidates.values() if task.rival is not None}
    names = _cluster_names({*chain.from_iterable(candidates), *rivals}, stand)
    apart = _apart(record_ids, stand)
    wanted = audits(record_ids, stand) | second_opinions(record_ids) | rechecks(record_ids)
    taken: set[frozenset[int]] = set()
    for pair, task in sorted(candidates.items(), key=_order):
        between = frozenset((names[pair[0]], names[pair[1]]))
        if len(between) == 2 and between not in apart and between not in taken:
            taken.add(between)
            if task.rival is not None:
                taken |= {frozenset((name, names[task.rival])) for name in between}
            wanted[pair] = task
    return wanted


def audits(record_ids: Sequence[int], stand: Stand) -> dict[Pair, Wanted]:
    """Return the drawn links that hold, and that nobody has judged."""
    pairs = set(drawn_links(record_ids, stand.evidence))
    if not pairs:
        return {}
    names = _cluster_names(chain.from_iterable(pairs), stand)
    judged = set(_decided(record_ids, *_CLEAR))
    return {
        pair: Wanted(place_in_queue(*pair), ReviewTask.Kind.AUDIT, "")
        for pair in pairs - judged
        if names[pair[0]] == names[pair[1]]
    }


def second_opinions(record_ids: Sequence[int]) -> dict[Pair, Wanted]:
    """Return the pairs that another steward is to judge blind, spread among the others."""
    return {
        pair: Wanted(place_in_queue(*pair), ReviewTask.Kind.SECOND, "")
        for pair in wanted_pairs(record_ids)
    }


def rechecks(record_ids: Sequence[int]) -> dict[Pair, Wanted]:
    """Return the decided pairs that touch these records and whose ground has moved."""
    return {
        (stale.left, stale.right): Wanted(stale.score, ReviewTask.Kind.RECHECK, VALUES_CHANGED)
        for stale in stale_decisions(record_ids)
    }


def _order(candidate: tuple[Pair, Wanted]) -> tuple[bool, float, Pair]:
    """What a rule held apart comes first, so that its task names the rule."""
    pair, task = candidate
    return task.kind != ReviewTask.Kind.CONFLICT, -task.score, pair


def _candidates(record_ids: Sequence[int], stand: Stand) -> Iterator[tuple[Pair, Wanted]]:
    """Yield the weak or held-back evidence and the refused links."""
    models = {
        pk: ScoreModel.from_state(model)
        for pk, model in MatchRun.objects.filter(simulated=False).values_list("pk", "model")
        if model and is_current(model)
    }
    columns = ("left", "right", "score", "pattern", "run")
    weak = [rows.filter(automatic=False).values_list(*columns) for rows in stand.evidence]
    touching = chain.from_iterable(pairs_touching(rows, record_ids) for rows in weak)
    for left, right, score, pattern, run in touching:
        model = models.get(run) if score > 0 else None
        reason = held_back(model.levels(pattern), model.personal) if model else None
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


def _cluster_names(record_ids: Iterable[int], stand: Stand) -> dict[int, int]:
    """Return the cluster of every one of these records; outsiders are where they were."""
    names = {record: stand.names.get(record) for record in record_ids}
    outside = sorted(record for record, name in names.items() if name is None)
    records = SourceRecord.objects.order_by().values_list("pk", "customer_id")
    names.update(rows_of(records, "pk", outside))
    return {record: name for record, name in names.items() if name is not None}


def _apart(record_ids: Sequence[int], stand: Stand) -> set[frozenset[int]]:
    """Return the pairs of clusters that a DIFFERENT decision keeps apart."""
    pairs = list(_decided(record_ids, Decision.Verdict.DIFFERENT))
    names = _cluster_names(chain.from_iterable(pairs), stand)
    return {frozenset((names[left], names[right])) for left, right in pairs}


def _decided(record_ids: Sequence[int], *verdicts: Decision.Verdict) -> Iterator[Pair]:
    rows = Decision.objects.in_force().filter(verdict__in=verdicts)
    return pairs_touching(rows.values_list("left", "right"), record_ids)


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
