"""Links and review tasks beside what their facts say: to prove that they agree, or to mend them.

Records that a load has changed wait for the next search: until then their links and tasks are
what the last one found, and nothing is said about them or whoever is connected with them.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import QuerySet

from matching.codes import changed_records
from matching.models import Decision, PairEvidence
from matching.neighbourhood import changed_links, neighbourhood, read_facts, settle
from matching.reading import in_chunks
from matching.review_tasks import Stand, wrong_tasks
from matching.rule_sets import active_rule_set
from matching.runs import last_run
from matching.standing import decisions_touching
from mdm import bulk
from mdm.identity import Link
from mdm.models import SourceRecord

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

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
    waiting, found = _waiting(), Unlike(set(), set(), 0)
    elsewhere: dict[int, int] = {}
    for links, tasks in (_compare(chunk, waiting, {}) for chunk in _closed_chunks()):
        elsewhere.update((link.record_id, link.customer_id) for link in links)
        found.tasks.update(tasks)
    if elsewhere:  # Each chunk took the records of others for where they are.
        found.tasks.clear()
        for chunk in _closed_chunks():
            found.tasks.update(_compare(chunk, waiting, elsewhere)[1])
    return Unlike(set(elsewhere), found.tasks, len(waiting))


def _compare(
    chunk: Sequence[int], waiting: Set[int], elsewhere: Mapping[int, int]
) -> tuple[list[Link], set[Pair]]:
    """Return the links of records that are wrong and the pairs whose task is, but who waits.

    `elsewhere`: where records of other chunks should be that are not there.
    """
    standing = decisions_touching(chunk)
    facts = read_facts(chunk, standing=standing)
    partition = facts.partition()
    links = [link for link, _home in changed_links(facts, partition)]
    stand = Stand({**elsewhere, **partition.names}, partition.refusals)
    tasks = wrong_tasks([key for key in chunk if key not in waiting], stand)
    return (
        [link for link in links if link.record_id not in waiting],
        {pair for pair in tasks if waiting.isdisjoint(pair)},
    )


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


def _closed_chunks() -> Iterator[list[int]]:
    """Yield all records in chunks, none of which is the neighbour of one in another chunk.

    So each can be derived alone, and memory holds the facts of one of them.
    """
    import numpy as np

    from matching.linkage.grouping import components

    records = SourceRecord.objects.order_by("pk")
    homes = _pairs(records.values_list("pk", "customer_id"))
    alike = PairEvidence.objects.filter(automatic=True).order_by()
    same = Decision.objects.in_force().filter(verdict=Decision.Verdict.SAME)
    joined = [homes, *(_pairs(rows.values_list("left", "right")) for rows in (alike, same))]
    ids, places = np.unique(np.concatenate(joined), return_inverse=True)
    left, right = places.reshape(-1, 2).T
    component = components(len(ids), left, right)[left[: len(homes)]]
    order = np.argsort(component, kind="stable")
    ends = np.flatnonzero(np.diff(component[order])) + 1
    cuts = np.searchsorted(ends, np.arange(_RECORDS_PER_CHUNK, len(homes), _RECORDS_PER_CHUNK))
    for chunk in np.split(homes[order, 0], np.unique(ends[cuts[cuts < len(ends)]])):
        if len(chunk):
            yield np.sort(chunk).tolist()


def _pairs(rows: "QuerySet[Any, tuple[int, int]]") -> "NDArray[np.int64]":
    """Return rows of two keys, one below the other."""
    import numpy as np

    keys = chain.from_iterable(rows.iterator(chunk_size=10_000))
    return np.fromiter(keys, np.int64).reshape(-1, 2)
