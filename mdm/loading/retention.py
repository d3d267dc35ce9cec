"""Files and rows of people that are kept no longer than needed.

An uploaded file goes when its load ends. What stays longer for another reason goes here: files of
jobs that never ran, previews and drafts nobody came back to, rejected rows, what watched folders
have put away, and leftovers of requests that broke off.
"""

import time
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.timezone import now

from mdm import heartbeats
from mdm.loading.drafts import drop_draft
from mdm.loading.stored_files import FOLDER, discard
from mdm.loading.watched_folders import DONE, REFUSED
from mdm.models import Job, LoadBatch, MappingDraft, RejectedRow, SourceSystem

_EVERY = timedelta(hours=1)
_NAME = "retention"
# A file is stored a moment before its batch is committed.
_YOUNG_SECONDS = 3600
_ROWS_AT_ONCE = 5000


def purge_when_due() -> None:
    """Purge, once an hour whoever calls how often."""
    silence = heartbeats.silence(_NAME)
    if silence is None or silence > _EVERY:
        heartbeats.beat(_NAME)
        purge()


def purge() -> dict[str, int]:
    """Delete what is older than its time. Returns how much of each kind."""
    old = now() - timedelta(days=settings.UPLOAD_KEEP_DAYS)
    # A failed job may be started again, so its file waits for that as long as a preview.
    is_over = Q(job__state__in=(Job.State.DONE, Job.State.CANCELLED)) | Q(created_at__lt=old)
    kept = LoadBatch.objects.exclude(stored_file="").exclude(job__state__in=Job.LIVE_STATES)
    drafts = list(MappingDraft.objects.filter(created_at__lt=old))
    for draft in drafts:
        drop_draft(draft)
    return {
        "files": sum(map(_forget_file, kept.filter(is_over))) + len(drafts),
        "leftovers": _unlink(_leftovers()) + _unlink(_put_away(old.timestamp())),
        "rejected_rows": _delete_rejected_rows(),
    }


def _forget_file(batch: LoadBatch) -> int:
    with transaction.atomic():
        changed = LoadBatch.objects.filter(pk=batch.pk, stored_file=batch.stored_file)
        count = changed.update(stored_file="")
    if count:
        discard(batch.stored_file)
    return count


def _leftovers() -> Iterable[Path]:
    """Yield stored files that no batch or draft knows, and uploads that broke off."""
    limit = time.time() - _YOUNG_SECONDS
    known = set(LoadBatch.objects.exclude(stored_file="").values_list("stored_file", flat=True))
    known.update(MappingDraft.objects.values_list("stored_file", flat=True))
    for path in _files(Path(settings.DATA_DIR) / FOLDER, limit):
        if f"{FOLDER}/{path.name.partition('.')[0]}" not in known:
            yield path
    yield from _files(Path(settings.FILE_UPLOAD_TEMP_DIR), limit)


def _put_away(limit: float) -> Iterable[Path]:
    for name in SourceSystem.objects.exclude(watched_folder="").values_list(
        "watched_folder", flat=True
    ):
        for ending in (DONE, REFUSED):
            yield from _files(Path(settings.WATCHED_FOLDERS) / name / ending, limit)


def _files(folder: Path, limit: float) -> Iterable[Path]:
    """Yield the files of a folder that were not touched since a moment."""
    if folder.is_dir():
        yield from (
            path for path in folder.iterdir() if path.is_file() and path.lstat().st_ctime < limit
        )


def _unlink(paths: Iterable[Path]) -> int:
    count = 0
    for path in paths:
        path.unlink(missing_ok=True)
        count += 1
    return count


def _delete_rejected_rows() -> int:
    old = now() - timedelta(days=settings.REJECTS_KEEP_DAYS)
    rows = RejectedRow.objects.filter(batch__created_at__lt=old).order_by()
    total = 0
    while keys := list(rows.values_list("pk", flat=True)[:_ROWS_AT_ONCE]):
        total += len(keys)
        RejectedRow.objects.filter(pk__in=keys).delete()
    return total
