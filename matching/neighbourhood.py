"""The records that a change concerns, what is known of them, and the partition that follows.

A neighbourhood is closed under automatic evidence, SAME decisions and present membership:
recomputing it alone gives what recomputing everything would.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NamedTuple, TypeVar

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import QuerySet

from matching import former
from matching.clustering import Evidence, Guards, Partition, clusters
from matching.initials import is_initials
from matching.models import Decision
from matching.reading import in_chunks, rows_of
from matching.review_tasks import Stand, derive_tasks
from matching.rule_sets import Parameters, parameters_in_force
from matching.rulings import Ruling
from matching.standing import Alike, Standing, decisions_touching, evidence_touching
from mdm.aliases import Holdings, holdings
from mdm.identity import AppliedLinks, Link, lock_customers, move_records
from mdm.kept_queries import kept
from mdm.key_sets import among, key_text
from mdm.models import SourceRecord
from mdm.standardise.organisations import exclusive_number

Row = TypeVar("Row")
_BIRTH = "birth"
Homes = dict[int, int]
"""Record → the customer it belongs to."""


@dataclass(frozen=True)
class Facts:
    """What clustering needs to know of some records."""

    records: list[int]
    evidence: list[Evidence]
    rulings: list[Ruling]
    guards: Guards
    holdings: Holdings = field(default_factory=Holdings)
    homes: Mapping[int, tuple[int, str]] = field(default_factory=dict)
    """The customer that a record belongs to, and the rule that put it there.

    Those that are where they were born are left out: of a new file, all.
    """

    def home(self, record: int) -> tuple[int, str]:
        """Return the customer that a record belongs to, and the rule that put it there."""
        return self.homes.get(record) or (record, _BIRTH)

    def partition(
        self, *, extra: Sequence[Ruling] = (), without: Iterable[tuple[int, int]] = ()
    ) -> Partition:
        """Return who is one person, with `extra` decisions and without those on some pairs.

        An extra one takes the place of the one on its pair.
        """
        replaced = {*without, *((ruling.left, ruling.right) for ruling in extra)}
        rulings = [r for r in self.rulings if (r.left, r.right) not in replaced]
        rulings += extra
        return clusters(
            self.records, self.evidence, rulings, self.guards, ids=self.holdings.oldest
        )


@dataclass(frozen=True)
class Settled:
    """What settling a neighbourhood changed."""

    applied: AppliedLinks
    task_count: int = 0
    record_ids: list[int] = field(default_factory=list)


def settle(
    record_ids: Iterable[int], *, by: User | None, reason: str, locked: Homes | None = None
) -> Settled:
    """Recompute the neighbourhood of these records and carry out what follows.

    Call it inside a transaction. Customers are locked in the order of their keys, so two stewards
    in one neighbourhood wait for each other and never in a circle. `locked`: the neighbourhood,
    when this transaction has locked it already.
    """
    homes = lock_neighbourhood(record_ids) if locked is None else locked
    standing, alike = decisions_touching(homes), evidence_touching(homes)
    facts = read_facts(homes, standing=standing, alike=alike)
    partition = facts.partition()
    moved = changed_links(facts, partition)
    applied = move_records(moved, user=by, reason=reason, held=facts.holdings, locked=_ids(homes))
    stand = Stand(partition.names, partition.refusals)
    open_count = derive_tasks(facts.records, stand, standing, alike)
    return Settled(applied, open_count, facts.records)


def lock_neighbourhood(
    record_ids: Iterable[int] = (), *, customer_ids: Collection[int] = ()
) -> Homes:
    """Return the neighbourhood with its customers locked until the transaction ends.

    It may grow while we wait. Locked are the ids that its records were born with, too: those who
    part are called by them.
    """
    homes, previous = homes_around(record_ids, customer_ids=customer_ids), None
    while homes != previous:
        previous = homes
        lock_customers(_ids(homes))
        homes = homes_around(homes)
    return homes


def neighbourhood(record_ids: Iterable[int]) -> set[int]:
    """Return the records connected with the given ones, these included."""
    return set(homes_around(record_ids))


def homes_around(record_ids: Iterable[int], *, customer_ids: Collection[int] = ()) -> Homes:
    """Return the records connected with the given ones, or with those of customers."""
    found: Homes = {}
    seeds = [(key_text(chunk), key_text(())) for chunk in in_chunks(sorted(set(record_ids)))]
    if customer_ids:
        seeds.append((key_text(()), key_text(customer_ids)))
    query = _AROUND.format(**_DIALECTS[connection.vendor])
    with connection.cursor() as cursor:
        for seed in seeds:
            cursor.execute(query, seed)
            found.update(cursor.fetchall())
    return found


def _ids(homes: Homes) -> set[int]:
    return {*homes, *homes.values()}


def read_facts(
    record_ids: Iterable[int] | None = None,
    *,
    parameters: Parameters | None = None,
    evidence: former.Evidence | None = None,
    standing: Sequence[Standing] | None = None,
    alike: Iterable[Alike] | None = None,
) -> Facts:
    """Return the facts among the given records (None for all).

    Args:
        record_ids: the records.
        parameters: those that guard; None for the rules in force.
        evidence: None for what stands.
        standing: the decisions that touch the records, where they were read already.
        alike: the evidence that stands and touches them, likewise.
    """
    keys = None if record_ids is None else sorted(record_ids)
    members = _members(keys)
    parameters = parameters or parameters_in_force()
    known = _within(members.records, _evidence(keys, evidence) if alike is None else alike)
    guards = Guards(
        max_size=parameters.max_cluster_size,
        least_support=parameters.least_support,
        exclusive=members.exclusive,
        unique_source=members.unique_source,
        called=_called(members.called, known),
    )
    return Facts(
        sorted(members.records),
        known,
        rulings_among(keys, members.records, standing),
        guards,
        holdings(keys),
        members.homes,
    )


class _Members(NamedTuple):
    """Records, and what is special about some of them; see `Guards` and `Facts`."""

    records: set[int]
    exclusive: dict[int, str]
    unique_source: dict[int, str]
    called: dict[int, str]
    homes: dict[int, tuple[int, str]]


def _members(keys: Sequence[int] | None) -> _Members:
    """Read records one by one: a million rows at once would be a third of a search's memory."""
    found = _Members(set(), {}, {}, {}, {})
    rows = _guarded().iterator(chunk_size=10_000) if keys is None else _each(keys, _guarded_of)
    for pk, given_name, identifier, source, is_unique, customer, rule in rows:
        found.records.add(pk)
        if is_initials(given_name):
            found.called[pk] = given_name
        if identifier:
            found.exclusive[pk] = exclusive_number(identifier)
        if is_unique:
            found.unique_source[pk] = str(source)
        if customer != pk or rule != _BIRTH:
            found.homes[pk] = (customer, rule)
    return found


