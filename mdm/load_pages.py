"""The page to send a file: its columns are mapped, it is previewed, or loaded at once."""

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy

from mdm.load_forms import NEW_SOURCE, LoadForm
from mdm.loading.batches import start_load
from mdm.loading.drafts import start_draft
from mdm.loading.stored_files import LoadRefused
from mdm.models import LoadBatch, MappingDraft, SourceSystem
from mdm.pages import StaffPage, staff_user

_LATEST_BATCHES = 8


class LoadPage(StaffPage):
    """Choose a source and a file; its columns are mapped next when nobody has done so."""

    permission_required = "mdm.load_records"
    template_name = "mdm/load.html"
    title = gettext_lazy("Load a file")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the form, the files that wait for a decision and the latest batches."""
        kwargs.setdefault("form", LoadForm(initial={"source": self._only_source()}))
        batches = LoadBatch.objects.select_related("source", "preview_job")
        drafts = MappingDraft.objects.select_related("source")
        own = drafts.filter(created_by=self.request.user.pk)
        return super().get_context_data(
            latest=batches.exclude(job=None)[:_LATEST_BATCHES],
            waiting=batches.filter(job=None).exclude(stored_file="")[:_LATEST_BATCHES],
            drafts=own.order_by("-created_at")[:_LATEST_BATCHES],
            **kwargs,
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Store the file and preview, load or map it; or say what is wrong."""
        form = LoadForm(request.POST, request.FILES)
        if not form.is_valid():
            return self._refused(form)
        try:
            if request.POST.get("action") == "map" or form.needs_mapping:
                return self._map(form)
            batch = start_load(
                form.cleaned_data["file"],
                file_name=form.cleaned_data["file"].name,
                source_code=form.source_code,
                document=form.cleaned_data["mapping"],
                options=form.options,
                mode=form.cleaned_data["mode"],
                by=staff_user(request),
                is_preview=request.POST.get("action") == "preview",
            )
        except LoadRefused as refusal:
            form.add_error("file", str(refusal))
            return self._refused(form)
        return redirect("mdm:batch", pk=batch.pk)

    def _map(self, form: LoadForm) -> HttpResponseBase:
        draft = start_draft(
            form.cleaned_data["file"],
            file_name=form.cleaned_data["file"].name,
            source=form.cleaned_data["source"],
            mode=form.cleaned_data["mode"],
            options=form.options,
            by=staff_user(self.request),
        )
        address = reverse("mdm:mapping-draft", args=[draft.pk])
        code = form.cleaned_data["new_code"]
        return redirect(f"{address}?code={code}" if code else address)

    def _refused(self, form: LoadForm) -> HttpResponseBase:
        return self.render_to_response(self.get_context_data(form=form), status=422)

    def _only_source(self) -> str:
        """Return the code of the source asked for, else of the only one that there may be.

        Among several nothing is chosen: a file goes too easily into the wrong one.
        """
        codes = list(SourceSystem.objects.values_list("code", flat=True))
        asked = self.request.GET.get("source", "")
        if asked in codes:
            return asked
        return "" if len(codes) > 1 else next(iter(codes), NEW_SOURCE)
