"""One notice as it was shown, what stands on it, and its withdrawal."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent.invalidation import (
    INVALIDATE,
    WithdrawalRefused,
    impact_of,
    withdraw_notice,
)
from consent.models import CollectionChoice, NoticePicture, NoticeVersion, NoticeWithdrawal
from consent.notice_pictures import TYPES, PictureRefused, add_picture
from mdm.models import Job
from mdm.pages import StaffPage, staff_user


class WithdrawalForm(forms.Form):
    """Why a notice is withdrawn: part of the proof."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )


class PictureForm(forms.Form):
    """A picture of the form."""

    file = forms.FileField(
        label=gettext_lazy("Picture of the form (PNG or JPEG)"),
        widget=forms.FileInput({"accept": "image/png,image/jpeg"}),
        error_messages={"required": gettext_lazy("Choose a file.")},
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
            pictures=notice.pictures.select_related("added_by"),
            picture_form=PictureForm(),
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


class AddPicture(StaffPage):
    """Add a picture of the form to a notice: POST only."""

    permission_required = ("consent.view_noticeversion", "consent.add_noticepicture")
    http_method_names = ["post"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Keep it, or say why not."""
        notice = get_object_or_404(NoticeVersion, pk=kwargs["pk"])
        form = PictureForm(request.POST, request.FILES)
        if not form.is_valid():
            messages.warning(request, str(form.errors["file"][0]))
            return redirect("consent:notice", pk=notice.pk)
        try:
            add_picture(notice, form.cleaned_data["file"], by=staff_user(request))
        except PictureRefused as refusal:
            messages.warning(request, str(refusal))
        else:
            messages.success(request, _("The picture is kept with the words."))
        return redirect("consent:notice", pk=notice.pk)


class Picture(StaffPage):
    """The picture itself, by a name that nobody guesses."""

    permission_required = "consent.view_noticeversion"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        """Send it to be shown: its type was read from its first bytes when it came."""
        picture = get_object_or_404(NoticePicture, uuid=kwargs["uuid"])
        return FileResponse(picture.file.open("rb"), content_type=TYPES[picture.file_type])
