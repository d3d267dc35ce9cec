"""The pages of the search for duplicates: start it, watch it, read what it found and learnt."""

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from matching.agreement import agreement
from matching.concordance import concordance
from matching.models import MatchRun, ReviewTask
from matching.rule_sets import Parameters
from matching.rule_words import figures, said
from matching.run_charts import blocking, histogram, personal, stages, weights
from matching.run_quality import (
    blocking_report,
    by_decisions,
    decided_same,
    shared_values,
    silent_rules,
)
from matching.runs import KIND, UNDO_KIND, SearchRefused, start_run
from matching.undoing import why_not
from mdm.models import Job, SourceRecord
from mdm.pages import StaffPage

_RUNS = 15


class HomePage(StaffPage):
    """The button, the search under way, and the last ones."""

    permission_required = "matching.run_match"
    template_name = "matching/home.html"
    title = gettext_lazy("Duplicates")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add live jobs, the last runs, and whether there is anything to search."""
        jobs = Job.objects.filter(kind__in=(KIND, UNDO_KIND)).select_related("requested_by")
        return super().get_context_data(
            live_jobs=list(jobs.filter(state__in=Job.LIVE_STATES).order_by("created_at")),
            failed_job=_last_failed(),
            runs=list(_runs().exclude(finished_at=None)[:_RUNS]),
            has_records=SourceRecord.objects.active().exists(),
            open_count=_open_count(),
            **kwargs,
        )


class AgreementPage(StaffPage):
    """How far stewards agree with the score, and with each other, where they did not see it."""

    permission_required = "matching.view_matchrun"
    template_name = "matching/agreement.html"
    title = gettext_lazy("Agreement")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add what was answered, and how many blind pairs wait."""
        return super().get_context_data(
            agreement=agreement(),
            opinions=concordance(),
            second_share=settings.SECOND_OPINION_ONE_IN,
            blind_share=settings.BLIND_REVIEW_ONE_IN,
            audit_share=settings.AUDIT_LINKS_ONE_IN,
            **kwargs,
        )


class StartPage(StaffPage):
    """Submit a search, or go to the one that runs already."""

    http_method_names = ("post",)
    permission_required = "matching.run_match"

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Queue the search and go back to the page that shows its progress."""
        simulate = request.POST.get("simulate") == "yes"
        scope = "changed" if request.POST.get("scope") == "changed" and not simulate else "all"
        try:
            start_run(by=cast("User", request.user), scope=scope, simulate=simulate)
        except SearchRefused as refusal:
            messages.warning(request, str(refusal))
            return redirect("matching:home")
        messages.info(
            request,
            _("The simulation has started: it changes nothing.")
            if simulate
            else _("The search has started: you may leave this page, it goes on."),
        )
        return redirect("matching:home")


class RunPage(StaffPage):
    """One search: what it found, how long each stage took, and what it learnt."""

    permission_required = "matching.view_matchrun"
    template_name = "matching/run.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the run with its charts."""
        run = get_object_or_404(_runs(), pk=kwargs["pk"])
        parameters = Parameters.read(run.rule_set.parameters)
        return super().get_context_data(
            **{**kwargs, "title": _title(run)},
            run=run,
            seconds=_seconds(run),
            fields=weights(run),
            histogram=histogram(run),
            stages=stages(run),
            rules=blocking(run),
            personal=personal(run),
            parameters=parameters,
            figures=figures(parameters),
            said=said(parameters),
            open_count=_open_count(),
            **_undoing(run),
        )


class QualityPage(StaffPage):
    """How good a search was, by what stewards answered, and where it looked."""

    permission_required = "matching.view_matchrun"
    template_name = "matching/run_quality.html"
    title = gettext_lazy("How good was it?")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the decisions beside the evidence, the blocking report and the shared values."""
        run = get_object_or_404(_runs(), pk=kwargs["pk"])
        return super().get_context_data(
            run=run,
            run_title=_title(run),
            decisions=by_decisions(),
            same_count=len(decided_same()),
            rules=blocking_report(run),
            silent_rules=silent_rules(run),
            shared=shared_values(),
            **kwargs,
        )


def _undoing(run: MatchRun) -> dict[str, Any]:
    """Return whether the search may be undone, why not, and how its undoing stands."""
    reason = why_not(run)
    job = run.undo_job
    stopped = job if job and not job.is_live and not run.undone_at else None
    return {"can_undo": not reason, "why_not": reason, "undo_stopped": stopped}


def _title(run: MatchRun) -> str:
    title = _("Simulation %(number)d") if run.simulated else _("Search %(number)d")
    return title % {"number": run.pk}


def _runs() -> Any:
    return MatchRun.objects.select_related(
        "rule_set", "job__requested_by", "undo_job", "undone_by"
    )


def _last_failed() -> Job | None:
    """Return the latest search when it is the one that failed: an older failure is history."""
    latest = Job.objects.filter(kind=KIND).order_by("-created_at").first()
    return latest if latest and latest.state == Job.State.FAILED else None


def _open_count() -> int:
    return ReviewTask.objects.filter(state=ReviewTask.State.OPEN).count()


def _seconds(run: MatchRun) -> float | None:
    if run.finished_at is None:
        return None
    return (run.finished_at - run.started_at).total_seconds()
