"""The button that makes a proof pack."""

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest

from consent.models import ProofPack
from consent.proof.making import make_pack
from mdm.identity import UnknownCustomer, resolve
from mdm.pages import CustomerActPage, log_access, staff_user

_CONTENT_TYPES = {
    ProofPack.Format.PDF: "application/pdf",
    ProofPack.Format.LINKED_DATA: "application/ld+json",
}


class FormatForm(forms.Form):
    """What sort of file is wanted."""

    format = forms.ChoiceField(choices=ProofPack.Format.choices)


class ProofPackPage(CustomerActPage):
    """Make a proof pack and send it: POST only, as every one is written down."""

    permission_required = ("mdm.view_customer", "consent.make_proofpack")

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Send the file; it is not kept here, only its digest is."""
        form = FormatForm(request.POST)
        if not form.is_valid():
            return HttpResponseBadRequest()
        try:
            customer = resolve(kwargs["public_id"])
        except UnknownCustomer as error:
            raise Http404(str(error)) from error
        wanted = form.cleaned_data["format"]
        made = make_pack(customer, file_format=wanted, by=staff_user(request))
        log_access(request.user, "proof pack", str(made.row.uuid))
        return HttpResponse(
            made.content,
            content_type=_CONTENT_TYPES[wanted],
            headers={
                "Content-Disposition": f'attachment; filename="{made.file_name}"',
                "Cache-Control": "no-store",
            },
        )
