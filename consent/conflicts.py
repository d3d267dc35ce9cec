"""Contradictions that a merge brings: a consent on one record against a refusal on another.

The precedence of `states` says which of them prevails when one person told both. Whether one
person did is what the merge claims. So where a consent prevails over a refusal that another record
told, and she had not come back as one customer with that record, the permission is contested: the
gate refuses (G7) until the data protection officer has judged these very events.

Pure: events, where records belonged and belong, and what was judged.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from consent.facts import Permission, State
from consent.states import (
    OLDEST,
    OWN_WILL,
    Event,
    Key,
    fold_all,
    refusal_in_force,
    standing_grants,
    unretracted,
)

Homes = Mapping[int, Sequence[tuple[datetime, int]]]
"""Record → from when it belonged to which customer, the earliest first."""
States = dict[Key, Permission]


class Verdict(StrEnum):
    """What the data protection officer decides; the stored values are part of the format."""

    REFUSAL = "refusal"
    CONSENT = "consent"


class Conflict(NamedTuple):
    """Consents that prevail on a key although other records of the customer refused.

    `since` is when the last of these records came to where it is.
    """

    key: Key
    grants: tuple[Event, ...]
    refusals: tuple[Event, ...]
    since: datetime

    @property
    def digest(self) -> str:
        """Return what names this conflict: other events on either side make it another one."""
        sides = [sorted(event.event_id for event in side) for side in (self.grants, self.refusals)]
        return hashlib.sha256(repr((tuple(self.key), *sides)).encode()).hexdigest()


Judged = Mapping[str, Verdict]
"""Digest of a conflict → what was decided of it."""


def states_of(
    events: Iterable[Event], homes: Homes, judged: Judged, *, known_at: datetime | None = None
) -> States:
    """Return the state of every key that an event names, contradictions as they were judged.

    With `known_at`, only what had come together by then can contradict itself.
    """
    events = list(events)
    states = fold_all(events)
    if may_conflict(events):
        for key, conflict in conflicts(events, homes, known_at=known_at).items():
            states[key] = _settled(states[key], conflict, judged.get(conflict.digest))
    return states


def may_conflict(events: Iterable[Event]) -> bool:
    """Tell cheaply whether there can be a conflict: one record agrees and another refuses."""
    agreeing, refusing = set[int | None](), set[int | None]()
    for event in events:
        if event.is_grant and event.actor in OWN_WILL:
            agreeing.add(event.record_id)
        elif event.is_restrictive and event.record_id is not None:
            refusing.add(event.record_id)
    return bool(agreeing and refusing) and len(agreeing | refusing) > 1


def conflicts(
    events: Iterable[Event], homes: Homes, *, known_at: datetime | None = None
) -> dict[Key, Conflict]:
    """Return the contradictions of one customer, judged or not, by key."""
    listed = unretracted(events)
    refusals = [event for event in listed if event.is_restrictive]
    grants: dict[Key, list[Event]] = {}
    for event in listed:
        if event.is_grant and event.covers(event.key):
            grants.setdefault(event.key, []).append(event)
    found = (
        _conflict(key, given, [r for r in refusals if r.covers(key)], homes, known_at)
        for key, given in grants.items()
    )
    return {conflict.key: conflict for conflict in found if conflict}


def were_together(one: int, other: int, at: datetime, homes: Homes) -> bool:
    """Tell whether two records belonged to one customer at an instant."""
    home = home_at(one, at, homes)
    return home is not None and home == home_at(other, at, homes)


def home_at(record_id: int, at: datetime, homes: Homes) -> int | None:
    """Return the customer a record belonged to at an instant; None before it was known."""
    stays = homes.get(record_id, ())
    place = bisect_right([since for since, _customer in stays], at)
    return stays[place - 1][1] if place else None


def _conflict(
    key: Key,
    grants: Sequence[Event],
    refusals: Sequence[Event],
    homes: Homes,
    known_at: datetime | None,
) -> Conflict | None:
    standing = standing_grants(grants, refusals)
    against = [
        refusal
        for refusal in refusals
        if refusal.record_id is not None
        and not any(_answers(grant, refusal.record_id, homes, known_at) for grant in standing)
    ]
    if not standing or not against:
        return None
    sides = (standing, against)
    standing, against = (sorted(side, key=lambda event: event.event_id) for side in sides)
    return Conflict(key, tuple(standing), tuple(against), _since([*standing, *against], homes))


def _answers(grant: Event, record_id: int, homes: Homes, known_at: datetime | None) -> bool:
    """Tell whether a consent answers what a record refuses: told by it, or as one with it.

    Nothing has to be answered that nobody knew to be hers yet.
    """
    if grant.record_id is None or grant.record_id == record_id:
        return True
    if known_at and not were_together(grant.record_id, record_id, known_at, homes):
        return True
    return were_together(grant.record_id, record_id, grant.recorded_at, homes)


def _since(events: Iterable[Event], homes: Homes) -> datetime:
    records = {event.record_id for event in events if event.record_id is not None}
    return max((homes[record][-1][0] for record in records if homes.get(record)), default=OLDEST)


def _settled(state: Permission, conflict: Conflict, verdict: Verdict | None) -> Permission:
    if verdict == Verdict.CONSENT:
        return state
    if verdict == Verdict.REFUSAL:
        return refusal_in_force(conflict.refusals)
    return state._replace(state=State.CONTESTED, since=conflict.since)
