"""Bring links and review tasks up to what the facts say, as chunks of a job.

Both are differences to what should be, so a second attempt does only what is left.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import accumulate

from django.db.models import Q
from django.utils.timezone import now

from matching.clustering import Partition
from matching.models import Decision
from matching.neighbourhood import neighbourhood, read_facts, settle
from matching.relinking import moves
from matching.review_tasks import Stand, derive_tasks
from matching.timings import timed
from mdm import statistics, word_index
from mdm.identity import Link, apply_links, lock_customers_of
from mdm.jobs import JobRun
from mdm.two_at_once import two_at_once

RECORDS_PER_CHUNK = 20_000
_UNCOMMITTED = timedelta(minutes=1)
"""A decision stamped before the facts were read may have been committed after."""


class Derivation:
    """Links and tasks as they should be by the facts of one moment, and the way there."""

    def __init__(self, run: JobRun, *, reason: str, around: Collection[int] | None = None) -> None:
        """Read the facts; `around`: of these records and whoever is connected, None for all."""
        self.run, self.reason = run, reason
        self.started = now()
        self.timings: dict[str, float] = {}
        run.progress(0, None, "links")
        with timed(self.timings, "links"):
            statistics.renew()  # All evidence was written just now.
            self.facts = read_facts(None if around is None else sorted(neighbourhood(around)))
            self.partition = self.facts.partition()

    def carry_out(self) -> int:
        """Apply what differs, in chunks that leave the cursor where it is.

        Returns how many records changed customer, or the reason for being hers.
        """
        with timed(self.timings, "links"):
            moved = self._link()
        with timed(self.timings, "tasks"):
            self._open_tasks()
            self._follow_decisions_since(self.started)
        return moved

    def _link(self) -> int:
        """Apply the links that change; returns how many.

        What a steward has decided since the facts were read is left to `_follow_decisions_since`.
        """
        groups = moves(self.facts, self.partition)
        ends = list(accumulate(map(len, groups)))
        total = ends[-1] if ends else 0

        def apply(chunk: tuple[Sequence[Link], int]) -> None:
            self._apply(chunk[0])

        for (_links, done), _applied in two_at_once(apply, zip(groups, ends, strict=True)):
            self.run.progress(done, total, "links")
        if groups:
            word_index.take_in()
        return total

    def _apply(self, links: Sequence[Link]) -> None:
        """Apply links that share no customer with those that are applied beside them.

        How far that is nobody tells here: the later of two chunks may be the first to end.
        """
        with self.run.chunk(cursor=self.run.cursor, beside_others=True):
            word_index.gather()
            lock_customers_of([link.record_id for link in links])
            late = neighbourhood(_decided_since(self.started))
            links = [link for link in links if link.record_id not in late]
            apply_links(links, user=self.run.job.requested_by, reason=self.reason)

    def _open_tasks(self) -> None:
        stand = Stand(self.partition.names, self.partition.refusals)
        done, total = 0, len(self.partition.names)
        for chunk in whole_clusters(self.partition):
            done += len(chunk)
            with self.run.chunk(cursor=self.run.cursor, done=done, total=total, phase="tasks"):
                derive_tasks(chunk, stand)

    def _follow_decisions_since(self, moment: datetime) -> None:
        """Settle again what stewards decided while this job was linking."""
        for record in sorted(_decided_since(moment)):
            with self.run.chunk(cursor=self.run.cursor, phase="tasks"):
                settle([record], by=self.run.job.requested_by, reason=self.reason)


def whole_clusters(partition: Partition) -> Iterator[Sequence[int]]:
    """Yield records in chunks that split no cluster: a task stands between two whole ones."""
    chunk: list[int] = []
    for members in partition.groups().values():
        chunk += members
        if len(chunk) >= RECORDS_PER_CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _decided_since(moment: datetime) -> set[int]:
    """Return the records about which a steward decided, or took a decision back, since then."""
    since = moment - _UNCOMMITTED
    late = Decision.objects.filter(Q(decided_at__gte=since) | Q(retracted_at__gte=since))
    return {record for pair in late.values_list("left", "right") for record in pair}
