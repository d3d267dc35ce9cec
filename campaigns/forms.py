"""The forms of campaigns: what they are for, first; then who, as rows of conditions."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from campaigns.columns import COLUMNS
from campaigns.models import Campaign
from campaigns.segment_fields import FIELDS, OPERATOR_LABELS, Kind
from consent.models import Channel, Purpose

_BLANK_ROWS = 2


def _channels() -> list[tuple[str, str]]:
    """Return the channels a file can be written for."""
    return [
        (str(value), capfirst(str(label))) for value, label in Channel.choices if value in COLUMNS
    ]


class CampaignForm(forms.ModelForm[Campaign]):
    """Purpose and channel come first: they decide who may be reached at all."""

    purpose = forms.ModelChoiceField(
        Purpose.objects.filter(is_active=True),
        label=_("Purpose"),
        empty_label=None,
        help_text=_("What you want to write or call about. It cannot be changed later."),
    )
    channel = forms.ChoiceField(
        choices=_channels,
        label=_("Channel"),
        help_text=_("Each channel has its own rules. It cannot be changed later."),
    )

    class Meta:
        model = Campaign
        fields = ["purpose", "channel", "product_family", "name", "note"]
        widgets = {
            "note": forms.Textarea(attrs={"rows": 3}),
            "product_family": forms.TextInput(attrs={"list": "families", "autocomplete": "off"}),
        }
        help_texts = {
            "product_family": _(
                "What the offer is about. Customers who bought something similar may be written"
                " to without a consent, if they did not object."
            ),
            "name": _("How you will find the campaign again."),
        }


def families() -> list[str]:
    """Return the product families a purpose or a sale names."""
    named = {family for purpose in Purpose.objects.all() for family in purpose.product_families}
    offered = FIELDS["product_family"].choices
    return sorted(named | {code for code, _label in (offered() if offered else [])})


def rows_from(sent: QueryDict) -> list[dict[str, str]]:
    """Return the rows of a sent segment form; those without a field or a value are dropped."""
    names = ("field", "operator", "value")
    rows = zip(*(sent.getlist(name) for name in names), strict=False)
    filled = (dict(zip(names, row, strict=True)) for row in rows)
    return [row for row in filled if row["field"] and row["value"].strip()]


def rows_shown(conditions: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """Return the rows to show: the conditions and some blank ones, so that it works without JS."""
    return [*conditions, *({"field": "", "operator": "", "value": ""},) * _BLANK_ROWS]


def field_options() -> list[dict[str, Any]]:
    """Return what the page offers: each field with its operators, choices and hint."""
    return [
        {
            "code": field.code,
            "label": str(field.label),
            "kind": str(field.kind),
            "hint": str(field.hint),
            "operators": [str(operator) for operator in field.operators],
            "choices": [
                [code, str(label)]
                for code, label in (field.choices() if field.choices else [])
                if field.kind == Kind.CHOICE
            ],
        }
        for field in FIELDS.values()
    ]


def operator_options() -> list[tuple[str, str]]:
    """Return every operator with its words."""
    return [(str(code), str(label)) for code, label in OPERATOR_LABELS.items()]
