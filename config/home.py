"""What the home page tells each role: what waits, what runs, what is wrong.

One function per role; each reads a fixed number of queries whatever the number of rows. Counts
over whole tables are some minutes old, because every visit would pay for them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, TypeVar, cast

from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.db.models import Count, Max, Min, Q
from django.db.models.functions import TruncDate
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.timesince import timeuntil
from django.utils.timezone import localdate, now
from django.utils.translation import gettext as _

from campaigns.models import Campaign, ListDownload, TargetList
from config.role_words import role_name
from consent.models import Channel, ConsentEvent, LedgerCheck, PermissionState, RightsRequest
from consent.quarantine import earlier_files, waiting_files
from consent.resolving import open_conflict_customers
from matching.models import Decision, MatchRun, ReviewTask
from mdm import erasure_journal
from mdm.lineage import label_of
from mdm.models import Customer, Job, LoadBatch, Pin, SourceRecord, SourceSystem
from mdm.pins import due_for_review

_COUNTS_SECONDS = 120
_CHART_DAYS = 14
_RECENT_DAYS = 7
_LEGAL_DAYS = 30
_ROWS = 6
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a chart of the kit."""

    label: str
    value: int
    tone: str = ""
    note: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """Jobs the person may see: those alive, and those that failed lately."""

    live: list[Job]
    failed: list[Job]


class DuePin(NamedTuple):
    """A pin whose day to look again has come, and what its attribute is called."""

    pin: Pin
    label: str


@dataclass(frozen=True, slots=True)
class StewardHome:
    """The queue, the stewards' pace, the sources and what their files had wrong."""

    open_count: int
    oldest_at: datetime | None
    conflict_count: int
    decided_today: int
    decided_today_by_me: int
    decisions_per_day: list[int]
    last_run: MatchRun | None
    is_search_due: bool
    records: "Records"
    sources: Sequence[SourceSystem]
    rejecting_batches: list[LoadBatch]
    due_pins: list[DuePin]
    due_pin_count: int


@dataclass(frozen=True, slots=True)
class Records:
    """How many records of which source, and how many customers they amount to."""

    by_source: list[Bar]
    record_count: int
    customer_count: int

    @property
    def joined_count(self) -> int:
        """How many records turned out to be somebody already known."""
        return max(0, self.record_count - self.customer_count)


@dataclass(frozen=True, slots=True)
class DpoHome:
    """What people said lately, what that amounts to by channel, and what left the house."""

    open_request_count: int
    next_due_on: date | None
    event_count: int
    restrictive_count: int
    restrictions_per_day: list[int]
    channels: list["ChannelPermissions"]
    downloads: list[ListDownload]
    downloaded_count: int
    ledger: LedgerCheck | None
    open_conflict_count: int
    waiting_broker_count: int
    earlier_broker_count: int
    forgotten_erasure_count: int


@dataclass(frozen=True, slots=True)
class ChannelPermissions:
    """How many people stand for and against on a channel."""

    channel: Channel
    agreeing: int
    refusing: int

    @property
    def bars(self) -> list[Bar]:
        """Return both as segments, in the reader's language (the counts are cached)."""
        return [
            Bar(_("agreed"), self.agreeing, "rare"),
            Bar(_("refused or withdrawn"), self.refusing, "conflict"),
        ]


@dataclass(frozen=True, slots=True)
class MarketerHome:
    """The person's campaigns, the lists that are still good, and what she took."""

    campaigns: list[Campaign]
    live_lists: list[TargetList]
    downloads: list[ListDownload]
    downloaded_count: int

    @property
    def list_bars(self) -> list[Bar]:
        """Return the live lists as bars: how many people, and until when."""
        return [
            Bar(
                label=str(live),
                value=live.member_count,
                tone="gold",
                note=_("of %(start)s in the segment · expires in %(span)s")
                % {
                    "start": number_format(live.start_count, force_grouping=True),
                    "span": timeuntil(live.expires_at, depth=1),
                },
                url=reverse("campaigns:list", args=[live.pk]),
            )
            for live in self.live_lists
            if live.expires_at
        ]

    @property
    def largest_segment(self) -> int:
        """Return the longest a bar could be: everybody of the largest segment."""
        return max((live.start_count for live in self.live_lists), default=0)


