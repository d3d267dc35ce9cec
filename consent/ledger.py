"""The only way consent events are written, and how the fold reads them back.

An event is a fact: it is recorded once, under an id made of what makes it the same fact, and
never touched again. It hangs from its source record and contact point, so merges move nothing.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from django.utils.timezone import now

from consent.facts import ANY, ANY_KIND, CHANNEL_KINDS
from consent.key_sets import key_set
from consent.models import ConsentEvent
from consent.states import Event, EventType, Key
from mdm import bulk
from mdm.models import RecordContactPoint

RESTRICTIVE = (EventType.REFUSED, EventType.WITHDRAWN, EventType.OBJECTION)
_BOUND_REFUSALS = frozenset({EventType.REFUSED, EventType.WITHDRAWN})
_COLUMNS = (
    "uuid",
    "source_record_id",
    "contact_point_id",
    "channel",
    "purpose_id",
    "type",
    "actor_type",
    "actor_id",
    "evidence_level",
    "claims_double_opt_in",
    "occurred_at",
    "recorded_at",
    "notice_version_id",
    "batch_id",
    "line",
    "source_event_id",
)
_READ = (
    "pk",
    "type",
    "channel",
    "purpose__code",
    "recorded_at",
    "occurred_at",
    "actor_type",
    "evidence_level",
)


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event about to be recorded; `fact` says what makes it the same fact as another."""

    record_id: int
    type: str
    channel: str
    purpose_id: int | None
    contact_point_id: int | None
    actor_type: str
    fact: tuple[object, ...]
    evidence_level: int = 0
    occurred_at: datetime | None = None
    actor_id: int | None = None
    claims_double_opt_in: bool = False
    notice_version_id: int | None = None
    batch_id: int | None = None
    line: int | None = None

    @property
    def source_event_id(self) -> str:
        """Return the digest under which this fact is stored once."""
        return hashlib.sha256("\x1f".join(map(str, self.fact)).encode()).hexdigest()


def record_events(events: Iterable[NewEvent]) -> list[NewEvent]:
    """Append the events not recorded yet and return them. Call it inside a transaction."""
    wanted = {event.source_event_id: event for event in events}
    if not wanted:
        return []
    recorded = ConsentEvent.objects.filter(source_event_id__in=wanted)
    for source_event_id in recorded.values_list("source_event_id", flat=True):
        del wanted[source_event_id]
    moment = now()
    bulk.insert_ignoring(
        ConsentEvent, _COLUMNS, (_row(event, key, moment) for key, event in wanted.items())
    )
    return list(wanted.values())


def _row(event: NewEvent, source_event_id: str, recorded_at: datetime) -> tuple[object, ...]:
    return (
        uuid4(),
        event.record_id,
        event.contact_point_id,
        event.channel,
        event.purpose_id,
        event.type,
        event.actor_type,
        event.actor_id,
        event.evidence_level,
        event.claims_double_opt_in,
        event.occurred_at,
        recorded_at,
        event.notice_version_id,
        event.batch_id,
        event.line,
        source_event_id,
    )


def events_by_customer(customer_ids: Sequence[int]) -> dict[int, list[Event]]:
    """Return what the fold needs of each customer: her events, and refusals of her addresses.

    An objection follows the person to every contact point. A refusal follows the contact point to
    whoever else carries it, and the record to the address it carries now: a source that says no
    goes on saying it after it corrected the address.
    """
    found: dict[int, list[Event]] = defaultdict(list)
    _add_own(found, customer_ids)
    _add_shared(found, customer_ids)
    return found


def _add_own(found: dict[int, list[Event]], customer_ids: Sequence[int]) -> None:
    own = ConsentEvent.objects.filter(source_record__customer__in=key_set(customer_ids)).order_by()
    refusals: dict[int, list[tuple[int, int, Sequence[object]]]] = defaultdict(list)
    for customer, record, point, *row in own.values_list(
        "source_record__customer_id", "source_record_id", "contact_point_id", *_READ
    ):
        kind = row[1]
        found[customer].append(_event(None if kind == EventType.OBJECTION else point, row))
        if kind in _BOUND_REFUSALS and point is not None:
            refusals[record].append((customer, point, row))
    if not refusals:
        return
    carried = RecordContactPoint.objects.filter(record__in=key_set(refusals)).order_by()
    for record, point, kind in carried.values_list(
        "record_id", "contact_point_id", "contact_point__kind"
    ):
        for customer, refused, row in refusals[record]:
            if point != refused and kind in CHANNEL_KINDS.get(str(row[2]), ANY_KIND):
                found[customer].append(_event(point, row))


def _add_shared(found: dict[int, list[Event]], customer_ids: Sequence[int]) -> None:
    shared = RecordContactPoint.objects.filter(
        record__customer__in=key_set(customer_ids),
        contact_point__consent_events__type__in=RESTRICTIVE,
    ).order_by()
    prefix = "contact_point__consent_events__"
    for customer, author, point, *row in shared.values_list(
        "record__customer_id",
        f"{prefix}source_record__customer_id",
        "contact_point_id",
        *(f"{prefix}{name}" for name in _READ),
    ).distinct():
        if author != customer:
            found[customer].append(_event(point, row))


def holders(contact_point_ids: Iterable[int]) -> set[int]:
    """Return the customers whose records carry one of these contact points."""
    carried = RecordContactPoint.objects.filter(contact_point__in=key_set(set(contact_point_ids)))
    return set(carried.values_list("record__customer_id", flat=True))


def _event(contact_point_id: int | None, row: Sequence[object]) -> Event:
    pk, kind, channel, purpose, recorded_at, occurred_at, actor, evidence = row
    return Event(
        event_id=pk,  # type: ignore[arg-type]
        type=str(kind),
        key=Key(contact_point_id, str(channel), str(purpose) if purpose else ANY),
        recorded_at=recorded_at,  # type: ignore[arg-type]
        occurred_at=occurred_at,  # type: ignore[arg-type]
        actor=str(actor),
        evidence=evidence,  # type: ignore[arg-type]
    )
