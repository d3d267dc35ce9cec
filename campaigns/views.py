"""The marketer's pages: campaigns, their segment and waterfall, and the lists frozen from them."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, Prefetch, Subquery
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from campaigns import segments, target_lists
from campaigns.audience import people
from campaigns.counting import count, counted, latest_count
from campaigns.downloads import DownloadRefused, download, write_withdrawn
from campaigns.formats import CONTENT_TYPES
from campaigns.forms import (
    CampaignForm,
    families,
    field_options,
    operator_options,
    rows_from,
    rows_shown,
)
from campaigns.models import Campaign, ListDownload, TargetList
from campaigns.pictures import exclusion_rows, hints, removal_rows, waterfall_rows
from campaigns.waterfall import Waterfall, from_counts, measure
from mdm.audit import acting_as
from mdm.pages import StaffPage, log_access
from mdm.reasons import reason_of

LIVE_LIMIT = 20_000
"""Above so many people a worker counts, when asked: the page would keep its reader waiting."""
_DOWNLOADS_SHOWN = 100


class CampaignListPage(StaffPage):
    """One's campaigns, the latest first, with what became of their lists."""

    permission_required = "campaigns.view_campaign"
    template_name = "campaigns/home.html"
    title = gettext_lazy("Campaigns")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        lists = TargetList.objects.filter(campaign=OuterRef("pk"))
        latest = Prefetch(
            "target_lists",
            TargetList.objects.select_related("job").filter(
                pk__in=Subquery(
                    TargetList.objects.filter(campaign=OuterRef("campaign"))
                    .order_by("-pk")
                    .values("pk")[:1]
                )
            ),
            to_attr="latest_lists",
        )
        campaigns = (
            Campaign.objects.visible_to(self.request.user)
            .select_related("purpose", "owner")
            .annotate(list_count=Subquery(_count(lists)))
            .prefetch_related(latest)
        )
        return super().get_context_data(campaigns=campaigns, now=now(), **kwargs)


def _count(lists: Any) -> Any:
    return lists.order_by().values("campaign").annotate(count=Count("pk")).values("count")


class NewCampaignPage(StaffPage):
    """The form that asks what for and how, before whom."""

    permission_required = "campaigns.add_campaign"
    template_name = "campaigns/new.html"
    title = gettext_lazy("New campaign")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            **{"form": CampaignForm(), "families": families(), **kwargs}
        )

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Create the campaign and go on to its segment."""
        form = CampaignForm(request.POST)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form), status=400)
        form.instance.owner = _user(request)
        campaign = form.save()
        return redirect("campaigns:campaign", pk=campaign.pk)


class CampaignPage(StaffPage):
    """A campaign: whom it asks for, how many of them may be reached, and its lists."""

    permission_required = "campaigns.view_campaign"
    template_name = "campaigns/campaign.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        campaign = _campaign(self.request, self.kwargs["pk"])
        rows = kwargs.pop("rows", campaign.conditions)
        found = {**_counted(campaign), **kwargs}
        waterfall = found.get("waterfall")
        return super().get_context_data(
            **{
                "title": campaign.name,
                "campaign": campaign,
                "is_own": _is_own(self.request, campaign),
                "rows": rows_shown(rows),
                "sentences": [segments.sentence(row) for row in campaign.conditions],
                "fields": field_options(),
                "operators": operator_options(),
                "target_lists": campaign.target_lists.select_related("job"),
                "now": now(),
                # A large segment may be frozen without having been counted.
                "can_freeze": "problem" not in found and (not waterfall or waterfall.allowed > 0),
                **found,
            }
        )

    def post(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Keep the segment as sent, if it can be understood."""
        campaign = _own_campaign(request, pk)
        rows = rows_from(request.POST)
        try:
            campaign.conditions = segments.check(rows)
        except segments.InvalidSegment as problem:
            context = self.get_context_data(rows=rows, problem=str(problem))
            return self.render_to_response(context, status=400)
        campaign.save(update_fields=["conditions"])
        messages.success(request, _("The segment is saved."))
        return redirect("campaigns:campaign", pk=pk)


def preview(request: HttpRequest, pk: int) -> HttpResponse:
    """Return the waterfall of a segment that is not saved yet, as a fragment of the page."""
    campaign = _own_campaign(request, pk)
    try:
        campaign.conditions = segments.check(rows_from(request.POST))
    except segments.InvalidSegment as problem:
        return render(request, "campaigns/_problem.html", {"problem": problem}, status=400)
    context = {"campaign": campaign, **_counted(campaign), "is_preview": True}
    return render(request, "campaigns/_waterfall.html", context)


def _counted(campaign: Campaign) -> dict[str, Any]:
    """Return the waterfall to show; of a large segment its size, and the latest count or job."""
    try:
        size = people(campaign.conditions, now()).count()
        if size <= LIVE_LIMIT:
            return _shown(campaign, measure(campaign))
    except segments.InvalidSegment as problem:
        return {"problem": str(problem)}
    latest = latest_count(campaign)
    waterfall = counted(latest) if latest else None
    return {"size": size, "count_job": latest} | (_shown(campaign, waterfall) if waterfall else {})


def _shown(campaign: Campaign, waterfall: Waterfall) -> dict[str, Any]:
    return {
        "waterfall": waterfall,
        "steps": waterfall_rows(waterfall),
        "allowed_by": exclusion_rows(waterfall.allowed_by),
        "hints": hints(waterfall, campaign),
    }


