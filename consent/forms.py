"""Forms of the consent pages."""

import re
from datetime import date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.timezone import localdate
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

from consent.days import last_instant
from consent.models import ALL_CHANNELS, Channel, CollectionPoint, ConsentEvent, Purpose

_ORIGIN = re.compile(r"https?://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?")


class EventFilterForm(forms.Form):
    """What to look for among the consent events; sent by POST, since it may name a person."""

    text = forms.CharField(
        label=_("About whom"),
        required=False,
        max_length=200,
        widget=forms.TextInput(
            attrs={"placeholder": _("Name, e-mail, phone, customer id, source key…")}
        ),
    )
    type = forms.ChoiceField(label=_("What happened"), required=False)
    channel = forms.ChoiceField(label=_("Channel"), required=False)
    purpose = forms.ModelChoiceField(
        Purpose.objects.all(), label=_("Purpose"), required=False, empty_label=_("any")
    )
    evidence = forms.TypedChoiceField(
        label=_("Evidence"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[
            ("", _("any")),
            ("0", _("claims without proof")),
            ("1", _("level 1 at most")),
            ("2", _("level 2 at most")),
        ],
    )
    since = forms.DateField(
        label=_("Recorded from"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    until = forms.DateField(
        label=_("Recorded until"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Fill the choices, with "any" first."""
        super().__init__(*args, **kwargs)
        anything = [("", _("any"))]
        self.fields["type"].choices = anything + ConsentEvent.Type.choices  # type: ignore[attr-defined]
        self.fields["channel"].choices = [  # type: ignore[attr-defined]
            *anything,
            *Channel.choices,
            (ALL_CHANNELS, _("all channels")),
        ]


class LinesField(forms.CharField):
    """A list of words, edited as one word a line."""

    widget = UnfoldAdminTextareaWidget

    def prepare_value(self, value: Any) -> Any:
        """Show a list as lines."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """Read lines as a list without blanks."""
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare lists, not texts."""
        return bool(self.to_python(data) != (initial or []))


class PurposeForm(forms.ModelForm):  # type: ignore[type-arg]
    """A purpose, its product families one a line."""

    product_families = LinesField(
        label=_("Product families"),
        required=False,
        help_text=_("One a line; what offers for this purpose are about, unless they say so."),
    )

    class Meta:
        model = Purpose
        fields = (
            "code",
            "label_fr",
            "label_en",
            "nature",
            "product_families",
            "sector",
            "is_active",
        )


class CollectionPointForm(forms.ModelForm):  # type: ignore[type-arg]
    """A collection point, its allowed sites one a line."""

    allowed_origins = LinesField(
        label=_("Allowed web sites"),
        required=False,
        help_text=_("One a line, like https://www.example.org: sites that may embed the form."),
    )

    class Meta:
        model = CollectionPoint
        fields = (
            "code",
            "method",
            "title_fr",
            "title_en",
            "intro_fr",
            "intro_en",
            "allowed_origins",
            "is_active",
        )

    def clean_allowed_origins(self) -> list[str]:
        """Accept origins only, as browsers send them: they go into headers of the pages."""
        origins: list[str] = self.cleaned_data["allowed_origins"]
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                raise ValidationError(
                    _("“%(origin)s” is no address of a site: write https://www.example.org.")
                    % {"origin": origin[:80]}
                )
        return origins


class MomentForm(forms.Form):
    """The day a permission is asked about; the answer is that of its end, never of the future."""

    at = forms.DateField(
        label=_("As of"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    known_at = forms.DateField(
        label=_("As it was known on"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
    )

    def clean_at(self) -> date | None:
        """Refuse days to come: the law and the facts of then are not known."""
        return self._past("at")

    def clean_known_at(self) -> date | None:
        """Refuse days to come here too: nobody knows what will be known."""
        return self._past("known_at")

    def _past(self, name: str) -> date | None:
        day: date | None = self.cleaned_data[name]
        if day and day > localdate():
            raise ValidationError(_("Choose a day that is not in the future."))
        return day

    def knowledge(self) -> datetime | None:
        """Return the last instant of the day of knowledge; None for the day asked about."""
        day = self.cleaned_data.get("known_at") if self.is_valid() else None
        return last_instant(day) if day else None

    def moment(self) -> datetime | None:
        """Return the last instant of the chosen day; None for now, today included."""
        day = self.cleaned_data.get("at") if self.is_valid() else None
        if day is None or day >= localdate():
            return None
        return last_instant(day)