def _called(initials: Mapping[int, str], evidence: Iterable[Evidence]) -> Mapping[int, str]:
    """Return the given names of records with initials, and of those that they link with."""
    if not initials:
        return {}
    links = (pair for pair in evidence if pair.automatic)
    around = {
        key for pair in links for key in pair[:2] if not initials.keys().isdisjoint(pair[:2])
    }
    return {**initials, **dict(_each(sorted(around - initials.keys()), _given_names))}


def _given_names(record_ids: Collection[int]) -> "QuerySet[SourceRecord, tuple[int, str]]":
    return SourceRecord.objects.filter(among("pk", record_ids)).values_list("pk", "given_name")


def _guarded() -> "QuerySet[SourceRecord, tuple[Any, ...]]":
    """Return what guards look at of all records, and where they are."""
    columns = ("source_id", "source__one_record_per_person", "customer_id", "link_rule")
    return SourceRecord.objects.order_by("pk").values_list(
        "pk", "given_name", "identifier", *columns
    )


@kept
def _guarded_of(record_ids: Collection[int]) -> "QuerySet[SourceRecord, tuple[Any, ...]]":
    return _guarded().filter(among("pk", record_ids))


def _each(keys: Sequence[int], ask: Callable[..., Iterable[Row]]) -> Iterable[Row]:
    return chain.from_iterable(map(ask, in_chunks(keys)))


