"""Reference tables in the admin: lists and forms that also come from and leave as small files."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from import_export.admin import ImportExportModelAdmin
from import_export.formats.base_formats import CSV, JSON
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin
from unfold.contrib.import_export.forms import ExportForm, ImportForm
from unfold.widgets import UnfoldAdminTextareaWidget

from mdm.mapping_forms import EntriesField
from mdm.models import ValueMap
from mdm.resources import ValueMapResource

_MAX_BYTES = 1 << 20


class SmallImportForm(ImportForm):
    """The library's form for files of a reference table, which are small."""

    def clean_import_file(self) -> Any:
        """Refuse a file that can be no reference table: it is read within the request."""
        file = self.cleaned_data["import_file"]
        if (file.size or 0) > _MAX_BYTES:
            raise ValidationError(_("The file is larger than 1 MB: load customers as a file."))
        return file


class ReferenceTableAdmin(SimpleHistoryAdmin, ModelAdmin, ImportExportModelAdmin):
    """A reference table with its history, and import and export for those who may.

    A workbook may unfold to gigabytes within the request, so it is CSV or JSON.
    """

    formats: ClassVar[list[Any]] = [CSV, JSON]
    import_form_class = SmallImportForm
    export_form_class = ExportForm


class ValueMapForm(forms.ModelForm[ValueMap]):
    """A value map, its entries one pair a line."""

    entries = EntriesField(
        label=gettext_lazy("Entries"),
        help_text=gettext_lazy("One pair a line: value in the file = what it means."),
        widget=UnfoldAdminTextareaWidget,
    )

    class Meta:
        model = ValueMap
        fields = ("code", "label", "entries")


@admin.register(ValueMap)
class ValueMapAdmin(ReferenceTableAdmin):
    """Value maps that the mapping page offers; mappings copy their entries."""

    form = ValueMapForm
    list_display = ("label", "code", "entry_count")
    search_fields = ("label", "code")
    resource_classes = (ValueMapResource,)

    @admin.display(description=gettext_lazy("entries"))
    def entry_count(self, value_map: ValueMap) -> int:
        """Return how many values it explains."""
        return len(value_map.entries)
