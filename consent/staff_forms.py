"""Forms of staff: a consent received off-line, the answer to a request."""

from datetime import datetime, time
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.timezone import localdate, make_aware, now
from django.utils.translation import gettext_lazy as _

from consent.facts import CHANNEL_KINDS
from consent.models import Channel, Evidence, NoticeVersion, Purpose
from consent.offline import OfflineConsent, OfflineRefused, file_type
from consent.public.forms import rights
from mdm.models import ContactPoint, Customer

_KINDS = (Evidence.Kind.SIGNED_PAPER, Evidence.Kind.RECORDING, Evidence.Kind.LETTER)
_CHANNELS = (Channel.EMAIL, Channel.SMS, Channel.PHONE, Channel.POST)


class OfflineConsentForm(forms.Form):
    """A consent received off-line, with the proof it cannot do without."""

    contact_point = forms.ModelChoiceField(
        ContactPoint.objects.none(), label=_("Contact point"), empty_label=None
    )
    channel = forms.ChoiceField(
        label=_("Channel"), choices=[(channel.value, channel.label) for channel in _CHANNELS]
    )
    purpose = forms.ModelChoiceField(
        Purpose.objects.filter(is_active=True).exclude(nature=Purpose.Nature.SERVICE),
        label=_("Purpose"),
        empty_label=None,
    )
    given_on = forms.DateField(
        label=_("Day of the consent"), widget=forms.DateInput(attrs={"type": "date"})
    )
    notice = forms.ModelChoiceField(
        NoticeVersion.objects.filter(withdrawal=None),
        label=_("Words the person was shown"),
        help_text=_("The notice printed on the form or read out in the call."),
    )
    kind = forms.ChoiceField(
        label=_("Proof"), choices=[(kind.value, kind.label) for kind in _KINDS]
    )
    reference = forms.CharField(
        label=_("Reference of the document"),
        required=False,
        max_length=200,
        help_text=_("Where it is kept: a number or a shelf, no name."),
    )
    file = forms.FileField(
        label=_("The document itself"),
        required=False,
        help_text=_("PDF, PNG, JPEG, WAV, MP3 or Ogg, up to 10 MB. Signed or recorded: level 4."),
    )

    def __init__(self, customer: Customer, *args: Any, **kwargs: Any) -> None:
        """Offer the contact points that the customer's records carry."""
        super().__init__(*args, **kwargs)
        points = ContactPoint.objects.filter(
            records__customer=customer, records__status="active"
        ).distinct()
        self.fields["contact_point"].queryset = points.order_by("kind", "pk")  # type: ignore[attr-defined]

    def clean_given_on(self) -> datetime:
        """Return an instant of the day, never one to come."""
        day = self.cleaned_data["given_on"]
        if day > localdate():
            raise ValidationError(_("Choose a day that is not in the future."))
        # Its beginning: a refusal of the same day then prevails, whatever its hour.
        return min(make_aware(datetime.combine(day, time.min)), now())

    def clean_file(self) -> Any:
        """Refuse what is no document, by its content."""
        file = self.cleaned_data["file"]
        if file:
            try:
                file_type(file)
            except OfflineRefused as refusal:
                raise ValidationError(str(refusal)) from refusal
        return file

    def clean(self) -> dict[str, Any]:
        """Ask for a proof, and for a channel that the contact point serves."""
        values = self.cleaned_data
        if not values.get("reference") and not values.get("file") and "file" not in self.errors:
            self.add_error(
                "reference", _("Name the document, or add it: a consent needs its proof.")
            )
        point, channel = values.get("contact_point"), values.get("channel")
        if point and channel and point.kind not in CHANNEL_KINDS[channel]:
            self.add_error("channel", _("This contact point does not serve that channel."))
        return values

    def told(self) -> OfflineConsent:
        """Return the consent, for the service."""
        values = self.cleaned_data
        return OfflineConsent(
            contact_point=values["contact_point"],
            channel=values["channel"],
            purpose=values["purpose"],
            notice=values["notice"],
            given_at=values["given_on"],
            kind=values["kind"],
            reference=values["reference"],
            file=values["file"],
        )


class ReceivedRequestForm(forms.Form):
    """A request that came by letter, phone or in the shop."""

    kind = forms.ChoiceField(label=_("Right"), choices=rights)
    message = forms.CharField(
        label=_("In the person's words"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class AnswerForm(forms.Form):
    """What was answered, and how."""

    note = forms.CharField(
        label=_("What was answered, how and when"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
