"""Freezing who a campaign may reach: the list never grows and is good for three days."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.timezone import now

from campaigns.audience import asked_of_many, chunks, people
from campaigns.models import Campaign, ListExclusion, TargetList, TargetListMember
from campaigns.segments import InvalidSegment
from campaigns.waterfall import Waterfall, from_counts
from consent.crowds import Line
from consent.policies import pack_at
from consent.rules import RULES
from mdm import bulk
from mdm.jobs import JobRefused, JobRun, job, submit
from mdm.models import Job
from mdm.two_at_once import two_at_once

_MEMBER_COLUMNS = (
    "target_list_id",
    "customer_id",
    "contact_point_id",
    "rule",
    "basis",
    "deciding_event_id",
)


@transaction.atomic
def freeze(campaign: Campaign, *, by: User) -> TargetList:
    """Ask for the campaign's list to be frozen. A click during a freeze returns the same list."""
    # Lock: two clicks at once must find each other.
    campaign = Campaign.objects.select_for_update().get(pk=campaign.pk)
    running = campaign.target_lists.filter(job__state__in=Job.LIVE_STATES).first()
    if running:
        return running
    target_list = TargetList.objects.create(
        campaign=campaign, conditions=campaign.conditions, owner=by
    )
    target_list.job = submit("freeze", {"target_list": target_list.pk}, by=by)
    target_list.save(update_fields=["job"])
    return target_list


@job("freeze")
def run_freeze(run: JobRun) -> Mapping[str, Any]:
    """Write members chunk by chunk, all as of one instant, then the exclusions and the expiry."""
    target_list = TargetList.objects.select_related("campaign__purpose").get(
        pk=run.parameters["target_list"]
    )
    cursor = run.cursor or {"as_of": now().isoformat(), "after": 0, "done": 0, "counts": {}}
    as_of = datetime.fromisoformat(cursor["as_of"])
    try:
        segment = people(target_list.conditions, as_of)
    except InvalidSegment as problem:
        raise JobRefused(problem) from None
    total = segment.count()
    crowd = asked_of_many(target_list.campaign, as_of)
    for keys, lines in two_at_once(
        lambda keys: list(crowd.lines(keys)), chunks(segment, after=cursor["after"])
    ):
        cursor = _moved(cursor, keys, lines)
        with run.chunk(cursor=cursor, done=cursor["done"], total=total, phase="freeze"):
            bulk.insert(TargetListMember, _MEMBER_COLUMNS, _members(target_list, lines))
    waterfall = from_counts(cursor["counts"], as_of)
    with run.chunk(cursor=cursor, done=waterfall.start, total=waterfall.start, phase="freeze"):
        _seal(target_list, waterfall)
    return {"start": waterfall.start, "allowed": waterfall.allowed}


def _moved(cursor: Mapping[str, Any], keys: list[int], lines: Iterable[Line]) -> dict[str, Any]:
    counts = Counter(cursor["counts"])
    counts.update(line.rule for line in lines)
    return {
        "as_of": cursor["as_of"],
        "after": keys[-1],
        "done": cursor["done"] + len(keys),
        "counts": dict(counts),
    }


def _members(
    target_list: TargetList, lines: Iterable[Line]
) -> Iterable[tuple[int, int, int, str, str, int | None]]:
    for line in lines:
        # An allowed contact without a contact point (a service message) has nowhere to go.
        if line.is_allowed and line.contact_point_id is not None:
            yield (
                target_list.pk,
                line.customer_id,
                line.contact_point_id,
                line.rule,
                RULES[line.rule].basis,
                line.event_id,
            )


def _seal(target_list: TargetList, waterfall: Waterfall) -> None:
    """Write the counts and the dates: from here on the list can be downloaded."""
    ListExclusion.objects.bulk_create(
        ListExclusion(target_list=target_list, rule=step.rule, position=position, count=step.count)
        for position, step in enumerate(waterfall.exclusions, start=1)
    )
    target_list.start_count = waterfall.start
    target_list.member_count = waterfall.allowed
    target_list.as_of = waterfall.as_of
    target_list.frozen_at = now()
    hours = pack_at(waterfall.as_of).target_list_hours
    target_list.expires_at = waterfall.as_of + timedelta(hours=hours)
    target_list.save()
