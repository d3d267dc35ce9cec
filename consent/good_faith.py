"""Messages that left between a refusal and the day it was recorded: in good faith, and told.

Which messages left is known above this app, so whoever knows registers a reader.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from consent.models import ALL_CHANNELS
from consent.presentation import TimelineEntry


@dataclass(frozen=True, slots=True)
class Message:
    """Something that left for a person: when, on which channel, for what, and its page."""

    at: datetime
    channel: str
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class LateRefusal:
    """A refusal recorded days after it happened, and what left meanwhile."""

    entry: TimelineEntry
    messages: Sequence[Message]


Reader = Callable[[int, datetime, datetime], Iterable[Message]]
_readers: list[Reader] = []


def register(reader: Reader) -> None:
    """Let a reader tell the messages of a customer after one instant and before another."""
    if reader not in _readers:
        _readers.append(reader)


def late_refusals(customer_id: int, entries: Iterable[TimelineEntry]) -> list[LateRefusal]:
    """Return the refusals that were recorded late, each with the messages sent meanwhile."""
    late = [entry for entry in entries if entry.days_late]
    if not late:
        return []
    first = min(entry.at for entry in late)
    last = max(entry.event.recorded_at for entry in late)
    messages = [message for reader in _readers for message in reader(customer_id, first, last)]
    return [LateRefusal(entry, _meanwhile(entry, messages)) for entry in late]


def _meanwhile(entry: TimelineEntry, messages: Iterable[Message]) -> list[Message]:
    event = entry.event
    found = (
        message
        for message in messages
        if entry.at <= message.at < event.recorded_at
        and event.channel in {ALL_CHANNELS, message.channel}
    )
    return sorted(found, key=lambda message: message.at)
