"""Permission states: the fold of each customer's events, stored for lists and pages.

Derived and rebuildable. Written set-based and only where something changed, with history.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from consent.conflicts import States
from consent.facts import ANY
from consent.first_states import Content, Place, states_told_alone
from consent.histories import states_by_customer
from consent.memberships import Membership
from consent.models import PermissionState, Purpose
from consent.states import fold_all
from consent.told_events import FirstFacts
from mdm import audited, bulk
from mdm.audit import record_history
from mdm.identity import lock_customers
from mdm.kept_queries import kept
from mdm.key_sets import key_set
from mdm.models import Customer
from mdm.signals import Births
from mdm.snapshots import one_snapshot

_CHUNK = 2_000
_COLUMNS = (
    "id",
    "customer_id",
    "contact_point_id",
    "channel",
    "purpose_id",
    "state",
    "since",
    "evidence_level",
    "deciding_event_id",
    "renewed_at",
)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild saw: customers, and states that differed from the fold of their events."""

    customer_count: int
    difference_count: int


def project(customer_ids: Iterable[int]) -> int:
    """Bring the permission states of these customers up to date. Returns how many changed.

    Call it inside the transaction that changed events or members.
    """
    keys = sorted(set(customer_ids))
    lock_customers(keys)
    return _project(keys)


def project_births(
    births: Births, facts: FirstFacts, purposes: Mapping[str, int], moment: datetime
) -> None:
    """Write the first permission states of customers born in this transaction, with their events.

    Nobody else can see them yet: nothing stored has to be compared or locked. One record cannot
    contradict another either, so nothing has to be judged.
    """
    folded = {customer: fold_all(events) for customer, events in facts.with_others.items()}
    states = [
        *states_told_alone(facts.alone, births.carried, moment),
        *_rows_of(folded, {**purposes, ANY: None}),
    ]
    states.sort(key=lambda state: state[0][0])  # So their indexes grow at their ends.
    bulk.insert(PermissionState, _COLUMNS[1:], ((*place, *content) for place, content in states))
    if states:
        # All that these customers have is new, so nobody needs to know the keys. Those without
        # a state stand among them, so that mostly the keys are all the numbers of a range.
        record_history(PermissionState, sorted(births.carried), "+", by="customer_id")


def follow_customers(*, customer_ids: list[int], gone_ids: list[int], **signal: object) -> None:
    """Fold anew after merges and changes of members; a customer that is gone keeps no state.

    Whoever sends this signal holds the customers' locks.
    """
    _project(sorted(set(customer_ids)), gone_ids)


def rebuild(*, check: bool = False) -> Rebuilt:
    """Fold every customer's events again; with `check`, only count what would change."""
    customers = differences = 0
    keys = Customer.objects.order_by("pk").values_list("pk", flat=True)
    for chunk in _chunks(list(keys)):
        customers += len(chunk)
        if check:
            with one_snapshot():
                new, changed, gone = _differences(chunk)
            differences += len(new) + len(changed) + len(gone)
            continue
        with transaction.atomic():
            lock_customers(chunk)
            differences += _write(chunk)
        bulk.pause_for_other_writers()
    return Rebuilt(customers, differences)


def _project(customer_ids: Sequence[int], gone_ids: Sequence[int] = ()) -> int:
    """Fold customers in one transaction at a time: their locks are held.

    Otherwise two of them could each fold without the other's event, and the later one would store
    a state that lacks an objection. Of those who are gone nothing is read: they have no record
    that would say anything.
    """
    first, *others = [*_chunks(customer_ids)] or [[]]
    if not first and not gone_ids:
        return 0
    return _write(first, gone_ids) + sum(map(_write, others))


def _write(customer_ids: Sequence[int], gone_ids: Sequence[int] = ()) -> int:
    new, changed, gone = _differences(customer_ids, gone_ids)
    _add(new)
    columns = ("id", *_COLUMNS[5:])
    audited.change(PermissionState, columns, [(key, *content) for key, content in changed])
    audited.remove(PermissionState, gone)
    return len(new) + len(changed) + len(gone)


def _add(states: Sequence[tuple[Place, Content]]) -> None:
    if not states:
        return
    keys = bulk.allocate_ids(PermissionState, len(states))
    audited.add(
        PermissionState,
        _COLUMNS,
        [(key, *place, *content) for key, (place, content) in zip(keys, states, strict=True)],
    )


def _differences(
    customer_ids: Sequence[int], gone_ids: Sequence[int] = ()
) -> tuple[list[tuple[Place, Content]], list[tuple[int, Content]], list[int]]:
    """Compare the fold with what is stored: rows to add, to change, and keys to remove."""
    purposes = {**dict(_purposes()), ANY: None}
    wanted = dict(_rows_of(states_by_customer(Membership(customer_ids)), purposes))
    new, changed, gone = [], [], []
    for key, *row in _stored([*customer_ids, *gone_ids]):
        place, content = tuple(row[:4]), tuple(row[4:])
        fresh = wanted.pop(place, None)
        if fresh is None:
            gone.append(key)
        elif fresh != content:
            changed.append((key, fresh))
    new = sorted(wanted.items(), key=lambda item: str(item[0]))
    return new, changed, gone


@kept
def _purposes() -> "QuerySet[Purpose, tuple[str, int]]":
    return Purpose.objects.order_by().values_list("code", "pk")


@kept
def _stored(customer_ids: Collection[int]) -> "QuerySet[PermissionState, tuple[Any, ...]]":
    stored = PermissionState.objects.filter(customer__in=key_set(customer_ids)).order_by()
    return stored.values_list(*_COLUMNS)


def _rows_of(
    by_customer: Mapping[int, States], purposes: Mapping[str, int | None]
) -> Iterator[tuple[Place, Content]]:
    for customer, states in by_customer.items():
        for key, fold in states.items():
            place = (customer, key.contact_point_id, key.channel, purposes[key.purpose])
            content = (str(fold.state), fold.since, fold.evidence, fold.event_id, fold.renewed_at)
            yield place, content


def _chunks(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(keys), _CHUNK):
        yield keys[start : start + _CHUNK]
