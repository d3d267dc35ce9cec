"""The pages of undoing a search: ask what it would change, read it, and have it done."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from matching.models import Decision, MatchRun, Repair
from matching.outcome import examples
from matching.undoing import PREVIEW_KIND, UndoRefused, start_preview, start_undo, why_not
from mdm.lineage import label_of
from mdm.models import Alias, Customer, Job, Pin
from mdm.pages import StaffPage

KINDS: Mapping[str, Any] = {
    "decision": gettext_lazy("decisions"),
    "repair": gettext_lazy("repairs of customers"),
    "confirmed": gettext_lazy("customers confirmed"),
    "pin": gettext_lazy("pinned values"),
    "id_kept": gettext_lazy("numbers kept"),
}
"""What people do after a search, as `later_work` tells it."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One act of a person that stays: when, by whom, what, and about which customer."""

    at: datetime
    by: User
    words: str
    customer: Customer


class RunUndoPage(StaffPage):
    """What undoing a search would do today, told by a job; then the form that has it done."""

    permission_required = "matching.run_match"
    template_name = "matching/run_undo.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the preview: counts, examples by name, and the later work that is kept."""
        run = get_object_or_404(MatchRun, pk=kwargs["pk"])
        preview = get_object_or_404(
            Job, pk=kwargs["job"], kind=PREVIEW_KIND, parameters__run=run.pk
        )
        found = preview.result or {}
        work = found.get("work", {"counts": {}, "sample": []})
        return super().get_context_data(
            **{**kwargs, "title": _("Undo search %(number)d") % {"number": run.pk}},
            run=run,
            preview=preview,
            found=found,
            why_not=None if preview.is_live else why_not(run),
            parts=examples(found.get("splits", ())),
            unions=examples(found.get("merges", ())),
            work_counts=[(KINDS[kind], count) for kind, count in work["counts"].items()],
            work_count=sum(work["counts"].values()),
            work=kept(work["sample"]),
        )


@require_POST
@permission_required("matching.run_match", raise_exception=True)
def ask(request: HttpRequest, pk: int) -> HttpResponse:
    """Have a job tell what undoing the search would change, and follow it."""
    run = get_object_or_404(MatchRun, pk=pk)
    try:
        preview = start_preview(run, by=cast("User", request.user))
    except UndoRefused as refusal:
        messages.warning(request, str(refusal))
        return redirect("matching:run", pk=pk)
    return redirect("matching:run-undo", pk=pk, job=preview.pk)


@require_POST
@permission_required("matching.run_match", raise_exception=True)
def undo_now(request: HttpRequest, pk: int) -> HttpResponse:
    """Have the search undone as things are today, for the reason given."""
    run = get_object_or_404(MatchRun, pk=pk)
    reason = request.POST.get("reason", "")
    try:
        start_undo(run, by=cast("User", request.user), reason=reason)
    except UndoRefused as refusal:
        messages.warning(request, str(refusal))
    return redirect("matching:run", pk=pk)


def kept(sample: Iterable[tuple[str, int]]) -> list[Kept]:
    """Return acts of people in words, the latest first, from (kind, key); one query per kind."""
    listed = list(sample)
    told: dict[tuple[str, int], Kept] = {}
    for kind, read in _READERS.items():
        if keys := [key for name, key in listed if name == kind]:
            told |= {(kind, key): act for key, act in read(keys)}
    return [told[kind, key] for kind, key in listed if (kind, key) in told]


def _decisions(keys: list[int]) -> Iterable[tuple[int, Kept]]:
    rows = Decision.objects.select_related("decided_by", "left__customer__golden").in_bulk(keys)
    for key, row in rows.items():
        words = row.get_verdict_display()
        yield key, Kept(row.decided_at, row.decided_by, words, row.left.customer)


def _repairs(keys: list[int]) -> Iterable[tuple[int, Kept]]:
    rows = Repair.objects.select_related("done_by", "customer__golden").in_bulk(keys)
    for key, row in rows.items():
        yield key, Kept(row.done_at, row.done_by, row.get_kind_display(), row.customer)


def _pins(keys: list[int]) -> Iterable[tuple[int, Kept]]:
    rows = Pin.objects.select_related("created_by", "record__customer__golden").in_bulk(keys)
    for key, row in rows.items():
        words = f"{label_of(row.attribute)}: {row.get_kind_display()}"
        yield key, Kept(row.created_at, row.created_by, words, row.record.customer)


def _ids_kept(keys: list[int]) -> Iterable[tuple[int, Kept]]:
    rows = Alias.objects.select_related("created_by", "customer__golden").in_bulk(keys)
    for key, row in rows.items():
        yield key, Kept(row.created_at, row.created_by, _("Number kept"), row.customer)


_READERS = {
    "decision": _decisions,
    "repair": _repairs,
    "confirmed": _repairs,
    "pin": _pins,
    "id_kept": _ids_kept,
}
