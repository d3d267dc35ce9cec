"""What customers said, with all that decides which of it counts: merges, partings, judgements.

The one way from the ledger to permissions: stored states, questions about the past and previews
of a merge read through here, and differ only in whose records they take for whose.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils.timezone import now

from consent.conflicts import (
    Conflict,
    Homes,
    Judged,
    States,
    Verdict,
    conflicts,
    may_conflict,
    states_of,
    were_together,
)
from consent.ledger import PERMISSIVE
from consent.memberships import Membership, of_members
from consent.models import ConflictResolution, ConsentEvent
from consent.states import OWN_WILL, Event, EventType, known
from consent.told_events import READ, event_of, events_by_customer
from mdm.kept_queries import kept
from mdm.key_sets import key_query, key_set
from mdm.models import SourceRecord

Histories = Mapping[int, Sequence[Event]]


class _Whose(NamedTuple):
    """Of which customer a record is among the members, and of which today."""

    customer: int
    today: int


def states_by_customer(members: Membership) -> dict[int, States]:
    """Return the permission states of customers as they follow from all that is known now."""
    return fold_histories(histories(members))


def states_then(members: Membership, *, at: datetime, known_at: datetime) -> dict[int, States]:
    """Return the states of one instant as they were known at another."""
    counted = {
        customer: known(events, at=at, known_at=known_at)
        for customer, events in histories(members).items()
    }
    return fold_histories(counted, known_at=known_at)


def fold_histories(
    by_customer: Histories, *, known_at: datetime | None = None
) -> dict[int, States]:
    """Fold what each customer said, contradictions as they were judged by `known_at`."""
    homes, judged = _what_decides(by_customer, known_at)
    return {
        customer: states_of(events, homes, judged, known_at=known_at)
        for customer, events in by_customer.items()
    }


def conflicts_by_customer(members: Membership) -> dict[int, list[Conflict]]:
    """Return the contradictions of customers that nobody has judged."""
    by_customer = histories(members)
    homes, judged = _what_decides(by_customer, None)
    found = {
        customer: [
            conflict
            for conflict in conflicts(events, homes).values()
            if conflict.digest not in judged
        ]
        for customer, events in by_customer.items()
        if may_conflict(events)
    }
    return {customer: open_ones for customer, open_ones in found.items() if open_ones}


def foreseen_conflicts(homes: Mapping[int, int]) -> dict[int, list[Conflict]]:
    """Return the contradictions that would come up if records belonged to these customers.

    Those that wait for a decision today are left out.
    """
    agreed = ConsentEvent.objects.filter(
        source_record__in=key_set(homes), type__in=PERMISSIVE, actor_type__in=OWN_WILL
    )
    # Most people shown side by side never agreed to anything themselves: one query tells.
    will = conflicts_by_customer(Membership.supposed(homes)) if agreed.exists() else {}
    if not will:
        return {}
    records = SourceRecord.objects.filter(pk__in=key_set(homes))
    today = Membership(sorted(set(records.values_list("customer_id", flat=True))))
    waiting = {c.digest for found in conflicts_by_customer(today).values() for c in found}
    new = {
        customer: [conflict for conflict in found if conflict.digest not in waiting]
        for customer, found in will.items()
    }
    return {customer: found for customer, found in new.items() if found}


def histories(members: Membership) -> dict[int, list[Event]]:
    """Return what each customer said, and what was said for her while she was held for another.

    An objection made while records were one customer was hers, whoever she is: when they part, it
    stands on both sides.
    """
    found = events_by_customer(members)
    for customer, events in _objections_of_then(members).items():
        found.setdefault(customer, []).extend(events)
    return found


def homes_of(record_ids: Iterable[int]) -> dict[int, list[tuple[datetime, int]]]:
    """Return from when each record belonged to which customer, by its history."""
    homes: dict[int, list[tuple[datetime, int]]] = defaultdict(list)
    for record, moment, customer in _homes_then(record_ids):
        stays = homes[record]
        if not stays or stays[-1][1] != customer:
            stays.append((moment, customer))
    return homes


@kept
def _homes_then(record_ids: Collection[int]) -> "QuerySet[Any, tuple[int, datetime, int]]":
    versions = SourceRecord.history.filter(id__in=key_set(record_ids))
    rows = versions.order_by("history_date", "history_id")
    stays: QuerySet[Any, tuple[int, datetime, int]] = rows.values_list(
        "id", "history_date", "customer_id"
    )
    return stays


def _what_decides(by_customer: Histories, known_at: datetime | None) -> tuple[Homes, Judged]:
    """Return where the records of contradictory histories were, and what was judged of them."""
    doubtful = {key: events for key, events in by_customer.items() if may_conflict(events)}
    records = {
        event.record_id for events in doubtful.values() for event in events if event.record_id
    }
    if not records:
        return {}, {}
    homes = homes_of(records)
    digests = {
        conflict.digest
        for events in doubtful.values()
        for conflict in conflicts(events, homes, known_at=known_at).values()
    }
    made = ConflictResolution.objects.filter(
        digest__in=digests, decided_at__lte=known_at or now()
    ).order_by("pk")
    return homes, {digest: Verdict(said) for digest, said in made.values_list("digest", "verdict")}


def _objections_of_then(members: Membership) -> dict[int, list[Event]]:
    """Return the objections that others' records told while they were one with a customer's."""
    circles = _circles(members)
    if not circles:
        return {}
    told = _personal_refusals(circles)
    if not told:
        return {}
    own = _records_of(members, circles)
    fellows: dict[int, list[int]] = defaultdict(list)
    for record, whose in own.items():
        fellows[circles[whose.today]].append(record)
    homes = homes_of([*own, *{record for _author, record, _row in told}])
    found: dict[int, list[Event]] = defaultdict(list)
    for author, record, row in told:
        customers = {
            own[fellow].customer
            for fellow in fellows[circles[author]]
            if were_together(fellow, record, row[4], homes)
        }
        if record in own:
            customers.discard(own[record].customer)
        for customer in customers:
            found[customer].append(event_of(None, row))
    return found


def _circles(members: Membership) -> dict[int, int]:
    """Return circles of customers of today, each by a name, who were one for a time.

    Who parted from somebody from whom a third parted may have been one with that third. Whoever
    parted from nobody is in none.
    """
    today = _customers_today(members)
    # Supposed customers: whoever today's were or are one with may have spoken for them.
    pairs = [(today[0], customer) for customer in today] if members.homes is not None else []
    asked, known = set(today), set[int]()
    while asked:
        found = _partings(asked)
        pairs += found
        known |= asked
        asked = {customer for pair in found for customer in pair} - known
    circles: dict[int, set[int]] = {}
    for one, other in pairs:
        circle = circles.get(one, {one}) | circles.get(other, {other})
        circles |= dict.fromkeys(circle, circle)
    return {customer: min(circle) for customer, circle in circles.items()}


def _customers_today(members: Membership) -> Sequence[int]:
    if members.homes is None:
        return members.customer_ids
    records = SourceRecord.objects.filter(pk__in=key_set(members.homes))
    return sorted(set(records.values_list("customer_id", flat=True)))


# Most records that left a customer left her for whom she is one with today: of those nothing more
# is looked up. Where such a record went on from there, the customer that it left tells so herself.
# The kind of an event is asked so that PostgreSQL cannot guess how rare it is: one that it has
# never seen, as in the middle of a search, would have it compare every such event with every
# customer.
_PARTINGS = """
    WITH hers (id, mine) AS MATERIALIZED (
        SELECT id, COALESCE(merged_into_id, id) FROM mdm_customer WHERE id IN ({keys})
        UNION ALL SELECT id, merged_into_id FROM mdm_customer WHERE merged_into_id IN ({keys})
    ), moves AS MATERIALIZED (
        SELECT hers.mine, event.kind, event.record_id, event.other_id
        FROM hers CROSS JOIN {events}
        WHERE CASE WHEN event.kind IN ('left', 'joined') THEN 1 ELSE 0 END = 1
    ), far AS MATERIALIZED (
        SELECT moves.mine, moves.kind, moves.record_id, moves.other_id
        FROM moves LEFT JOIN hers AS near ON near.id = moves.other_id
        WHERE COALESCE(near.mine, 0) <> moves.mine
    )
    SELECT DISTINCT mine, theirs FROM (
        SELECT mine, CASE kind
            WHEN 'left' THEN (SELECT customer_id FROM mdm_sourcerecord WHERE id = far.record_id)
            ELSE (SELECT COALESCE(merged_into_id, id) FROM mdm_customer WHERE id = far.other_id)
        END AS theirs
        FROM far
    ) AS told
    WHERE mine <> theirs
