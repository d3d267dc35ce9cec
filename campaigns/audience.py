"""Who a campaign asks for, in the order of the keys, and what the one gate answers for each."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.timezone import localtime

from campaigns import segments
from campaigns.models import Campaign
from consent.crowds import CHUNK, Crowd
from consent.evaluation import offer_for
from consent.facts import Offer
from mdm.models import GoldenRecord

Conditions = Sequence[dict[str, Any]]


def people(conditions: Conditions, at: datetime) -> QuerySet[GoldenRecord]:
    """Return the golden records of a segment, as it reads on the day of `at`.

    Raises:
        InvalidSegment: when the conditions no longer fit the fields.
    """
    condition: Q = segments.condition(conditions, today=localtime(at).date())
    return GoldenRecord.objects.filter(condition)


def chunks(found: QuerySet[GoldenRecord], *, after: int = 0) -> Iterator[list[int]]:
    """Yield the customers' keys in ascending order, by chunks, each with one query.

    The next page starts behind the last key, so memory and cost per chunk stay the same, and a
    job can go on from where an earlier attempt stopped.
    """
    ordered = found.order_by("pk").values_list("pk", flat=True)
    while keys := list(ordered.filter(pk__gt=after)[:CHUNK]):
        yield keys
        after = keys[-1]


def offer_of(campaign: Campaign) -> Offer | None:
    """Return what the campaign offers, as the gate reads it."""
    return offer_for(campaign.purpose, families=[campaign.product_family])


def asked_of_many(campaign: Campaign, at: datetime) -> Crowd:
    """Return the campaign's question, to be asked about many: may it reach them at `at`?"""
    return Crowd(channel=campaign.channel, offer=offer_of(campaign), at=at)
