"""The page of an access pack: what will be in it and what concerns others, then the file."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from config.access.documents import Document
from config.access.making import PackRefused, Told, Wanted, gather, make_access_pack, open_request
from config.access.notes import Note, notes_in
from config.access.subject import Matter, Subject
from config.access.words import left_of_erased
from consent.models import AccessPack, OutgoingMail
from mdm.erasure import places
from mdm.identity import UnknownCustomer, resolve
from mdm.models import Customer
from mdm.pages import StaffPage, log_access, staff_user


class PackForm(forms.Form):
    """The language of the pack, what concerns others and is added, what else is left out."""

    language = forms.ChoiceField(
        label=gettext_lazy("Language of the person"), choices=settings.LANGUAGES
    )
    added = forms.MultipleChoiceField(required=False)
    without = forms.MultipleChoiceField(required=False)
    reason = forms.CharField(
        label=gettext_lazy("Why it is added"),
        required=False,
        max_length=400,
        help_text=gettext_lazy("Needed as soon as something is ticked; it is kept."),
    )

    def __init__(self, told: Told, *args: Any, **kwargs: Any) -> None:
        """Offer what concerns others, what staff wrote, and documents, in this person's file."""
        super().__init__(*args, **kwargs)
        self.notes = notes_in(told.tables)
        self.documents = told.subject.own_documents
        offered: dict[str, Sequence[Matter | Note | Document]] = {
            "added": told.subject.matters,
            "without": [*self.notes, *self.documents],
        }
        for name, things in offered.items():
            choices = [(thing.code, thing.words) for thing in things]
            self.fields[name].choices = choices  # type: ignore[attr-defined]

    def wanted(self) -> Wanted:
        """Return how the pack is to be."""
        return Wanted(**self.cleaned_data)


@method_decorator(never_cache, name="dispatch")
class AccessPackPage(StaffPage):
    """Show what a pack would hold; a post makes it and sends it."""

    permission_required = ("mdm.view_customer", "consent.make_accesspack")
    template_name = "consent/access_pack.html"
    title = gettext_lazy("Access pack")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the sections with their counts, what concerns others, the packs made before."""
        customer = _customer(self.kwargs["public_id"])
        told = gather(customer)
        subject = told.subject
        log_access(self.request.user, "access pack.view", customer.public_id)
        first = {"language": _language_of(subject)}
        return super().get_context_data(
            customer=customer,
            golden=getattr(customer, "golden", None),
            tables=told.tables,
            matters=subject.matters,
            left=left_of_erased() if subject.is_erased else [],
            untold=[place for place in places() if place.untold],
            asked=open_request(customer),
            packs=AccessPack.objects.filter(customer__in=subject.id_keys).select_related(
                "made_by", "request"
            ),
            form=kwargs.pop("form", None) or PackForm(told, initial=first),
            **kwargs,
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Send the file; it is not kept here, only its digest is."""
        customer = _customer(kwargs["public_id"])
        form = PackForm(gather(customer), request.POST)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form))
        try:
            made = make_access_pack(customer, form.wanted(), by=staff_user(request))
        except PackRefused as refusal:
            form.add_error(refusal.field, str(refusal))
            return self.render_to_response(self.get_context_data(form=form))
        return HttpResponse(
            made.content,
            content_type="application/zip",
            headers={"Content-Disposition": f'attachment; filename="{made.file_name}"'},
        )


def _language_of(subject: Subject) -> str:
    """Return the language that the person last used with us, else the company's."""
    mails = OutgoingMail.objects.filter(customer__in=subject.id_keys).order_by("-pk")
    last = mails.values_list("language", flat=True).first()
    return last or settings.LANGUAGE_CODE


def _customer(public_id: str) -> Customer:
    try:
        return resolve(public_id)
    except UnknownCustomer as error:
        raise Http404(str(error)) from error
