"""The DPO's page about the ledger: does it hold, since when, and what is not sealed yet."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent.checkpoints import kept_checkpoints
from consent.ledger_jobs import VERIFY_LEDGER, check_soon
from consent.models import LedgerCheck, SealBlock
from consent.sealing import oldest_unsealed
from consent.signing_keys import key_id, pem_of, signing_key
from mdm.models import Job
from mdm.pages import StaffPage, staff_user

_SHOWN = 12


class LedgerPage(StaffPage):
    """The chain and its verifications; a click asks for another one."""

    permission_required = "consent.view_ledgercheck"
    template_name = "consent/ledger.html"
    title = gettext_lazy("Consent ledger")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the last checks, the head of the chain and the unsealed tail."""
        checks = list(LedgerCheck.objects.select_related("checked_by")[:_SHOWN])
        waiting, oldest = oldest_unsealed()
        paths, public = kept_checkpoints(), signing_key().public_key()
        return super().get_context_data(
            checks=checks,
            latest=checks[0] if checks else None,
            last_block=SealBlock.objects.order_by("-number").first(),
            waiting=waiting,
            oldest=oldest,
            checkpoint_count=len(paths),
            last_checkpoint=paths[-1].name if paths else "",
            public_key=pem_of(public),
            public_key_id=key_id(public),
            live=Job.objects.filter(kind=VERIFY_LEDGER, state__in=Job.LIVE_STATES).first(),
            **kwargs,
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Have the ledger verified by a worker."""
        if not request.user.has_perm("consent.verify_ledger"):
            raise PermissionDenied
        check_soon(by=staff_user(request))
        messages.success(request, _("The verification is asked for: its result will stand here."))
        return redirect("consent:ledger")
