"""The only way consent events are written, and how the fold reads them back.

An event is a fact: it is recorded once, under an id made of what makes it the same fact, and
never touched again. It hangs from its source record and contact point, so merges move nothing.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import uuid4

from django.utils.timezone import now

from consent.facts import ANY, ANY_KIND, CHANNEL_KINDS
from consent.memberships import Membership
from consent.models import ConsentEvent
from consent.states import Event, EventType, Key
from mdm import bulk
from mdm.key_sets import key_set
from mdm.models import ContactPoint, RecordContactPoint
from mdm.signals import Births

PERMISSIVE = (EventType.GIVEN, EventType.CONFIRMED)
RESTRICTIVE = (EventType.REFUSED, EventType.WITHDRAWN, EventType.OBJECTION)
_BOUND_REFUSALS = frozenset({EventType.REFUSED, EventType.WITHDRAWN})
_COLUMNS = (
    "id",
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
    "annuls_id",
    "source_event_id",
)
READ = (
    "pk",
    "type",
    "channel",
    "purpose__code",
    "recorded_at",
    "occurred_at",
    "actor_type",
    "evidence_level",
    "annuls_id",
)


class NewEvent(NamedTuple):
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
    annuls_id: int | None = None

    @property
    def source_event_id(self) -> str:
        """Return the digest under which this fact is stored once."""
        return fact_id(self.fact)


def fact_id(fact: Iterable[object]) -> str:
    """Return the digest of what makes a fact the same fact as another."""
    return hashlib.sha256("\x1f".join(map(str, fact)).encode()).hexdigest()


def record_events(events: Iterable[NewEvent]) -> list[NewEvent]:
    """Append the events not recorded yet and return them. Call it inside a transaction.

    What was taken back may be said again: that is another fact.
    """
    wanted = _not_recorded({event.source_event_id: event for event in events})
    if not wanted:
        return []
    _lock_refused_points(wanted.values())
    moment = now()
    bulk.insert_ignoring(
        ConsentEvent,
        _COLUMNS[1:],
        (_row(event, key, moment) for key, event in wanted.items()),
    )
    return list(wanted.values())


def _not_recorded(wanted: dict[str, NewEvent]) -> dict[str, NewEvent]:
    fresh: dict[str, NewEvent] = {}
    while wanted:
        recorded = dict(
            ConsentEvent.objects.filter(source_event_id__in=wanted).values_list(
                "source_event_id", "pk"
            )
        )
        fresh |= {key: event for key, event in wanted.items() if key not in recorded}
        again = _said_again(wanted, recorded)
        wanted = {event.source_event_id: event for event in again}
    return fresh


def _said_again(wanted: dict[str, NewEvent], recorded: dict[str, int]) -> list[NewEvent]:
    """Return the recorded facts that were taken back since, as the facts they are now."""
    if not recorded:
        return []
    retractions = dict(
        ConsentEvent.objects.filter(annuls__in=recorded.values()).values_list("annuls_id", "pk")
    )
    return [
        wanted[key]._replace(fact=(*wanted[key].fact, "said again after", retractions[pk]))
        for key, pk in recorded.items()
        if pk in retractions
    ]


class Recorded(NamedTuple):
    """An event that was just appended: its key, and when."""

    event_id: int
    recorded_at: datetime
    event: NewEvent


def record_first_events(events: Iterable[NewEvent]) -> list[Recorded]:
    """Append the first events ever of records inserted in this transaction.

    Nothing stored can be the same fact, and the contact points are locked already (`meet`).
    """
    wanted = {event.source_event_id: event for event in events}
    if not wanted:
        return []
    moment = now()
    keys = bulk.allocate_ids(ConsentEvent, len(wanted))
    bulk.insert(
        ConsentEvent,
        _COLUMNS,
        (
            (key, *_row(event, source_event_id, moment))
            for key, (source_event_id, event) in zip(keys, wanted.items(), strict=True)
        ),
    )
    return [Recorded(key, moment, event) for key, event in zip(keys, wanted.values(), strict=True)]


def _lock_refused_points(events: Iterable[NewEvent]) -> None:
    """Make a load that adds a carrier of a refused contact point wait, or wait for it.

    Otherwise neither would see the other's rows, and the new carrier would miss the refusal.
    """
    points = (event.contact_point_id for event in events if event.type in RESTRICTIVE)
    if refused := {point for point in points if point is not None}:
        locked = ContactPoint.objects.filter(pk__in=refused).order_by("kind", "value")
        list(locked.select_for_update(no_key=True).values_list("pk"))


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
        event.annuls_id,
        source_event_id,
    )


class OwnEvent(NamedTuple):
    """An event of one of the customer's records; `row` holds the values of READ."""

    customer_id: int
    record_id: int
    contact_point_id: int | None
    row: Sequence[Any]


class SharedRefusal(NamedTuple):
    """A refusal that another customer's record made of a contact point she carries."""

    customer_id: int
    contact_point_id: int
    row: Sequence[Any]


CarriedPoints = Mapping[int, Iterable[tuple[int, str]]]
"""By record: the keys and kinds of the contact points it carries."""


def events_by_customer(members: Membership) -> dict[int, list[Event]]:
    """Return what the fold needs of each customer, read from what is stored."""
    own = list(_own_events(members))
    refusing = {event.record_id for event in own if _is_bound_refusal(event)}
    return assemble(own, _carried_points(refusing), _shared_refusals(members))