def count_people(request: HttpRequest, pk: int) -> HttpResponse:
    """Have a large segment counted by a worker and show the campaign with the progress."""
    campaign = _own_campaign(request, pk)
    count(campaign, by=_user(request))
    return redirect("campaigns:campaign", pk=pk)


def freeze(request: HttpRequest, pk: int) -> HttpResponse:
    """Start freezing the campaign's list and go to it."""
    if not request.user.has_perm("campaigns.freeze_targetlist"):
        raise PermissionDenied
    campaign = _own_campaign(request, pk)
    with acting_as(_user(request), reason_of(gettext_noop("List frozen"))):
        target_list = target_lists.freeze(campaign, by=_user(request))
    return redirect("campaigns:list", pk=target_list.pk)


class TargetListPage(StaffPage):
    """A frozen list: how many, as of when, until when, who was kept off, who took it."""

    permission_required = "campaigns.view_targetlist"
    template_name = "campaigns/list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        target_list = _target_list(self.request, self.kwargs["pk"])
        is_own = target_list.owner_id == self.request.user.pk
        return super().get_context_data(
            **{
                "title": target_list.campaign.name,
                "list": target_list,
                "can_download": is_own
                and self.request.user.has_perm("campaigns.download_targetlist"),
                "sentences": [segments.sentence(row) for row in target_list.conditions],
                "steps": _frozen_steps(target_list) if target_list.is_frozen else [],
                "downloads": _with_removals(target_list.downloads.select_related("user")),
                "now": now(),
                **kwargs,
            }
        )


def _frozen_steps(target_list: TargetList) -> list[dict[str, Any]]:
    counts = dict(target_list.exclusions.values_list("rule", "count"))
    members = target_list.members.order_by().values_list("rule").annotate(Count("pk"))
    return waterfall_rows(from_counts(counts | dict(members), target_list.frozen_at or now()))


def download_list(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Pass the list through the gate again and send the file; a refusal is said on the page."""
    target_list = _own_list(request, pk)
    file_format = request.POST.get("format", "")
    try:
        made = download(
            target_list,
            format=file_format,
            reason=request.POST.get("reason", ""),
            by=_user(request),
        )
    except DownloadRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("campaigns:list", pk=pk)
    return FileResponse(
        made.file,
        as_attachment=True,
        filename=made.name,
        content_type=CONTENT_TYPES[file_format],
        headers={"Cache-Control": "no-store"},
    )


def download_withdrawn(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Send who must come out of the files that were taken; say so where nobody must."""
    target_list = _own_list(request, pk)
    file = BytesIO()
    count = write_withdrawn(file, target_list)
    log_access(_user(request), "list withdrawn", str(pk))
    if not count:
        messages.success(request, _("Everybody on this list may still be contacted."))
        return redirect("campaigns:list", pk=pk)
    file.seek(0)
    return FileResponse(
        file,
        as_attachment=True,
        filename=f"orfevre-{pk}-withdrawn.csv",
        content_type=CONTENT_TYPES["csv"],
        headers={"Cache-Control": "no-store"},
    )


def _own_list(request: HttpRequest, pk: int) -> TargetList:
    """Return a list that this person may take files of."""
    if not request.user.has_perm("campaigns.download_targetlist"):
        raise PermissionDenied
    target_list = _target_list(request, pk)
    if target_list.owner_id != request.user.pk:
        raise PermissionDenied
    return target_list


class DownloadsPage(StaffPage):
    """The register of files that left: one's own, or everybody's for the DPO."""

    permission_required = "campaigns.view_listdownload"
    template_name = "campaigns/downloads.html"
    title = gettext_lazy("Downloads")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        entries = ListDownload.objects.visible_to(self.request.user).select_related(
            "user", "target_list__campaign__purpose"
        )
        return super().get_context_data(
            downloads=_with_removals(entries[:_DOWNLOADS_SHOWN]), now=now(), **kwargs
        )


def _with_removals(entries: Any) -> list[tuple[ListDownload, Sequence[Mapping[str, Any]]]]:
    return [(entry, removal_rows(entry.removed_by_rule)) for entry in entries]


def _campaign(request: HttpRequest, pk: int) -> Campaign:
    found = Campaign.objects.visible_to(request.user).select_related("purpose", "owner")
    return get_object_or_404(found, pk=pk)


def _own_campaign(request: HttpRequest, pk: int) -> Campaign:
    """Return a campaign to be changed: the owner's own, never another's, not even by the DPO."""
    if not request.user.has_perm("campaigns.change_campaign"):
        raise PermissionDenied
    campaign = _campaign(request, pk)
    if not _is_own(request, campaign):
        raise PermissionDenied
    return campaign


def _is_own(request: HttpRequest, campaign: Campaign) -> bool:
    return campaign.owner_id == request.user.pk


def _target_list(request: HttpRequest, pk: int) -> TargetList:
    found = TargetList.objects.visible_to(request.user)
    return get_object_or_404(found.select_related("campaign__purpose", "owner", "job"), pk=pk)


def _user(request: HttpRequest) -> User:
    user = request.user
    if not isinstance(user, User) or not user.is_staff:
        raise PermissionDenied
    return user
