"""Campaigns, and people who consented to them."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils.timezone import now

from campaigns import target_lists
from campaigns.models import Campaign, TargetList
from mdm.jobs import run_now
from mdm.models import SourceRecord
from tests.consent.factories import marketing, record_event
from tests.mdm.factories import make_record


def consenting(name: str = "Martin", **values: Any) -> SourceRecord:
    """Store somebody who consented to marketing by e-mail nine days ago."""
    record = active_person(name, **values)
    record_event(record, "given")
    return record


def active_person(name: str = "Martin", **values: Any) -> SourceRecord:
    """Store somebody a source has known for a year, who said nothing about marketing."""
    address = f"{name.lower()}.{SourceRecord.objects.count()}@example.com"
    return make_record(
        **{
            "family_name": name,
            "given_name": "Anne",
            "email": address,
            "source_created_at": now() - timedelta(days=365),
            **values,
        }
    )


def make_campaign(owner: User, **values: Any) -> Campaign:
    """Store a campaign by e-mail for marketing, to everybody."""
    defaults = {"name": "Winter sale", "purpose": marketing(), "channel": "email"}
    return Campaign.objects.create(**{**defaults, "owner": owner, **values})


def frozen_list(campaign: Campaign) -> TargetList:
    """Freeze the campaign's list as a worker does."""
    target_list = target_lists.freeze(campaign, by=campaign.owner)
    assert target_list.job
    run_now(target_list.job)
    target_list.refresh_from_db()
    return target_list
