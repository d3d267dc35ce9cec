"""The DPO's page of suppression lists: bring one, ask about one contact point, switch one off."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from consent.models import ALL_CHANNELS, Channel, SuppressionList
from consent.suppression import (
    Added,
    LeftOut,
    ListRefused,
    add_list,
    lists_with,
    lost_line_count,
    read_contacts,
)
from mdm.audit import acting_as
from mdm.pages import StaffPage, log_access, staff_user

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
    channel = forms.ChoiceField(
        label=gettext_lazy("Forbids"),
        choices=[(ALL_CHANNELS, gettext_lazy("every channel")), *Channel.choices],
    )
    lines = forms.CharField(
        label=gettext_lazy("E-mail addresses and phone numbers, one a line"),
        required=False,
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
            lists=SuppressionList.objects.annotate(line_count=Count("lines")),
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
        contacts = read_contacts(form.listed(), left_out)
        try:
            with acting_as(user, _("Suppression list brought")):
                added = add_list(told["name"], contacts, channel=told["channel"], by=user)
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
        with acting_as(staff_user(self.request), reason.strip() or _("Switched on again")):
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
