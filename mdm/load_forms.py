"""The forms to load a file and to bring a mapping along."""

import json
import tomllib
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mdm.mapping import LAST_HEADER, FileOptions, MappingError
from mdm.mapping_forms import DELIMITERS, ENCODINGS
from mdm.mapping_parsing import parse_mapping
from mdm.models import FileMode, SourceSystem

_MAPPING_MAX_BYTES = 1 << 20
_OPTIONS = ("encoding", "delimiter", "sheet", "header")
NEW_SOURCE = "+"
"""Chosen in place of a source for the first file of a new one; no source has such a code."""


def _sources() -> list[tuple[str, Any]]:
    known = [(source.code, str(source)) for source in SourceSystem.objects.all()]
    return [("", _("Choose the source…")), (NEW_SOURCE, _("A new source")), *known]


class MappingFileForm(forms.Form):
    """A mapping as a file."""

    mapping = forms.FileField(
        label=gettext_lazy("Mapping file"),
        help_text=gettext_lazy("TOML or JSON, as it is downloaded here."),
        widget=forms.FileInput(attrs={"accept": ".toml,.json"}),
    )

    def clean_mapping(self) -> dict[str, Any] | None:
        """Return the document of the mapping, checked."""
        file: UploadedFile[bytes] | None = self.cleaned_data["mapping"]
        if not file:
            return None
        if (file.size or 0) > _MAPPING_MAX_BYTES:
            raise forms.ValidationError(_("The mapping is larger than 1 MB."))
        try:
            text = file.read().decode("utf-8")
            is_json = str(file.name).lower().endswith(".json")
            document: dict[str, Any] = json.loads(text) if is_json else tomllib.loads(text)
            parse_mapping(document)
        except MappingError as error:
            raise forms.ValidationError(str(error)) from error
        except (ValueError, TypeError, AttributeError) as error:
            raise forms.ValidationError(
                _("The mapping is not valid: %(reason)s.") % {"reason": str(error).rstrip(".")}
            ) from error
        return document


class LoadForm(MappingFileForm):
    """Which file, for which source, and how to read it."""

    source = forms.ChoiceField(
        required=False,  # A code of a new source says it, too; the browser asks for it anyway.
        label=gettext_lazy("Source system"),
        choices=_sources,
        widget=forms.Select(attrs={"required": True}),
    )
    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("CSV, XLSX or JSON lines, each also packed with gzip."),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx,.jsonl,.ndjson,.gz"}),
    )
    mode = forms.ChoiceField(
        required=False,
        label=gettext_lazy("What the file holds"),
        choices=[("", gettext_lazy("As declared for the source")), *FileMode.choices],
    )
    new_code = forms.SlugField(
        required=False,
        max_length=40,
        label=gettext_lazy("Code of the new source"),
        help_text=gettext_lazy("Only for a new source: a short name such as crm or shop."),
    )
    mapping = forms.FileField(
        required=False,
        label=gettext_lazy("Mapping file"),
        help_text=gettext_lazy(
            "TOML or JSON. Leave empty to read the file as the last one of this source, or to map"
            " its columns on the next page."
        ),
        widget=forms.FileInput(attrs={"accept": ".toml,.json"}),
    )

    encoding = forms.ChoiceField(choices=ENCODINGS, required=False, label=gettext_lazy("Encoding"))
    delimiter = forms.ChoiceField(
        choices=DELIMITERS, required=False, label=gettext_lazy("Delimiter")
    )
    sheet = forms.CharField(required=False, max_length=100, label=gettext_lazy("Sheet"))
    header = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=LAST_HEADER,
        label=gettext_lazy("Line with the names of the columns"),
    )

    def clean_file(self) -> "UploadedFile[bytes]":
        """Refuse a file beyond the limit of the installation."""
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if (file.size or 0) > settings.UPLOAD_MAX_MEGABYTES * 1_000_000:
            raise forms.ValidationError(
                _("The file is larger than %(limit)d MB: load it with the command, or split it.")
                % {"limit": settings.UPLOAD_MAX_MEGABYTES}
            )
        return file

    def clean_source(self) -> SourceSystem | None:
        """Return the source chosen; None for a new one."""
        return SourceSystem.objects.filter(code=self.cleaned_data["source"]).first()

    def clean(self) -> dict[str, Any]:
        """Ask for one source: a known one, or a new one with its code when it has a mapping."""
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        if cleaned.get("source") and cleaned.get("new_code"):
            self.add_error("new_code", _("Leave this empty to load for the source chosen above."))
        if not (self["source"].value() or cleaned.get("new_code")):
            self.add_error("source", _("Choose the source that the file comes from."))
        elif cleaned.get("mapping") and not (cleaned.get("source") or cleaned.get("new_code")):
            self.add_error("new_code", _("Give the code of the new source, or choose one above."))
        return cleaned

    @property
    def options(self) -> FileOptions:
        """How this one file is written, where the mapping is silent or wrong."""
        told = {name: self.cleaned_data[name] for name in _OPTIONS if self.cleaned_data[name]}
        return FileOptions(**told)

    @property
    def option_fields(self) -> list[forms.BoundField]:
        """The fields that say how the file is written."""
        return [self[name] for name in _OPTIONS]

    @property
    def are_options_told(self) -> bool:
        """True when somebody said how the file is written, or said it wrong."""
        return any(field.value() or field.errors for field in self.option_fields)

    @property
    def needs_mapping(self) -> bool:
        """True when nothing says yet what the columns of the file are."""
        source: SourceSystem | None = self.cleaned_data["source"]
        has_mapping = source is not None and source.mappings.exists()
        return not self.cleaned_data["mapping"] and not has_mapping

    @property
    def source_code(self) -> str:
        """The code of the source to load for; empty for one to be named on the next page."""
        source: SourceSystem | None = self.cleaned_data["source"]
        return source.code if source else str(self.cleaned_data["new_code"])
