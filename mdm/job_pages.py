"""The pages of background work: the list, one job, its state as JSON, cancel and retry."""

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from mdm import job_words
from mdm.jobs import RetryRefused, request_cancel, retry
from mdm.models import Job
from mdm.pages import StaffPage

_JOBS_PER_PAGE = 50


class JobListPage(StaffPage):
    """What runs, what waits and how the latest jobs ended."""

    permission_required = "mdm.view_job"
    template_name = "mdm/jobs.html"
    title = gettext_lazy("Jobs")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the live jobs and one page of those that ended."""
        jobs = _jobs()
        ended = jobs.exclude(state__in=Job.LIVE_STATES)
        if state := self.request.GET.get("state"):
            ended = ended.filter(state=state)
        live = list(jobs.filter(state__in=Job.LIVE_STATES))
        page = Paginator(ended, _JOBS_PER_PAGE).get_page(self.request.GET.get("page"))
        return super().get_context_data(
            live_jobs=live,
            page=page,
            subjects=job_words.subjects([*live, *page]),
            state=state or "",
            states=[("", _("All")), *((s.value, s.label) for s in _ENDINGS)],
            **kwargs,
        )


class JobPage(StaffPage):
    """One job: progress while it runs, result or error in words when it has ended."""

    permission_required = "mdm.view_job"
    template_name = "mdm/job.html"
    title = gettext_lazy("Job")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the job and what its result says."""
        job = get_object_or_404(_jobs(), pk=kwargs["pk"])
        return super().get_context_data(
            **{**kwargs, "title": job_words.kind_label(job)},
            job=job,
            subject=job_words.subjects([job]).get(job.pk, ""),
            again_url=job_words.again_url(job),
            figures=job_words.figures(job),
            can_retry=job_words.can_retry(job),
        )


@require_GET
def job_state(request: HttpRequest, pk: uuid.UUID) -> JsonResponse:
    """Return what `progress.js` shows, in the reader's language; also to who asked for the job."""
    job = get_object_or_404(Job, pk=pk)
    is_own = request.user.is_authenticated and job.requested_by_id == request.user.pk
    if not is_own and not request.user.has_perm("mdm.view_job"):
        raise PermissionDenied
    per_second, seconds_left = job_words.speed(job)
    return JsonResponse(
        {
            "state": job.state,
            "phase": job.phase,
            "phase_label": job_words.phase_label(job),
            "done": job.done_count,
            "total": job.total_count,
            "percent": job.percent,
            "figures": _figures(job),
            "per_second": per_second and round(per_second, 1),
            "seconds_left": seconds_left and round(seconds_left),
            "rate_label": _rate_label(per_second),
            "left_label": _left_label(seconds_left),
            "error": job.error,
            "result_url": job_words.result_url(job),
        }
    )


@require_POST
@permission_required("mdm.cancel_job", raise_exception=True)
def cancel_job(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Ask a job to stop and go back to its page."""
    job = get_object_or_404(Job, pk=pk)
    if job.is_live:
        request_cancel(job)
        messages.info(request, _("The job stops at its next step; what it did so far stays."))
    else:
        messages.warning(request, _("This job has already ended."))
    return redirect("mdm:job", pk=job.pk)


@require_POST
@permission_required("mdm.cancel_job", raise_exception=True)
def retry_job(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Have a failed job done again; whoever may stop a job may also start it again."""
    job = get_object_or_404(Job, pk=pk)
    try:
        retry(job)
    except RetryRefused as refusal:
        messages.warning(request, str(refusal))
    else:
        messages.info(request, _("The job waits for a worker again; it goes on where it stopped."))
    return redirect("mdm:job", pk=job.pk)


_ENDINGS = (Job.State.DONE, Job.State.FAILED, Job.State.CANCELLED)


def _jobs() -> "QuerySet[Job]":
    return Job.objects.select_related("requested_by").order_by("-created_at")


def _figures(job: Job) -> str:
    if not job.done_count:
        return ""
    done = number_format(job.done_count, force_grouping=True)
    if not job.total_count:
        return done
    return f"{done} / {number_format(job.total_count, force_grouping=True)}"


def _rate_label(per_second: float | None) -> str:
    if per_second is None or per_second < 1:
        return ""
    return _("%(number)s/s") % {"number": number_format(round(per_second), force_grouping=True)}


def _left_label(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 60:
        return _("less than a minute left")
    return _("about %(minutes)d min left") % {"minutes": round(seconds / 60)}
