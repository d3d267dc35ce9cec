"""Watched folders: a file dropped into the folder of a source is loaded by itself.

The sweeper looks. A file that somebody may still be writing is left alone; one that is settled is
moved to `loading/` and loaded by a job, and when that has ended to `done/`, or to `refused/` with
the reason beside it. Moving is the claim: of two sweepers only one succeeds.
"""

import logging
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils.timezone import now
from django.utils.translation import gettext as _

from mdm.loading.batches import find_reading, open_batch
from mdm.loading.stored_files import LoadRefused, StoredFile, discard, store
from mdm.models import FieldMapping, Job, LoadBatch, SourceSystem

logger = logging.getLogger(__name__)

LOADING, DONE, REFUSED = "loading", "done", "refused"
# How programs name what they have not finished writing.
_UNFINISHED = (".part", ".partial", ".filepart", ".tmp", ".crdownload", ".swp", "~")
_LOST_AFTER_SECONDS = 300
_REASON = ".reason.txt"
_REASONS_SHOWN = 5
_REASON_LETTERS = 500


def look() -> int:
    """Put away what has ended and take in what was dropped. Returns how many files were taken."""
    _put_away_ended()
    taken = 0
    for source in SourceSystem.objects.exclude(watched_folder="").order_by("pk"):
        try:
            taken += _look_at(source)
        except OSError as error:
            logger.warning("Watched folder of source=%s: %s", source.code, error.strerror)
    return taken


def folder_of(source: SourceSystem) -> Path:
    """Return the folder of a source, made when it is not there."""
    folder = Path(settings.WATCHED_FOLDERS) / source.watched_folder
    for path in (folder, *(folder / name for name in (LOADING, DONE, REFUSED))):
        path.mkdir(mode=0o770, parents=True, exist_ok=True)
    return folder


class FolderContent(NamedTuple):
    """A source's folder, and how many files lie in it: waiting or loading, loaded, refused.

    `reasons` are the names of the latest files refused, each with why.
    """

    path: Path
    waiting: int
    done: int
    refused: int
    reasons: list[tuple[str, str]]


def content_of(source: SourceSystem) -> FolderContent | None:
    """Return what lies in the folder of a source as its page shows it; None without a folder."""
    if not source.watched_folder:
        return None
    folder = Path(settings.WATCHED_FOLDERS) / source.watched_folder
    waiting = _count(folder) + _count(folder / LOADING)
    refused = folder / REFUSED
    return FolderContent(
        folder, waiting, _count(folder / DONE), _count(refused), _reasons(refused)
    )


def _reasons(folder: Path) -> list[tuple[str, str]]:
    """Return the latest reasons that lie in a folder, the last one first."""
    try:
        with os.scandir(folder) as entries:
            found = [
                (entry.stat().st_mtime, entry.name)
                for entry in entries
                if entry.is_file(follow_symlinks=False) and entry.name.endswith(_REASON)
            ]
        return [
            (name.removesuffix(_REASON), _beginning(folder / name))
            for _changed, name in sorted(found, reverse=True)[:_REASONS_SHOWN]
        ]
    except OSError:  # As below; or the operator is clearing up.
        return []


def _beginning(path: Path) -> str:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(handle, encoding="utf-8", errors="replace") as file:
        return file.read(_REASON_LETTERS).strip()


def _count(folder: Path) -> int:
    try:
        with os.scandir(folder) as entries:
            return sum(
                entry.is_file(follow_symlinks=False) and not entry.name.endswith(_REASON)
                for entry in entries
            )
    except OSError:  # Not made yet, or not ours to read.
        return 0


def _look_at(source: SourceSystem) -> int:
    """Take the oldest settled file, unless one is under way: files keep their order."""
    folder = folder_of(source)
    _give_back_lost(source, folder)
    if LoadBatch.objects.filter(source=source).exclude(watched_file="").exists():
        return 0
    for path in _settled(folder):
        claimed = folder / LOADING / path.name
        with suppress(FileNotFoundError):  # Another sweeper was quicker.
            path.rename(claimed)
            if _take(source, claimed):
                return 1
    return 0


