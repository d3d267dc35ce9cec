"""What undoing a file means for the permissions it told of: `consent` is asked, or told.

Records that go back say what they said before, so whatever the file claimed of them is wrong. Of
those that a later file changed again, that file still says what it says.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from django.contrib.auth.models import User
from django.db import connection
from django.dispatch import Signal

from mdm.loading.earlier import kept_from, undone_ids
from mdm.loading.work import CHUNK_SIZE, readers_of
from mdm.models import LoadBatch, SourceRecord
from mdm.signals import PermissionClaim, Undoing


class PermissionsUndone:
    """The permissions of one file that is undone, record by record, through a signal."""

    def __init__(self, batch: LoadBatch, signal: Signal, *, by: User | None = None) -> None:
        self.readers = readers_of(batch)
        self._are_told = any(
            reader.mapping.named("permission", "opt_out", "opt_out_at")
            for reader in self.readers.values()
        )
        self._batch, self._signal, self._by = batch, signal, by
        self._undone = undone_ids(batch) | {batch.pk}

    def of_restored(self, record_ids: Sequence[int]) -> Counter[str]:
        """Ask or tell about records that go back. Returns the counts answered."""
        return self._send(record_ids, ())

    def next_kept(self, after: int) -> list[int]:
        """Return the next chunk of records that a later file changed again."""
        if not self._are_told:
            return []
        kept = kept_from(self._batch).filter(pk__gt=after).values_list("pk", flat=True)
        return list(kept[: CHUNK_SIZE[connection.vendor]])

    def of_kept(self, record_ids: Sequence[int]) -> Counter[str]:
        """Ask or tell about records that a later file changed again."""
        return self._send(record_ids, tuple(self._still_told(record_ids)))

    def _send(
        self, record_ids: Sequence[int], still_told: Sequence[PermissionClaim]
    ) -> Counter[str]:
        if not self._are_told:
            return Counter()
        undoing = Undoing(
            self._batch.pk,
            self._undone,
            record_ids,
            still_told,
            self._by.pk if self._by else None,
        )
        told: Counter[str] = Counter()
        for _receiver, counts in self._signal.send(sender=None, undoing=undoing):
            told.update(counts)
        return told

    def _still_told(self, record_ids: Sequence[int]) -> Iterator[PermissionClaim]:
        """Yield what the rows of files that were not undone say now."""
        records = SourceRecord.objects.active().filter(pk__in=record_ids)
        rows = records.exclude(batch__in=self._undone)
        for key, mapping, raw, line in rows.values_list("pk", "batch__mapping_id", "raw", "line"):
            for claim in self.readers[mapping].claims(raw):
                told = claim.of_record(key, line)
                yield told if claim.is_dated else told._replace(occurred_at=None)