"""
# The events of each customer are looked up by themselves. SQLite takes a CROSS JOIN in the order
# in which it is written; PostgreSQL, to which some hundred customers seem many, would read the
# events of all for each chunk of a load (OFFSET 0 keeps it from that).
_EVENTS = {
    "postgresql": """LATERAL (
        SELECT kind, record_id, other_id FROM mdm_customerevent
        WHERE customer_id = hers.id OFFSET 0
    ) AS event""",
    "sqlite": "mdm_customerevent AS event ON event.customer_id = hers.id",
}


def _partings(customer_ids: Collection[int]) -> list[tuple[int, int]]:
    """Return customer and other customer for every record that left one of them to the other."""
    keys, listed = key_query(customer_ids)
    query = _PARTINGS.format(keys=keys, events=_EVENTS[connection.vendor])
    with connection.cursor() as cursor:
        cursor.execute(query, [listed, listed])
        rows: list[tuple[int, int]] = cursor.fetchall()
    return rows


def _personal_refusals(customer_ids: Iterable[int]) -> list[tuple[int, int, Sequence[Any]]]:
    """Return refusals that are about no contact point in particular: of whom, by which record."""
    return [(author, record, row) for author, record, *row in _personal(customer_ids)]


@kept
def _personal(customer_ids: Collection[int]) -> "QuerySet[ConsentEvent, tuple[Any, ...]]":
    personal = Q(type=EventType.OBJECTION) | Q(
        contact_point=None, type__in=(EventType.REFUSED, EventType.WITHDRAWN)
    )
    told = ConsentEvent.objects.filter(
        personal, source_record__customer__in=key_set(customer_ids), erased_at=None
    ).order_by("pk")
    return told.values_list("source_record__customer_id", "source_record_id", *READ)


def _records_of(members: Membership, circles: Iterable[int]) -> dict[int, _Whose]:
    """Return the members' records that are in circles."""
    if members.homes is None:
        rows = _records(set(members.customer_ids).intersection(circles), is_supposed=False)
        return {pk: _Whose(today, today) for pk, today in rows}
    rows = _records(members.keys, is_supposed=True)
    return {pk: _Whose(members.homes[pk], today) for pk, today in rows}


@kept
def _records(
    keys: Collection[int], *, is_supposed: bool
) -> "QuerySet[SourceRecord, tuple[int, int]]":
    records = SourceRecord.objects.filter(of_members(keys, is_supposed=is_supposed))
    return records.order_by().values_list("pk", "customer_id")
