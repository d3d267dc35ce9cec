"""Carrying out a request for erasure: a tick and a click, everything at once."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from consent.models import RightsRequest
from consent.rights import AlreadyAnswered, answer_request
from mdm.erasure import ErasureRefused, erase
from mdm.identity import resolve
from mdm.pages import StaffPage, log_access, staff_user
from mdm.reasons import reason_of


class ErasePage(StaffPage):
    """Erase the person of a request and mark it answered: POST only."""

    permission_required = "consent.answer_rightsrequest"
    http_method_names = ("post",)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Erase her, or say why not."""
        asked = RightsRequest.objects.filter(kind=RightsRequest.Kind.ERASURE)
        found = get_object_or_404(asked.select_related("customer"), uuid=kwargs["uuid"])
        by = staff_user(request)
        if "sure" not in request.POST:  # The browser asks first; nothing brings a person back.
            messages.warning(request, _("Nobody was erased: tick the box first."))
            return redirect("consent:request", uuid=found.uuid)
        try:
            with transaction.atomic():
                # Answered first: the erasure blanks what was written about her before.
                answer_request(found, note=_("Erased."), by=by)
                reason = reason_of(gettext_noop("Request %(number)s"), number=found.uuid)
                erase(resolve(found.customer.public_id), reason=reason, by=by)
                RightsRequest.objects.filter(pk=found.pk).update(answer_note=_("Erased."))
        except (AlreadyAnswered, ErasureRefused) as refusal:
            messages.warning(request, str(refusal))
        else:
            log_access(by, "erasure", str(found.uuid))
            words = _("The person is erased everywhere; the request is answered.")
            messages.success(request, words)
        return redirect("consent:request", uuid=found.uuid)
