"""The DPO's pages of consents at risk: how many for which reason, and which ones."""

from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent.at_risk import BY_CODE, Found, Overview, Reason, at_risk, by_source, overview
from consent.models import PermissionState
from consent.presentation import TimelineEntry, entry_of
from consent.verification import event_seals
from mdm.pages import StaffPage, log_access

_PAGE_SIZE = 50
_COUNTS_SECONDS = 600
_KEY_DIGITS = 18
_RELATED = (
    "customer__golden", "contact_point", "purpose", "deciding_event__source_record__source",
    "deciding_event__contact_point", "deciding_event__purpose",
    "deciding_event__notice_version", "deciding_event__actor", "deciding_event__batch",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """A consent at risk with the event it rests on."""

    state: PermissionState
    entry: TimelineEntry


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a chart of the kit."""

    label: str
    value: int
    tone: str = "close"
    note: str = ""
    url: str = ""


class _RiskPage(StaffPage):
    permission_required = ("mdm.view_customer", "consent.view_consentevent")


class AtRiskPage(_RiskPage):
    """Every weakness with its count, its share and what to do."""

    template_name = "consent/at_risk.html"
    title = gettext_lazy("Consents at risk")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the counts, some minutes old at most: each is a pass over all consents."""
        counted = _counted()
        found = [item for item in counted.found if item.count]
        return super().get_context_data(
            overview=counted,
            found=found,
            bars=[_bar(item) for item in found],
            safe_count=counted.total - counted.at_risk,
            absent=[item.reason.label for item in counted.found if not item.count],
            **kwargs,
        )


class ReasonPage(_RiskPage):
    """The consents with one weakness, fifty on a page."""

    template_name = "consent/at_risk_reason.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add one page of consents after the key that the address names."""
        reason = BY_CODE.get(self.kwargs["code"])
        if reason is None:
            raise Http404(_("There is no such reason."))
        after = self.request.GET.get("after", "")
        asked = int(after) if after.isdecimal() and len(after) <= _KEY_DIGITS else 0
        rows = _rows(reason, after=asked)
        log_access(self.request.user, "consents at risk", reason.code)
        return super().get_context_data(
            reason=reason,
            rows=rows[:_PAGE_SIZE],
            next_after=rows[_PAGE_SIZE - 1].state.pk if len(rows) > _PAGE_SIZE else None,
            is_later_page=asked > 0,
            sources=[Bar(label, count) for label, count in by_source(reason)],
            **{**kwargs, "title": reason.label},
        )


def _counted() -> Overview:
    """Return the counts by code, so that no words of one language are kept."""
    kept: dict[str, Any] | None = cache.get("weak-consents")
    if kept is None:
        fresh = overview()
        kept = {
            "total": fresh.total,
            "at_risk": fresh.at_risk,
            "expired": fresh.expired,
            "found": [(item.reason.code, item.count, item.refused_count) for item in fresh.found],
        }
        cache.set("weak-consents", kept, _COUNTS_SECONDS)
    found = [Found(BY_CODE[code], count, refused) for code, count, refused in kept["found"]]
    return Overview(kept["total"], kept["at_risk"], found, kept["expired"])


def _bar(item: Found) -> Bar:
    url = reverse("consent:at-risk-reason", args=[item.reason.code])
    return Bar(str(item.reason.label), item.count, url=url)


def _rows(reason: Reason, *, after: int) -> list[Row]:
    """Return one consent more than a page holds."""
    found = at_risk(reason).filter(pk__gt=after).select_related(*_RELATED)
    states = list(
        found.prefetch_related("deciding_event__evidence", "deciding_event__retractions")[
            : _PAGE_SIZE + 1
        ]
    )
    seals = event_seals([state.deciding_event_id for state in states])
    return [Row(state, entry_of(state.deciding_event, seals=seals)) for state in states]
