"""How the fold reads consent events back: a customer's own, and refusals of what she carries."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import QuerySet

from consent.facts import ANY, ANY_KIND, CHANNEL_KINDS
from consent.ledger import RESTRICTIVE, FirstEvent
from consent.memberships import Membership, home_column, of_members
from consent.models import ConsentEvent
from consent.states import Event, EventType, Key
from mdm.kept_queries import kept, kept_behind
from mdm.key_sets import key_set
from mdm.models import RecordContactPoint
from mdm.signals import Births

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
_BOUND_REFUSALS = frozenset({EventType.REFUSED, EventType.WITHDRAWN})

# Plain tuples: a load makes some for every row.
OwnEvent = tuple[int, int, int | None, Sequence[Any]]
"""A customer, her record, the contact point, and the event: the values of READ."""
SharedRefusal = tuple[int, int, Sequence[Any]]
"""A customer, a contact point she carries, and what another's record said: values of READ."""
CarriedPoints = Mapping[int, Iterable[tuple[int, str]]]
"""By record: the keys and kinds of the contact points it carries."""


class FirstFacts(NamedTuple):
    """What is known of customers just born, each with one record."""

    alone: Mapping[int, Sequence[FirstEvent]]
    """What their record said, of whom nobody else said anything."""
    with_others: Mapping[int, Sequence[Event]]
    """What the fold needs of all the others."""


def events_by_customer(members: Membership) -> dict[int, list[Event]]:
    """Return what the fold needs of each customer, read from what is stored."""
    own = list(_own_events(members))
    refusing = {record for _, record, point, row in own if _is_bound_refusal(point, row[1])}
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
    for customer, record, point, row in own:
        events, kind = found[customer], row[1]
        is_personal = kind == EventType.OBJECTION
        events.append(event_of(None if is_personal else point, row, record))
        if _is_bound_refusal(point, kind):
            kinds = CHANNEL_KINDS.get(row[2], ANY_KIND)
            events += [
                event_of(other, row, record)
                for other, other_kind in carried.get(record, ())
                if other != point and other_kind in kinds
            ]
    for customer, point, row in shared:
        found[customer].append(event_of(point, row))
    return found


def first_events(
    recorded: Iterable[FirstEvent],
    births: Births,
    refusals: Iterable[SharedRefusal],
    purpose_codes: Mapping[int | None, str | None],
    moment: datetime,
) -> FirstFacts:
    """Return what the fold needs of customers just born, from memory.

    `recorded` are all the events of their records, as of a moment; `refusals` what others said of
    contact points they share (`refusals_of_shared_points`).
    """
    alone: dict[int, list[FirstEvent]] = defaultdict(list)
    shared = list(refusals)
    carriers = _carriers(births)
    for one in recorded:
        event = one.event
        record, point = event.record_id, event.contact_point_id
        alone[record].append(one)
        if point in carriers and event.type in RESTRICTIVE:
            told = _as_read(one, purpose_codes, moment)
            shared += [(other, point, told) for other in carriers[point] if other != record]
    own: list[OwnEvent] = []
    carried: dict[int, list[tuple[int, str]]] = {}
    for customer in {customer for customer, _point, _row in shared}:
        carried[customer] = [(p.contact_point_id, p.kind) for p in births.carried[customer]]
        for one in alone.pop(customer, ()):
            told = _as_read(one, purpose_codes, moment)
            own.append((customer, customer, one.event.contact_point_id, told))
    return FirstFacts(alone, assemble(own, carried, shared))


def _as_read(
    first: FirstEvent, purpose_codes: Mapping[int | None, str | None], moment: datetime
) -> Sequence[Any]:
    """Return the values of `READ` of an event recorded at a moment."""
    event = first.event
    return (
        first.key, event.type, event.channel, purpose_codes[event.purpose_id], moment,
        event.occurred_at, event.actor_type, event.evidence_level, event.annuls_id,
    )  # fmt: skip


