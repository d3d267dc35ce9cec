"""The outbox: what happened to customers, written set-based in the transaction that does it."""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django.db.models import Max, QuerySet
from django.utils.timezone import now

from mdm import bulk
from mdm.audit import present_actor
from mdm.kept_queries import kept
from mdm.key_sets import among
from mdm.models import CustomerAct, CustomerEvent
from mdm.reasons import LETTERS

Kind = CustomerEvent.Kind
_COLUMNS = (
    "customer_id",
    "number",
    "kind",
    "record_id",
    "other_id",
    "details",
    "correlation",
    "at",
    "by_id",
)


class Change(NamedTuple):
    """Something that happened to a customer; fields as in CustomerEvent."""

    customer_id: int
    kind: str
    record_id: int | None = None
    other_id: int | None = None
    details: Any = None


def record_births(customer_ids: Iterable[int]) -> None:
    """Write the first event of customers who were just born, each with her one record."""
    _insert((key, 1, Kind.CREATED, key, None, None) for key in customer_ids)


def record_issue(customer_id: int) -> None:
    """Write the first event of an id that no record was born with."""
    _insert([(customer_id, 1, Kind.CREATED, None, None, None)])


def record_changes(changes: Sequence[Change]) -> None:
    """Write what happened, in this order, each customer's numbers following her last.

    Call it inside the transaction that makes the changes, with the customers locked: two writers
    would give the same number twice.
    """
    if not changes:
        return
    numbers = _last_numbers({change.customer_id for change in changes})
    rows = []
    for customer, *rest in changes:
        numbers[customer] = numbers.get(customer, 0) + 1
        rows.append((customer, numbers[customer], *rest))
    _insert(rows)


def moves(moved: Mapping[int, tuple[int, int]], revived: Collection[int]) -> list[Change]:
    """Tell of records that change customer: record → (from, to).

    Ids that live again get their split told by the customer they leave.
    """
    changes: list[Change] = []
    parts: dict[int, dict[int, list[int]]] = {}
    for record, (old, new) in sorted(moved.items()):
        changes.append(Change(old, Kind.LEFT, record, new))
        changes.append(Change(new, Kind.JOINED, record, old))
        if new in revived:
            parts.setdefault(old, {}).setdefault(new, []).append(record)
    return changes + [Change(old, Kind.SPLIT, details=split) for old, split in parts.items()]


def _last_numbers(customer_ids: Collection[int]) -> dict[int, int]:
    """Return the number each customer has reached."""
    return dict(_reached(customer_ids))


@kept
def _reached(customer_ids: Collection[int]) -> "QuerySet[CustomerEvent, tuple[int, int]]":
    told = CustomerEvent.objects.filter(among("customer", customer_ids))
    rows = told.order_by().values("customer")
    return rows.annotate(last=Max("number")).values_list("customer", "last")


def _insert(rows: Iterable[tuple[Any, ...]]) -> None:
    actor, moment = present_actor(), now()
    correlation = actor.correlation if actor else uuid.uuid4()
    user = actor.user.pk if actor and actor.user else None
    bulk.insert(CustomerEvent, _COLUMNS, ((*row, correlation, moment, user) for row in rows))
    if actor:
        act = (correlation, actor.reason[:LETTERS], moment)
        bulk.insert_ignoring(CustomerAct, ("correlation", "reason", "at"), [act])
