"""The pages of loading: send a file, follow and judge its batch, take its rejected rows away."""

import csv
from collections.abc import Iterator
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from mdm import job_words
from mdm.load_forms import LoadForm
from mdm.loading.batches import start_load
from mdm.loading.stored_files import LoadRefused
from mdm.loading.work import KIND
from mdm.models import GoldenRecord, Job, LoadBatch, RejectedRow, SourceSystem
from mdm.pages import StaffPage, log_access
from mdm.rejects import WORDS as REJECT_WORDS
from mdm.standardise.issues import WORDS as ISSUE_WORDS

_ROWS_PER_PAGE = 50
_LATEST_BATCHES = 8
_MOST_ISSUES = 12
# A spreadsheet runs a cell that starts so as a formula (STACK §6).
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

_ENDS: tuple[tuple[str, Any, str], ...] = (
    ("new", gettext_lazy("new"), "gold"),
    ("changed", gettext_lazy("changed"), "rare"),
    ("same", gettext_lazy("the same"), "missing"),
    ("stale", gettext_lazy("older than what is known"), "4"),
    ("rejected", gettext_lazy("rejected"), "conflict"),
)


def _batch_url(job: Job) -> str | None:
    batch = job.parameters.get("batch")
    return reverse("mdm:batch", args=[batch]) if batch else None


job_words.describe(
    KIND,
    job_words.JobWords(
        label=gettext_lazy("Load of a file"),
        phases={
            "reading": gettext_lazy("Reads and checks the whole file"),
            "loading": gettext_lazy("Loads the rows"),
            "deleting": gettext_lazy("Deletes what the full file no longer holds"),
        },
        figures={
            "new": gettext_lazy("New records"),
            "changed": gettext_lazy("Changed records"),
            "same": gettext_lazy("The same as before"),
            "stale": gettext_lazy("Older than what is known"),
            "rejected": gettext_lazy("Rejected lines"),
            "deleted": gettext_lazy("Deleted by the source"),
        },
        icon="upload_file",
        result_url=_batch_url,
    ),
)


class LoadPage(StaffPage):
    """Choose a source, a file and, when it is new, the mapping."""

    permission_required = "mdm.load_records"
    template_name = "mdm/load.html"
    title = gettext_lazy("Load a file")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the form and the latest batches."""
        kwargs.setdefault("form", LoadForm(initial={"source": _likely_source()}))
        latest = LoadBatch.objects.select_related("source")[:_LATEST_BATCHES]
        return super().get_context_data(latest=latest, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Store the file, start the job and show its batch; or say what is wrong."""
        form = LoadForm(request.POST, request.FILES)
        if not form.is_valid():
            return self._refused(form)
        try:
            batch = start_load(
                form.cleaned_data["file"],
                file_name=form.cleaned_data["file"].name,
                source_code=form.source_code,
                document=form.cleaned_data["mapping"],
                mode=form.cleaned_data["mode"],
                by=_user(request),
            )
        except LoadRefused as refusal:
            form.add_error("file", str(refusal))
            return self._refused(form)
        return redirect("mdm:batch", pk=batch.pk)

    def _refused(self, form: LoadForm) -> HttpResponseBase:
        return self.render_to_response(self.get_context_data(form=form), status=422)


