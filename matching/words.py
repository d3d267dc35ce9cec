"""How a search for duplicates is told on the pages about jobs."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from matching import fan_out, key_table
from matching.models import MatchRun
from matching.runs import KIND, UNDO_KIND, why_not_again
from matching.undoing import PREVIEW_KIND
from mdm.job_words import JobWords, describe
from mdm.models import Job


def _result_url(job: Job) -> str | None:
    run = (job.result or {}).get("run")
    return reverse("matching:run", args=[run]) if run else None


def _preview_url(job: Job) -> str | None:
    run = job.parameters.get("run")
    return reverse("matching:run-undo", args=[run, job.pk]) if run else None


def _undone_url(job: Job) -> str | None:
    run = job.parameters.get("run")
    return reverse("matching:run", args=[run]) if run else None


def _scopes(those: Sequence[Job]) -> dict[UUID, str]:
    """Return which records each search is about."""
    told = {"all": _("all records"), "changed": _("only what changed")}
    return {
        job.pk: str(_("simulated")) if job.parameters.get("simulate") else str(told[scope])
        for job in those
        if (scope := job.parameters.get("scope")) in told
    }


def _searches(those: Sequence[Job]) -> dict[UUID, str]:
    """Return which search each job undoes, by the moment it started."""
    named = {job.pk: job.parameters.get("run") for job in those}
    runs = MatchRun.objects.in_bulk(filter(None, named.values()))
    return {
        key: date_format(localtime(run.started_at), "SHORT_DATETIME_FORMAT")
        for key, number in named.items()
        if (run := runs.get(number))
    }


def _can_go_on(job: Job) -> bool:
    row = MatchRun.objects.filter(job=job).first()
    return row is None or not why_not_again(row)


PHASES = {
    "start": _("Starting the engine"),
    "read": _("Reading the records"),
    "encode": _("Preparing the values"),
    "propose": _("Choosing where to look"),
    "block": _("Finding candidate pairs"),
    "compare": _("Comparing pairs"),
    "train": _("Learning what agreement means here"),
    "score": _("Scoring pairs"),
    "evidence": _("Storing the evidence"),
    "links": _("Linking records"),
    "tasks": _("Opening review tasks"),
    "keys": _("Storing the blocking keys"),
}
"""Code of a phase or stage → what people read, in the order of the work."""


def in_order(timings: Mapping[str, float]) -> list[tuple[str, float]]:
    """Return stages in words with their seconds; PostgreSQL keeps the keys of JSON in no order."""
    known = [name for name in PHASES if name in timings]
    others = [name for name in timings if name not in PHASES]
    return [(str(PHASES.get(name, name)), timings[name]) for name in (*known, *others)]


describe(
    KIND,
    JobWords(
        label=_("Search for duplicates"),
        phases=PHASES,
        icon="join",
        result_url=_result_url,
        can_retry=_can_go_on,
        subjects=_scopes,
        again_url="matching:home",
    ),
)
describe(
    UNDO_KIND,
    JobWords(
        label=_("Undoing of a search"),
        phases={**PHASES, "evidence": _("Bringing the earlier evidence back")},
        figures={
            "parted": _("customers parted"),
            "joined": _("customers came together again"),
            "moved": _("records moved"),
            "open_tasks": _("pairs wait for a steward"),
        },
        icon="undo",
        result_url=_undone_url,
        subjects=_searches,
    ),
)
describe(
    PREVIEW_KIND,
    JobWords(
        label=_("What undoing a search would change"),
        phases={"tasks": _("Counting review tasks")},
        icon="preview",
        result_url=_preview_url,
        subjects=_searches,
    ),
)
describe(
    key_table.KIND,
    JobWords(label=_("Keys that lead to duplicates"), phases=PHASES, icon="key"),
)
describe(
    fan_out.KIND,
    JobWords(label=_("Help with a search for duplicates"), phases=PHASES, icon="group_work"),
)
