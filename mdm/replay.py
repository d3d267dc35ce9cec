"""Replay the outbox as a consumer would who starts with nothing, and compare with today.

Customers come one after the other, from the events and from what is stored alike, so memory does
not grow with their number.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from mdm.models import Customer, CustomerEvent, SourceRecord

_CHUNK = 20_000
Kind = CustomerEvent.Kind
_STATUS_AFTER = {
    Kind.CREATED: Customer.Status.ACTIVE,
    Kind.RESTORED: Customer.Status.ACTIVE,
    Kind.MERGED: Customer.Status.MERGED,
    Kind.INACTIVATED: Customer.Status.INACTIVE,
    Kind.ERASED: Customer.Status.ERASED,
}


class Event(NamedTuple):
    """An event as a consumer reads it."""

    customer_id: int
    number: int
    kind: str
    record_id: int | None
    other_id: int | None


class Known(NamedTuple):
    """What a consumer knows of one customer."""

    members: frozenset[int]
    status: str | None
    leads_to: int | None


@dataclass
class Replayed:
    """What the events amount to; the last two say what is wrong with them."""

    event_count: int = 0
    live_count: int = 0
    gaps: list[int] = field(default_factory=list)
    """Customers whose numbers are not 1, 2, 3, …"""
    differing: list[int] = field(default_factory=list)
    """Customers that are not today what their events say."""

    @property
    def is_sound(self) -> bool:
        """Whether the events are complete and give what is so today."""
        return not self.gaps and not self.differing


def replay() -> Replayed:
    """Read every event and return what a consumer knows at the end."""
    state = Replayed()
    for _customer, _known in _told(state):
        pass
    return state


def check() -> Replayed:
    """Replay and compare with today's members, statuses and ids merged."""
    state = Replayed()
    for customer, said, so in _side_by_side(_told(state), _today()):
        if said != so:
            state.differing.append(customer)
    return state


def _told(state: Replayed) -> Iterator[tuple[int, Known]]:
    """Yield what the events say of each customer, by rising key; count in `state`."""
    for customer, told in groupby(_events(), key=itemgetter(0)):
        events = list(told)
        state.event_count += len(events)
        if [event.number for event in events] != list(range(1, len(events) + 1)):
            state.gaps.append(customer)
        known = _follow(events)
        state.live_count += bool(known.members)
        yield customer, known


def _follow(events: Iterable[Event]) -> Known:
    members, status, leads_to = set[int](), None, None
    for event in events:
        if event.kind in (Kind.CREATED, Kind.JOINED) and event.record_id:
            members.add(event.record_id)
        elif event.kind == Kind.LEFT and event.record_id:
            members.discard(event.record_id)
        if after := _STATUS_AFTER.get(Kind(event.kind)):
            status = after.value
            leads_to = event.other_id if event.kind == Kind.MERGED else None
    return Known(frozenset(members), status, leads_to)


def _today() -> Iterator[tuple[int, Known]]:
    """Yield what is so of each customer, by rising key."""
    customers = Customer.objects.order_by("pk").values_list("pk", "status", "merged_into")
    for (key, status, into), members in _with_members(customers.iterator(chunk_size=_CHUNK)):
        yield key, Known(members, status, into)


def _with_members(
    customers: Iterable[tuple[int, str, int | None]],
) -> Iterator[tuple[tuple[int, str, int | None], frozenset[int]]]:
    records = SourceRecord.objects.order_by("customer", "pk").values_list("customer_id", "pk")
    homes = groupby(records.iterator(chunk_size=_CHUNK), key=itemgetter(0))
    home, rows = next(homes, (None, iter(())))
    for customer in customers:
        if customer[0] != home:
            yield customer, frozenset()
            continue
        yield customer, frozenset(record for _, record in rows)
        home, rows = next(homes, (None, iter(())))


def _side_by_side(
    told: Iterator[tuple[int, Known]], today: Iterator[tuple[int, Known]]
) -> Iterator[tuple[int, Known | None, Known | None]]:
    """Yield every customer that either side knows, with what each says."""
    said, so = next(told, None), next(today, None)
    while said or so:
        key = min(side[0] for side in (said, so) if side)
        mine = said if said and said[0] == key else None
        theirs = so if so and so[0] == key else None
        yield key, mine and mine[1], theirs and theirs[1]
        said = next(told, None) if mine else said
        so = next(today, None) if theirs else so


def _events() -> Iterator[Event]:
    """Yield every event, each customer's in the order of its numbers."""
    rows = CustomerEvent.objects.order_by("customer", "number").values_list(*Event._fields)
    yield from map(Event._make, rows.iterator(chunk_size=_CHUNK))
