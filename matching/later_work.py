"""What people did after a run, about customers whom it touched: an undo keeps it and lists it."""

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from matching.models import Decision, Repair
from mdm.models import Alias, Pin

SHOWN = 20


class Work(NamedTuple):
    """One act of a person; `kind` and `key` tell the row that holds it."""

    at: datetime
    kind: str
    key: int


def later_work(
    record_ids: Collection[int], customer_ids: Collection[int], *, since: datetime
) -> dict[str, Any]:
    """Return what people did since a moment and what is in force, about these records.

    Args:
        record_ids: records of the customers concerned.
        customer_ids: these customers.
        since: the moment.

    Returns:
        `counts`: kind → how many; `sample`: the latest as (kind, key), without values of anybody.
    """
    records, customers = set(record_ids), set(customer_ids)
    found = [
        *_decisions(records, since),
        *_repairs(records, customers, since),
        *_pins(records, since),
        *_ids_kept(records, since),
    ]
    latest = sorted(found, reverse=True)[:SHOWN]
    return {
        "counts": dict(Counter(work.kind for work in found)),
        "sample": [(work.kind, work.key) for work in latest],
    }


def _decisions(records: set[int], since: datetime) -> Iterator[Work]:
    """Yield the decisions that are no part of a repair."""
    own = Decision.objects.in_force().filter(decided_at__gte=since, repair=None)
    for key, at, left, right in own.values_list("pk", "decided_at", "left", "right"):
        if left in records or right in records:
            yield Work(at, "decision", key)


def _repairs(records: set[int], customers: set[int], since: datetime) -> Iterator[Work]:
    """Yield repairs by what was done: a customer who was confirmed is a kind of its own."""
    done = Repair.objects.filter(done_at__gte=since, undone_at=None)
    pairs = Decision.objects.in_force().filter(repair__in=done)
    rows = pairs.values_list("repair", "left", "right")
    about = {repair for repair, left, right in rows if left in records or right in records}
    for repair in done.order_by():
        if repair.pk in about or not customers.isdisjoint((repair.customer_id, repair.other_id)):
            is_word = repair.kind == Repair.Kind.CONFIRM
            yield Work(repair.done_at, "confirmed" if is_word else "repair", repair.pk)


def _pins(records: set[int], since: datetime) -> Iterator[Work]:
    pins = Pin.objects.filter(created_at__gte=since, retracted_at=None)
    for key, at, record in pins.values_list("pk", "created_at", "record"):
        if record in records:
            yield Work(at, "pin", key)


def _ids_kept(records: set[int], since: datetime) -> Iterator[Work]:
    aliases = Alias.objects.filter(created_at__gte=since, retracted_at=None)
    for key, at, record, former in aliases.values_list("pk", "created_at", "record", "former"):
        if record in records or former in records:
            yield Work(at, "id_kept", key)
