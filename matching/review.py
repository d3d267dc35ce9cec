"""The stewards' queue: the next pair, side by side, why it scores, what an answer would do.

For a page: `next_task(user)` leases a task, `comparison(task)` is everything the page shows,
`answer(...)` records the verdict and `undo_last(user)` takes the last one back. A page holds no
rules: what it shows and what happens comes from here.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Case, Exists, OuterRef, Q, QuerySet, Value, When
from django.utils.timezone import localtime, now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from matching.blind import is_blind
from matching.decisions import (
    Circumstances,
    Verdict,
    decide_locked,
    made_before,
    made_together,
    retract,
)
from matching.explanation import ScoreInWords, explain, likelihood_in_words, reason_in_words
from matching.foresight import Outcome, preview_same
from matching.models import Decision, PairEvidence, ReviewTask
from matching.neighbourhood import lock_neighbourhood
from matching.scoring import OutdatedModel
from matching.second_opinions import blind_decisions, has_judged
from matching.side_by_side import Row, rows_of_pair
from matching.versions import check_versions, customers_of, versions_of
from mdm.golden_records import outlook
from mdm.models import ContactPoint, Customer, RecordContactPoint, SourceRecord
from mdm.turns import in_one_turn

LEASE_MINUTES = 5
_A_LOT = 3  # Of `Argument.strength`.


class TaskGone(Exception):
    """Somebody else answered, or the pair is no longer in question; take the next one."""


class NothingToUndo(Exception):
    """The steward has no decision in force."""


@dataclass(frozen=True, slots=True)
class QueueState:
    """How much waits, for the head of the page and the home page."""

    open_count: int
    mine_count: int
    """Open tasks that this steward may answer now."""
    decided_today_count: int

    @property
    def others_count(self) -> int:
        """Open tasks that wait for somebody else, or for a moment."""
        return self.open_count - self.mine_count


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two records, and the customer it belongs to now."""

    record_id: int
    birth_id: str
    source: str
    source_key: str
    public_id: str
    """Of the live customer, for links."""
    display_id: str
    record_count: int
    """Source records that the customer has now."""
    sources: tuple[str, ...]
    """Labels of the sources of these records, each once."""
    full_name: str
    updated_at: datetime | None
    """When the source last changed the record, if it says so."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything the review page shows for one task."""

    task: ReviewTask
    versions: str
    """Goes back with the answer: it is refused when a customer has changed meanwhile."""
    left: Side
    right: Side
    rows: tuple[Row, ...]
    """Lines that at least one record has, in a fixed order."""
    score: ScoreInWords | None
    """None when the pair has no evidence any more (a conflict between older links)."""
    likelihood: str
    reason: str
    """Why a person must look, in a sentence; empty when the score alone says so."""
    rival: Customer | None
    """The customer that fits as well, when the pair is ambiguous."""
    outcome: Outcome | None
    """What Same would make of them; None when earlier decisions refuse it."""
    if_same: str
    """What the answer Same would do, in a sentence."""
    if_different: str
    is_blind: bool
    """Without score, reasons and outcome: the answer judges them."""

    @property
    def is_plain(self) -> bool:
        """Whether every line is equal: folded, the page would show nothing."""
        return self.plain_count == len(self.rows)

    @property
    def plain_count(self) -> int:
        """How many lines are equal and nothing special."""
        return sum(row.is_plain for row in self.rows)


def queue_state(user: User) -> QueueState:
    """Return how many tasks wait, in all and for this steward, and what she did today."""
    open_tasks = ReviewTask.objects.filter(state=ReviewTask.State.OPEN)
    today = localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return QueueState(
        open_count=open_tasks.count(),
        mine_count=_available(open_tasks, user).count(),
        decided_today_count=Decision.objects.filter(
            decided_by=user, decided_at__gte=today, retracted_at=None
        ).count(),
    )