def assemble(
    own: Iterable[OwnEvent], carried: CarriedPoints, shared: Iterable[SharedRefusal]
) -> dict[int, list[Event]]:
    """Return what the fold needs of each customer: her events, and refusals of her addresses.

    An objection follows the person to every contact point. A refusal follows the contact point to
    whoever else carries it, and the record to the address it carries now: a source that says no
    goes on saying it after it corrected the address.
    """
    found: dict[int, list[Event]] = defaultdict(list)
    for event in own:
        events, (kind, channel) = found[event.customer_id], event.row[1:3]
        is_personal = kind == EventType.OBJECTION
        point_id = None if is_personal else event.contact_point_id
        events.append(event_of(point_id, event.row, event.record_id))
        if _is_bound_refusal(event):
            kinds = CHANNEL_KINDS.get(channel, ANY_KIND)
            events += [
                event_of(point, event.row, event.record_id)
                for point, point_kind in carried.get(event.record_id, ())
                if point != event.contact_point_id and point_kind in kinds
            ]
    for refusal in shared:
        found[refusal.customer_id].append(event_of(refusal.contact_point_id, refusal.row))
    return found


def first_events(
    recorded: Iterable[Recorded], births: Births, purpose_codes: Mapping[int | None, str | None]
) -> dict[int, list[Event]]:
    """Return what the fold needs of customers just born, from memory.

    `recorded` are all the events of their records; of others, only what is said of contact points
    they share is read.
    """
    own = [
        OwnEvent(
            event.record_id,
            event.record_id,
            event.contact_point_id,
            (
                key, event.type, event.channel, purpose_codes[event.purpose_id], recorded_at,
                event.occurred_at, event.actor_type, event.evidence_level, event.annuls_id,
            ),
        )
        for key, recorded_at, event in recorded
    ]  # fmt: skip
    carried = {
        event.record_id: [
            (point.contact_point_id, point.kind) for point in births.carried[event.record_id]
        ]
        for event in own
        if _is_bound_refusal(event)
    }
    return assemble(own, carried, _refusals_of_shared_points(births))


def _is_bound_refusal(event: OwnEvent) -> bool:
    return event.contact_point_id is not None and event.row[1] in _BOUND_REFUSALS


def _own_events(members: Membership) -> Iterator[OwnEvent]:
    own = ConsentEvent.objects.filter(members.among("source_record")).order_by()
    for home, record, point, *row in own.values_list(
        members.column("source_record"), "source_record_id", "contact_point_id", *READ
    ):
        yield OwnEvent(members.customer(home), record, point, row)


def _carried_points(record_ids: Collection[int]) -> CarriedPoints:
    found: dict[int, list[tuple[int, str]]] = defaultdict(list)
    if record_ids:
        carried = RecordContactPoint.objects.filter(record__in=key_set(record_ids)).order_by()
        for record, point, kind in carried.values_list(
            "record_id", "contact_point_id", "contact_point__kind"
        ):
            found[record].append((point, kind))
    return found


def _shared_refusals(members: Membership) -> Iterator[SharedRefusal]:
    shared = RecordContactPoint.objects.filter(
        members.among("record"), contact_point__consent_events__type__in=RESTRICTIVE
    ).order_by()
    prefix = "contact_point__consent_events__"
    found = shared.values_list(
        members.column("record"),
        members.column(f"{prefix}source_record"),
        "contact_point_id",
        *(f"{prefix}{name}" for name in READ),
    ).distinct()
    told = set()
    for home, author, *rest in found:
        customer = members.customer(home)
        # As it would be, several records of one customer may carry the same contact point.
        if members.customer(author) != customer and (customer, *rest[:2]) not in told:
            told.add((customer, *rest[:2]))
            yield SharedRefusal(customer, rest[0], rest[1:])


def _refusals_of_shared_points(births: Births) -> Iterator[SharedRefusal]:
    carriers: dict[int, set[int]] = defaultdict(set)
    for record, points in births.carried.items():
        for point in points:
            if point.contact_point_id in births.shared:
                carriers[point.contact_point_id].add(record)
    if not carriers:
        return
    refusals = ConsentEvent.objects.filter(
        contact_point__in=key_set(carriers), type__in=RESTRICTIVE
    ).order_by()
    for author, point, *row in refusals.values_list(
        "source_record__customer_id", "contact_point_id", *READ
    ):
        for customer in carriers[point] - {author}:
            yield SharedRefusal(customer, point, row)


def holders(contact_point_ids: Iterable[int]) -> set[int]:
    """Return the customers whose records carry one of these contact points."""
    carried = RecordContactPoint.objects.filter(contact_point__in=key_set(set(contact_point_ids)))
    return set(carried.values_list("record__customer_id", flat=True))


def event_of(
    contact_point_id: int | None, row: Sequence[Any], record_id: int | None = None
) -> Event:
    """Return an event as the fold reads it, from the values of `READ`."""
    pk, kind, channel, purpose, recorded_at, occurred_at, actor, evidence, annuls = row
    key = Key(contact_point_id, channel, purpose or ANY)
    return Event(pk, kind, key, recorded_at, occurred_at, actor, evidence, None, annuls, record_id)
