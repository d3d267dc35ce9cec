"""The DPO's pages of brokers' files: what waits, and one file with its sample and its decision."""

import math
from typing import Any, NamedTuple

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent.batch_reports import EARLIER, check_state, quarantine_state, report_on
from consent.earlier_claims import preview, quarantine
from consent.models import ConsentEvent, ProofFinding, SampledClaim, SampleDraw
from consent.offline import OfflineRefused
from consent.policies import pack_at
from consent.presentation import channel_label
from consent.quarantine import (
    Outcome,
    QuarantineRefused,
    brokers_files,
    checked_files,
    draw_sample,
    findings_of,
    note_proof,
    tally_of,
)
from consent.quarantine_jobs import settle
from mdm.models import LoadBatch
from mdm.pages import StaffPage, log_access, staff_user

_SHOWN = 100


class ProofForm(forms.Form):
    """Where the proof of a claim is kept, or the proof itself."""

    reference = forms.CharField(
        label=gettext_lazy("Reference of the document"), required=False, max_length=200
    )
    file = forms.FileField(label=gettext_lazy("The document itself"), required=False)


class Asked(NamedTuple):
    """One claim of the sample as it is shown."""

    claim: SampledClaim
    event: ConsentEvent
    channel: str
    finding: ProofFinding | None
    is_gone: bool


class BrokersPage(StaffPage):
    """Every file that came from a broker, and where its check stands."""

    permission_required = "consent.check_brokers"
    template_name = "consent/brokers.html"
    title = gettext_lazy("Brokers' files")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the files, the latest first."""
        rows = [(batch, check_state(batch)) for batch in checked_files()[:_SHOWN]]
        return super().get_context_data(rows=rows, **kwargs)


class BrokerFilePage(StaffPage):
    """One broker's file: draw the sample, note the proofs, release or reject the claims."""

    permission_required = "consent.check_brokers"
    template_name = "consent/broker_file.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add what the file said, the sample with its findings, and the decision."""
        batch = get_object_or_404(brokers_files(), pk=self.kwargs["pk"])
        draw = SampleDraw.objects.select_related("drawn_by").filter(batch=batch).first()
        state = quarantine_state(batch)
        log_access(self.request.user, "broker's file", f"batch {batch.pk}")
        return super().get_context_data(
            **{**kwargs, "title": batch.file_name},
            batch=batch,
            told=report_on(batch=batch),
            state=state,
            draw=draw,
            decision=getattr(draw, "decision", None),
            demand=pack_at(now()),
            certainty=_certainty(pack_at(now()).broker_sample_size),
            earlier=preview(batch) if state == EARLIER else None,
            **(_sample(draw) if draw else {}),
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Take the step that the button names."""
        batch = get_object_or_404(brokers_files(), pk=kwargs["pk"])
        try:
            self._step(request, batch)
        except (QuarantineRefused, OfflineRefused) as refusal:
            messages.error(request, str(refusal))
        return redirect("consent:broker-file", pk=batch.pk)

    def _step(self, request: HttpRequest, batch: LoadBatch) -> None:
        step, by = request.POST.get("step", ""), staff_user(request)
        if step == "draw":
            draw_sample(batch, by=by)
            messages.success(request, _("The sample is drawn: ask the broker for these proofs."))
            return
        if step == "quarantine":
            quarantine(batch, by=by)
            messages.success(request, _("A worker puts the claims into quarantine."))
            return
        draw = get_object_or_404(SampleDraw, batch=batch)
        if step in {"seen", "missing"}:
            self._note(request, draw, is_proved=step == "seen")
        elif step in Outcome.values:
            settle(draw, step, reason=request.POST.get("reason", ""), by=by)
            messages.success(request, _("Decided; a worker carries it out."))

    def _note(self, request: HttpRequest, draw: SampleDraw, *, is_proved: bool) -> None:
        key = request.POST.get("claim", "")
        claim = get_object_or_404(draw.claims, pk=int(key) if key.isdecimal() else 0)
        form = ProofForm(request.POST, request.FILES)
        if not form.is_valid():
            raise QuarantineRefused(" ".join(str(form.errors[name][0]) for name in form.errors))
        note_proof(claim, is_proved=is_proved, **form.cleaned_data, by=staff_user(request))
        messages.success(request, _("Noted."))


def _certainty(size: int) -> int:
    """Return how surely, in percent, no proof lacking of a sample means fewer than 5 % in all."""
    return math.floor(100 * (1 - 0.95**size))


def _sample(draw: SampleDraw) -> dict[str, Any]:
    findings = findings_of(draw)
    related = ("event__contact_point", "event__purpose", "event__source_record__customer__golden")
    claims = draw.claims.select_related(*related).order_by("event__line", "pk")
    return {
        "tally": tally_of(draw, findings),
        "sample": [_asked(claim, findings.get(claim.event_id)) for claim in claims],
    }


def _asked(claim: SampledClaim, finding: ProofFinding | None) -> Asked:
    event = claim.event
    gone = event.erased_at is not None
    return Asked(claim, event, channel_label(event.channel), finding, gone)
