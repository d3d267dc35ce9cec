"""The DPO's pages: consent events, one event with its proof, one customer's permissions."""

import secrets
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from consent.forms import EventFilterForm, MomentForm
from consent.good_faith import late_refusals
from consent.models import ConsentEvent, EventSeal, PermissionState, ProofPack
from consent.presentation import entry_of, permission_matrix, timeline
from consent.rehearsal import draw
from consent.resolving import decisions_about
from consent.search import PAGE_SIZE, find_events
from consent.verification import event_seals
from mdm.identity import UnknownCustomer, resolve
from mdm.pages import StaffPage, log_access

_PACKS = 20
_DECISIONS = 20
_SEED_DIGITS = 7


class EventsPage(StaffPage):
    """Every consent event, filtered; the search travels by POST and stands in no address."""

    permission_required = "consent.view_consentevent"
    template_name = "consent/events.html"
    title = _("Consent history")

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the events that match; nothing is changed."""
        return self.get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the filter and one page of events."""
        form = EventFilterForm(self.request.POST if self.request.method == "POST" else None)
        wanted = form.cleaned_data if form.is_bound and form.is_valid() else {}
        events = find_events(wanted)
        before = self.request.POST.get("before", "")
        if before.isdecimal():
            events = events.filter(pk__lt=int(before))
        found = list(events[: PAGE_SIZE + 1])
        shown = found[:PAGE_SIZE]
        return super().get_context_data(
            form=form,
            entries=[entry_of(event) for event in shown],
            is_filtered=any(value not in {None, ""} for value in wanted.values()),
            is_later_page=before.isdecimal(),
            before=shown[-1].pk if len(found) > PAGE_SIZE else None,
            **kwargs,
        )


class EventPage(StaffPage):
    """One consent event with all that proves it."""

    permission_required = "consent.view_consentevent"
    template_name = "consent/event.html"
    title = _("Consent event")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the event in words and what it decides today."""
        event = get_object_or_404(
            ConsentEvent.objects.select_related(
                "source_record__source",
                "source_record__customer",
                "contact_point",
                "purpose",
                "notice_version",
                "actor",
                "batch",
                "annuls",
            ),
            uuid=kwargs["uuid"],
        )
        log_access(self.request.user, "consent event", str(event.uuid))
        decided = PermissionState.objects.filter(deciding_event=event)
        return super().get_context_data(
            entry=entry_of(
                event,
                deciding=decided.values_list("deciding_event_id", flat=True),
                seals=event_seals([event.pk]),
            ),
            seal=EventSeal.objects.filter(event=event).first(),
            customer=event.source_record.customer,
            evidence=event.evidence.select_related("collection_point"),
            **kwargs,
        )


class RehearsalPage(StaffPage):
    """Twenty consents at random, each with its proof or what it lacks."""

    permission_required = ("mdm.view_customer", "consent.view_consentevent")
    template_name = "consent/rehearsal.html"
    title = _("Rehearse an inspection")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Draw the sample that the address names, else another one."""
        asked = self.request.GET.get("seed", "")
        seed = int(asked) if asked.isdecimal() and len(asked) < _SEED_DIGITS else _new_seed()
        sample = draw(seed)
        log_access(self.request.user, "consent rehearsal", str(seed))
        return super().get_context_data(
            sample=sample,
            proved_count=sum(not item.lacks for item in sample),
            seed=seed,
            next_seed=_new_seed(),
            **kwargs,
        )


def _new_seed() -> int:
    return secrets.randbelow(10**6)


class CustomerConsentPage(StaffPage):
    """One customer's permissions, now or on a past day, and every event behind them."""

    permission_required = ("mdm.view_customer", "consent.view_consentevent")
    template_name = "consent/customer.html"
    title = _("Permissions")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the matrix of the day asked about and the timeline."""
        try:
            customer = resolve(kwargs["public_id"])
        except UnknownCustomer as error:
            raise Http404(str(error)) from error
        log_access(self.request.user, "consent history", customer.public_id)
        form = MomentForm(self.request.GET or None)
        matrix = permission_matrix(customer, form.moment(), form.knowledge())
        entries = timeline(customer)
        return super().get_context_data(
            customer=customer,
            golden=getattr(customer, "golden", None),
            form=form,
            matrix=matrix,
            entries=entries,
            late=late_refusals(customer.pk, entries),
            decisions=decisions_about(customer)[:_DECISIONS],
            packs=ProofPack.objects.filter(customer=customer).select_related("made_by")[:_PACKS],
            here=reverse("consent:customer", args=[customer.public_id]),
            **kwargs,
        )
