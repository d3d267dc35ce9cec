"""How a search for duplicates is told on the pages about jobs."""

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from matching import fan_out, key_table
from matching.runs import KIND
from mdm.job_words import JobWords, describe
from mdm.models import Job


def _result_url(job: Job) -> str | None:
    run = (job.result or {}).get("run")
    return reverse("matching:run", args=[run]) if run else None


PHASES = {
    "read": _("Reading the records"),
    "encode": _("Preparing the values"),
    "propose": _("Choosing where to look"),
    "block": _("Finding candidate pairs"),
    "compare": _("Comparing pairs"),
    "train": _("Learning what agreement means here"),
    "score": _("Scoring pairs"),
    "evidence": _("Storing the evidence"),
    "links": _("Linking records"),
    "tasks": _("Opening review tasks"),
    "keys": _("Storing the blocking keys"),
}
"""Code of a phase or stage → what people read."""

describe(
    KIND,
    JobWords(
        label=_("Search for duplicates"),
        phases=PHASES,
        icon="join",
        result_url=_result_url,
    ),
)
describe(
    key_table.KIND,
    JobWords(label=_("Keys that lead to duplicates"), phases=PHASES, icon="key"),
)
describe(
    fan_out.KIND,
    JobWords(label=_("Help with a search for duplicates"), phases=PHASES, icon="group_work"),
)
