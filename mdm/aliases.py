"""Which record holds a public id, where that is not the record it was born with.

A customer is named by the oldest id that her records hold. A record holds the id it was born
with, until a steward keeps that id on another record (`Alias`): then it holds an id of its own
that was issued for it. So who has which id stays a function of facts, and an alias taken back
leaves no trace but one more id that opens a page.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.utils.timezone import now

from mdm import bulk
from mdm.birth_ids import public_id
from mdm.events import record_issue
from mdm.kept_queries import kept
from mdm.key_sets import AnyOf
from mdm.models import Alias, Customer, SourceRecord

NOT_YET_ISSUED = 2**40 - 1
"""Stands in previews for the id that would be issued; the last number there is."""

_COLUMNS = ("customer_id", "record_id", "former_id", "stand_in_id", "retracted_at")


class Keeping(NamedTuple):
    """An alias as the computation reads it; columns as in `Alias`."""

    customer_id: int
    record_id: int
    former_id: int
    stand_in_id: int | None
    is_in_force: bool


@dataclass(frozen=True)
class Holdings:
    """Which record holds an id (`holders`), for the ids that aliases speak of."""

    holders: Mapping[int, int] = field(default_factory=dict)

    def holder(self, customer_id: int) -> int:
        """Return the record that holds an id."""
        return self.holders.get(customer_id, customer_id)

    def ids_of(self, record_ids: Iterable[int]) -> set[int]:
        """Return the ids that records hold besides those they were born with."""
        if not self.holders:
            return set()
        keys = set(record_ids)
        return {customer for customer, record in self.holders.items() if record in keys}

    @cached_property
    def oldest(self) -> dict[int, int]:
        """Return the oldest id of each record whose oldest is not its own birth number."""
        held: dict[int, set[int]] = defaultdict(set)
        for customer, record in self.holders.items():
            held[record].add(customer)
        for record in held:
            if self.holder(record) == record:
                held[record].add(record)
        return {record: min(ids) for record, ids in held.items() if min(ids) != record}


def holdings(
    record_ids: Iterable[int] | None = None,
    *,
    proposed: Keeping | None = None,
    without: Collection[int] = (),
) -> Holdings:
    """Return what these records (None for all) hold.

    `proposed` is read as if it were in force, the aliases `without` as if they were taken back.
    """
    keepings = _keepings_of(record_ids, without)
    return Holdings(_holders([*keepings, proposed] if proposed else keepings))


def holders_of(customer_ids: Iterable[int]) -> dict[int, int]:
    """Return the record that holds each of these ids, where it is not the one born with it."""
    wanted = set(customer_ids)
    holders = _holders(_read(Alias.objects.about(wanted)))
    return {customer: record for customer, record in holders.items() if customer in wanted}


def records_concerned(customer_ids: Collection[int]) -> set[int]:
    """Return the records that ever held one of these ids: a move of the id may rename them."""
    about = Alias.objects.filter(customer__in=customer_ids).order_by()
    return {record for pair in about.values_list("record", "former") for record in pair}


def propose(customer_id: int, record_id: int) -> Keeping:
    """Return what keeping an id on a record would come to; nothing is written."""
    former = holders_of([customer_id]).get(customer_id, customer_id)
    needs_own = not _has_another(former, customer_id)
    return Keeping(
        customer_id, record_id, former, NOT_YET_ISSUED if needs_own else None, is_in_force=True
    )


def keep(customer_id: int, record_id: int, *, by: User, reason: str = "") -> Alias:
    """Let an id follow a record from now on.

    Call it inside a transaction and `acting_as`, with both neighbourhoods locked, and settle them
    afterwards: this writes the fact, not what follows.
    """
    wanted = propose(customer_id, record_id)
    stand_in = _issue_id() if wanted.stand_in_id else None
    return Alias.objects.create(
        customer_id=customer_id,
        record_id=record_id,
        former_id=wanted.former_id,
        stand_in_id=stand_in,
        reason=reason,
        created_by=by,
    )


def give_back(alias_ids: Iterable[int], *, by: User) -> None:
    """Take aliases back; the id goes to whom it followed before. See `keep` for the rest."""
    for alias in Alias.objects.filter(pk__in=list(alias_ids), retracted_at=None):
        alias.retracted_at, alias.retracted_by = now(), by
        alias.save(update_fields=["retracted_at", "retracted_by"])


def _holders(keepings: Iterable[Keeping]) -> dict[int, int]:
    """Return id → record for every id that aliases speak of; they come the earliest first."""
    holders: dict[int, int] = {}
    for keeping in keepings:
        holders.setdefault(keeping.customer_id, keeping.former_id)
        if keeping.stand_in_id is not None:
            holders.setdefault(keeping.stand_in_id, keeping.former_id)
        if keeping.is_in_force:
            holders[keeping.customer_id] = keeping.record_id
    return holders


def _keepings_of(record_ids: Iterable[int] | None, without: Collection[int] = ()) -> list[Keeping]:
    """Return the aliases that decide what these records hold, the earliest first."""
    if record_ids is None:
        return _read(Alias.objects.order_by("pk"), without)
    keys = list(record_ids)
    ids = {key for pair in _touching(keys) for key in pair if key}
    return _read(Alias.objects.about(ids), without) if ids else []


@kept
def _touching(record_ids: Collection[int]) -> "QuerySet[Alias, tuple[int, int | None]]":
    held = Q(AnyOf("record", record_ids)) | Q(AnyOf("former", record_ids))
    return Alias.objects.filter(held).order_by().values_list("customer", "stand_in")


def _read(aliases: QuerySet[Alias], without: Collection[int] = ()) -> list[Keeping]:
    return [
        Keeping(customer, record, former, stand_in, ended is None and key not in without)
        for key, customer, record, former, stand_in, ended in aliases.values_list("pk", *_COLUMNS)
    ]


def _has_another(record_id: int, customer_id: int) -> bool:
    """Return whether a record has an id besides this one that no alias can take from it.

    Its own are the one it was born with and those issued for it.
    """
    issued = Alias.objects.filter(former=record_id, stand_in__isnull=False)
    own = {record_id, *issued.values_list("stand_in", flat=True)}
    if customer_id not in own:
        return True  # It held this one as a guest.
    moved = Alias.objects.filter(customer__in=own, retracted_at=None)
    return bool(own - {customer_id} - set(moved.values_list("customer", flat=True)))


def _issue_id() -> int:
    """Issue an id that no record was born with, from the same numbers."""
    [key] = bulk.allocate_ids(SourceRecord, 1)
    bulk.use_up(SourceRecord, key)
    Customer.objects.create(pk=key, public_id=public_id(key))
    record_issue(key)
    return key