@dataclass(frozen=True, slots=True)
class AdministratorHome:
    """Who can enter, by role."""

    active_count: int
    roles: list[Bar]
    without_role: int


@dataclass(frozen=True, slots=True)
class Home:
    """The parts of the home page that concern one person; None for what does not."""

    work: Work
    steward: StewardHome | None
    dpo: DpoHome | None
    marketer: MarketerHome | None
    administrator: AdministratorHome | None


def home_of(user: User) -> Home:
    """Read the home page of one person, by what she may do."""
    return Home(
        work=work_of(user),
        steward=steward_home(user) if user.has_perm("matching.review_pairs") else None,
        dpo=dpo_home() if user.has_perm("consent.view_consentevent") else None,
        marketer=marketer_home(user) if user.has_perm("campaigns.add_campaign") else None,
        administrator=administrator_home() if user.has_perm("auth.view_user") else None,
    )


def work_of(user: User) -> Work:
    """Read the jobs that run or failed in the last days: all, or the person's own."""
    jobs = Job.objects.select_related("requested_by").order_by("-created_at")
    if not user.has_perm("mdm.view_job"):
        jobs = jobs.filter(requested_by=user)
    failed = Q(state=Job.State.FAILED, finished_at__gte=now() - timedelta(days=_RECENT_DAYS))
    return Work(
        live=list(jobs.filter(state__in=Job.LIVE_STATES)[:_ROWS]),
        failed=list(jobs.filter(failed)[:_ROWS]),
    )


def steward_home(user: User) -> StewardHome:
    """Read what waits for the stewards."""
    queue = ReviewTask.objects.filter(state=ReviewTask.State.OPEN).aggregate(
        count=Count("pk"),
        oldest=Min("created_at"),
        conflicts=Count("pk", filter=Q(kind=ReviewTask.Kind.CONFLICT)),
    )
    decisions = _per_day(Decision.objects, "decided_at", _CHART_DAYS)
    mine = Decision.objects.filter(decided_by=user, decided_at__date=localdate()).count()
    last_run = MatchRun.objects.standing().first()
    sources = list(
        SourceSystem.objects.select_related("quality").annotate(
            last_loaded_at=Max("batches__finished_at")
        )
    )
    rejecting = LoadBatch.objects.select_related("source").filter(
        rejected_count__gt=0, created_at__gte=now() - timedelta(days=_RECENT_DAYS)
    )
    due = due_for_review()
    return StewardHome(
        open_count=queue["count"],
        oldest_at=queue["oldest"],
        conflict_count=queue["conflicts"],
        decided_today=decisions[-1],
        decided_today_by_me=mine,
        decisions_per_day=decisions,
        last_run=last_run,
        is_search_due=_is_search_due(last_run, sources),
        records=_cached("records", _count_records),
        sources=sources,
        rejecting_batches=list(rejecting[:_ROWS]),
        due_pins=[DuePin(pin, label_of(pin.attribute)) for pin in due[:_ROWS]],
        due_pin_count=due.count(),
    )


def dpo_home() -> DpoHome:
    """Read what people said lately and what files left."""
    since = now() - timedelta(days=_LEGAL_DAYS)
    restrictive = Q(type__in=_RESTRICTIVE)
    events = ConsentEvent.objects.filter(occurred_at__gte=since).aggregate(
        count=Count("pk"), restrictive=Count("pk", filter=restrictive)
    )
    requests = RightsRequest.objects.filter(state=RightsRequest.State.RECEIVED).aggregate(
        count=Count("pk"), next=Min("due_on")
    )
    downloads = ListDownload.objects.select_related("target_list__campaign", "user")
    return DpoHome(
        open_request_count=requests["count"],
        next_due_on=requests["next"],
        event_count=events["count"],
        restrictive_count=events["restrictive"],
        restrictions_per_day=_per_day(
            ConsentEvent.objects.filter(restrictive), "occurred_at", _LEGAL_DAYS
        ),
        channels=_cached("permissions", _count_permissions),
        downloads=list(downloads[:_ROWS]),
        downloaded_count=downloads.filter(at__gte=since).count(),
        ledger=LedgerCheck.objects.first(),
        open_conflict_count=open_conflict_customers(),
        waiting_broker_count=waiting_files().count(),
        earlier_broker_count=earlier_files().count(),
        forgotten_erasure_count=len(erasure_journal.missing()),
    )


