"""Consents that run out: which have, which soon will, and when the others do.

Nothing is stored about it: the end of a consent follows from its day and from the pack in force,
so it is counted by day, channel and purpose in one query and worked out here.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from django.db.models import Count
from django.db.models.functions import Coalesce, TruncDate

from consent.cases import months_after
from consent.facts import GRANTED
from consent.models import Channel, PermissionState, Purpose
from consent.policy_packs import PARIS, PolicyPack

MONTHS = 12


@dataclass(slots=True)
class KeyCount:
    """The consents on one channel for one purpose; `by_month` counts those that run out later.

    Its keys are the first days of months; those due for renewal are in it, the expired are not.
    """

    channel: Channel
    purpose: Purpose
    months: int | None
    standing: int = 0
    expired: int = 0
    due: int = 0
    by_month: Counter[date] = field(default_factory=Counter)

    @property
    def channel_label(self) -> str:
        """Return the channel's name."""
        return str(self.channel.label)

    def add(self, ends_on: date | None, count: int, *, today: date, notice_days: int) -> None:
        """Count consents that run out on a day (None: never); that day they count no more."""
        if ends_on is not None and ends_on <= today:
            self.expired += count
            return
        self.standing += count
        if ends_on is not None:
            self.due += count if ends_on - timedelta(days=notice_days) <= today else 0
            self.by_month[ends_on.replace(day=1)] += count


def count_running_out(pack: PolicyPack, moment: datetime) -> list[KeyCount]:
    """Return the consents of live customers by channel and purpose, as of a moment.

    To the day: a consent given at noon is counted with those of its morning.
    """
    today = moment.astimezone(PARIS).date()
    purposes = {purpose.pk: purpose for purpose in Purpose.objects.all()}
    found: dict[tuple[str, int], KeyCount] = {}
    for channel, purpose, day, count in _days():
        about = purposes[purpose]
        months = pack.consent_months(channel, about.code)
        counted = found.setdefault((channel, purpose), KeyCount(Channel(channel), about, months))
        ends_on = _end(day, months)
        counted.add(ends_on, count, today=today, notice_days=pack.renewal_notice_days)
    places = {channel: place for place, channel in enumerate(Channel.values)}
    return sorted(found.values(), key=lambda c: (places[c.channel], c.purpose.code))


def coming_months(today: date) -> list[date]:
    """Return the first days of this month and the next eleven."""
    first = today.year * 12 + today.month - 1
    return [date(month // 12, month % 12 + 1, 1) for month in range(first, first + MONTHS)]


def per_month(counts: Sequence[KeyCount], months: Sequence[date]) -> list[int]:
    """Return how many consents run out in each of some months, whatever the channel."""
    return [sum(count.by_month[month] for count in counts) for month in months]


def _days() -> Iterator[tuple[str, int, date | None, int]]:
    consents = PermissionState.objects.filter(
        state__in=GRANTED, purpose__isnull=False, channel__in=Channel.values
    )
    yield from (
        consents.annotate(day=TruncDate(Coalesce("renewed_at", "since"), tzinfo=PARIS))
        .values_list("channel", "purpose_id", "day")
        .annotate(count=Count("pk"))
        .order_by()
    )


def _end(day: date | None, months: int | None) -> date | None:
    if months is None:
        return None
    # A consent of unknown date is as old as it gets.
    return months_after(datetime.combine(day, time.min), months).date() if day else date.min
