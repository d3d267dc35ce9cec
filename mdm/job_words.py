"""What people read about jobs: the name of each kind, its phases, and where its result stands.

Jobs store codes. Every app that registers a kind of job may describe it here; a code nobody
described is shown as it is, so a new kind of job is never without a page.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.urls import NoReverseMatch, reverse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mdm.models import Job

_PACE_AFTER_SECONDS = 3
_PACE_KEPT_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class JobWords:
    """How one kind of job is told.

    `figures` names the entries of its result that people read, in their order; `result_url` gives
    the address of what it made, or None. `can_retry` is asked of a job that failed. `subjects`
    says of many jobs at once what each is about, such as the name of the file; `again_url` names
    the page on which a job that was stopped is asked for once more.
    """

    label: Any
    phases: Mapping[str, Any] = field(default_factory=dict)
    figures: Mapping[str, Any] = field(default_factory=dict)
    icon: str = "settings"
    result_url: Callable[[Job], str | None] = lambda job: None
    can_retry: Callable[[Job], bool] = lambda job: True
    subjects: Callable[[Sequence[Job]], Mapping[UUID, str]] = lambda jobs: {}
    again_url: str = ""


def page_of(url_name: str, parameter: str) -> Callable[[Job], str | None]:
    """Return what gives the address of the page of what a job's parameter names."""

    def address(row: Job) -> str | None:
        named = row.parameters.get(parameter)
        return reverse(url_name, args=[named]) if named else None

    return address


_words: dict[str, JobWords] = {}


def describe(kind: str, words: JobWords) -> None:
    """Say how jobs of a kind are told."""
    _words[kind] = words


def kind_label(job: Job) -> str:
    """Return the name of what the job does: `Search for duplicates`."""
    words = _words.get(job.kind)
    return str(words.label) if words else job.kind


def subjects(jobs: Iterable[Job]) -> dict[UUID, str]:
    """Return what each job is about, where its kind tells: a file, the records of a search."""
    by_kind: dict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        by_kind[job.kind].append(job)
    found: dict[UUID, str] = {}
    for kind, those in by_kind.items():
        if words := _words.get(kind):
            found.update(words.subjects(those))
    return found


def again_url(job: Job) -> str:
    """Return the page on which a job that was stopped is asked for once more; else ""."""
    words = _words.get(job.kind)
    is_stopped = job.state == Job.State.CANCELLED
    return reverse(words.again_url) if words and words.again_url and is_stopped else ""


def icon(job: Job) -> str:
    """Return the name of the icon of the job's kind."""
    words = _words.get(job.kind)
    return words.icon if words else "settings"


def phase_label(job: Job) -> str:
    """Return in words what the job does now, or how it ended."""
    if job.state == Job.State.QUEUED:
        return _("Waits for a worker")
    if job.state == Job.State.RUNNING and job.cancel_requested:
        return _("Stops at the next step")
    if job.state != Job.State.RUNNING:
        return job.get_state_display()
    words = _words.get(job.kind)
    return str(words.phases.get(job.phase, job.phase) if words else job.phase) or str(_STARTS)


def figures(job: Job) -> list[tuple[str, Any]]:
    """Return what a result says, in words and figures."""
    words = _words.get(job.kind)
    result = job.result if isinstance(job.result, dict) else {}
    if not words:
        return []
    return [(str(label), result[code]) for code, label in words.figures.items() if code in result]


def result_url(job: Job) -> str | None:
    """Return the page of what the job made, when it has one."""
    words = _words.get(job.kind)
    try:
        return words.result_url(job) if words else None
    except NoReverseMatch:
        return None


def can_retry(job: Job) -> bool:
    """Tell whether trying a job again may help: it failed, and what it needs is still there."""
    words = _words.get(job.kind)
    return job.state == Job.State.FAILED and (words is None or words.can_retry(job))


def speed(job: Job, *, at: datetime | None = None) -> tuple[float | None, float | None]:
    """Return units per second and seconds left in the present phase; None while unknown.

    Every phase counts anew and at its own pace, so the pace is taken from the first time somebody
    looked at this phase; nothing is told before some seconds have passed.
    """
    moment = at or now()
    if job.state != Job.State.RUNNING or not job.done_count:
        return None, None
    key = f"job-pace.{job.pk}.{job.attempt}.{job.phase}"
    first_look = (moment, job.done_count)
    since, done_then = cache.get_or_set(key, first_look, _PACE_KEPT_SECONDS) or first_look
    elapsed = (moment - since).total_seconds()
    if elapsed < _PACE_AFTER_SECONDS or job.done_count <= done_then:
        return None, None
    per_second = (job.done_count - done_then) / elapsed
    if not job.total_count:
        return per_second, None
    return per_second, max(0.0, (job.total_count - job.done_count) / per_second)


_STARTS = gettext_lazy("Starts")