def marketer_home(user: User) -> MarketerHome:
    """Read a marketer's campaigns, her lists that have not expired and her downloads."""
    campaigns = Campaign.objects.filter(owner=user).select_related("purpose")
    lists = TargetList.objects.filter(
        campaign__owner=user, frozen_at__isnull=False, expires_at__gt=now()
    ).select_related("campaign")
    downloads = ListDownload.objects.filter(user=user).select_related("target_list__campaign")
    since = now() - timedelta(days=_LEGAL_DAYS)
    return MarketerHome(
        campaigns=list(campaigns[:_ROWS]),
        live_lists=list(lists.order_by("expires_at")[:_ROWS]),
        downloads=list(downloads[:_ROWS]),
        downloaded_count=downloads.filter(at__gte=since).count(),
    )


def administrator_home() -> AdministratorHome:
    """Count the people who can enter, by role."""
    active = Q(user__is_active=True)
    roles = Group.objects.annotate(people=Count("user", filter=active)).order_by("name")
    staff = User.objects.filter(is_active=True, is_staff=True)
    return AdministratorHome(
        active_count=staff.count(),
        roles=[Bar(role_name(group.name), group.people) for group in roles],
        without_role=staff.filter(groups=None, is_superuser=False).count(),
    )


_RESTRICTIVE = (
    ConsentEvent.Type.REFUSED,
    ConsentEvent.Type.WITHDRAWN,
    ConsentEvent.Type.OBJECTION,
)
_FOR = (PermissionState.State.GIVEN, PermissionState.State.CONFIRMED)
_NOT_AGAINST = (
    *_FOR,
    PermissionState.State.INVALIDATED,
    PermissionState.State.QUARANTINED,
    PermissionState.State.CONTESTED,
)


def _is_search_due(last_run: MatchRun | None, sources: Sequence[Any]) -> bool:
    """True when a file was loaded after the last search for duplicates began."""
    loaded = [source.last_loaded_at for source in sources if source.last_loaded_at]
    return bool(loaded) and (last_run is None or max(loaded) > last_run.started_at)


def _per_day(rows: Any, moment: str, days: int) -> list[int]:
    """Count rows per day, today last; days without any are zero."""
    first = localdate() - timedelta(days=days - 1)
    counts = dict(
        rows.filter(**{f"{moment}__date__gte": first})
        .order_by()
        .annotate(day=TruncDate(moment))
        .values_list("day")
        .annotate(count=Count("pk"))
    )
    return [counts.get(first + timedelta(days=offset), 0) for offset in range(days)]


def _count_records() -> Records:
    by_source = list(
        SourceSystem.objects.annotate(
            record_count=Count("records", filter=Q(records__status=SourceRecord.Status.ACTIVE))
        )
        .order_by("-record_count", "label")
        .values_list("label", "record_count")
    )
    return Records(
        by_source=[Bar(label, count) for label, count in by_source],
        record_count=sum(count for _label, count in by_source),
        customer_count=Customer.objects.filter(status=Customer.Status.ACTIVE).count(),
    )


def _count_permissions() -> list[ChannelPermissions]:
    people = (
        PermissionState.objects.order_by()
        .values_list("channel")
        .annotate(
            agreeing=Count("customer", filter=Q(state__in=_FOR), distinct=True),
            refusing=Count("customer", filter=~Q(state__in=_NOT_AGAINST), distinct=True),
        )
    )
    counts = {channel: (agreeing, refusing) for channel, agreeing, refusing in people}
    return [
        ChannelPermissions(channel, *counts[channel]) for channel in Channel if channel in counts
    ]


def _cached(name: str, read: Callable[[], _T]) -> _T:
    return cast(_T, cache.get_or_set(f"home.{name}", read, _COUNTS_SECONDS))
