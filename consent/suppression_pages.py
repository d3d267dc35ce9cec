"""The DPO's page of suppression lists: bring one, ask about one contact point, switch one off."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext

from consent.models import ALL_CHANNELS, Channel, SuppressionList
from consent.suppression import (
    Added,
    Asked,
    Contact,
    LeftOut,
    ListRefused,
    add_list,
    lists_with,
    lost_line_count,
    read_contacts,
    read_residents,
)
from mdm.audit import acting_as
from mdm.pages import StaffPage, log_access, staff_user
from mdm.reasons import reason_of

MAX_FILE_BYTES = 5 * 1024 * 1024


class AddForm(forms.Form):
    """A list from outside: its name, what it forbids, and its lines as text or as a file."""

    name = forms.CharField(
        label=gettext_lazy("Name of the list"),
        max_length=80,
        help_text=gettext_lazy(
            "Such as “Robinson, November 2026”. A name that exists is added to."
        ),
    )
    register = forms.ChoiceField(
        label=gettext_lazy("Register"),
        choices=[
            ("", gettext_lazy("none: a list of one's own")),
            *SuppressionList.Register.choices,
        ],
        required=False,
        help_text=gettext_lazy(
            "Bloctel counts for calls until 10 August 2026 if it was asked in the thirty days "
            "before; Robinson and e-Robinson for people known from brokers."
        ),
    )
    checked_on = forms.DateField(
        label=gettext_lazy("Day the register was asked"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    reference = forms.CharField(
        label=gettext_lazy("Reference of its answer"), required=False, max_length=100
    )
    channel = forms.ChoiceField(
        label=gettext_lazy("Forbids"),
        choices=[(ALL_CHANNELS, gettext_lazy("every channel")), *Channel.choices],
        required=False,
        help_text=gettext_lazy("A register says this itself."),
    )
    lines = forms.CharField(
        label=gettext_lazy("E-mail addresses and phone numbers, one a line"),
        required=False,
        help_text=gettext_lazy("For Robinson (post): family name; street with number; postcode."),
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false"}),
    )
    file = forms.FileField(
        label=gettext_lazy("or a text file of them"),
        required=False,
        help_text=gettext_lazy(
            "UTF-8; of a CSV the first column counts. Up to 5 MB; the command takes more."
        ),
    )

    def clean_file(self) -> Any:
        """Refuse what is too large."""
        file = self.cleaned_data["file"]
        if file and file.size > MAX_FILE_BYTES:
            raise forms.ValidationError(
                _("The file is larger than 5 MB: use the command “suppress”.")
            )
        return file

    def clean_checked_on(self) -> date | None:
        """Ask a register for its day, which is none to come."""
        day: date | None = self.cleaned_data["checked_on"]
        if day is None and self.cleaned_data.get("register"):
            raise forms.ValidationError(_("Say on which day the register was asked."))
        if day and day > localdate():
            raise forms.ValidationError(_("Choose a day that is not in the future."))
        return day

    def asked(self) -> Asked | None:
        """Return the register with its day; None for a list of one's own."""
        told = self.cleaned_data
        if not told["register"]:
            return None
        return Asked(told["register"], told["checked_on"], told["reference"])

    def contacts(self, left_out: LeftOut) -> Iterator[Contact]:
        """Yield what the lines name, as the register knows people."""
        is_post = self.cleaned_data["register"] == SuppressionList.Register.ROBINSON
        read = read_residents if is_post else read_contacts
        return read(self.listed(), left_out)

    def listed(self) -> Iterator[str]:
        """Yield the lines of the text, then those of the file."""
        yield from self.cleaned_data["lines"].splitlines()
        for line in self.cleaned_data["file"] or ():
            yield line.decode("utf-8-sig", "replace")


class SuppressionPage(StaffPage):
    """The lists with their size; lines are fingerprints, so none can be shown."""

    permission_required = "consent.view_suppressionlist"
    template_name = "consent/suppression.html"
    title = gettext_lazy("Suppression lists")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the lists, the form, and what a wrong key costs."""
        return super().get_context_data(
            lists=SuppressionList.objects.annotate(line_count=Count("lines")).prefetch_related(
                "checks"
            ),
            form=kwargs.pop("form", None) or AddForm(),
            lost=lost_line_count(),
            **kwargs,
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Ask about one contact point, add a list, or switch one; what was asked says which."""
        if "asked" in request.POST:
            return self._ask(request.POST["asked"])
        if not request.user.has_perm("consent.change_suppressionlist"):
            raise PermissionDenied
        if "switch" in request.POST:
            return self._switch(request.POST["switch"], request.POST.get("reason", ""))
        return self._add(AddForm(request.POST, request.FILES))

    def _ask(self, text: str) -> HttpResponse:
        contacts = list(read_contacts([text], LeftOut()))
        log_access(self.request.user, "suppression asked")
        return self.render_to_response(
            self.get_context_data(
                asked=text,
                is_understood=bool(contacts),
                found=[listed for contact in contacts for listed in lists_with(*contact)],
            )
        )

    def _add(self, form: AddForm) -> HttpResponse:
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form))
        told, user, left_out = form.cleaned_data, staff_user(self.request), LeftOut()
        contacts = form.contacts(left_out)
        try:
            with acting_as(user, reason_of(gettext_noop("Suppression list brought"))):
                added = add_list(
                    told["name"],
                    contacts,
                    channel=told["channel"] or ALL_CHANNELS,
                    asked=form.asked(),
                    by=user,
                )
        except ListRefused as refusal:
            form.add_error(None, str(refusal))
            return self.render_to_response(self.get_context_data(form=form))
        messages.success(self.request, _added(added))
        if left_out.count:
            messages.warning(self.request, _not_understood(left_out))
        return redirect("consent:suppression")

    def _switch(self, key: str, reason: str) -> HttpResponse:
        lists = SuppressionList.objects.filter(origin=SuppressionList.Origin.OUTSIDE)
        found = get_object_or_404(lists, pk=int(key) if key.isdecimal() else 0)
        if found.is_in_force and not reason.strip():
            messages.error(self.request, _("Say why the list is switched off."))
            return redirect("consent:suppression")
        found.is_in_force = not found.is_in_force
        said = reason.strip() or reason_of(gettext_noop("Switched on again"))
        with acting_as(staff_user(self.request), said):
            found.save(update_fields=["is_in_force"])
        words = _("The list is in force again.") if found.is_in_force else _("The list is off.")
        messages.success(self.request, words)
        return redirect("consent:suppression")


def _added(added: Added) -> str:
    said = ngettext(
        "%(count)d contact point is new on the list: it counts from this moment.",
        "%(count)d contact points are new on the list: they count from this moment.",
        added.new,
    ) % {"count": added.new}
    known = ngettext(
        "%(count)d stood there already.", "%(count)d stood there already.", added.known
    ) % {"count": added.known}
    return f"{said} {known}" if added.known else said


def _not_understood(left_out: LeftOut) -> str:
    shown = ", ".join(map(str, left_out.first))
    more = ", …" if left_out.count > len(left_out.first) else ""
    return ngettext(
        "%(count)d line is neither an address nor a number and was left out: %(lines)s.",
        "%(count)d lines are neither addresses nor numbers and were left out: %(lines)s.",
        left_out.count,
    ) % {"count": left_out.count, "lines": shown + more}
