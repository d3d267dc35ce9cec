"""Purposes and similar product families as files, through django-import-export."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from import_export import fields, widgets

from consent.models import Purpose, SimilarFamily
from mdm.resources import ReferenceResource

_BETWEEN = " | "


class _Families(widgets.Widget):
    """Product families in one cell, a bar between them."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> list[str]:
        return [part.strip() for part in str(value or "").split("|") if part.strip()]

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return _BETWEEN.join(value)


class PurposeResource(ReferenceResource):
    """Purposes; what past answers rest on cannot be changed by a file either."""

    product_families = fields.Field(
        attribute="product_families", column_name="product_families", widget=_Families()
    )

    class Meta(ReferenceResource.Meta):
        model = Purpose
        fields = (
            "code", "label_fr", "label_en", "nature", "product_families", "sector", "is_active"
        )  # fmt: skip

    def problem(self, instance: Purpose) -> dict[str, ValidationError]:
        """Refuse another nature for a purpose that exists."""
        known = Purpose.objects.filter(pk=instance.pk).values_list("nature", flat=True).first()
        if known in {None, instance.nature}:
            return {}
        return {"nature": ValidationError(_("The nature of a purpose cannot be changed."))}


class SimilarFamilyResource(ReferenceResource):
    """The matrix of similar families: a file adds rows and ends them; it removes none."""

    class Meta(ReferenceResource.Meta):
        model = SimilarFamily
        import_id_fields = ("sold", "offered")
        fields = ("sold", "offered", "reason", "declared_on", "ended_on")

    def problem(self, instance: SimilarFamily) -> dict[str, ValidationError]:
        """Refuse another begin for a row that exists: past answers rest on it."""
        known = SimilarFamily.objects.filter(pk=instance.pk).values_list("declared_on", flat=True)
        if known.first() in {None, instance.declared_on}:
            return {}
        return {
            "declared_on": ValidationError(_("The day from which it counts cannot be changed."))
        }
