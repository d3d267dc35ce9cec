"""Counting a large segment in the background, so that nobody waits before a blank page.

The result of the job holds counts by rule and nothing of anybody.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from campaigns.audience import asked_of_many, chunks, people
from campaigns.models import Campaign
from campaigns.segments import InvalidSegment
from campaigns.waterfall import Waterfall, from_counts
from mdm.job_words import JobWords, describe
from mdm.jobs import JobRefused, JobRun, job, submit
from mdm.models import Job
from mdm.two_at_once import two_at_once

KIND = "count_audience"


def count(campaign: Campaign, *, by: User) -> Job:
    """Ask for the campaign's present segment to be counted; one count at a time."""
    parameters = {"campaign": campaign.pk, "conditions": campaign.conditions}
    return submit(KIND, parameters, by=by, idempotency_key=f"{KIND}-{campaign.pk}")


def latest_count(campaign: Campaign) -> Job | None:
    """Return the latest count of the segment as it stands, running or ended."""
    counts = Job.objects.filter(kind=KIND, parameters__campaign=campaign.pk)
    latest = counts.order_by("-created_at").first()
    is_present = latest and latest.parameters["conditions"] == campaign.conditions
    return latest if is_present else None


def counted(done: Job) -> Waterfall | None:
    """Return the waterfall a job counted; None unless it is done."""
    if done.state != Job.State.DONE or not done.result:
        return None
    return from_counts(done.result["counts"], datetime.fromisoformat(done.result["as_of"]))


@job(KIND)
def run_count(run: JobRun) -> Mapping[str, Any]:
    """Count chunk by chunk, all as of one instant."""
    campaign = Campaign.objects.select_related("purpose").get(pk=run.parameters["campaign"])
    cursor = run.cursor or {"as_of": now().isoformat(), "after": 0, "counts": {}}
    as_of = datetime.fromisoformat(cursor["as_of"])
    counts = Counter(cursor["counts"])
    try:
        segment = people(run.parameters["conditions"], as_of)
    except InvalidSegment as problem:
        raise JobRefused(problem) from None
    total = segment.count()
    crowd = asked_of_many(campaign, as_of)
    for keys, found in two_at_once(crowd.rules, chunks(segment, after=cursor["after"])):
        counts += found
        cursor = {"as_of": cursor["as_of"], "after": keys[-1], "counts": dict(counts)}
        with run.chunk(cursor=cursor, done=counts.total(), total=total, phase="count"):
            pass
    waterfall = from_counts(counts, as_of)
    return {
        "as_of": cursor["as_of"],
        "counts": dict(counts),
        "start": waterfall.start,
        "allowed": waterfall.allowed,
    }


def _campaign_url(done: Job) -> str | None:
    return reverse("campaigns:campaign", args=[done.parameters["campaign"]])


describe(
    KIND,
    JobWords(
        label=_("Count of a segment"),
        phases={"count": _("Asking for each person whether contact is allowed")},
        figures={"start": _("People in the segment"), "allowed": _("People allowed")},
        icon="filter_alt",
        result_url=_campaign_url,
    ),
)
