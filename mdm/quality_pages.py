"""The pages of data quality: every source at one glance, then down to the records and people."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from mdm import attribute_words, job_words, jobs, quality_pictures, shared_values
from mdm.doubtful_records import doubtful_records
from mdm.models import ContactPoint, Job, SourceQuality, SourceRecord
from mdm.models.records import SHARED_ABOVE
from mdm.pages import StaffPage, log_access
from mdm.quality_figures import COUNT_QUALITY, sources_due

_WORST_SHOWN = 12
_VALUES_PER_PAGE = 25
_PEOPLE_PER_PAGE = 50

job_words.describe(
    COUNT_QUALITY,
    job_words.JobWords(
        label=gettext_lazy("Count of data quality"),
        figures={"sources": gettext_lazy("Sources counted")},
        icon="monitoring",
        result_url=lambda job: reverse("mdm:quality"),
    ),
)


class QualityPage(StaffPage):
    """What every source gives, what is doubtful in it, and how that changes from file to file."""

    permission_required = "mdm.view_sourcequality"
    template_name = "mdm/quality.html"
    title = gettext_lazy("Data quality")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the counted figures as pictures; no record is read."""
        figures = quality_pictures.counted()
        issues = quality_pictures.worst_issues(figures)
        return super().get_context_data(
            figures=figures,
            tiles=quality_pictures.tiles(figures),
            rows=quality_pictures.heat_table(figures),
            issues=issues[:_WORST_SHOWN],
            more_issues=issues[_WORST_SHOWN:],
            trends=quality_pictures.trends(),
            shared=_shared_links(),
            shared_above=SHARED_ABOVE,
            is_due=bool(sources_due()),
            live_job=_live_count(),
            has_records=bool(figures) or SourceRecord.objects.exists(),
            **kwargs,
        )


@method_decorator(never_cache, name="dispatch")
class AttributePage(StaffPage):
    """One attribute of one source: its figures, its issues and the records that have them."""

    permission_required = ("mdm.view_sourcequality", "mdm.view_customer")
    template_name = "mdm/quality_attribute.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the figures and one page of records."""
        figures = get_object_or_404(
            SourceQuality.objects.select_related("source"), source__code=kwargs["source"]
        )
        attribute = kwargs["attribute"]
        if attribute not in attribute_words.LABELS:
            raise Http404
        issues = quality_pictures.issues_of(figures, attribute)
        code = self.request.GET.get("code", "")
        log_access(self.request.user, "quality.records", f"{figures.source.code} {attribute}")
        return super().get_context_data(
            **{**kwargs, "title": attribute_words.label(attribute), "source": figures.source},
            figures=figures,
            cell=quality_pictures.cell_of(figures, attribute),
            issues=issues,
            code=code,
            chosen=next((issue for issue in issues if issue.code == code), None),
            page=doubtful_records(figures.source, attribute, code, after=self._after()),
            is_first=not self._after(),
        )

    def _after(self) -> int:
        text = self.request.GET.get("after", "")
        return int(text) if text.isdecimal() else 0


@method_decorator(never_cache, name="dispatch")
class SharedPage(StaffPage):
    """The values of one kind that more people carry than a household has."""

    permission_required = ("mdm.view_sourcequality", "mdm.view_customer")
    template_name = "mdm/quality_shared.html"
    title = gettext_lazy("Shared values")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add one page of values, each with what it may be."""
        kind = kwargs["kind"]
        if kind not in ContactPoint.Kind.values:
            raise Http404
        values = ContactPoint.objects.shared().filter(kind=kind)
        page = Paginator(values, _VALUES_PER_PAGE).get_page(self.request.GET.get("page"))
        log_access(self.request.user, "quality.shared", kind)
        return super().get_context_data(
            **kwargs,
            page=page,
            values=shared_values.explained(list(page)),
            links=_shared_links(),
            shared_above=SHARED_ABOVE,
        )


@method_decorator(never_cache, name="dispatch")
class CarriersPage(StaffPage):
    """The people who carry one shared value."""

    permission_required = ("mdm.view_sourcequality", "mdm.view_customer")
    template_name = "mdm/quality_carriers.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the value and one page of its people."""
        point = get_object_or_404(ContactPoint, pk=kwargs["pk"], kind=kwargs["kind"])
        (value,) = shared_values.explained([point])
        people = Paginator(shared_values.people(point), _PEOPLE_PER_PAGE)
        log_access(self.request.user, "quality.carriers", f"contact point {point.pk}")
        return super().get_context_data(
            **{**kwargs, "title": point.display},
            value=value,
            page=people.get_page(self.request.GET.get("page")),
        )


@require_POST
@permission_required("mdm.view_sourcequality", raise_exception=True)
def count_again(request: HttpRequest) -> HttpResponse:
    """Have the figures counted that are out of date."""
    by = request.user if isinstance(request.user, User) else None
    jobs.submit(COUNT_QUALITY, {}, by=by, idempotency_key=COUNT_QUALITY)
    messages.info(
        request, _("The figures are counted anew: this page shows them when it is done.")
    )
    return redirect("mdm:quality")


def _live_count() -> Job | None:
    return Job.objects.filter(kind=COUNT_QUALITY, state__in=Job.LIVE_STATES).first()


def _shared_links() -> list[dict[str, Any]]:
    """Return how many values of each kind are shared, with the page that lists them."""
    counts = shared_values.counts_by_kind()
    return [
        {
            "kind": kind.value,
            "label": _KINDS[kind],
            "value": counts[kind],
            "url": reverse("mdm:quality-shared", args=[kind.value]),
        }
        for kind in ContactPoint.Kind
    ]


_KINDS = {
    ContactPoint.Kind.EMAIL: gettext_lazy("E-mail addresses"),
    ContactPoint.Kind.PHONE: gettext_lazy("Phone numbers"),
    ContactPoint.Kind.POST: gettext_lazy("Postal addresses"),
}
