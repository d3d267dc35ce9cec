"""Source systems and the versions of their field mappings."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from mdm.admin.reference_tables import ReferenceTableAdmin
from mdm.mapping import MappingError
from mdm.mapping_parsing import parse_mapping
from mdm.mapping_words import columns_in_words
from mdm.models import FieldMapping, LoadBatch, SourceSystem
from mdm.resources import SourceSystemResource
from mdm.source_pages import doors_of


@admin.register(SourceSystem)
class SourceSystemAdmin(ReferenceTableAdmin):
    """Trust, region and file mode of each source; who changed them, and when."""

    list_display = ("label", "code", "trust", "region", "file_mode", "batch_count", "owner")
    fields = (
        "code",
        "label",
        "trust",
        "region",
        "file_mode",
        "one_record_per_person",
        "owner",
        "broker",
        "broker_contract",
        "watched_folder",
        "database_variable",
        "database_query",
    )
    search_fields = ("label", "code", "owner")
    resource_classes = (SourceSystemResource,)
    history_list_display = ("trust", "region", "file_mode", "broker", "database_variable")
    change_form_outer_before_template = "mdm/_source_doors.html"

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show above the form how the source's customers come in."""
        source = self.get_object(request, unquote(object_id))
        doors = doors_of(source) if source and self.has_view_permission(request, source) else None
        context = {**(extra_context or {}), "doors": doors}
        page: HttpResponse = super().change_view(request, object_id, form_url, context)
        return page

    def get_queryset(self, request: HttpRequest) -> QuerySet[SourceSystem]:
        """Count the files in the same query."""
        sources: QuerySet[SourceSystem] = super().get_queryset(request)
        return sources.annotate(files=Count("batches"))

    @admin.display(description=_("loaded files"), ordering="files")
    def batch_count(self, source: SourceSystem) -> int:
        """Return how many files were loaded."""
        return int(getattr(source, "files", 0))

    def get_readonly_fields(
        self, request: HttpRequest, obj: SourceSystem | None = None
    ) -> tuple[str, ...]:
        """The code is fixed once files may name it; a broker stays one once a file came."""
        if obj is None:
            return ()
        return ("code", "broker") if obj.is_broker and obj.batches.exists() else ("code",)

    def has_delete_permission(self, request: HttpRequest, obj: SourceSystem | None = None) -> bool:
        """Only a source without files can go."""
        is_used = obj is not None and LoadBatch.objects.filter(source=obj).exists()
        return not is_used and super().has_delete_permission(request, obj)


class FieldMappingForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new version of a mapping; its document is checked as `load` would."""

    class Meta:
        model = FieldMapping
        fields = ("source", "document")

    def clean_document(self) -> dict[str, Any]:
        """Refuse a document that a load could not follow."""
        document: dict[str, Any] = self.cleaned_data["document"]
        try:
            parse_mapping(document if isinstance(document, dict) else {})
        except MappingError as error:
            raise ValidationError(str(error)) from error
        return document


@admin.register(FieldMapping)
class FieldMappingAdmin(ModelAdmin):
    """Versions of mappings. A version is never changed: batches name the one they were read by."""

    form = FieldMappingForm
    list_display = ("source", "version", "created_by", "created_at")
    list_filter = ("source",)
    list_select_related = ("source", "created_by")

    def get_fields(self, request: HttpRequest, obj: FieldMapping | None = None) -> list[str]:
        """Ask for source and document; show the columns of a version that exists."""
        if obj is None:
            return ["source", "document"]
        return ["source", "version", "columns", "file_options", "created_by", "created_at"]

    def get_readonly_fields(
        self, request: HttpRequest, obj: FieldMapping | None = None
    ) -> list[str]:
        """Show everything of a version that exists, change nothing."""
        return self.get_fields(request, obj) if obj else []

    def has_change_permission(self, request: HttpRequest, obj: FieldMapping | None = None) -> bool:
        """A change is a new version."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: FieldMapping | None = None) -> bool:
        """A version stays as long as its source."""
        return False

    def save_model(
        self,
        request: HttpRequest,
        obj: FieldMapping,
        form: "forms.ModelForm[FieldMapping]",
        change: bool,  # noqa: FBT001  (Django's signature)
    ) -> None:
        """Give the version its number and author."""
        latest = FieldMapping.objects.filter(source=obj.source).first()
        obj.version = latest.version + 1 if latest else 1
        obj.created_by_id = request.user.pk
        super().save_model(request, obj, form, change)

    @admin.display(description=_("columns"))
    def columns(self, mapping: FieldMapping) -> SafeString:
        """Return the columns as a table: name, and what it is."""
        rows = columns_in_words(mapping.document).items()
        body = format_html_join("", '<tr><td class="o-mono">{}</td><td>{}</td></tr>', rows)
        return format_html(
            '<div class="o-table-wrap"><table class="o-table"><thead><tr><th>{}</th><th>{}</th>'
            "</tr></thead><tbody>{}</tbody></table></div>",
            _("Column"),
            _("What it is"),
            body,
        )

    @admin.display(description=_("file"))
    def file_options(self, mapping: FieldMapping) -> str:
        """Return encoding, delimiter and sheet where they are declared."""
        options = mapping.document.get("file", {})
        return ", ".join(f"{name}: {value}" for name, value in options.items()) or "–"