def _settled(folder: Path) -> list[Path]:
    """Return the files nobody has touched for a while, the oldest first."""
    found = []
    limit = time.time() - settings.WATCH_SETTLE_SECONDS
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name.lower().endswith(_UNFINISHED):
                continue
            about = entry.stat(follow_symlinks=False)
            # The change time cannot be set: it tells of a copy that keeps the old date.
            if S_ISREG(about.st_mode) and max(about.st_mtime, about.st_ctime) <= limit:
                found.append((about.st_mtime, entry.name))
    return [folder / name for _mtime, name in sorted(found)]


def _take(source: SourceSystem, path: Path) -> bool:
    """Start the load of a claimed file; False when it was put away at once."""
    try:
        batch = _start(source, path)
    except LoadRefused as refusal:
        _put_away(path, REFUSED, reason=str(refusal))
        return False
    if batch is None:
        _put_away(path, DONE, reason=_("This file was loaded already; nothing was done."))
        return False
    logger.info("Took a file for source=%s batch=%d", source.code, batch.pk)
    return True


def _start(source: SourceSystem, path: Path) -> LoadBatch | None:
    """Open the batch of a file; None when its very content was the last thing loaded."""
    reading = find_reading(source.code, None)
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as content:  # noqa: PTH123
        stored = store(content, path.name)
    try:
        if _is_known(source, reading.mapping, stored):
            discard(stored.path)
            return None
        with transaction.atomic():
            batch = open_batch(stored, source_code=source.code, reading=reading, by=None)
            batch.watched_file = str(path.relative_to(settings.WATCHED_FOLDERS))
            batch.save(update_fields=["watched_file"])
    except BaseException:
        discard(stored.path)
        raise
    return batch


def _is_known(source: SourceSystem, mapping: FieldMapping | None, stored: StoredFile) -> bool:
    """Tell whether the last file that was loaded is the same, read by the same mapping."""
    last = LoadBatch.objects.filter(source=source, job__state=Job.State.DONE).first()
    return (
        last is not None
        and last.sha256 == stored.sha256
        and last.mapping == mapping
        and last.mode == source.file_mode
    )


def _put_away_ended() -> None:
    waiting = LoadBatch.objects.exclude(watched_file="").exclude(job__state__in=Job.LIVE_STATES)
    for batch in waiting.select_related("job"):
        path = Path(settings.WATCHED_FOLDERS) / batch.watched_file
        state = batch.job.state if batch.job else ""
        if state == Job.State.DONE:
            _put_away(path, DONE)
        else:
            error = batch.job.error if batch.job else ""
            _put_away(path, REFUSED, reason=error or _("The load was stopped."))
        LoadBatch.objects.filter(pk=batch.pk).update(watched_file="")


def _put_away(path: Path, name: str, *, reason: str = "") -> None:
    """Move a file out of `loading/`, under a name that is free, with its reason beside it."""
    folder = path.parent.parent / name
    target = folder / path.name
    if target.exists():
        target = folder / f"{now():%Y%m%d-%H%M%S-%f}-{path.name}"
    with suppress(FileNotFoundError):
        path.rename(target)
    if reason:
        beside = target.with_name(target.name[:200] + _REASON)
        beside.write_text(f"{reason}\n", encoding="utf-8")


def _give_back_lost(source: SourceSystem, folder: Path) -> None:
    """Put back what a sweeper claimed and died over, so that it is taken again."""
    known = set(
        LoadBatch.objects.filter(source=source)
        .exclude(watched_file="")
        .values_list("watched_file", flat=True)
    )
    for path in _claimed(folder):
        if str(path.relative_to(settings.WATCHED_FOLDERS)) not in known:
            path.rename(folder / path.name)


def _claimed(folder: Path) -> Iterator[Path]:
    limit = time.time() - _LOST_AFTER_SECONDS
    for path in (folder / LOADING).iterdir():
        if path.lstat().st_ctime <= limit:
            yield path
