"""Storing a chunk of rows: new, changed, the same, stale or rejected, set-based.

The chunk's rows are compared with what is stored before its transaction, so that unchanged rows
cost no standardising and the database is locked for the writing only; inside, under the source's
lock, the comparison is made again.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from django.db.models import Q
from django.utils.timezone import now

from mdm import bulk, golden_records, identity
from mdm.audit import record_history
from mdm.behind import behind, is_behind
from mdm.contact_points import Met, recount_points
from mdm.json_text import JsonText
from mdm.loading import activity, carrying
from mdm.loading.candidates import Candidate
from mdm.loading.claims import new_claims
from mdm.loading.known_records import Known, known_records
from mdm.loading.points import Point
from mdm.loading.rows import RowReader
from mdm.models import ATTRIBUTES, Job, LoadBatch, RejectedRow, SourceRecord, SourceSystem
from mdm.quality_figures import outdate_source
from mdm.signals import Births, PermissionClaim, records_arriving, records_loaded, records_settled
from mdm.standardise import VERSION
from mdm.standardise.record import Issue

COUNTS = ("new", "changed", "same", "stale", "rejected", "deleted")

VALUES = (
    "status",
    "raw",
    "issues",
    "standardiser_version",
    "content_hash",
    "source_created_at",
    "source_updated_at",
    "batch_id",
    "line",
    *ATTRIBUTES,
)
_BIRTH = ("id", "source_id", "source_key", "customer_id", "link_rule", "linked_at", *VALUES)


# A plain text: members of an enum cost several times as much to write, by the million.
_ACTIVE = SourceRecord.Status.ACTIVE.value


class Reject(NamedTuple):
    """A row to be rejected, as it will be stored."""

    line: int
    column: str
    value: str
    reason: str
    raw: dict[str, Any]


@dataclass
class Chunk:
    """Rows to store in one transaction, prepared for it."""

    rows: list[Candidate]
    rejects: list[Reject] = field(default_factory=list)
    overtaken_count: int = 0
    met: Sequence[Met] | None = None
    """The contact points that the rows carry, should all of them be new (`foresee`)."""

    def foresee(self) -> None:
        """Make ahead of its turn what takes long and needs no database, if the rows are ready."""
        if all(row.standard for row in self.rows):
            self.met = carrying.met_by([row.points for row in self.rows])


class Sorted(NamedTuple):
    """The rows of a chunk by what becomes of them."""

    new: list[Candidate]
    changed: list[tuple[int, Candidate]]
    counts: dict[str, int]
    rejects: list[Reject]
    untouched: list[tuple[str, Candidate]]  # The same or stale rows, each with its end.


Rows = Sequence[tuple[int, Candidate]]
"""Rows to be written, each with the key of its record."""


class ChunkWriter:
    """Stores the chunks of one batch."""

    def __init__(self, batch: LoadBatch, readers: Mapping[int, RowReader]) -> None:
        """Take the readers of every mapping version of the source, by key."""
        self._batch = batch
        self._readers = readers
        self._reader = readers[batch.mapping_id]

    def prepare(self, chunk: Chunk) -> Chunk:
        """Standardise the rows of a chunk that need it and were not: new and changed ones."""
        if any(row.standard is None for row in chunk.rows):
            stored = self._stored(chunk.rows)
            for row in chunk.rows:
                known = stored.get(row.key)
                if known is None or known.content_hash != row.content_hash:
                    row.standardise(self._reader)
        return chunk

    def write(
        self, chunk: Chunk, meanwhile: Callable[[], None] = lambda: None
    ) -> tuple[dict[str, int], list[Issue]]:
        """Store a prepared chunk. Returns how many rows met which end, and every issue seen.

        `meanwhile` is called where the database has been given more than it has done, if it works
        beside this process. Call it in a transaction.
        """
        # One load at a time writes records of a source, so that nobody gives a key twice.
        SourceSystem.objects.select_for_update().get(pk=self._batch.source_id)
        rows = self.sort(chunk)
        ids = bulk.allocate_ids(SourceRecord, len(rows.new))
        born = list(zip(ids, rows.new, strict=True))
        written = born + rows.changed
        met = chunk.met if len(born) == len(chunk.rows) else None
        if written:
            outdate_source(self._batch.source_id)
        with behind():
            later = self._later_claims(rows.changed)
            self._store_changed(rows.changed)
            meeting = carrying.meet_points(_points(born), _points(rows.changed), met)
            # What the server does while the keys it met are looked through.
            self._store_born(born)
            claims = self._first_claims(born) + later
            carriage = meeting()
            births = Births({pk: carriage.by_record[pk] for pk in ids}, carriage.shared)
            records_arriving.send(sender=None, batch=self._batch, births=births, claims=claims)
            # All that new rows need was asked for: nothing has to wait for what is given now.
            self._give_birth(ids)
            carrying.store(carriage)
            recount_points(carriage.uncounted)
            # A quarter of what the server has to do, and quickly made: with it the server is busy
            # while events and permissions are worked out.
            golden_records.give_birth([(pk, row.outline) for pk, row in born if row.outline])
            activity.store(
                [(pk, row.written) for pk, row in written], carriage.by_record, born_ids=set(ids)
            )
            self._refresh([pk for pk, _ in rows.changed])
            self._reject(rows.rejects)
            if written:
                self._tell(written, births, claims, meanwhile)
        return rows.counts, [issue for _, row in written for issue in row.written.record.issues]

    def _tell(
        self,
        written: Rows,
        births: Births,
        claims: list[PermissionClaim],
        meanwhile: Callable[[], None],
    ) -> None:
        record_ids = [pk for pk, _ in written]
        records_loaded.send(
            sender=None,
            batch=self._batch,
            record_ids=record_ids,
            records=[(pk, row.written.record) for pk, row in written],
            births=births,
            claims=claims,
        )
        if is_behind():
            meanwhile()
        records_settled.send(sender=None, record_ids=record_ids, births=births)

    def write_counts(self, counts: Mapping[str, int]) -> None:
        """Keep how many rows of the batch met which end so far."""
        LoadBatch.objects.filter(pk=self._batch.pk).update(
            **{f"{end}_count": count for end, count in counts.items()}
        )

    def knows_rows(self) -> bool:
        """Tell whether the source has records already."""
        return SourceRecord.objects.filter(source=self._batch.source_id).exists()

    def _stored(self, rows: Sequence[Candidate]) -> dict[str, Known]:
        return known_records(self._batch.source_id, [row.key for row in rows])

    def sort(self, chunk: Chunk) -> Sorted:
        """Compare a prepared chunk with what is stored; nothing is written."""
        stored = self._stored(chunk.rows)
        done = Sorted([], [], dict.fromkeys(COUNTS, 0), list(chunk.rejects), [])
        done.counts["stale"] = chunk.overtaken_count
        done.counts["rejected"] = len(chunk.rejects)
        if not stored:  # A first load: most of what is ever written.
            for row in chunk.rows:
                row.standardise(self._reader)
            done.counts["new"] = len(chunk.rows)
            return done._replace(new=chunk.rows)
        for row in chunk.rows:
            end = self._end_of(row, stored.get(row.key))
            if end == "new":
                done.new.append(row)
            elif end == "changed":
                done.changed.append((stored[row.key].pk, row))
            elif end == "erased":
                # Nothing of an erased person is kept, not even in a rejected row.
                done.rejects.append(Reject(row.line, self._reader.keys.named[:200], "", end, {}))
                continue
            else:
                done.untouched.append((end, row))
            done.counts[end] += 1
        done.counts["rejected"] = len(done.rejects)
        return done

    def _end_of(self, row: Candidate, known: Known | None) -> str:
        if known is not None:
            if known.status == SourceRecord.Status.ERASED:
                return "erased"
            is_active = known.status == SourceRecord.Status.ACTIVE
            if known.content_hash == row.content_hash and is_active:
                return "same"
        row.standardise(self._reader)
        if known is None:
            return "new"
        updated_at = row.written.updated_at
        if updated_at and known.updated_at and updated_at < known.updated_at:
            return "stale"
        return "changed"

    def _first_claims(self, born: Rows) -> list[PermissionClaim]:
        """Return the claims of new records."""
        return [claim.of_record(pk, row.line) for pk, row in born for claim in row.written.claims]

    def _later_claims(self, changed: Rows) -> list[PermissionClaim]:
        """Return the claims of changed records that they did not make before."""
        claiming = [(pk, row) for pk, row in changed if row.written.claims]
        if not claiming:
            return []
        known = SourceRecord.objects.filter(pk__in=[pk for pk, _ in claiming])
        # A record whose file was undone has claimed nothing that still counts.
        undone = Q(status=SourceRecord.Status.DELETED, missing_from=None)
        undone |= Q(batch__undo_job__state=Job.State.DONE)
        earlier = {
            pk: self._readers[mapping_id].claims(raw)
            for pk, mapping_id, raw in known.exclude(undone).values_list(
                "pk", "batch__mapping_id", "raw"
            )
        }
        return [
            claim.of_record(pk, row.line)
            for pk, row in claiming
            for claim in new_claims(row.written.claims, earlier.get(pk, ()))
        ]

    def _store_born(self, born: Rows) -> None:
        """Insert new records, each of the customer it is born with."""
        if not born:
            return
        moment, source = now(), self._batch.source_id
        bulk.insert(
            SourceRecord,
            _BIRTH,
            ((pk, source, row.key, pk, "birth", moment, *self._values(row)) for pk, row in born),
        )

    def _give_birth(self, record_ids: Sequence[int]) -> None:
        """Write the history of new records, and the customers that are born with them."""
        if record_ids:
            record_history(SourceRecord, record_ids, "+")
            identity.give_birth(record_ids)

    def _store_changed(self, changed: Rows) -> None:
        if changed:
            identity.lock_customers_of([pk for pk, _ in changed])
            bulk.update(
                SourceRecord, ("id", *VALUES), [(pk, *self._values(row)) for pk, row in changed]
            )
            record_history(SourceRecord, [pk for pk, _ in changed], "~")

    def _values(self, row: Candidate) -> tuple[Any, ...]:
        standard = row.written
        *values, issues = standard.record
        return (
            _ACTIVE,
            JsonText(row.raw_text),
            _issues_text(issues),
            VERSION,
            row.content_hash,
            standard.created_at,
            standard.updated_at,
            self._batch.pk,
            row.line,
            *values,
        )

    def _refresh(self, changed_ids: Sequence[int]) -> None:
        """Bring up to date what depends on the records that changed."""
        customers = SourceRecord.objects.filter(pk__in=changed_ids).values_list(
            "customer_id", flat=True
        )
        if changed_ids:
            identity.refresh(set(customers))

    def _reject(self, rejects: Sequence[Reject]) -> None:
        if rejects:
            bulk.insert(
                RejectedRow,
                ("batch_id", *Reject._fields),
                ((self._batch.pk, *reject) for reject in rejects),
            )


@lru_cache(maxsize=4096)
def _issues_text(issues: tuple[Issue, ...]) -> JsonText:
    """Return issues as JSON: many records have the same."""
    return JsonText(json.dumps(issues, separators=(",", ":")))


def _points(rows: Rows) -> list[tuple[int, Sequence[Point]]]:
    return [(pk, row.points) for pk, row in rows]
