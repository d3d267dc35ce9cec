"""Small reference tables as files, through django-import-export: preview, validation, history.

Files of customers never pass here: they are loaded (mdm/loading), which is some hundred times
faster and keeps what it refuses.
"""

import json
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.translation import gettext as _
from import_export import fields, resources, widgets
from import_export.results import Error
from phonenumbers import SUPPORTED_REGIONS

from mdm.models import SourceSystem, ValueMap
from mdm.rejects import as_sent, inert


class _InWords(Error):
    """What went wrong, without the places in the program that the library's page would show."""

    traceback = ""


class ReferenceResource(resources.ModelResource):
    """A table whose rows are known by their code; every row is validated as a form's would be."""

    class Meta:
        import_id_fields: tuple[str, ...] = ("code",)
        clean_model_instances = True
        skip_unchanged = True
        report_skipped = True
        use_transactions = True

    @classmethod
    def get_error_result_class(cls) -> type[Error]:
        """Keep the program's own paths from the page."""
        return _InWords

    def before_import_row(self, row: Any, **kwargs: Any) -> None:
        """Take back the quote that kept a spreadsheet from running a cell."""
        row.update(as_sent({name: str(value or "") for name, value in row.items()}))

    def export_field(self, field: Any, instance: Model, **kwargs: Any) -> Any:
        """Write no cell that a spreadsheet would run as a formula."""
        value = super().export_field(field, instance, **kwargs)
        return inert(value) if isinstance(value, str) else value

    def validate_instance(
        self,
        instance: Any,
        import_validation_errors: Mapping[str, Any] | None = None,
        validate_unique: bool = True,  # noqa: FBT001, FBT002  (the library's signature)
    ) -> None:
        """Add what the table asks of a row to what its model asks."""
        errors = dict(import_validation_errors or {})
        if problem := self.problem(instance):
            errors |= problem
        super().validate_instance(instance, errors, validate_unique)

    def problem(self, instance: Any) -> dict[str, ValidationError]:
        """Return what is wrong with a row beyond its model's own rules, by field."""
        return {}


class SourceSystemResource(ReferenceResource):
    """Source systems without what they sent."""

    class Meta(ReferenceResource.Meta):
        model = SourceSystem
        fields = (
            "code",
            "label",
            "trust",
            "region",
            "file_mode",
            "one_record_per_person",
            "owner",
        )

    def problem(self, instance: SourceSystem) -> dict[str, ValidationError]:
        """Refuse a country nobody has numbers of."""
        if instance.region in SUPPORTED_REGIONS:
            return {}
        words = _("“%(region)s” is not a country of two capital letters.")
        return {"region": ValidationError(words % {"region": instance.region})}


class _Entries(widgets.Widget):
    """A table of texts as a JSON object."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> dict[str, str]:
        try:
            found = json.loads(value or "{}")
        except ValueError:
            found = None
        if not isinstance(found, dict) or not all(isinstance(v, str) for v in found.values()):
            raise ValueError(_('The entries are a JSON object of texts, such as {"O": "yes"}.'))
        return found

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return json.dumps(value, ensure_ascii=False)


class ValueMapResource(ReferenceResource):
    """Value maps, their entries as JSON."""

    entries = fields.Field(attribute="entries", column_name="entries", widget=_Entries())

    class Meta(ReferenceResource.Meta):
        model = ValueMap
        fields = ("code", "label", "entries")
