"""Pages of staff that record: off-line consents and objections, requests of persons."""

from collections.abc import Sequence
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.formats import date_format
from django.utils.timezone import localdate, localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent.models import AccessPack, Evidence, RightsRequest
from consent.offline import OfflineRefused, record_consent, record_objection
from consent.rights import AlreadyAnswered, answer_request, receive_request
from consent.staff_forms import AnswerForm, OfflineConsentForm, ReceivedRequestForm
from mdm.erasure import ErasureRefused
from mdm.erasure import plan as erasure_plan
from mdm.identity import UnknownCustomer, resolve
from mdm.models import Customer
from mdm.pages import StaffPage, log_access

_PAGE_SIZE = 100
_SOON_DAYS = 7


class OfflinePage(StaffPage):
    """Record a consent received off-line; the objection is one click on the same page."""

    permission_required = ("mdm.view_customer", "consent.record_offline")
    template_name = "consent/offline.html"
    title = gettext_lazy("Consent, objection or request received off-line")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the customer and an empty form."""
        customer = _customer(self.kwargs["public_id"])
        return super().get_context_data(
            customer=customer,
            golden=getattr(customer, "golden", None),
            form=kwargs.pop("form", None) or OfflineConsentForm(customer),
            request_form=ReceivedRequestForm(),
            **kwargs,
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Record the consent, or show the form again with what is missing."""
        customer = _customer(kwargs["public_id"])
        form = OfflineConsentForm(customer, request.POST, request.FILES)
        if form.is_valid():
            try:
                new = record_consent(customer, form.told(), by=_user(request))
            except OfflineRefused as refusal:
                form.add_error(None, str(refusal))
            else:
                words = _("The consent is recorded.") if new else _("It was recorded already.")
                messages.success(request, words)
                return redirect("mdm:customer", public_id=customer.public_id)
        return self.render_to_response(self.get_context_data(form=form))


class ObjectionPage(StaffPage):
    """Record that the person objected: POST only."""

    permission_required = ("mdm.view_customer", "consent.record_offline")
    http_method_names = ["post"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Record it at once and go back to the customer."""
        customer = _customer(kwargs["public_id"])
        new = record_objection(customer, by=_user(request))
        words = _("The objection is recorded: no more prospecting, on any channel.")
        messages.success(request, words if new else _("It was recorded already."))
        return redirect("mdm:customer", public_id=customer.public_id)


class ReceivedRequestPage(StaffPage):
    """Note a request that came by letter, phone or in the shop: POST only."""

    permission_required = ("mdm.view_customer", "consent.record_offline")
    http_method_names = ["post"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Start the clock of the request."""
        customer = _customer(kwargs["public_id"])
        form = ReceivedRequestForm(request.POST)
        if form.is_valid():
            receive_request(
                customer, **form.cleaned_data, door=RightsRequest.Door.STAFF, by=_user(request)
            )
            messages.success(request, _("The request is on the data protection officer's list."))
        return redirect("mdm:customer", public_id=customer.public_id)


class RequestsPage(StaffPage):
    """The DPO's list: open requests, the next deadline first; or those answered."""

    permission_required = "consent.view_rightsrequest"
    template_name = "consent/requests.html"
    title = gettext_lazy("Requests of persons")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the requests with the days left."""
        is_answered = self.request.GET.get("state") == RightsRequest.State.ANSWERED
        found = RightsRequest.objects.select_related("customer__golden", "answered_by")
        if is_answered:
            found = found.filter(state=RightsRequest.State.ANSWERED).order_by("-answered_at")
        else:
            found = found.filter(state=RightsRequest.State.RECEIVED)
        rows = [(request, days_left(request)) for request in found[:_PAGE_SIZE]]
        return super().get_context_data(
            rows=rows, is_answered=is_answered, soon=_SOON_DAYS, **kwargs
        )


class RequestPage(StaffPage):
    """One request of a person: what she asks, until when, and the note of the answer."""

    permission_required = "consent.view_rightsrequest"
    template_name = "consent/request.html"
    title = gettext_lazy("Request of a person")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the request and the form of its answer."""
        found = _request(self.kwargs["uuid"])
        log_access(self.request.user, "rights request", str(found.uuid))
        packs = list(found.packs.select_related("made_by"))
        return super().get_context_data(
            found=found,
            plan=_plan(found),
            packs=packs,
            days_left=days_left(found),
            soon=_SOON_DAYS,
            form=kwargs.pop("form", None) or AnswerForm(initial={"note": _note(packs)}),
            **kwargs,
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Mark it answered."""
        if not request.user.has_perm("consent.answer_rightsrequest"):
            raise PermissionDenied
        form = AnswerForm(request.POST)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form))
        try:
            answer_request(
                _request(kwargs["uuid"]), note=form.cleaned_data["note"], by=_user(request)
            )
        except AlreadyAnswered as refusal:
            messages.warning(request, str(refusal))
        else:
            messages.success(request, _("The request is marked as answered."))
        return redirect("consent:requests")


def _note(packs: Sequence[AccessPack]) -> str:
    """Return what the note of an answer begins with: which pack was made last."""
    if not packs:
        return ""
    return _("Access pack made on %(day)s, SHA-256 %(digest)s") % {
        "day": date_format(localtime(packs[0].made_at), "SHORT_DATE_FORMAT"),
        "digest": packs[0].sha256,
    }


def _plan(request: RightsRequest) -> list[tuple[str, int]]:
    """Return what carrying out a request for erasure would reach; nothing for the others."""
    is_open = request.state == RightsRequest.State.RECEIVED
    if not is_open or request.kind != RightsRequest.Kind.ERASURE:
        return []
    try:
        return erasure_plan(resolve(request.customer.public_id))
    except ErasureRefused:  # Erased or merged since.
        return []


class EvidenceFile(StaffPage):
    """The document that proves an off-line consent, for the DPO; it is downloaded, never shown."""

    permission_required = "consent.view_consentevent"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        """Send the file, and note who took it."""
        proof = get_object_or_404(Evidence.objects.exclude(file=""), uuid=kwargs["uuid"])
        log_access(request.user, "evidence file", str(proof.uuid))
        return FileResponse(
            proof.file.open("rb"),
            as_attachment=True,
            filename=f"evidence-{proof.uuid}.{proof.file_type}",
            content_type="application/octet-stream",
        )


def days_left(request: RightsRequest) -> int:
    """Return the days until the deadline; negative once it has passed."""
    return (request.due_on - localdate()).days


def _customer(public_id: str) -> Customer:
    try:
        return resolve(public_id)
    except UnknownCustomer as error:
        raise Http404(str(error)) from error


def _request(uuid: Any) -> RightsRequest:
    found = RightsRequest.objects.select_related("customer", "contact_point", "answered_by")
    return get_object_or_404(found, uuid=uuid)


def _user(request: HttpRequest) -> User:
    """Return the signed-in member of staff: `StaffPage` lets nobody else in."""
    return cast("User", request.user)
