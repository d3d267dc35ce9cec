"""The pages of mappings: map the columns of a file, compare versions, take one away and back."""

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from mdm.load_forms import MappingFileForm
from mdm.loading.batches import find_reading, keep_mapping
from mdm.loading.drafts import (
    TOLD,
    Sample,
    drop_draft,
    first_sample,
    read_sample,
    save_draft,
)
from mdm.loading.stored_files import LoadRefused
from mdm.mapping import MappingError
from mdm.mapping_documents import to_toml
from mdm.mapping_forms import FileForm, NewSourceForm
from mdm.mapping_parsing import parse_mapping
from mdm.mapping_preview import MappingPreview, preview_mapping
from mdm.mapping_table import MappingTable
from mdm.mapping_words import changes, columns_in_words, key_in_words
from mdm.models import FieldMapping, MappingDraft, SourceSystem
from mdm.pages import StaffPage, staff_user
from mdm.proposals.regions import likely_region
from mdm.reading.words import layout_words


class Workbench:
    """One draft being mapped: its forms as sent or as proposed, and what they amount to."""

    def __init__(self, draft: MappingDraft, sent: QueryDict | None, *, code: str = "") -> None:
        """Take what the page sent, None to start from the proposals.

        Raises:
            LoadRefused: when the file cannot be read by the options sent.
        """
        self.draft = draft
        self.source = draft.source
        self.in_force = self.source.mappings.first() if self.source else None
        self.sample = self._read(sent)
        self.new_source = None if self.source else self._new_source(sent, code)
        # Other options may give other columns: those sent then say nothing.
        is_same = sent is not None and sent.getlist("column") == self.sample.names
        self.table = MappingTable(
            self.sample,
            sent if is_same else None,
            document=self.in_force.document if self.in_force else {},
            region=self.region,
        )

    def _new_source(self, sent: QueryDict | None, code: str) -> NewSourceForm:
        if sent is None:
            region = likely_region(self.sample.columns)
            initial = {"code": code, "label": code, "region": region}
            return NewSourceForm(prefix="source", initial=initial)
        if sent.get("action") == "save":
            return NewSourceForm(sent, prefix="source")
        # Nobody has said yet that the description is complete.
        typed = {name: sent.get(f"source-{name}") for name in NewSourceForm.base_fields}
        known = {name: value for name, value in typed.items() if value is not None}
        return NewSourceForm(prefix="source", initial=known)

    @property
    def region(self) -> str:
        """The country of the source."""
        if self.source:
            return self.source.region
        assert self.new_source is not None  # noqa: S101  (one of the two is there)
        return str(self.new_source["region"].value() or "FR").upper()

    @property
    def layout(self) -> str:
        """How the file is read, in words."""
        return layout_words(self.sample.layout)

    @property
    def source_code(self) -> str:
        """The code of the source, known or new."""
        if self.source:
            return self.source.code
        assert self.new_source is not None  # noqa: S101  (one of the two is there)
        code = self.new_source["code"]
        return str(code.field.to_python(code.value()))

    def whole_document(self) -> dict[str, Any]:
        """Return the mapping with the [source] table that a new source is made from.

        Raises:
            MappingError: when a form holds what no mapping can.
        """
        if self.new_source is None:
            return self.document
        if not self.new_source.is_valid():
            raise MappingError(_("Complete the description of the new source."))
        return {"source": self.new_source.table(), **self.document}

    @cached_property
    def document(self) -> dict[str, Any]:
        """The mapping as it stands, complete enough to be checked.

        Raises:
            MappingError: when a form holds what no mapping can.
        """
        return self._document(self.table.entries())

    def _document(self, entries: list[dict[str, Any]]) -> dict[str, Any]:
        document: dict[str, Any] = {"column": entries}
        if self.table.key_from:
            document["key_from"] = self.table.key_from
        if options := self.file_options:
            document["file"] = options
        return document

    @property
    def changed_key(self) -> str:
        """What rows are known again by so far, where this mapping changes it; else ""."""
        try:
            before = key_in_words(self.in_force.document) if self.in_force else ""
            return before if before != key_in_words(self.document) else ""
        except MappingError:
            return ""  # Said elsewhere.

    def preview(self) -> tuple[MappingPreview | None, str]:
        """Return the first rows as they would be read, and what is wrong with the mapping.

        Columns that are not complete are left out; None where the others cannot be read either.
        """
        try:
            return self._rows_by(self.document), ""
        except MappingError as error:
            refusal = str(error)
        try:
            return self._rows_by(self._document(self.table.complete_entries())), refusal
        except MappingError:
            return None, refusal

    def _rows_by(self, document: dict[str, Any]) -> MappingPreview:
        return preview_mapping(self.sample, parse_mapping(document), self.region)

    def _read(self, sent: QueryDict | None) -> Sample:
        sheets = self.draft.layout.get("sheets", [])
        told = self.draft.layout.get(TOLD, {})
        if sent is None:
            sample, options = first_sample(self.draft, told)
        else:
            form = FileForm(sent, prefix="file", sheets=sheets)
            options = form.options() if form.is_valid() else {}
            sample = read_sample(self.draft, options)
        self.file_options: dict[str, Any] = options
        self.file = FileForm(initial=options, prefix="file", sheets=sheets)
        return sample


