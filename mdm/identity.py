"""Who is whom: birth of customers, and a partition of records applied as links.

Clustering decides (in `matching`); this module carries it out and derives what follows: the
status of every customer id concerned, the golden records, and a signal for the apps above. A
customer is live exactly when the record that holds her id belongs to her: the one it was born
with, unless a steward kept the id elsewhere (`mdm.aliases`). So ids survive merges and come back
when records part.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import QuerySet
from django.utils.timezone import now
from django.utils.translation import gettext as _

from mdm import audited, bulk
from mdm.aliases import Holdings, holders_of, holdings
from mdm.audit import acting_as, record_history
from mdm.birth_ids import birth_number, public_id
from mdm.contact_points import recount
from mdm.events import Change, Kind, moves, record_births
from mdm.golden_records import consolidate
from mdm.kept_queries import kept
from mdm.key_sets import among
from mdm.models import Customer, SourceRecord
from mdm.quality_figures import outdate
from mdm.signals import customers_changed, records_changed


class UnknownCustomer(Exception):
    """No customer was ever born with this id."""


@dataclass(frozen=True, slots=True)
class Link:
    """A record belongs to the customer of that key, for a reason (SourceRecord.link_rule)."""

    record_id: int
    customer_id: int
    rule: str
    score: float | None = None


@dataclass(frozen=True, slots=True)
class AppliedLinks:
    """What a partition changed."""

    changed_record_ids: list[int]
    customer_ids: list[int]  # Live customers whose members changed.
    merged_ids: list[int]  # Ids that stopped being live.
    revived_ids: list[int]  # Ids that became live again.


def resolve(text: str) -> Customer:
    """Return the live customer that an id, ever issued, stands for now.

    Raises:
        UnknownCustomer: when the text is no id or was never issued.
    """
    asked = issued(text)
    return asked.merged_into or asked


def issued(text: str) -> Customer:
    """Return the customer that was born with an id, live or not, in any form that people type.

    Raises:
        UnknownCustomer: when the text is no id or was never issued.
    """
    number = birth_number(text)
    found = Customer.objects.select_related("merged_into").filter(pk=number or 0)
    if (customer := found.first()) is None:
        raise UnknownCustomer(_("No customer has this id."))
    return customer


def give_birth(record_ids: Sequence[int]) -> None:
    """Create the customers of new source records: each is its own until it is linked."""
    moment = now()
    bulk.insert(
        Customer,
        ("id", "public_id", "status", "merged_into_id", "version", "created_at"),
        ((key, public_id(key), Customer.Status.ACTIVE, None, 1, moment) for key in record_ids),
    )
    record_history(Customer, record_ids, "+")
    record_births(record_ids)


def apply_links(links: Sequence[Link], *, user: User | None, reason: str) -> AppliedLinks:
    """Move records to the customers they belong to and derive what follows, set-based.

    Call it inside a transaction, with every member of the clusters concerned. Links that say
    what is already so change nothing.
    """
    wanted = {link.record_id: link for link in links}
    present = SourceRecord.objects.filter(among("pk", wanted)).values_list(
        "pk", "customer_id", "link_rule"
    )
    moved = [
        (wanted[pk], customer)
        for pk, customer, rule in present
        if (customer, rule) != (wanted[pk].customer_id, wanted[pk].rule)
    ]
    records = [link.record_id for link, _ in moved]
    return move_records(moved, user=user, reason=reason, held=holdings(records))


def move_records(
    moved: Sequence[tuple[Link, int]],
    *,
    user: User | None,
    reason: str,
    held: Holdings,
    locked: Collection[int] = (),
) -> AppliedLinks:
    """Carry out links that are not so yet, each with the customer that its record leaves.

    `held` is what these records hold; `locked` are customers whose locks this transaction has.
    """
    if not moved:
        return AppliedLinks([], [], [], [])
    changed = sorted(link.record_id for link, _ in moved)
    touched = {old for _, old in moved}
    touched.update(key for link, _ in moved for key in (link.record_id, link.customer_id))
    touched |= held.ids_of(changed)
    with acting_as(user, reason):
        if not touched.issubset(locked):
            lock_customers(touched)
        _move([link for link, _ in moved])
        turns, live = _derive_statuses(touched, held=held)
        homes = {x.record_id: (old, x.customer_id) for x, old in moved if old != x.customer_id}
        revived = [turn.customer_id for turn in turns if turn.is_revival]
        told = [*moves(homes, revived), *_told(turns)]
        _derive_values(touched, live, changed, told)
    return AppliedLinks(changed, live, [t.customer_id for t in turns if t.is_merge], revived)


def refresh(customer_ids: Iterable[int], *, record_ids: Sequence[int] = ()) -> None:
    """Derive statuses, golden records and shared contact points after records changed values.

    `record_ids` are the records that changed, and those whose contact points may have changed
    hands.
    """
    touched = set(customer_ids)
    lock_customers(touched)
    outdate(record_ids)
    turns, live = _derive_statuses(touched, members_changed=False)
    _derive_values(touched, live, record_ids, _told(turns))
    if record_ids:
        records_changed.send(sender=None, record_ids=record_ids)


def lock_customers_of(record_ids: Collection[int]) -> None:
    """Lock the customers of records about to change, before the records themselves.

    Stewards lock customers first, then records: whoever does it the other way round would wait
    for them in a circle.
    """
    homes = SourceRecord.objects.filter(among("pk", record_ids)).order_by()
    lock_customers(set(homes.values_list("customer_id", flat=True)))


def lock_customers(customer_ids: Collection[int]) -> None:
    """Take the customers' row locks in one order, so that two writers never wait in a circle.

    A range stands for all the customers in it.
    """
    if connection.features.has_select_for_update:  # Elsewhere, one transaction writes at a time.
        _locked(customer_ids)


@kept
def _locked(customer_ids: Collection[int]) -> "QuerySet[Customer, tuple[int]]":
    customers = Customer.objects.filter(among("pk", customer_ids)).order_by("pk")
    return customers.select_for_update().values_list("pk")


def _move(links: Sequence[Link]) -> None:
    moment = now()
    audited.change(
        SourceRecord,
        ("id", "customer_id", "link_rule", "link_score", "linked_at"),
        [(x.record_id, x.customer_id, x.rule, x.score, moment) for x in links],
    )


@dataclass(frozen=True, slots=True)
class _Turn:
    """A customer id whose status changed, or that leads elsewhere now."""

    customer_id: int
    before: str
    after: str
    into: int | None

    @property
    def is_merge(self) -> bool:
        """Whether the id was live and is no more."""
        return self.before != Customer.Status.MERGED and self.into is not None

    @property
    def is_revival(self) -> bool:
        """Whether the id led elsewhere and is live again."""
        return self.before == Customer.Status.MERGED and self.into is None


def _told(turns: Iterable[_Turn]) -> list[Change]:
    """Say what changes of status are, as events."""
    kinds = {
        Customer.Status.MERGED: Kind.MERGED,
        Customer.Status.ACTIVE: Kind.RESTORED,
        Customer.Status.INACTIVE: Kind.INACTIVATED,
        Customer.Status.ERASED: Kind.ERASED,
    }
    changes = []
    for turn in turns:
        if turn.is_revival and turn.after != Customer.Status.ACTIVE:
            changes.append(Change(turn.customer_id, Kind.RESTORED))
        kind = kinds[Customer.Status(turn.after)]
        changes.append(Change(turn.customer_id, kind, other_id=turn.into))
    return changes


def wrong_statuses(customer_ids: Collection[int]) -> list[int]:
    """Return the ids whose status is not what their records say; a range stands for all in it."""
    standings = _standings(customer_ids)
    return [key for key, before, after, _version in standings if before != after]


def _derive_statuses(
    customer_ids: set[int], *, members_changed: bool = True, held: Holdings | None = None
) -> tuple[list[_Turn], list[int]]:
    """Write the status every id should have. Returns those that changed, and the live ids."""
    rows: list[tuple[int, str, int | None, int]] = []
    turns: list[_Turn] = []
    live: list[int] = []
    for key, before, after, version in _standings(customer_ids, held):
        if after[1] is None:
            live.append(key)
        if before != after:
            turns.append(_Turn(key, before[0], *after))
        if before != after or (members_changed and after[1] is None):
            rows.append((key, *after, version + 1))
    audited.change(Customer, ("id", "status", "merged_into_id", "version"), rows)
    return turns, live


Standing = tuple[str, int | None]
"""Status of an id, and where it leads."""


def _standings(
    customer_ids: Collection[int], held: Holdings | None = None
) -> Iterator[tuple[int, Standing, Standing, int]]:
    """Yield key, what is stored, what should be and the version of each id."""
    rows = _stored(customer_ids)
    keys = [row[0] for row in rows]
    held = held or Holdings(holders_of(keys))
    members: dict[int, set[str]] = defaultdict(set)
    homes: dict[int, int] = {}
    for record, customer, status in _members(customer_ids):
        members[customer].add(status)
        homes[record] = customer
    home = _homes({key: held.holder(key) for key in keys}, homes)
    for key, status, into, version in rows:
        if home[key] == key:
            after: Standing = _live_status(members[key]), None
        else:
            after = Customer.Status.MERGED, home[key]
        yield key, (status, into), after, version


@kept
def _stored(
    customer_ids: Collection[int],
) -> "QuerySet[Customer, tuple[int, str, int | None, int]]":
    stored = Customer.objects.filter(among("pk", customer_ids)).order_by("pk")
    return stored.values_list("pk", "status", "merged_into_id", "version")


@kept
def _members(customer_ids: Collection[int]) -> "QuerySet[SourceRecord, tuple[int, int, str]]":
    records = SourceRecord.objects.filter(among("customer", customer_ids)).order_by()
    return records.values_list("pk", "customer_id", "status")


def _homes(holders: Mapping[int, int], known: Mapping[int, int]) -> dict[int, int]:
    """Return the customer of the record that holds each id; `known` are those of some records."""
    customers = dict(known)
    if others := set(holders.values()).difference(known):
        records = SourceRecord.objects.filter(among("pk", others)).order_by()
        customers.update(records.values_list("pk", "customer_id"))
    return {key: customers[record] for key, record in holders.items()}


def _live_status(member_statuses: set[str]) -> Customer.Status:
    if SourceRecord.Status.ACTIVE in member_statuses:
        return Customer.Status.ACTIVE
    if member_statuses == {SourceRecord.Status.ERASED}:
        return Customer.Status.ERASED
    return Customer.Status.INACTIVE


def _derive_values(
    customer_ids: set[int],
    live: Sequence[int],
    record_ids: Sequence[int],
    told: Sequence[Change],
) -> None:
    """Bring golden records and contact points up to date, and tell what happened and who asks."""
    consolidate(customer_ids, told=told)
    gone = sorted(customer_ids.difference(live))
    customers_changed.send(sender=None, customer_ids=list(live), gone_ids=gone)
    # At the end: who carries the same contact point waits for as short a time as can be.
    recount(record_ids)
