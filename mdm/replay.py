"""Replay the outbox as a consumer would who starts with nothing, and compare with today."""

from collections import defaultdict
from collections.abc import Iterator
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


@dataclass
class Replayed:
    """What the events amount to; the last three say what is wrong with them."""

    members: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    statuses: dict[int, str] = field(default_factory=dict)
    leads_to: dict[int, int] = field(default_factory=dict)
    event_count: int = 0
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
    for customer, events in groupby(_events(), key=itemgetter(0)):
        expected = 1
        for event in events:
            state.event_count += 1
            if event.number != expected and customer not in state.gaps[-1:]:
                state.gaps.append(customer)
            expected = event.number + 1
            _follow(state, event)
    return state


def check() -> Replayed:
    """Replay and compare with today's members, statuses and ids merged."""
    state = replay()
    today: dict[int, set[int]] = defaultdict(set)
    records = SourceRecord.objects.order_by().values_list("customer_id", "pk")
    for customer, record in records.iterator(chunk_size=_CHUNK):
        today[customer].add(record)
    customers = Customer.objects.order_by("pk").values_list("pk", "status", "merged_into")
    for key, status, into in customers.iterator(chunk_size=_CHUNK):
        said = state.members.get(key, set()), state.statuses.get(key), state.leads_to.get(key)
        if said != (today.get(key, set()), status, into):
            state.differing.append(key)
    return state


def _follow(state: Replayed, event: Event) -> None:
    members = state.members[event.customer_id]
    if event.kind in (Kind.CREATED, Kind.JOINED) and event.record_id:
        members.add(event.record_id)
    elif event.kind == Kind.LEFT and event.record_id:
        members.discard(event.record_id)
    if status := _STATUS_AFTER.get(Kind(event.kind)):
        state.statuses[event.customer_id] = status
        state.leads_to.pop(event.customer_id, None)
    if event.kind == Kind.MERGED and event.other_id:
        state.leads_to[event.customer_id] = event.other_id


def _events() -> Iterator[Event]:
    """Yield every event, each customer's in the order of its numbers."""
    rows = CustomerEvent.objects.order_by("customer", "number").values_list(*Event._fields)
    yield from map(Event._make, rows.iterator(chunk_size=_CHUNK))
