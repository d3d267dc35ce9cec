"""The pages of one file: its preview and the decision, what became of its rows, its undoing."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.paginator import Page, Paginator
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from mdm import attribute_words, rejects
from mdm.birth_ids import display
from mdm.doubtful_records import columns_of, standard_value
from mdm.doubts import HasIssue
from mdm.figures import readable
from mdm.load_words import ENDS, UNDO_ENDS
from mdm.loading.batches import apply_preview, throw_away
from mdm.loading.preview import read_samples
from mdm.loading.stored_files import LoadRefused
from mdm.loading.undo import (
    PREVIEW_UNDO_KIND,
    UndoRefused,
    read_undo_samples,
    start_undo,
)
from mdm.loading.undo import start_preview as start_undo_preview
from mdm.mapping_words import channel_in_words, claim_in_words, key_in_words
from mdm.models import Job, LoadBatch, SourceRecord
from mdm.pages import StaffPage, log_access, staff_user
from mdm.reading.words import layout_words
from mdm.reasons import in_words
from mdm.signals import file_shown
from mdm.standardise.issues import WORDS as ISSUE_WORDS

_ROWS_PER_PAGE = 50
_MOST_ISSUES = 12
_GOLDEN = (
    ("golden_new", gettext_lazy("New golden records")),
    ("golden_changed", gettext_lazy("Golden records that change")),
    ("golden_gone", gettext_lazy("Customers no source knows any more")),
)
_SAMPLES: tuple[tuple[str, Any], ...] = (
    ("changed", gettext_lazy("Changed records")),
    ("new", gettext_lazy("New")),
    ("golden", gettext_lazy("Golden records")),
    ("deleted", gettext_lazy("Deleted")),
    ("rejected", gettext_lazy("Rejected")),
    ("stale", gettext_lazy("Older")),
    ("same", gettext_lazy("The same")),
)


_UNDO_SAMPLES: tuple[tuple[str, Any], ...] = (
    ("kept", gettext_lazy("Changed again by a later file, kept")),
    ("restored", gettext_lazy("As before")),
    ("golden", gettext_lazy("Golden records")),
    ("deleted", gettext_lazy("Born with the file, deleted")),
    ("revived", gettext_lazy("Deleted by the file, back again")),
)


class BatchPage(StaffPage):
    """One file: its preview while it waits, progress while it runs, then what became of it."""

    permission_required = "mdm.view_loadbatch"
    template_name = "mdm/batch.html"
    title = gettext_lazy("Loaded file")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the batch with its counts, and either the preview or the rejected rows."""
        batch = get_object_or_404(_batches(), pk=self.kwargs["pk"])
        counts = _counts(batch)
        context = {
            "batch": batch,
            "segments": _segments(counts),
            "row_count": sum(counts[end] for end, _words, _tone in ENDS),
            "deleted_count": counts["deleted"],
            "is_nothing_new": sum(counts.values()) == counts["same"] > 0,
            "pace": _pace(batch),
            "layout": layout_words(batch.layout),
            "made_key": _made_key(batch),
            "issues": _issues(batch),
            "is_withheld": _figures(batch).get("deletions_withheld", False),
        }
        context |= _waiting_context(batch) if batch.job is None else self._loaded_context(batch)
        return super().get_context_data(**{**kwargs, "title": batch.file_name}, **context)

    def _loaded_context(self, batch: LoadBatch) -> dict[str, Any]:
        reason = self.request.GET.get("reason", "")
        rows = batch.rejected_rows.all()
        page = _page(self.request, rows.filter(reason=reason) if reason else rows)
        undo = batch.undo_job
        return {
            "page": page,
            "rejects": [(row, rejects.words_for(row.reason)) for row in page],
            "reasons": _reasons(batch),
            "is_read": bool(batch.job and batch.job.state == Job.State.DONE),
            "reason": reason,
            "query": f"reason={reason}&" if reason else "",
            "drift": _drift(batch),
            "reports": [told for _app, told in file_shown.send(sender=None, batch=batch)],
            "undone": _undone(batch),
            "claims_taken_back": (undo.result or {}).get("claims", 0) if undo else 0,
            # What is undone is undone: a file loaded again is another one.
            "can_undo": not (undo and (undo.is_live or undo.state == Job.State.DONE)),
        }


class BatchIssuePage(StaffPage):
    """The records of a file with one doubt about one attribute."""

    permission_required = ("mdm.view_loadbatch", "mdm.view_sourcerecord")
    template_name = "mdm/batch_issue.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add one page of records with the value they have now and the one they came with."""
        batch = get_object_or_404(_batches(), pk=kwargs["pk"])
        attribute, code = kwargs["attribute"], kwargs["code"]
        records = SourceRecord.objects.filter(HasIssue(attribute, code), batch=batch)
        page = _page(self.request, records.select_related("customer").order_by("line"))
        columns = columns_of(batch.mapping, attribute)
        log_access(self.request.user, "batch_issue_seen", f"batch {batch.pk}")
        return super().get_context_data(
            **{**kwargs, "title": ISSUE_WORDS.get(code, code)},
            batch=batch,
            label=attribute_words.label(attribute),
            page=page,
            rows=[
                (record, standard_value(record, attribute), _raw(record, columns))
                for record in page
            ],
        )