class MappingPage(StaffPage):
    """Say what each column of a file is, see what becomes of its rows, save it."""

    permission_required = ("mdm.load_records", "mdm.add_fieldmapping")
    template_name = "mdm/mapping.html"
    title = gettext_lazy("Map the columns")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Show the workbench; the proposals unless something was sent."""
        bench = kwargs.pop("bench", None) or Workbench(
            own_draft(self.request, kwargs["pk"]), None, code=self.request.GET.get("code", "")
        )
        preview, refusal = bench.preview()
        return super().get_context_data(
            bench=bench, preview=preview, refusal=refusal, draft=bench.draft, **kwargs
        )

    def post(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponseBase:
        """Preview, save or throw away."""
        draft = own_draft(request, pk)
        action = request.POST.get("action")
        if action == "drop":
            drop_draft(draft)
            messages.info(request, _("The file was thrown away; nothing was saved."))
            return redirect("mdm:load-new")
        try:
            bench = Workbench(draft, _exchanged(_with_refusals(request.POST)))
        except LoadRefused as refusal:
            messages.error(request, str(refusal))
            return redirect("mdm:mapping-draft", pk=draft.pk)
        if action == "save":
            return self._save(bench)
        bench.table.focus(request.POST.get("refusals", ""), "channel")
        bench.table.focus(request.POST.get("exchange", "").partition(" ")[0], "attribute")
        return self.render_to_response(self.get_context_data(bench=bench))

    def _save(self, bench: Workbench) -> HttpResponseBase:
        try:
            batch = save_draft(
                bench.draft,
                source_code=bench.source_code,
                document=bench.whole_document(),
                by=staff_user(self.request),
            )
        except (MappingError, LoadRefused) as refusal:
            context = self.get_context_data(bench=bench)
            context |= {"refusal": str(refusal), "is_save_refused": True}
            return self.render_to_response(context, status=422)
        messages.success(
            self.request,
            _("The mapping is saved as version %(version)d of %(source)s.")
            % {"version": batch.mapping.version, "source": batch.source},
        )
        return redirect("mdm:batch", pk=batch.pk)


@require_POST
@permission_required(("mdm.load_records", "mdm.add_fieldmapping"), raise_exception=True)
def preview_draft(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Return the table of the first rows for the mapping as it stands on the page."""
    try:
        bench = Workbench(own_draft(request, pk), request.POST)
    except LoadRefused as error:
        context: dict[str, Any] = {"refusal": str(error)}
    else:
        preview, refusal = bench.preview()
        context = {"bench": bench, "preview": preview, "refusal": refusal}
    return render(request, "mdm/_mapping_preview.html", context)


class VersionsPage(StaffPage):
    """The versions of a source's mapping: who made each, and what it changed."""

    permission_required = "mdm.view_fieldmapping"
    template_name = "mdm/mapping_versions.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the versions, the one in force first, each with what it changed."""
        source = get_object_or_404(SourceSystem, code=kwargs["code"])
        found = list(source.mappings.select_related("created_by"))
        older: list[FieldMapping | None] = [*found[1:], None]
        versions = [
            (version, changes(before.document, version.document), ())
            if before
            else (version, None, columns_in_words(version.document).items())
            for version, before in zip(found, older, strict=False)
        ]
        kwargs.setdefault("form", MappingFileForm())
        return super().get_context_data(
            **{**kwargs, "title": _("Mapping of %(source)s") % {"source": source}},
            source=source,
            versions=versions,
        )

    def post(self, request: HttpRequest, code: str) -> HttpResponseBase:
        """Take a mapping file as the next version."""
        source = get_object_or_404(SourceSystem, code=code)
        if not request.user.has_perm("mdm.add_fieldmapping"):
            return self.handle_no_permission()
        form = MappingFileForm(request.POST, request.FILES)
        if not form.is_valid():
            context = self.get_context_data(form=form, code=code)
            return self.render_to_response(context, status=422)
        reading = find_reading(code, form.cleaned_data["mapping"])
        if reading.mapping:
            messages.info(request, _("This mapping is in force already."))
        else:
            kept = keep_mapping(source, reading.document, by=staff_user(request))
            messages.success(
                request, _("Version %(version)d is in force.") % {"version": kept.version}
            )
        return redirect("mdm:mapping-versions", code=code)


@require_GET
@permission_required("mdm.view_fieldmapping", raise_exception=True)
def download_mapping(request: HttpRequest, pk: int) -> HttpResponse:
    """Return a version as the TOML file that a load or the page of versions takes."""
    mapping = get_object_or_404(FieldMapping.objects.select_related("source"), pk=pk)
    response = HttpResponse(
        to_toml(mapping.document), content_type="application/toml; charset=utf-8"
    )
    name = f"{mapping.source.code}-v{mapping.version}.toml"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _with_refusals(sent: QueryDict) -> QueryDict:
    """Take the column whose texts a person just said to be refusals for opt-outs by words."""
    prefix = sent.get("refusals")
    if not prefix:
        return sent
    changed = sent.copy()
    changed[f"{prefix}-attribute"], changed[f"{prefix}-by_words"] = "opt_out", "on"
    return changed


def _exchanged(sent: QueryDict) -> QueryDict:
    """Let the two columns that a person just exchanged be each what the other was."""
    prefixes = sent.get("exchange", "").split()
    if len(prefixes) != 2:
        return sent
    one, other = (f"{prefix}-attribute" for prefix in prefixes)
    changed = sent.copy()
    changed[one], changed[other] = sent.get(other, ""), sent.get(one, "")
    return changed


def own_draft(request: HttpRequest, pk: uuid.UUID) -> MappingDraft:
    """Return a draft of this person; somebody else's does not exist for her."""
    drafts = MappingDraft.objects.select_related("source")
    return get_object_or_404(drafts, pk=pk, created_by=request.user.pk)
