"""Links and review tasks beside what their facts say: to prove that they agree, or to mend them.

Records that a load has changed wait for the next search: until then their links and tasks are
what the last one found, and nothing is said about them or whoever is connected with them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from django.db import transaction

from matching.clustering import Partition
from matching.codes import changed_records
from matching.neighbourhood import neighbourhood, read_facts, settle
from matching.reading import in_chunks
from matching.relinking import moves
from matching.review_tasks import Stand, wrong_tasks
from matching.rule_sets import active_rule_set
from matching.runs import last_run
from mdm import bulk
from mdm.models import SourceRecord

_RECORDS_PER_CHUNK = 20_000
_SETTLED_AT_ONCE = 500
Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Unlike:
    """What does not follow from its facts, and how many records wait for the next search."""

    record_ids: set[int]
    """Records that belong to another customer, or for another reason, than they should."""
    tasks: set[Pair]
    """Pairs whose review task should be there, should not, or should say something else."""
    waiting_count: int


def compare() -> Unlike:
    """Compare every link and review task with decisions, evidence and guards; nothing is written.

    Under new rules that no search has followed yet, every record waits.
    """
    waiting = _waiting()
    facts = read_facts()
    partition = facts.partition()
    links = chain.from_iterable(moves(facts, partition))
    wrong = {link.record_id for link in links} - waiting
    stand = Stand(partition.names, partition.refusals)
    tasks = {
        pair
        for chunk in _whole_clusters(partition, waiting)
        for pair in wrong_tasks(chunk, stand)
        if waiting.isdisjoint(pair)
    }
    return Unlike(wrong, tasks, len(waiting))


def mend(found: Unlike, *, reason: str) -> None:
    """Settle the neighbourhoods of what is wrong, as after any change."""
    concerned = found.record_ids.union(*found.tasks) if found.tasks else found.record_ids
    for chunk in in_chunks(sorted(concerned), _SETTLED_AT_ONCE):
        with transaction.atomic():
            settle(chunk, by=None, reason=reason)
        bulk.pause_for_other_writers()


def _waiting() -> set[int]:
    run = last_run()
    if run is None:
        return set()
    if run.rule_set_id != active_rule_set().pk:
        return set(SourceRecord.objects.order_by().values_list("pk", flat=True))
    return neighbourhood(changed_records())


def _whole_clusters(partition: Partition, waiting: Iterable[int]) -> Iterator[Sequence[int]]:
    """Yield records in chunks that split no cluster: a task stands between two whole ones."""
    left_out = set(waiting)
    chunk: list[int] = []
    for members in partition.groups().values():
        chunk += [record for record in members if record not in left_out]
        if len(chunk) >= _RECORDS_PER_CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
