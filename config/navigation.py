"""The menu: each person sees the pages she may open, and how much waits for her."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from consent.models import PolicyVersion, RightsRequest
from consent.resolving import open_conflict_customers
from matching.models import ReviewTask

_BADGE_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the menu: any of the permissions opens it."""

    title: Any
    icon: str
    url_name: str
    permissions: tuple[str, ...] = ()
    badge: Callable[[], int] | None = None


def open_task_count() -> int:
    """Count the pairs that wait for an answer; some seconds old, as every page asks."""
    count = cache.get_or_set(
        "navigation.open-tasks",
        ReviewTask.objects.filter(state=ReviewTask.State.OPEN).count,
        _BADGE_SECONDS,
    )
    return int(count or 0)


def open_request_count() -> int:
    """Count the requests of persons that wait for an answer; some seconds old too."""
    count = cache.get_or_set(
        "navigation.open-requests",
        RightsRequest.objects.filter(state=RightsRequest.State.RECEIVED).count,
        _BADGE_SECONDS,
    )
    return int(count or 0)


def signed_pack_count() -> int:
    """Count the policy packs that wait for a second person; some seconds old too."""
    signed = PolicyVersion.objects.filter(status=PolicyVersion.Status.DRAFT)
    count = cache.get_or_set(
        "navigation.signed-packs", signed.exclude(signed_at=None).count, _BADGE_SECONDS
    )
    return int(count or 0)


def open_conflict_count() -> int:
    """Count the customers whose records contradict each other; some seconds old too."""
    count = cache.get_or_set("navigation.open-conflicts", open_conflict_customers, _BADGE_SECONDS)
    return int(count or 0)


GROUPS: tuple[tuple[Any, tuple[Entry, ...]], ...] = (
    ("", (Entry(_("Home"), "home", "admin:index"),)),
    (
        _("Customers"),
        (
            Entry(_("Find a customer"), "person_search", "mdm:search", ("mdm.view_customer",)),
            Entry(
                _("Is she known?"), "group_search", "matching:similar", ("mdm.view_customer",)
            ),
            Entry(
                _("Review"),
                "compare_arrows",
                "matching:review",
                ("matching.review_pairs",),
                open_task_count,
            ),
            Entry(_("Duplicates"), "join", "matching:home", ("matching.run_match",)),
        ),
    ),
    (
        _("Sources"),
        (
            Entry(_("Load a file"), "upload_file", "mdm:load-new", ("mdm.load_records",)),
            Entry(
                _("Loaded files"), "inventory_2", "admin:mdm_loadbatch_changelist",
                ("mdm.view_loadbatch",),
            ),
            Entry(
                _("Data quality"), "monitoring", "mdm:quality", ("mdm.view_sourcequality",),
            ),
            Entry(
                _("Source systems"), "database", "admin:mdm_sourcesystem_changelist",
                ("mdm.view_sourcesystem",),
            ),
            Entry(
                _("Value maps"), "translate", "admin:mdm_valuemap_changelist",
                ("mdm.view_valuemap",),
            ),
            Entry(
                _("Which value survives"), "rule_settings", "mdm:survivorship",
                ("mdm.view_survivorshiprule",),
            ),
        ),
    ),
    (
        _("Consent"),
        (
            Entry(
                _("Consent history"), "history_edu", "consent:events",
                ("consent.view_consentevent",),
            ),
            Entry(
                _("Consent ledger"), "verified_user", "consent:ledger",
                ("consent.view_ledgercheck",),
            ),
            Entry(
                _("Rehearse an inspection"), "shuffle", "consent:rehearsal",
                ("consent.view_consentevent",),
            ),
            Entry(
                _("Consents at risk"), "shield", "consent:at-risk",
                ("consent.view_consentevent",),
            ),
            Entry(
                _("Consents running out"), "hourglass_bottom", "consent:running-out",
                ("consent.view_consents_running_out",),
            ),
            Entry(
                _("Requests of persons"), "mark_email_unread", "consent:requests",
                ("consent.view_rightsrequest",), open_request_count,
            ),
            Entry(
                _("Merge conflicts"), "balance", "consent:conflicts",
                ("consent.view_conflictresolution",), open_conflict_count,
            ),
            Entry(_("Call desk"), "call", "consent:calls", ("consent.use_call_desk",)),
        ),
    ),
    (
        _("Rules and lists"),
        (
            Entry(
                _("Policy packs"), "rule_settings", "consent:policy",
                ("consent.view_policyversion",), signed_pack_count,
            ),
            Entry(
                _("Purposes"), "flag", "admin:consent_purpose_changelist",
                ("consent.view_purpose",),
            ),
            Entry(
                _("Notices"), "article", "admin:consent_noticeversion_changelist",
                ("consent.view_noticeversion",),
            ),
            Entry(
                _("Collection points"), "edit_note",
                "admin:consent_collectionpoint_changelist", ("consent.view_collectionpoint",),
            ),
            Entry(
                _("Suppression lists"), "block", "consent:suppression",
                ("consent.view_suppressionlist",),
            ),
            Entry(_("Brokers' files"), "gavel", "consent:brokers", ("consent.check_brokers",)),
            Entry(
                _("Similar families"), "hub", "admin:consent_similarfamily_changelist",
                ("consent.view_similarfamily",),
            ),
        ),
    ),
    (
        _("Campaigns"),
        (
            Entry(_("Campaigns"), "campaign", "campaigns:home", ("campaigns.view_campaign",)),
            Entry(
                _("Downloads"), "download", "campaigns:downloads",
                ("campaigns.view_listdownload",),
            ),
        ),
    ),
    (
        _("Workshop"),
        (
            Entry(_("Jobs"), "construction", "mdm:jobs", ("mdm.view_job",)),
            Entry(
                _("Accesses"), "visibility", "admin:mdm_accesslog_changelist",
                ("mdm.view_accesslog",),
            ),
            Entry(_("Users"), "group", "admin:auth_user_changelist", ("auth.view_user",)),
            Entry(_("Roles"), "badge", "admin:auth_group_changelist", ("auth.view_group",)),
        ),
    ),
)  # fmt: skip


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the menu of this person as unfold reads it; groups without a page are left out."""
    groups = [(title, _items(request, entries)) for title, entries in GROUPS]
    current = _current_link(request, [item["link"] for _title, items in groups for item in items])
    for _title, items in groups:
        for item in items:
            item["active"] = item["link"] == current
    return [{"title": title, "items": items} for title, items in groups if items]


def _items(request: HttpRequest, entries: tuple[Entry, ...]) -> list[dict[str, Any]]:
    items = []
    for entry in entries:
        if entry.permissions and not any(map(request.user.has_perm, entry.permissions)):
            continue
        link = reverse(entry.url_name)
        item: dict[str, Any] = {"title": entry.title, "icon": entry.icon, "link": link}
        waiting = entry.badge() if entry.badge else 0
        if waiting:
            item |= {"badge": waiting, "badge_variant": "primary"}
        items.append(item)
    return items


def _current_link(request: HttpRequest, links: list[str]) -> str:
    """The longest address of the menu that the present page lies below; home only for itself."""
    home = reverse("admin:index")
    below = [link for link in links if link != home and request.path.startswith(link)]
    return max(below, key=len, default=home if request.path == home else "")