@in_one_turn
def next_task(user: User, *, task_id: int | None = None) -> ReviewTask | None:
    """Lease the best task for this steward for five minutes; None when nothing waits.

    Tasks she skipped come last; those she is unsure of go to a colleague. Tasks leased by others
    are left out. With `task_id`, that task is preferred when it is still available.
    """
    available = _available(ReviewTask.objects.filter(state=ReviewTask.State.OPEN), user)
    skipped = ReviewTask.skipped_by.through.objects.filter(reviewtask=OuterRef("pk"), user=user)
    ordered = available.annotate(
        preferred=Case(When(pk=task_id, then=Value(0)), default=Value(1)),
        was_skipped=Exists(skipped),
    ).order_by("preferred", "was_skipped", "-score", "pk")
    task = ordered.select_for_update(skip_locked=_can_skip_locked(), of=("self",)).first()
    if task:
        task.leased_by = user
        task.leased_until = now() + timedelta(minutes=LEASE_MINUTES)
        task.save(update_fields=["leased_by", "leased_until"])
    return task


def comparison(task: ReviewTask) -> Comparison:
    """Return the two records of a task side by side; a fixed number of queries."""
    records = SourceRecord.objects.select_related("source", "customer").in_bulk(
        [task.left_id, task.right_id]
    )
    left, right = records[task.left_id], records[task.right_id]
    evidence = (
        PairEvidence.objects.filter(left=left.pk, right=right.pk).select_related("run").first()
    )
    blind = is_blind(task)
    score = _explained(evidence) if evidence and not blind else None
    outcome = None if blind else preview_same(left.pk, right.pk)
    survivors = outlook(outcome.record_ids) if outcome else None
    sides = _sides((left, right))
    return Comparison(
        task=task,
        versions=versions_of({left.customer, right.customer}),
        left=sides[0],
        right=sides[1],
        rows=rows_of_pair(
            left,
            right,
            rare=_rare_fields(score),
            survivors=survivors,
            shared=_shared_points(left, right),
        ),
        score=score,
        likelihood="" if blind else likelihood_in_words(task.score),
        reason="" if blind else reason_in_words(task.reason),
        rival=_rival(task),
        outcome=outcome,
        if_same="" if blind else _if_same(outcome),
        if_different=_("The two stay apart, whatever later files say."),
        is_blind=blind,
    )


def _explained(evidence: PairEvidence) -> ScoreInWords | None:
    """Return why the pair scores; None until a search replaces what an outdated model said."""
    try:
        return explain(evidence)
    except OutdatedModel:
        return None


def answer(
    task_id: int,
    verdict: Verdict,
    *,
    by: User,
    versions: str = "",
    note: str = "",
    seconds: float | None = None,
    retracting: Collection[int] = (),
    idempotency_key: str | None = None,
) -> Decision:
    """Record a steward's answer to a task and carry it out; the same key answers once.

    The decisions named in `retracting` end with it.

    Raises:
        TaskGone: when the task is no longer open.
        matching.versions.CustomersChanged: when the customers are no longer what `versions` says.
        matching.decisions.ContradictsDecisions: when earlier decisions say otherwise.
    """
    with transaction.atomic():
        # Customers first, then tasks: a run and every other answer take their locks so.
        pairs = ReviewTask.objects.filter(pk=task_id).values_list("left", "right")
        homes = lock_neighbourhood({record for pair in pairs for record in pair})
        if earlier := made_before(idempotency_key):
            return earlier
        task = _locked(task_id)
        if has_judged(task, by):
            raise TaskGone(_("You have judged this pair: a second opinion is a colleague's."))
        check_versions(versions, (homes[task.left_id], homes[task.right_id]))
        return decide_locked(
            (task.left_id, task.right_id),
            verdict,
            by=by,
            homes=homes,
            circumstances=_circumstances(task, note, seconds),
            retracting=retracting,
            idempotency_key=idempotency_key,
        )


def _circumstances(task: ReviewTask, note: str, seconds: float | None) -> Circumstances:
    blind = is_blind(task)
    shown = None if blind else task.score
    return Circumstances(note=note, score_shown=shown, seconds=seconds, is_blind=blind)


@in_one_turn
def skip(task_id: int, *, by: User) -> None:
    """Put a task behind the others for this steward; colleagues may take it at once."""
    task = ReviewTask.objects.select_for_update().filter(pk=task_id).first()
    if task is None or task.state != ReviewTask.State.OPEN:
        raise TaskGone(_("This pair is no longer in question."))
    task.skipped_by.add(by)
    task.leased_by = task.leased_until = None
    task.save(update_fields=["leased_by", "leased_until"])


def last_decision(user: User) -> Decision | None:
    """Return what `undo_last` would take back."""
    return (
        Decision.objects.filter(decided_by=user, retracted_at=None)
        .order_by("-decided_at", "-pk")
        .first()
    )


