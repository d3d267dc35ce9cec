"""What a visitor may type: checked, and refused in words that tell nothing about anybody."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from consent.double_opt_in import SignUp, TickedBox
from consent.facts import CHANNEL_KINDS, ChannelCode
from consent.models import CollectionPoint, NoticeVersion, RightsRequest
from consent.notices import OfferedChoice, offered_choices
from consent.phone_lines import is_mobile
from mdm.standardise.emails import standardise_email
from mdm.standardise.phones import standardise_phones

HONEYPOT = "website"


class SignUpForm(forms.Form):
    """A sign-up: an address, names if she likes, a number where texts or calls are offered.

    Each box is sent as the key of the notice version that stood beside it.
    """

    email = forms.CharField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email"}),
    )
    given_name = forms.CharField(
        label=_("Given name"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
    )
    family_name = forms.CharField(
        label=_("Family name"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "family-name"}),
    )
    phone = forms.CharField(
        label=_("Mobile phone"),
        max_length=32,
        required=False,
        help_text=_("Only if you ticked a box that needs it."),
        widget=forms.TextInput(attrs={"autocomplete": "tel", "type": "tel"}),
    )

    def __init__(self, point: CollectionPoint, language: str, data: Any = None) -> None:
        """Offer the boxes of a collection point in a language."""
        super().__init__(data)
        self.language = language
        self.offered: Sequence[OfferedChoice] = offered_choices(point, language)
        if not any(needs_phone(offer.choice.channel) for offer in self.offered):
            del self.fields["phone"]

    @property
    def boxes(self) -> list[tuple[OfferedChoice, bool]]:
        """The boxes with whether they were ticked; none is, before she ticks it."""
        return [(offer, _name(offer) in self.data) for offer in self.offered]

    @property
    def is_trapped(self) -> bool:
        """Tell whether the field that people do not see was filled in: a machine did it."""
        return bool(str(self.data.get(HONEYPOT, "")).strip())

    def clean_email(self) -> str:
        """Accept one plain address; a line break or a second one is refused."""
        typed = self.cleaned_data["email"].strip()
        found = standardise_email(typed)
        is_plain = found.value.casefold() == typed.casefold() and "several" not in found.codes
        if not found.value or not is_plain:
            raise ValidationError(_("This is not an e-mail address."))
        return found.value

    def clean_phone(self) -> str:
        """Accept one valid number, or none."""
        numbers = standardise_phones(self.cleaned_data["phone"], "FR")
        if not numbers:
            return ""
        if len(numbers) > 1 or not numbers[0].is_valid:
            raise ValidationError(_("This is not a phone number."))
        return numbers[0].value

    def clean(self) -> dict[str, Any]:
        """Ask for one box at least, and for the number that a ticked one needs."""
        ticked = [offer for offer, is_ticked in self.boxes if is_ticked]
        if not ticked:
            raise ValidationError(_("Tick what you would like to receive."))
        self.cleaned_data["boxes"] = [self._box(offer) for offer in ticked]
        channels = {offer.choice.channel for offer in ticked if needs_phone(offer.choice.channel)}
        phone = self.cleaned_data.get("phone", "")
        if channels and not phone and "phone" not in self.errors:
            self.add_error("phone", _("Your number is needed for what you ticked."))
        if ChannelCode.SMS in channels and phone and is_mobile(phone) is False:
            self.add_error("phone", _("Texts need a mobile number."))
        if not channels:
            self.cleaned_data["phone"] = ""  # Nobody asked for it: it is not kept.
        return self.cleaned_data

    def signed_up(self, *, origin: str, network: str | None) -> SignUp:
        """Return what was typed, for the service."""
        values = self.cleaned_data
        return SignUp(
            email=values["email"],
            boxes=values["boxes"],
            language=self.language,
            given_name=values["given_name"].strip(),
            family_name=values["family_name"].strip(),
            phone=values.get("phone", ""),
            origin=origin,
            network=network,
        )

    def _box(self, offer: OfferedChoice) -> TickedBox:
        """Return a ticked box with the very version that was shown, if it is one of its notice."""
        shown = str(self.data.get(_name(offer)))
        notice = offer.notice
        if shown != str(notice.pk) and shown.isdecimal():
            earlier = NoticeVersion.objects.filter(pk=int(shown), code=notice.code).first()
            if earlier is None:
                raise ValidationError(_("The words of this form have changed: read them again."))
            notice = earlier
        return TickedBox(offer.choice.purpose, offer.choice.channel, notice)


def rights() -> list[tuple[str, str]]:
    """Return the rights a person may ask for, as a list begins a line."""
    return [(kind.value, capfirst(str(kind.label))) for kind in RightsRequest.Kind]


class RequestForm(forms.Form):
    """What a person asks of the company about her data."""

    kind = forms.ChoiceField(label=_("What do you ask for?"), choices=rights)
    message = forms.CharField(
        label=_("Details, if you like"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


def needs_phone(channel: str) -> bool:
    """Tell whether a channel reaches people by number."""
    return "email" not in CHANNEL_KINDS[channel]


def form_data(document: Mapping[str, Any], offered: Sequence[OfferedChoice]) -> dict[str, str]:
    """Return a JSON sign-up as the form reads it.

    `choices` is a list of {purpose, channel, notice}: the digest of the words that were shown.
    """
    data = {
        name: str(document.get(name) or "")
        for name in ("email", "given_name", "family_name", "phone", HONEYPOT)
    }
    wanted = document.get("choices")
    for wish in wanted if isinstance(wanted, list) else []:
        for offer in offered if isinstance(wish, dict) else []:
            key = (offer.choice.purpose.code, offer.choice.channel)
            if (wish.get("purpose"), wish.get("channel")) == key:
                shown = NoticeVersion.objects.filter(
                    code=offer.notice.code, sha256=str(wish.get("notice", ""))
                ).first()
                data[_name(offer)] = str(shown.pk if shown else 0)
    return data


def _name(offer: OfferedChoice) -> str:
    return f"choice-{offer.choice.pk}"