def _is_bound_refusal(contact_point_id: int | None, kind: str) -> bool:
    return contact_point_id is not None and kind in _BOUND_REFUSALS


def _own_events(members: Membership) -> Iterator[OwnEvent]:
    for home, record, point, *row in _told(members.keys, is_supposed=members.is_supposed):
        yield members.customer(home), record, point, row


@kept
def _told(
    keys: Collection[int], *, is_supposed: bool
) -> "QuerySet[ConsentEvent, tuple[Any, ...]]":
    hers = of_members(keys, is_supposed=is_supposed, record="source_record")
    home = home_column("source_record", is_supposed=is_supposed)
    told = ConsentEvent.objects.filter(hers).order_by()
    return told.values_list(home, "source_record_id", "contact_point_id", *READ)


def _carried_points(record_ids: Collection[int]) -> CarriedPoints:
    found: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for record, point, kind in _carried_by(record_ids) if record_ids else ():
        found[record].append((point, kind))
    return found


@kept
def _carried_by(
    record_ids: Collection[int],
) -> "QuerySet[RecordContactPoint, tuple[int, int, str]]":
    carried = RecordContactPoint.objects.filter(record__in=key_set(record_ids)).order_by()
    return carried.values_list("record_id", "contact_point_id", "contact_point__kind")


def _shared_refusals(members: Membership) -> list[SharedRefusal]:
    carriers: dict[int, set[int]] = defaultdict(set)
    for home, point in _carried_points_of(members.keys, is_supposed=members.is_supposed):
        carriers[point].add(members.customer(home))
    return _told_by_others(carriers, members)


@kept
def _carried_points_of(
    keys: Collection[int], *, is_supposed: bool
) -> "QuerySet[RecordContactPoint, tuple[int, int]]":
    hers = of_members(keys, is_supposed=is_supposed, record="record")
    home = home_column("record", is_supposed=is_supposed)
    carried = RecordContactPoint.objects.filter(hers).order_by()
    return carried.values_list(home, "contact_point_id")


def refusals_of_shared_points(births: Births) -> Callable[[], list[SharedRefusal]]:
    """Return what gives what is stored of refusals of contact points that new records carry, too.

    It is asked at once, and answered when it is called (`behind.ask`).
    """
    carriers = _carriers(births)
    if not carriers:
        return list
    rows = _refusals_asked(carriers)
    return lambda: _of_others(rows(), carriers, Membership(()))


def _told_by_others(carriers: Mapping[int, set[int]], members: Membership) -> list[SharedRefusal]:
    if not carriers:
        return []
    return _of_others(_refusals_of(carriers, is_supposed=members.is_supposed), carriers, members)


def _of_others(
    refusals: Iterable[tuple[Any, ...]], carriers: Mapping[int, set[int]], members: Membership
) -> list[SharedRefusal]:
    """Return the refusals of contact points that others than the customers carrying them told."""
    return [
        (customer, point, row)
        for home, point, *row in refusals
        for customer in carriers[point] - {members.customer(home)}
    ]


def _refusals(
    contact_point_ids: Collection[int], *, is_supposed: bool = False
) -> "QuerySet[ConsentEvent, tuple[Any, ...]]":
    author = home_column("source_record", is_supposed=is_supposed)
    refusals = ConsentEvent.objects.filter(
        contact_point__in=key_set(contact_point_ids), type__in=RESTRICTIVE
    )
    return refusals.order_by().values_list(author, "contact_point_id", *READ)


_refusals_of, _refusals_asked = kept(_refusals), kept_behind(_refusals)


def _carriers(births: Births) -> dict[int, set[int]]:
    """Return the new records that carry each contact point that is shared."""
    carriers: dict[int, set[int]] = defaultdict(set)
    for record, points in births.carried.items():
        for point in points:
            if point.contact_point_id in births.shared:
                carriers[point.contact_point_id].add(record)
    return carriers


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