class BatchPage(StaffPage):
    """One loaded file: progress while it runs, then what became of its rows."""

    permission_required = "mdm.view_loadbatch"
    template_name = "mdm/batch.html"
    title = gettext_lazy("Loaded file")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the batch, its counts and one page of rejected rows."""
        batch = get_object_or_404(
            LoadBatch.objects.select_related("source", "mapping", "job", "created_by"),
            pk=self.kwargs["pk"],
        )
        page = Paginator(batch.rejected_rows.all(), _ROWS_PER_PAGE).get_page(
            self.request.GET.get("page")
        )
        return super().get_context_data(
            **{**kwargs, "title": batch.file_name},
            batch=batch,
            segments=_segments(batch),
            row_count=sum(segment["value"] for segment in _segments(batch)),
            issues=_issues(batch),
            is_withheld=_result(batch).get("deletions_withheld", False),
            page=page,
            rejects=[(row, REJECT_WORDS.get(row.reason, row.reason)) for row in page],
        )


@require_GET
@permission_required("mdm.view_loadbatch", raise_exception=True)
def download_rejects(request: HttpRequest, pk: int) -> HttpResponse | StreamingHttpResponse:
    """Stream the rejected rows as CSV: line, column, value, reason, then the row as it came."""
    batch = get_object_or_404(LoadBatch, pk=pk)
    log_access(request.user, "rejects_downloaded", f"batch {batch.pk}")
    response = StreamingHttpResponse(_csv_lines(batch), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="rejects-{batch.pk}.csv"'
    response["Cache-Control"] = "no-store"
    return response


def _likely_source() -> SourceSystem | None:
    """Return the source of the latest file, else the first there is."""
    latest = LoadBatch.objects.select_related("source").first()
    return latest.source if latest else SourceSystem.objects.first()


class _Echo:
    """A file that gives back what is written, so that lines can be streamed."""

    def write(self, text: str) -> str:
        return text


def _csv_lines(batch: LoadBatch) -> Iterator[str]:
    writer = csv.writer(_Echo(), delimiter=";")
    # The mark lets Excel read the accents.
    yield "\ufeff" + writer.writerow([_("line"), _("column"), _("value"), _("reason"), _("row")])
    rows: QuerySet[RejectedRow] = batch.rejected_rows.all()
    for row in rows.iterator(chunk_size=1000):
        cells = row.raw.get("cells", [])
        reason = str(REJECT_WORDS.get(row.reason, row.reason))
        values = [str(row.line), row.column, row.value, reason, *map(str, cells)]
        yield writer.writerow([_inert(value) for value in values])


def _inert(value: str) -> str:
    """Return the text so that no spreadsheet takes it for a formula."""
    return f"'{value}" if value.startswith(_FORMULA_STARTS) else value


def _segments(batch: LoadBatch) -> list[dict[str, Any]]:
    return [
        {"label": label, "value": getattr(batch, f"{end}_count"), "tone": tone}
        for end, label, tone in _ENDS
    ]


def _issues(batch: LoadBatch) -> list[dict[str, Any]]:
    """Return what was noticed in values, the most frequent first."""
    counts: dict[str, int] = _result(batch).get("issues", {})
    frequent = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_MOST_ISSUES]
    return [
        {
            "label": _attribute_label(name.partition(" ")[0]),
            "note": ISSUE_WORDS.get(name.partition(" ")[2], name),
            "value": count,
        }
        for name, count in frequent
    ]


def _attribute_label(attribute: str) -> str:
    return str(_LABELS.get(attribute, attribute)).capitalize()


_LABELS = {field.name: field.verbose_name for field in GoldenRecord._meta.local_fields} | {
    "full_name": gettext_lazy("name"),
    "address_line": gettext_lazy("street"),
    "permission": gettext_lazy("permission"),
    "opt_out": gettext_lazy("opt-out"),
    "opt_out_at": gettext_lazy("date of the opt-out"),
    "double_opt_in": gettext_lazy("double opt-in"),
    "permission_at": gettext_lazy("date of the permission"),
    "created_at": gettext_lazy("date of creation"),
    "updated_at": gettext_lazy("date of change"),
    "sale_date": gettext_lazy("date of the sale"),
    "sale_amount": gettext_lazy("amount of the sale"),
    "contract_start": gettext_lazy("start of the contract"),
    "contract_end": gettext_lazy("end of the contract"),
}


def _result(batch: LoadBatch) -> dict[str, Any]:
    return (batch.job.result if batch.job else None) or {}


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101  (StaffPage lets nobody else in)
    return request.user
