"""How a freeze is told on the pages about jobs; loads and searches tell their own."""

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from mdm.job_words import JobWords, describe
from mdm.models import Job


def _list_url(job: Job) -> str | None:
    target_list = job.parameters.get("target_list")
    return reverse("campaigns:list", args=[target_list]) if target_list else None


describe(
    "freeze",
    JobWords(
        label=_("Freeze of a target list"),
        phases={"freeze": _("Asking for each person whether contact is allowed")},
        figures={"start": _("People in the segment"), "allowed": _("People allowed")},
        icon="ac_unit",
        result_url=_list_url,
    ),
)
