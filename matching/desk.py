"""The steward's desk: a pair with its evidence drawn, the queue around it, or why it is empty."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Count
from django.utils.formats import date_format, number_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from matching import review
from matching.explanation import Argument
from matching.foresight import Outcome
from matching.models import Decision, ReviewTask
from matching.runs import KIND, last_run
from mdm.models import Job
from mdm.signals import joining_shown
from mdm.staff import staff_name

_WIDEST_BITS = 12.0
"""A bar is full at 4,000 to 1; a longer one would only dwarf the others."""


class Empty(StrEnum):
    """Why no pair lies on the desk."""

    NEVER_SEARCHED = "never_searched"
    SEARCHING = "searching"
    WITH_COLLEAGUES = "with_colleagues"
    NO_COLLEAGUE = "no_colleague"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class EvidenceBar:
    """What one field says, with the length of its bar as an SVG attribute."""

    words: str
    strength: int
    width: str
    bits: str


@dataclass(frozen=True, slots=True)
class Weighing:
    """The score of a pair, drawn: what speaks for, what against, what says nothing."""

    speaks_for: list[EvidenceBar]
    speaks_against: list[EvidenceBar]
    silent: list[str]
    prior: str
    score: str
    percent: int
    likelihood: str


@dataclass(frozen=True, slots=True)
class Tally:
    """How often a steward gave one answer today."""

    verdict: str
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything the review page shows to one steward at one moment."""

    queue: review.QueueState
    pair: review.Comparison | None
    weighing: Weighing | None
    warnings: list[Any]
    """What other apps say of the answer Same beforehand: each a `template` and what it reads."""
    answer_key: str
    """New with every showing: the same answer sent twice has one effect."""
    undoable: Decision | None
    undo_versions: str
    """What the page saw of the customers of that decision."""
    empty: Empty | None
    job: Job | None
    """The search under way, when the desk is empty for it."""
    tallies: list[Tally]

    @property
    def percent_done(self) -> int:
        """Share of today's work that is done."""
        done = self.queue.decided_today_count
        return round(100 * done / max(done + self.queue.mine_count, 1))


def lay_out(user: User, *, task_id: int | None = None) -> Desk:
    """Lease a pair for this steward and return what her page shows."""
    task = review.next_task(user, task_id=task_id)
    pair = review.comparison(task) if task else None
    queue = review.queue_state(user)
    job = None if pair else _live_search()
    undoable = review.last_decision(user)
    return Desk(
        queue=queue,
        pair=pair,
        weighing=_weigh(pair) if pair else None,
        warnings=_warnings(pair.outcome) if pair and pair.outcome else [],
        answer_key=uuid.uuid4().hex,
        undoable=undoable,
        undo_versions=review.versions_for_undo(undoable) if undoable else "",
        empty=None if pair else _why_empty(user, queue, job),
        job=job,
        tallies=[] if pair else _tallies(user),
    )


def how_it_ended(task_id: int) -> str:
    """Return in words why a task can no longer be answered; empty while it can."""
    task = ReviewTask.objects.filter(pk=task_id).first()
    if task and task.state == ReviewTask.State.OPEN:
        return ""
    decision = _decision_on(task) if task else None
    if decision is None:
        return _("This pair is no longer in question: other decisions or new data settled it.")
    return _("%(steward)s has already answered this pair: %(verdict)s, on %(moment)s.") % {
        "steward": staff_name(decision.decided_by),
        "verdict": decision.get_verdict_display(),
        "moment": date_format(localtime(decision.decided_at), "SHORT_DATETIME_FORMAT"),
    }


def is_with_colleague(task_id: int, user: User) -> bool:
    """Return whether somebody else looks at an open task now."""
    task = ReviewTask.objects.filter(pk=task_id, state=ReviewTask.State.OPEN).first()
    if task is None or task.leased_until is None or task.leased_by_id == user.pk:
        return False
    return task.leased_until > localtime()


def _decision_on(task: ReviewTask) -> Decision | None:
    pair = Decision.objects.filter(left=task.left_id, right=task.right_id, retracted_at=None)
    return pair.select_related("decided_by").first()


def _weigh(pair: review.Comparison) -> Weighing | None:
    if pair.score is None:
        return None
    return Weighing(
        speaks_for=_bars(pair.score.speaks_for),
        speaks_against=_bars(pair.score.speaks_against),
        silent=[argument.words for argument in pair.score.silent],
        prior=signed(pair.score.prior),
        score=signed(pair.score.score),
        percent=min(99, max(1, round(100 * pair.score.probability))),
        likelihood=pair.score.likelihood,
    )


def _warnings(outcome: Outcome) -> list[Any]:
    if not outcome.joining_count:
        return []
    homes = dict.fromkeys(outcome.record_ids, outcome.customer_id)
    told = joining_shown.send(sender=None, homes=homes)
    return [words for _app, words in told if words]


def _bars(arguments: Iterable[Argument]) -> list[EvidenceBar]:
    return [
        EvidenceBar(a.words, a.strength, bar_width(a.bits, _WIDEST_BITS), signed(a.bits))
        for a in arguments
    ]


def bar_width(bits: float, widest: float) -> str:
    """Return the length of a bar as an SVG attribute (a template would write 12,5 in French)."""
    return f"{100 * min(abs(bits) / widest, 1):.1f}%"


def signed(bits: float) -> str:
    """Return a weight in bits with its sign, in the reader's format."""
    size = number_format(abs(round(bits, 1)), 1)
    return f"−{size}" if round(bits, 1) < 0 else f"+{size}"


def _live_search() -> Job | None:
    live = Job.objects.filter(kind=KIND, state__in=Job.LIVE_STATES)
    return live.order_by("created_at").first()


def _why_empty(user: User, queue: review.QueueState, job: Job | None) -> Empty:
    if job:
        return Empty.SEARCHING
    if queue.open_count:
        reviewers = User.objects.with_perm("matching.review_pairs")
        has_colleague = reviewers.exclude(pk=user.pk).exists()
        return Empty.WITH_COLLEAGUES if has_colleague else Empty.NO_COLLEAGUE
    return Empty.DONE if last_run() else Empty.NEVER_SEARCHED


def _tallies(user: User) -> list[Tally]:
    """Count today's answers of a steward by verdict."""
    midnight = localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    today = Decision.objects.filter(
        decided_by=user, decided_at__gte=midnight, retracted_at=None
    ).order_by()
    counts = dict(today.values_list("verdict").annotate(Count("pk")))
    return [
        Tally(verdict, str(verdict.label), counts.get(verdict.value, 0))
        for verdict in Decision.Verdict
    ]
