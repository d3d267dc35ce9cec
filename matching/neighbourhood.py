"""The records that a change concerns, what is known of them, and the partition that follows.

A neighbourhood is closed under automatic evidence, SAME decisions and present membership:
recomputing it alone gives what recomputing everything would.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import QuerySet

from matching import former
from matching.clustering import Evidence, Guards, Partition, clusters
from matching.models import Decision
from matching.reading import in_chunks, rows_of
from matching.review_tasks import Stand, derive_tasks
from matching.rule_sets import Parameters, active_rule_set
from matching.rulings import Ruling
from mdm.aliases import Holdings, holdings
from mdm.identity import AppliedLinks, Link, apply_links, lock_customers_of
from mdm.key_sets import key_query
from mdm.models import SourceRecord
from mdm.standardise.organisations import exclusive_number


@dataclass(frozen=True)
class Facts:
    """What clustering needs to know of some records."""

    records: list[int]
    evidence: list[Evidence]
    rulings: list[Ruling]
    guards: Guards
    holdings: Holdings = field(default_factory=Holdings)

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


def settle(record_ids: Iterable[int], *, by: User | None, reason: str) -> Settled:
    """Recompute the neighbourhood of these records and carry out what follows.

    Call it inside a transaction. Customers are locked in the order of their keys, so two stewards
    in one neighbourhood wait for each other and never in a circle.
    """
    members = lock_neighbourhood(record_ids)
    facts = read_facts(members)
    partition = facts.partition()
    applied = apply_links(links_of(facts, partition), user=by, reason=reason)
    stand = Stand(partition.names, partition.refusals)
    return Settled(applied, derive_tasks(sorted(members), stand), sorted(members))


def lock_neighbourhood(record_ids: Iterable[int]) -> set[int]:
    """Return the neighbourhood with its customers locked until the transaction ends.

    It may grow while we wait.
    """
    members, previous = neighbourhood(record_ids), set[int]()
    while members != previous:
        previous = members
        lock_customers_of(members)
        members = neighbourhood(members)
    return members


def neighbourhood(record_ids: Iterable[int]) -> set[int]:
    """Return the records connected with the given ones, these included."""
    found: set[int] = set()
    frontier = set(record_ids)
    while frontier:
        found |= frontier
        frontier = _neighbours(sorted(frontier)) - found
    return found


def read_facts(
    record_ids: Iterable[int] | None = None,
    *,
    parameters: Parameters | None = None,
    evidence: former.Evidence | None = None,
) -> Facts:
    """Return the facts among the given records (None for all).

    Args:
        record_ids: the records.
        parameters: those that guard; None for the rules in force.
        evidence: None for what stands.
    """
    records: QuerySet[SourceRecord] = SourceRecord.objects.order_by("pk")
    keys = None if record_ids is None else sorted(record_ids)
    columns = ("pk", "identifier", "source_id", "source__one_record_per_person")
    rows = list(rows_of(records.values_list(*columns), "pk", keys))
    inside = {pk for pk, *_ in rows}
    parameters = parameters or Parameters.read(active_rule_set().parameters)
    guards = Guards(
        max_size=parameters.max_cluster_size,
        least_support=parameters.least_support,
        exclusive={pk: exclusive_number(number) for pk, number, _, _ in rows if number},
        unique_source={pk: str(source) for pk, _, source, unique in rows if unique},
    )
    return Facts(
        sorted(inside),
        _evidence(keys, inside, evidence or former.evidence_now()),
        rulings_among(keys, inside),
        guards,
        holdings(keys),
    )


def links_of(facts: Facts, partition: Partition) -> list[Link]:
    """Return the link of every record: its customer, and the rule that put it there."""
    names = partition.names
    best: dict[int, float] = {}
    for pair in facts.evidence:
        if pair.automatic and names[pair.left] == names[pair.right]:
            for record in (pair.left, pair.right):
                best[record] = max(pair.score, best.get(record, pair.score))
    decided = {record for ruling in facts.rulings if ruling.is_same for record in ruling[:2]}
    ids = facts.holdings.oldest
    return [
        _link(record, names[record], best.get(record), decided, ids.get(record, record))
        for record in facts.records
    ]


def rulings_among(keys: list[int] | None, inside: set[int]) -> list[Ruling]:
    """Return the SAME and DIFFERENT decisions in force between the given records."""
    clear = Decision.objects.in_force().clear()
    rows = rows_of(clear.values_list("left", "right", "verdict"), "left", keys)
    return [
        Ruling(left, right, verdict == Decision.Verdict.SAME)
        for left, right, verdict in rows
        if left in inside and right in inside
    ]


def _link(record: int, customer: int, score: float | None, decided: set[int], own_id: int) -> Link:
    if own_id == customer:
        return Link(record, customer, "birth")
    return Link(record, customer, "decision" if record in decided else "auto", score)


# Asked several times for every click: Django needs four times as long to put such a union together
# as the database to answer it.
_STEP = """
    WITH seed (id) AS ({keys})
    SELECT id FROM mdm_sourcerecord WHERE customer_id IN
        (SELECT customer_id FROM mdm_sourcerecord WHERE id IN (SELECT id FROM seed))
    UNION ALL SELECT right_id FROM matching_pairevidence
        WHERE automatic AND left_id IN (SELECT id FROM seed)
    UNION ALL SELECT left_id FROM matching_pairevidence
        WHERE automatic AND right_id IN (SELECT id FROM seed)
    UNION ALL SELECT right_id FROM matching_decision
        WHERE retracted_at IS NULL AND verdict = 'same' AND left_id IN (SELECT id FROM seed)
    UNION ALL SELECT left_id FROM matching_decision
        WHERE retracted_at IS NULL AND verdict = 'same' AND right_id IN (SELECT id FROM seed)
"""


def _neighbours(keys: list[int]) -> set[int]:
    """Return what is one step away from the given records, in one query per chunk.

    A step leads to who is with the same customer, and along automatic evidence or a decision SAME.
    """
    found: set[int] = set()
    with connection.cursor() as cursor:
        for chunk in in_chunks(keys):
            subquery, listed = key_query(chunk)
            cursor.execute(_STEP.format(keys=subquery), [listed])
            found.update(key for (key,) in cursor.fetchall())
    return found


def _evidence(
    keys: list[int] | None, inside: set[int], evidence: former.Evidence
) -> list[Evidence]:
    columns = ("left", "right", "score", "automatic")
    tables = [found.values_list(*columns) for found in evidence]
    rows = chain.from_iterable(rows_of(table, "left", keys) for table in tables)
    return [Evidence(*row) for row in rows if row[0] in inside and row[1] in inside]
