"""The DPO's page of contradictions that merges brought: both sides with their proof."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Max
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from consent.conflicts import Conflict, Verdict
from consent.histories import conflicts_by_customer
from consent.memberships import Membership
from consent.models import ConflictResolution, ConsentEvent, PermissionState, Purpose
from consent.presentation import TimelineEntry, channel_label, entry_of
from consent.resolving import Grounds, ResolutionRefused, decisions, resolve
from consent.states import Event
from consent.verification import event_seals
from mdm.identity import UnknownCustomer
from mdm.identity import resolve as live_customer
from mdm.models import ContactPoint, Customer
from mdm.pages import StaffPage, log_access, staff_user

_PAGE_SIZE = 10


class GroundsForm(forms.Form):
    """Why it is decided so, and by which document."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )
    reference = forms.CharField(
        label=gettext_lazy("Document and where it is kept"),
        max_length=400,
        required=False,
        help_text=gettext_lazy("Required where the consent is to stand."),
    )


@dataclass(frozen=True, slots=True)
class Contradiction:
    """One permission on which her records contradict each other, with the events of both sides."""

    digest: str
    channel_label: str
    purpose: Purpose
    contact_point: ContactPoint
    refusals: Sequence[TimelineEntry]
    grants: Sequence[TimelineEntry]


@dataclass(frozen=True, slots=True)
class Contradictory:
    """A customer with what is to be decided of her."""

    customer: Customer
    since: datetime
    contradictions: Sequence[Contradiction]


class ConflictsPage(StaffPage):
    """What waits for a decision, the customers merged last first; or what was decided."""

    permission_required = ("consent.view_consentevent", "consent.view_conflictresolution")
    template_name = "consent/conflicts.html"
    title = gettext_lazy("Merge conflicts")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add one page of customers with both sides of each contradiction, or of decisions."""
        asked = self.request.GET
        is_decided = asked.get("state") == "decided"
        rows = decisions() if is_decided else _contested_customers(asked.get("customer", ""))
        page = Paginator(rows, _PAGE_SIZE).get_page(asked.get("page"))
        shown = [] if is_decided else _contradictory([row["customer"] for row in page])
        for found in shown:
            log_access(self.request.user, "consent history", found.customer.public_id)
        return super().get_context_data(
            is_decided=is_decided,
            page=page,
            query="state=decided&" if is_decided else "",
            shown=shown,
            form=GroundsForm(),
            verdicts=ConflictResolution.Verdict,
            may_decide=self.request.user.has_perm("consent.add_conflictresolution"),
            **kwargs,
        )


class ResolvePage(StaffPage):
    """Decide contradictions of one customer: POST only."""

    permission_required = ("consent.view_consentevent", "consent.view_conflictresolution")
    http_method_names = ["post"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Record the decision; when it is refused, say why and show what is so now."""
        if not request.user.has_perm("consent.add_conflictresolution"):
            raise PermissionDenied
        try:
            customer = live_customer(kwargs["public_id"])
        except UnknownCustomer as unknown:
            raise Http404(str(unknown)) from unknown
        sent = request.POST
        if (verdict := sent.get("verdict", "")) not in list(Verdict):
            return HttpResponse(_("Unknown answer."), status=400, content_type="text/plain")
        try:
            made = resolve(
                customer,
                sent.getlist("conflict"),
                verdict=Verdict(verdict),
                grounds=Grounds(sent.get("reason", "")[:2000], sent.get("reference", "")[:400]),
                by=staff_user(request),
            )
        except ResolutionRefused as refusal:
            messages.warning(request, str(refusal))
        else:
            words = ngettext(
                "%(count)d conflict is decided.", "%(count)d conflicts are decided.", len(made)
            )
            messages.success(request, words % {"count": len(made)})
        return redirect("consent:conflicts")


def _contested_customers(public_id: str) -> Any:
    contested = PermissionState.objects.filter(state=PermissionState.State.CONTESTED)
    if public_id:
        contested = contested.filter(customer__in=Customer.objects.of_public_ids([public_id]))
    # The latest merge first: one row for each customer.
    latest = contested.order_by().values("customer").annotate(since=Max("since"))
    return latest.order_by("-since", "-customer")


def _contradictory(customer_ids: Sequence[int]) -> list[Contradictory]:
    """Return what is to be decided of these customers, in this order; queries are few."""
    found = conflicts_by_customer(Membership(customer_ids))
    conflicts = [conflict for each in found.values() for conflict in each]
    entries = _entries(conflicts)
    points = ContactPoint.objects.in_bulk({c.key.contact_point_id for c in conflicts})
    purposes = {purpose.code: purpose for purpose in Purpose.objects.all()}
    customers = Customer.objects.select_related("golden").in_bulk(found)

    def shown(conflict: Conflict) -> Contradiction:
        assert conflict.key.contact_point_id is not None  # noqa: S101  (a grant names its point)
        return Contradiction(
            conflict.digest,
            channel_label(conflict.key.channel),
            purposes[conflict.key.purpose],
            points[conflict.key.contact_point_id],
            _side(conflict.refusals, entries),
            _side(conflict.grants, entries),
        )

    return [
        Contradictory(
            customers[customer],
            max(conflict.since for conflict in found[customer]),
            [shown(conflict) for conflict in found[customer]],
        )
        for customer in customer_ids
        if customer in found
    ]


def _entries(conflicts: Iterable[Conflict]) -> Mapping[int, TimelineEntry]:
    keys = {event.event_id for c in conflicts for event in (*c.grants, *c.refusals)}
    events = ConsentEvent.objects.filter(pk__in=keys).select_related(
        "source_record__source", "contact_point", "purpose", "notice_version", "actor", "batch"
    )
    seals = event_seals(keys)
    found = events.prefetch_related("evidence", "retractions")
    return {event.pk: entry_of(event, seals=seals) for event in found}


def _side(events: Iterable[Event], entries: Mapping[int, TimelineEntry]) -> list[TimelineEntry]:
    return sorted((entries[event.event_id] for event in events), key=lambda entry: entry.at)
