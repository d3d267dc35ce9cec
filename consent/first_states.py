"""The first permission states of customers born in a load, folded once for each pattern of facts.

A file says the same few things of very many people. Of whom nobody else said anything, the states
hang on what her record said, in what order of dates, and which kinds of contact points it carries:
that pattern is folded, by the same rules as everywhere, and the states are copied for everybody
who shares it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from consent.facts import ANY
from consent.ledger import FirstEvent, NewEvent
from consent.states import OLDEST, fold_all
from consent.told_events import assemble
from mdm.signals import CarriedPoint

Place = tuple[int, int | None, str, int | None]
"""Customer, contact point, channel, purpose."""
Content = tuple[str, datetime | None, int, int | None, datetime | None]
"""State, since, evidence level, deciding event, when it was last renewed."""


class _Fact(NamedTuple):
    """An event of a pattern: its contact point and date are places in lists."""

    type: str
    channel: str
    purpose_id: int | None
    place: int | None
    date: int | None
    actor: str
    evidence: int


class _State(NamedTuple):
    """A state of a pattern: which contact point, since when, by which of its events."""

    place: int | None
    channel: str
    purpose_id: int | None
    state: str
    since: int | None
    evidence: int
    event: int


def states_told_alone(
    told: Mapping[int, Sequence[FirstEvent]],
    carried: Mapping[int, Sequence[CarriedPoint]],
    moment: datetime,
) -> Iterator[tuple[Place, Content]]:
    """Yield the states of customers with one record, of which it alone said anything.

    Args:
        told: all that the record said, by the key of both.
        carried: the contact points of records.
        moment: when the events were recorded.
    """
    for customer, events in told.items():
        kinds = {point.contact_point_id: point.kind for point in carried[customer]}
        points = [*kinds]
        # Nothing counts from later than when it was recorded.
        told_on = {date for one in events if (date := one.event.occurred_at) and date < moment}
        dates = [*(sorted(told_on) if len(told_on) > 1 else told_on), moment]
        facts = tuple([_fact(one.event, points, dates) for one in events])
        for place, channel, purpose, state, since, evidence, event in _folded(
            facts, tuple(kinds.values()), len(dates)
        ):
            yield (
                (customer, None if place is None else points[place], channel, purpose),
                (
                    state,
                    None if since is None else dates[since],
                    evidence,
                    events[event].key,
                    None,
                ),
            )


def _fact(event: NewEvent, points: Sequence[int], dates: Sequence[datetime]) -> tuple[Any, ...]:
    """Return a `_Fact` as a plain tuple: made for each row, read once for each pattern."""
    _record, kind, channel, purpose, point, actor, _said, evidence, date, *_ = event
    return (
        kind,
        channel,
        purpose,
        None if point is None else points.index(point),
        None if date is None else dates.index(min(date, dates[-1])),
        actor,
        evidence,
    )


@lru_cache(maxsize=4096)
def _folded(
    facts: tuple[tuple[Any, ...], ...], kinds: tuple[str, ...], date_count: int
) -> tuple[_State, ...]:
    """Fold a pattern: places stand for contact points, and days for its dates in their order."""
    days = [OLDEST + timedelta(days=1 + number) for number in range(date_count)]
    own = []
    for number, fact in enumerate(map(_Fact._make, facts)):
        date = None if fact.date is None else days[fact.date]
        purpose = ANY if fact.purpose_id is None else str(fact.purpose_id)
        read = (
            number, fact.type, fact.channel, purpose, days[-1],
            date, fact.actor, fact.evidence, None,
        )  # fmt: skip
        own.append((0, 0, fact.place, read))
    events = assemble(own, {0: list(enumerate(kinds))}, ())[0]
    return tuple(
        _State(
            key.contact_point_id,
            key.channel,
            None if key.purpose == ANY else int(key.purpose),
            str(fold.state),
            None if fold.since is None else days.index(fold.since),
            fold.evidence,
            _number(fold.event_id),
        )
        for key, fold in fold_all(events).items()
    )


def _number(event_id: int | None) -> int:
    assert event_id is not None  # noqa: S101 - no fold without an event.
    return event_id