@require_POST
@permission_required("mdm.load_records", raise_exception=True)
def apply_batch(request: HttpRequest, pk: int) -> HttpResponse:
    """Load a file that was previewed; nothing but its number is taken from the page."""
    batch = get_object_or_404(LoadBatch, pk=pk)
    try:
        apply_preview(batch, by=staff_user(request))
    except LoadRefused as refusal:
        messages.warning(request, str(refusal))
    return redirect("mdm:batch", pk=pk)


@require_POST
@permission_required("mdm.load_records", raise_exception=True)
def throw_batch_away(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget a file that was previewed."""
    batch = get_object_or_404(LoadBatch, pk=pk)
    try:
        throw_away(batch)
        messages.info(request, _("The file was thrown away; nothing was changed."))
    except LoadRefused as refusal:
        messages.warning(request, str(refusal))
    return redirect("mdm:batch", pk=pk)


class UndoPage(StaffPage):
    """What undoing a file would do today, told by a job; then the button that does it."""

    permission_required = "mdm.undo_load"
    template_name = "mdm/batch_undo.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the preview with its counts and samples."""
        batch = get_object_or_404(_batches(), pk=kwargs["pk"])
        preview = get_object_or_404(
            Job, pk=kwargs["job"], kind=PREVIEW_UNDO_KIND, parameters__batch=batch.pk
        )
        figures, samples = preview.result or {}, read_undo_samples(preview)
        return super().get_context_data(
            **{**kwargs, "title": _("Undo %(file)s") % {"file": batch.file_name}},
            batch=batch,
            preview=preview,
            figures=figures,
            segments=_segments(figures, UNDO_ENDS) if figures else [],
            record_count=sum(figures.get(end, 0) for end, _words, _tone in UNDO_ENDS),
            golden=[(words, figures.get(name, 0)) for name, words in _GOLDEN],
            samples=_told_samples(samples, _UNDO_SAMPLES),
        )


@require_POST
@permission_required("mdm.undo_load", raise_exception=True)
def ask_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Have a job tell what undoing the file would do, and follow it."""
    batch = get_object_or_404(_batches(), pk=pk)
    try:
        preview = start_undo_preview(batch, by=staff_user(request))
    except UndoRefused as refusal:
        messages.warning(request, str(refusal))
        return redirect("mdm:batch", pk=pk)
    return redirect("mdm:batch-undo", pk=pk, job=preview.pk)


@require_POST
@permission_required("mdm.undo_load", raise_exception=True)
def undo_batch(request: HttpRequest, pk: int) -> HttpResponse:
    """Undo the file, as it is today."""
    batch = get_object_or_404(LoadBatch, pk=pk)
    try:
        start_undo(batch, by=staff_user(request))
    except UndoRefused as refusal:
        messages.warning(request, str(refusal))
    return redirect("mdm:batch", pk=pk)


@require_GET
@permission_required("mdm.view_loadbatch", raise_exception=True)
def download_rejects(request: HttpRequest, pk: int) -> HttpResponse | StreamingHttpResponse:
    """Stream the rejected rows as CSV: where and why, then the row in the original columns."""
    batch = get_object_or_404(LoadBatch, pk=pk)
    log_access(request.user, "rejects_downloaded", f"batch {batch.pk}")
    response = StreamingHttpResponse(rejects.csv_lines(batch), content_type="text/csv")
    response["Content-Disposition"] = f'attachment; filename="rejects-{batch.pk}.csv"'
    response["Cache-Control"] = "no-store"
    return response


def _batches() -> "QuerySet[LoadBatch]":
    return LoadBatch.objects.select_related(
        "source", "mapping", "job", "preview_job", "undo_job", "created_by"
    )


def _page(request: HttpRequest, rows: Any) -> "Page[Any]":
    return Paginator(rows, _ROWS_PER_PAGE).get_page(request.GET.get("page"))


def _figures(batch: LoadBatch) -> dict[str, Any]:
    """Return the result of the load, else of the preview."""
    shown = batch.job or batch.preview_job
    return (shown.result if shown else None) or {}


def _counts(batch: LoadBatch) -> dict[str, int]:
    ends = [*(end for end, _words, _tone in ENDS), "deleted"]
    if batch.job is None:
        return {end: _figures(batch).get(end, 0) for end in ends}
    return {end: getattr(batch, f"{end}_count") for end in ends}


def _pace(batch: LoadBatch) -> int | None:
    """Return the rows a second of a load that is done; None for a short one."""
    seconds = batch.job.seconds if batch.job and batch.job.state == Job.State.DONE else None
    return round(sum(_counts(batch).values()) / seconds) if seconds and seconds >= 1 else None


def _segments(
    counts: Mapping[str, Any], ends: Iterable[tuple[str, Any, str]] = ENDS
) -> list[dict[str, Any]]:
    return [{"label": words, "value": counts[end], "tone": tone} for end, words, tone in ends]


def _issues(batch: LoadBatch) -> list[dict[str, Any]]:
    """Return what was noticed in values, the most frequent first, each with its records."""
    counts: dict[str, int] = _figures(batch).get("issues", {})
    frequent = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_MOST_ISSUES]
    return [_issue(batch, name, count) for name, count in frequent]


def _issue(batch: LoadBatch, name: str, count: int) -> dict[str, Any]:
    attribute, _space, code = name.partition(" ")
    is_loaded = batch.job is not None
    return {
        "label": attribute_words.label(attribute),
        "note": ISSUE_WORDS.get(code, code),
        "value": count,
        "url": reverse("mdm:batch-issue", args=[batch.pk, attribute, code]) if is_loaded else "",
    }


def _made_key(batch: LoadBatch) -> str:
    """Return the columns that make the key of a row; "" when the source has its own."""
    document = batch.mapping.document
    return key_in_words(document) if document.get("key_from") else ""


def _reasons(batch: LoadBatch) -> list[tuple[str, str, int]]:
    """Return why rows were rejected, the most frequent first: code, words, number."""
    codes = batch.rejected_rows.order_by().values("reason")
    counted = codes.annotate(count=Count("pk")).values_list("reason", "count")
    return [
        (code, rejects.words_for(code), count)
        for code, count in sorted(counted, key=lambda row: (-row[1], row[0]))
    ]


def _drift(batch: LoadBatch) -> list[tuple[Any, int, int]]:
    """Return the counts that the preview told otherwise, as data changed meanwhile."""
    told = (batch.preview_job.result if batch.preview_job else None) or {}
    if not told or not batch.job or batch.job.state != Job.State.DONE:
        return []
    found = _counts(batch)
    words = {end: label for end, label, _tone in ENDS} | {"deleted": _("deleted")}
    return [
        (words[end], told.get(end, 0), count)
        for end, count in found.items()
        if told.get(end, 0) != count
    ]


def _undone(batch: LoadBatch) -> list[tuple[Any, int]]:
    """Return what the undoing of the file did, if it was undone."""
    result = batch.undo_job.result if batch.undo_job else None
    if not result:
        return []
    return [(words, result[end]) for end, words, _tone in UNDO_ENDS if result[end]]


def _waiting_context(batch: LoadBatch) -> dict[str, Any]:
    """Return the preview: golden records to be, and the samples of each end."""
    figures = _figures(batch)
    return {
        "golden": [(words, figures.get(name, 0)) for name, words in _GOLDEN],
        "samples": _told_samples(read_samples(batch), _SAMPLES),
        "permissions": _permissions(figures),
        "refusal": in_words(figures.get("refusal", "")),
        "is_compared": bool(figures),
    }


def _permissions(figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what new and changed rows say of each channel: how many say yes, how many say no."""
    told: Mapping[str, int] = figures.get("permissions", {})
    said: dict[str, list[str]] = {}
    for kind, words in _CLAIMS:
        for name, count in sorted(told.items()):
            of, _space, channel = name.partition(" ")
            if of == kind:
                said.setdefault(channel, []).append(words(count) % readable({"number": count}))
    return [(channel_in_words(channel), ", ".join(parts)) for channel, parts in said.items()]


_CLAIMS: tuple[tuple[str, Callable[[int], str]], ...] = (
    ("opt_in", lambda n: ngettext("%(number)s opt-in", "%(number)s opt-ins", n)),
    ("refusal", lambda n: ngettext("%(number)s refusal", "%(number)s refusals", n)),
    ("opt_out", lambda n: ngettext("%(number)s opt-out", "%(number)s opt-outs", n)),
)


def _told_samples(
    samples: Mapping[str, Iterable[Mapping[str, Any]]], ends: Iterable[tuple[str, Any]]
) -> list[dict[str, Any]]:
    return [
        {"code": end, "label": words, "rows": [_sample(sample) for sample in samples[end]]}
        for end, words in ends
        if samples.get(end)
    ]


def _sample(sample: Mapping[str, Any]) -> dict[str, Any]:
    customer = sample.get("customer", "")
    in_words = attribute_words.value_in_words
    return {
        **sample,
        "customer": display(customer) if customer else "",
        "customer_url": reverse("mdm:customer", args=[customer]) if customer else "",
        "words": rejects.words_for(sample["reason"]) if sample.get("reason") else "",
        "permissions": ", ".join(claim_in_words(*claim) for claim in sample.get("claims", ())),
        "differences": [
            (attribute_words.label(name), *(in_words(name, value) for value in (old, new)))
            for name, old, new in sample.get("differences", ())
        ],
    }


def _raw(record: SourceRecord, columns: Iterable[str]) -> str:
    return " · ".join(filter(None, (str(record.raw.get(name, "")) for name in columns)))