def changed_links(facts: Facts, partition: Partition) -> list[tuple[Link, int]]:
    """Return the links that are not as the partition says, each with the present customer."""
    changed = []
    for link in _links_of(facts, partition):
        customer, rule = facts.home(link.record_id)
        if (customer, rule) != (link.customer_id, link.rule):
            changed.append((link, customer))
    return changed


def _links_of(facts: Facts, partition: Partition) -> Iterator[Link]:
    """Return the link of every record: its customer, and the rule that put it there."""
    names = partition.names
    best: dict[int, float] = {}
    for pair in facts.evidence:
        if pair.automatic and names[pair.left] == names[pair.right]:
            for record in (pair.left, pair.right):
                best[record] = max(pair.score, best.get(record, pair.score))
    decided = {record for ruling in facts.rulings if ruling.is_same for record in ruling[:2]}
    ids = facts.holdings.oldest
    for record in facts.records:
        own_id = ids.get(record, record)
        yield _link(record, names[record], best.get(record), decided, own_id)


def rulings_among(
    keys: list[int] | None, inside: set[int], standing: Iterable[Standing] | None = None
) -> list[Ruling]:
    """Return the SAME and DIFFERENT decisions in force between the given records."""
    clear = Decision.objects.in_force().clear().values_list("left", "right", "verdict")
    rows = rows_of(clear, "left", keys) if standing is None else (said[:3] for said in standing)
    return [
        Ruling(left, right, verdict == Decision.Verdict.SAME)
        for left, right, verdict in rows
        if left in inside and right in inside
    ]


def _link(record: int, customer: int, score: float | None, decided: set[int], own_id: int) -> Link:
    if own_id == customer:
        return Link(record, customer, _BIRTH)
    return Link(record, customer, "decision" if record in decided else "auto", score)


# A step leads to who is with the same customer, and along automatic evidence or a decision SAME.
# Asked for every click: Django needs four times as long to put such a union together as the
# database to answer it. PostgreSQL lets a recursion name itself only once; SQLite has no LATERAL.
_AROUND = """
    WITH RECURSIVE near (id) AS (
        SELECT * FROM ({keys}) AS seed
        UNION SELECT id FROM mdm_sourcerecord WHERE customer_id IN ({keys})
        UNION {opening} SELECT beside.id {of}mdm_sourcerecord AS mine
            JOIN mdm_sourcerecord AS beside ON beside.customer_id = mine.customer_id
            WHERE mine.id = near.id
        {union} SELECT right_id {of}matching_pairevidence
            WHERE automatic AND left_id = near.id
        {union} SELECT left_id {of}matching_pairevidence
            WHERE automatic AND right_id = near.id
        {union} SELECT right_id {of}matching_decision
            WHERE retracted_at IS NULL AND verdict = 'same' AND left_id = near.id
        {union} SELECT left_id {of}matching_decision
            WHERE retracted_at IS NULL AND verdict = 'same' AND right_id = near.id {closing}
    )
    SELECT mdm_sourcerecord.id, mdm_sourcerecord.customer_id
    FROM near JOIN mdm_sourcerecord ON mdm_sourcerecord.id = near.id
"""
_DIALECTS = {
    "postgresql": {
        "keys": "SELECT unnest(%s::bigint[])",
        "opening": "SELECT step.id FROM near, LATERAL (",
        "of": "FROM ",
        "union": "UNION ALL",
        "closing": ") AS step (id)",
    },
    "sqlite": {
        "keys": "SELECT value FROM json_each(%s)",
        "opening": "",
        "of": "FROM near, ",
        "union": "UNION",
        "closing": "",
    },
}


def _evidence(
    keys: list[int] | None, evidence: former.Evidence | None
) -> Iterator[tuple[Any, ...]]:
    tables = [x.values_list(*Evidence._fields) for x in evidence or former.evidence_now()]
    return chain.from_iterable(rows_of(table, "left", keys) for table in tables)


def _within(inside: Set[int], rows: Iterable[tuple[Any, ...]]) -> list[Evidence]:
    return [Evidence(*row[:4]) for row in rows if row[0] in inside and row[1] in inside]