def versions_for_undo(decision: Decision) -> str:
    """Return what goes back with an undo: it is refused when a customer has changed meanwhile."""
    together = made_together(decision)
    return versions_of(customers_of(record for d in together for record in d.pair))


def undo_last(user: User) -> Decision:
    """Take back the steward's own last decision and everything that followed from it.

    Raises:
        NothingToUndo: when she has none in force.
    """
    decision = last_decision(user)
    if decision is None:
        raise NothingToUndo(_("You have no decision to undo."))
    return retract(decision, by=user)


def task_of(decision: Decision) -> ReviewTask | None:
    """Return the task of a decision's pair, to show it again after an undo."""
    return ReviewTask.objects.filter(left=decision.left_id, right=decision.right_id).first()


def _available(tasks: QuerySet[ReviewTask], user: User) -> QuerySet[ReviewTask]:
    """Leave out what somebody else looks at, what this steward is unsure of or judged first."""
    unsure = Decision.objects.filter(
        left=OuterRef("left"),
        right=OuterRef("right"),
        decided_by=user,
        verdict=Decision.Verdict.UNSURE,
        retracted_at=None,
    )
    mine = blind_decisions().filter(
        left=OuterRef("left"), right=OuterRef("right"), decided_by=user
    )
    is_hers = Q(kind=ReviewTask.Kind.SECOND) & Exists(mine)
    is_free = Q(leased_until=None) | Q(leased_until__lt=now()) | Q(leased_by=user)
    return tasks.filter(is_free, ~Exists(unsure), ~is_hers)


def _can_skip_locked() -> bool:
    from django.db import connection

    return connection.features.has_select_for_update_skip_locked


def _locked(task_id: int) -> ReviewTask:
    task = ReviewTask.objects.select_for_update().filter(pk=task_id).first()
    if task is None or task.state != ReviewTask.State.OPEN:
        raise TaskGone(_("This pair is no longer in question."))
    return task


def _rival(task: ReviewTask) -> Customer | None:
    if task.rival_id is None:
        return None
    return Customer.objects.select_related("golden").get(records=task.rival_id)


def _sides(records: Sequence[SourceRecord]) -> list[Side]:
    """Return both sides with their customers' members, in one query."""
    labels: dict[int, list[str]] = {}
    members = SourceRecord.objects.filter(customer__in=[r.customer_id for r in records])
    for customer_id, label in members.order_by("pk").values_list("customer_id", "source__label"):
        labels.setdefault(customer_id, []).append(label)
    return [_side(record, labels[record.customer_id]) for record in records]


def _side(record: SourceRecord, labels: list[str]) -> Side:
    return Side(
        record_id=record.pk,
        birth_id=record.birth_id,
        source=record.source.label,
        source_key=record.source_key,
        public_id=record.customer.public_id,
        display_id=record.customer.display_id,
        record_count=len(labels),
        sources=tuple(dict.fromkeys(labels)),
        full_name=record.full_name or record.email,
        updated_at=record.source_updated_at,
    )


def _shared_points(*records: SourceRecord) -> dict[tuple[int, str], ContactPoint]:
    """Return what too many people carry, by record and attribute."""
    carried = RecordContactPoint.objects.filter(
        record__in=records, contact_point__in=ContactPoint.objects.shared().order_by()
    ).select_related("contact_point")
    return {(found.record_id, found.attribute): found.contact_point for found in carried}


def _rare_fields(score: ScoreInWords | None) -> set[str]:
    """Return the fields whose agreement is so rare that it says a lot."""
    return {a.field for a in score.speaks_for if a.strength == _A_LOT} if score else set()


def _if_same(outcome: Outcome | None) -> str:
    """Say which customer stays and how many records it then has."""
    if outcome is None:
        return _("Earlier decisions say otherwise: this answer would be refused.")
    customer = Customer(pk=outcome.customer_id, public_id=outcome.public_id)
    if not outcome.joining_count:
        return _("Both already belong to %(customer)s.") % {"customer": customer.display_id}
    return ngettext(
        "%(customer)s stays and has %(total)d source records; %(joining)d of them joins it.",
        "%(customer)s stays and has %(total)d source records; %(joining)d of them join it.",
        outcome.joining_count,
    ) % {
        "customer": customer.display_id,
        "total": outcome.record_count,
        "joining": outcome.joining_count,
    }
