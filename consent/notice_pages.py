"""One notice as it was shown, what stands on it, and its withdrawal."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent.invalidation import (
    INVALIDATE,
    WithdrawalRefused,
    impact_of,
    withdraw_notice,
)
from consent.models import CollectionChoice, NoticeVersion, NoticeWithdrawal
from mdm.models import Job
from mdm.pages import StaffPage, staff_user


class WithdrawalForm(forms.Form):
    """Why a notice is withdrawn: part of the proof."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )


class NoticePage(StaffPage):
    """A notice rendered as shown, its digest, and what withdrawing it would take away."""

    permission_required = "consent.view_noticeversion"
    template_name = "consent/notice.html"
    title = gettext_lazy("Notice")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the notice, its impact and its withdrawal."""
        notice = get_object_or_404(NoticeVersion, pk=self.kwargs["pk"])
        choices = CollectionChoice.objects.filter(notice_code=notice.code)
        return super().get_context_data(
            notice=notice,
            impact=impact_of(notice),
            withdrawal=NoticeWithdrawal.objects.filter(notice=notice).first(),
            live=Job.objects.filter(
                idempotency_key=f"{INVALIDATE}:{notice.pk}", state__in=Job.LIVE_STATES
            ).first(),
            choices=choices.select_related("collection_point", "purpose"),
            form=kwargs.pop("form", None) or WithdrawalForm(),
            **kwargs,
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Withdraw it, with a reason."""
        if not request.user.has_perm("consent.add_noticewithdrawal"):
            raise PermissionDenied
        form = WithdrawalForm(request.POST)
        if form.is_valid():
            notice = get_object_or_404(NoticeVersion, pk=kwargs["pk"])
            try:
                withdraw_notice(notice, reason=form.cleaned_data["reason"], by=staff_user(request))
            except WithdrawalRefused as refusal:
                messages.warning(request, str(refusal))
            else:
                words = _("The notice is withdrawn; its consents are being invalidated.")
                messages.success(request, words)
            return redirect("consent:notice", pk=kwargs["pk"])
        return self.render_to_response(self.get_context_data(form=form))
