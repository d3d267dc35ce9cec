"""The form to load a file."""

import json
import tomllib
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mdm.mapping import MappingError, parse_mapping
from mdm.models import FileMode, SourceSystem

_MAPPING_MAX_BYTES = 1 << 20


class LoadForm(forms.Form):
    """Which file, for which source, and how to read it."""

    source = forms.ModelChoiceField(
        SourceSystem.objects.all(),
        required=False,
        label=gettext_lazy("Source system"),
        to_field_name="code",
        empty_label=gettext_lazy("A new source, named below"),
    )
    new_code = forms.SlugField(
        required=False,
        max_length=40,
        label=gettext_lazy("Code of the new source"),
        help_text=gettext_lazy("Only for a new source: a short name such as crm or shop."),
    )
    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("CSV or XLSX, with the names of the columns in the first line."),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx"}),
    )
    mode = forms.ChoiceField(
        required=False,
        label=gettext_lazy("What the file holds"),
        choices=[("", gettext_lazy("As declared for the source")), *FileMode.choices],
    )
    mapping = forms.FileField(
        required=False,
        label=gettext_lazy("New field mapping"),
        help_text=gettext_lazy(
            "TOML or JSON. Leave empty to read the file as the last one of this source."
        ),
        widget=forms.FileInput(attrs={"accept": ".toml,.json"}),
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

    def clean(self) -> dict[str, Any]:
        """Ask for one source: a known one, or the code of a new one with its mapping."""
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        if not cleaned.get("source") and not cleaned.get("new_code"):
            self.add_error("source", _("Choose a source, or give the code of a new one."))
        if cleaned.get("source") and cleaned.get("new_code"):
            self.add_error("new_code", _("Leave this empty to load for the source chosen above."))
        if cleaned.get("new_code") and not cleaned.get("mapping"):
            self.add_error("mapping", _("A new source needs its field mapping."))
        return cleaned

    @property
    def source_code(self) -> str:
        """The code of the source to load for."""
        source: SourceSystem | None = self.cleaned_data["source"]
        return source.code if source else str(self.cleaned_data["new_code"])
