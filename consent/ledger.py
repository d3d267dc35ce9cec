"""The only way consent events are written.

An event is a fact: it is recorded once, under an id made of what makes it the same fact, and
never touched again. It hangs from its source record and contact point, so merges move nothing.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models import QuerySet
from django.utils.timezone import now

from consent.models import ConsentEvent
from consent.states import EventType
from consent.uuids import uuids_at
from mdm import bulk
from mdm.kept_queries import kept
from mdm.key_sets import key_set
from mdm.models import ContactPoint

PERMISSIVE = (EventType.GIVEN, EventType.CONFIRMED)
RESTRICTIVE = (EventType.REFUSED, EventType.WITHDRAWN, EventType.OBJECTION)


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


_FACT = NewEvent._fields.index("fact")
_TOLD = ("source_record_id", *NewEvent._fields[1:_FACT], *NewEvent._fields[_FACT + 1 :])
_COLUMNS = ("id", "uuid", "source_event_id", "recorded_at", *_TOLD)


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
    names = uuids_at(moment, len(wanted))
    bulk.insert_ignoring(
        ConsentEvent,
        _COLUMNS[1:],
        (
            (name, digest, moment, *_told(event))
            for name, (digest, event) in zip(names, wanted.items(), strict=True)
        ),
    )
    return list(wanted.values())


def _not_recorded(wanted: dict[str, NewEvent]) -> dict[str, NewEvent]:
    fresh: dict[str, NewEvent] = {}
    while wanted:
        recorded = _recorded(wanted)
        fresh |= {key: event for key, event in wanted.items() if key not in recorded}
        again = _said_again(wanted, recorded)
        wanted = {event.source_event_id: event for event in again}
    return fresh


def _recorded(wanted: Mapping[str, NewEvent]) -> dict[str, int]:
    """Return the keys of the facts that are recorded already, each where its index is."""
    records = {event.record_id for event in wanted.values()}
    found = dict(_facts_of(records))
    acts = [digest for digest, event in wanted.items() if event.batch_id is None]
    if acts:
        told = ConsentEvent.objects.filter(batch=None, source_event_id__in=acts).order_by()
        found.update(told.values_list("source_event_id", "pk"))
    return {digest: key for digest, key in found.items() if digest in wanted}


@kept
def _facts_of(record_ids: Collection[int]) -> "QuerySet[ConsentEvent, tuple[str, int]]":
    told = ConsentEvent.objects.filter(source_record__in=key_set(record_ids)).order_by()
    return told.values_list("source_event_id", "pk")


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


class FirstEvent(NamedTuple):
    """An event about to be recorded, with its key and the digest of its fact."""

    key: int
    digest: str
    event: NewEvent


def numbered(keys: Iterable[int], events: Iterable[NewEvent]) -> list[FirstEvent]:
    """Give the first events ever of new records their keys, each fact once; keys may be left."""
    wanted = {event.source_event_id: event for event in events}
    return list(map(FirstEvent, keys, wanted.keys(), wanted.values()))


def record_first_events(events: Sequence[FirstEvent], moment: datetime) -> None:
    """Append the first events ever of records inserted in this transaction, as of a moment.

    Nothing stored can be the same fact, and the contact points are locked already (`meet`).
    """
    if events:
        names = uuids_at(moment, len(events))
        bulk.insert(
            ConsentEvent,
            _COLUMNS,
            (
                (key, name, digest, moment, *_told(event))
                for name, (key, digest, event) in zip(names, events, strict=True)
            ),
        )


def _lock_refused_points(events: Iterable[NewEvent]) -> None:
    """Make a load that adds a carrier of a refused contact point wait, or wait for it.

    Otherwise neither would see the other's rows, and the new carrier would miss the refusal.
    """
    points = (event.contact_point_id for event in events if event.type in RESTRICTIVE)
    if refused := {point for point in points if point is not None}:
        locked = ContactPoint.objects.filter(pk__in=refused).order_by("value", "kind")
        list(locked.select_for_update(no_key=True).values_list("pk"))


def _told(event: NewEvent) -> tuple[object, ...]:
    """Return what an event says, in the order of `_TOLD`."""
    return (*event[:_FACT], *event[_FACT + 1 :])
