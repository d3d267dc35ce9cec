"""The form of a drafted policy pack: every parameter a field, in words, in one document."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent.facts import ANY
from consent.models import Channel, PolicyVersion, Purpose
from consent.policy_documents import BOUNDS, VALIDITY_MONTHS, PolicyRefused, completed, read_pack
from consent.policy_words import GROUPS, PARAMETERS, SALE_KIND_LABELS, Parameter
from consent.presentation import EVIDENCE_LABELS

_WINDOWS = ("call_start_1", "call_end_1", "call_start_2", "call_end_2")
_MAX_FILE_BYTES = 100_000


@dataclass(frozen=True, slots=True)
class FormLine:
    """One parameter with the fields it is typed in."""

    parameter: Parameter
    fields: Sequence[BoundField]

    @property
    def is_wide(self) -> bool:
        """Tell whether the fields need a line of their own."""
        return len(self.fields) > 1 or isinstance(
            self.fields[0].field.widget, forms.CheckboxSelectMultiple
        )

    @property
    def errors(self) -> list[str]:
        """Return what is wrong with any of the fields."""
        return [str(error) for field in self.fields for error in field.errors]

    @property
    def unit(self) -> str:
        """Return what the figure counts, after the figure in the field."""
        figure = self.fields[0].value()
        return self.parameter.unit_for(int(figure) if str(figure).isdecimal() else 2)


@dataclass(frozen=True, slots=True)
class GridRow:
    """A row of fields beside a name."""

    label: str
    fields: Sequence[BoundField]


class PolicyForm(forms.Form):
    """Reads and writes the document of a pack; what it cannot show goes through unchanged."""

    valid_from = forms.DateField(
        label=gettext_lazy("Law from"), widget=forms.DateInput({"type": "date"}, "%Y-%m-%d")
    )
    note = forms.CharField(label=gettext_lazy("Why"), max_length=200, required=False)

    def __init__(self, data: Any = None, *, draft: PolicyVersion) -> None:
        """Make the fields for the purposes there are, filled with what the draft says."""
        self._document = completed(draft.parameters)
        self._purposes = [(ANY, _("every purpose"))] + [
            (purpose.code, str(purpose))
            for purpose in Purpose.objects.filter(is_active=True).exclude(
                nature=Purpose.Nature.SERVICE
            )
        ]
        initial = {"valid_from": draft.valid_from, "note": draft.note, **_initial(self._document)}
        super().__init__(data, initial=initial)
        self.fields.update(_single_fields())
        self.fields.update(_channel_fields())
        for channel, _label in self._channels():
            for code, _label in self._purposes:
                self.fields[_cell(channel, code)] = _number(VALIDITY_MONTHS, required=False)

    def groups(self) -> Iterator[tuple[str, list[FormLine]]]:
        """Yield the single parameters under their titles."""
        for title, names in GROUPS:
            yield (
                str(title),
                [FormLine(PARAMETERS[n], [self[f] for f in _fields_of(n)]) for n in names],
            )

    def evidence_rows(self) -> list[GridRow]:
        """Return for each channel the level of evidence and whether it takes a double opt-in."""
        return [
            GridRow(str(c.label), [self[f"evidence_{c}"], self[f"double_{c}"]]) for c in Channel
        ]

    def validity_rows(self) -> list[GridRow]:
        """Return for each channel the months by purpose."""
        return [
            GridRow(label, [self[_cell(channel, code)] for code, _label in self._purposes])
            for channel, label in self._channels()
        ]

    def purpose_labels(self) -> list[str]:
        """Return the head of the grid of validity."""
        return [label for _code, label in self._purposes]

    def clean(self) -> dict[str, Any]:
        """Refuse what no pack may say."""
        if not self.errors:
            try:
                read_pack(self.document())
            except PolicyRefused as refusal:
                raise ValidationError(str(refusal)) from refusal
        return self.cleaned_data

    def document(self) -> dict[str, Any]:
        """Return the document that was typed."""
        typed = self.cleaned_data
        return {
            **self._document,
            **{name: typed[name] for name in BOUNDS},
            "phone_switch": typed["phone_switch"].isoformat(),
            "information_is_attested": typed["information_is_attested"],
            "soft_opt_in_sale_kinds": sorted(typed["soft_opt_in_sale_kinds"]),
            "call_hours": list(_windows(typed)),
            "evidence_minimum": {str(c): int(typed[f"evidence_{c}"]) for c in sorted(Channel)},
            "confirmation_required": sorted(str(c) for c in Channel if typed[f"double_{c}"]),
            "consent_validity": list(self._validity(typed)),
        }

    def _validity(self, typed: dict[str, Any]) -> Iterator[dict[str, Any]]:
        shown = {code for code, _label in self._purposes}
        kept = [row for row in self._document["consent_validity"] if row["purpose"] not in shown]
        stated = [
            {"channel": channel, "purpose": code, "months": typed[_cell(channel, code)]}
            for channel, _label in self._channels()
            for code, _label in self._purposes
            if typed[_cell(channel, code)]
        ]
        yield from sorted(kept + stated, key=lambda row: (row["channel"], row["purpose"]))

    @staticmethod
    def _channels() -> list[tuple[str, str]]:
        return [(ANY, _("every channel")), *((str(c), str(c.label)) for c in Channel)]


class PolicyFileForm(forms.Form):
    """A pack as a file."""

    file = forms.FileField(label=gettext_lazy("File of a pack (JSON)"))

    def clean_file(self) -> Any:
        """Refuse what is too large to be a pack."""
        file = self.cleaned_data["file"]
        if file.size > _MAX_FILE_BYTES:
            raise ValidationError(_("This file is too large to be a policy pack."))
        return file


def _initial(document: dict[str, Any]) -> dict[str, Any]:
    edges = [edge for window in document["call_hours"] for edge in window]
    return {
        **{name: document[name] for name in BOUNDS},
        "phone_switch": document["phone_switch"],
        "information_is_attested": document["information_is_attested"],
        "soft_opt_in_sale_kinds": document["soft_opt_in_sale_kinds"],
        **dict(zip(_WINDOWS, edges, strict=False)),
        **{f"evidence_{c}": level for c, level in document["evidence_minimum"].items()},
        **{f"double_{channel}": True for channel in document["confirmation_required"]},
        **{
            _cell(row["channel"], row["purpose"]): row["months"]
            for row in document["consent_validity"]
        },
    }


def _single_fields() -> dict[str, forms.Field]:
    optional = {"soft_opt_in_months"}
    fields: dict[str, forms.Field] = {
        name: _number(bounds, required=name not in optional) for name, bounds in BOUNDS.items()
    }
    fields["phone_switch"] = forms.DateField(widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    fields["information_is_attested"] = forms.BooleanField(required=False)
    fields["soft_opt_in_sale_kinds"] = forms.MultipleChoiceField(
        choices=list(SALE_KIND_LABELS.items()), widget=forms.CheckboxSelectMultiple, required=False
    )
    for place, name in enumerate(_WINDOWS):
        fields[name] = forms.TimeField(
            widget=forms.TimeInput({"type": "time"}, "%H:%M"), required=place < 2
        )
    for name, field in fields.items():
        parameter = PARAMETERS.get(name, PARAMETERS["call_hours"])
        field.label = str(parameter.label)
        field.widget.attrs["aria-label"] = str(parameter.label)
    return fields


def _channel_fields() -> dict[str, forms.Field]:
    fields: dict[str, forms.Field] = {}
    levels = [(int(level), f"{int(level)} · {label}") for level, label in EVIDENCE_LABELS.items()]
    for channel in Channel:
        fields[f"evidence_{channel}"] = forms.TypedChoiceField(choices=levels, coerce=int)
        fields[f"double_{channel}"] = forms.BooleanField(required=False)
    return fields


def _number(bounds: tuple[int, int], *, required: bool) -> forms.IntegerField:
    return forms.IntegerField(min_value=bounds[0], max_value=bounds[1], required=required)


def _fields_of(name: str) -> Sequence[str]:
    return _WINDOWS if name == "call_hours" else (name,)


def _cell(channel: str, purpose: str) -> str:
    return f"months_{channel}_{purpose}"


def _windows(typed: dict[str, Any]) -> Iterator[list[str]]:
    for start, end in (_WINDOWS[:2], _WINDOWS[2:]):
        edges: list[time | None] = [typed[start], typed[end]]
        if any(edges):
            yield [f"{edge:%H:%M}" if edge else "" for edge in edges]
