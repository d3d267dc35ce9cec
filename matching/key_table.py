"""Blocking keys in a table: from one record to its candidates without reading the others.

Keys depend on rule and value alone, so they last. Those of all records are written by a job after
a search that used other rules than the one before; those of single records with their change;
those of a load by the same job, some seconds after. Until then searches read all codes, and one
record is compared by the rules of the search before.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import Q, QuerySet

from matching.learnt import Learnt, keyed_files, learnt_by, learnt_with_keys, rules_of
from matching.models import BlockingKey, CodedPage, MatchRun, WholeFile
from matching.reading import in_chunks
from mdm import bulk, jobs
from mdm.jobs import JobRun
from mdm.key_sets import key_query
from mdm.models import Job

if TYPE_CHECKING:
    from matching.linkage.coded import Folded
    from matching.linkage.columns import Bits

KIND = "blocking_keys"
RECORDS_AT_ONCE = 200
"""Records whose keys are written with their change; more are left to the job."""


@dataclass(frozen=True)
class Found:
    """Candidates of some records."""

    record_ids: set[int]
    too_common: "Bits"
    """Keys on more records than a block may hold: they lead to nobody."""


def follow_page(page: CodedPage, records: "Folded") -> None:
    """Store the keys of a page just written, when they are few."""
    if len(records) > RECORDS_AT_ONCE or not (learnt := learnt_with_keys()):
        return
    _write(records, learnt)
    # While the keys of new rules are being written, those count as well.
    latest = learnt_by(MatchRun.objects.standing().first())
    if latest and not set(latest.rules) <= set(learnt.rules):
        _write(records, latest)
    page.is_keyed = True


def follow_sweep(**_signal: object) -> None:
    """Have keys written that are missing; see `mdm.signals.swept`."""
    if _work() and not Job.objects.filter(kind=KIND, state__in=Job.LIVE_STATES).exists():
        jobs.submit(KIND, {}, by=None, idempotency_key=KIND)


def prepare() -> Job:
    """Return the job that writes missing keys, without ringing for a worker."""
    return jobs.create(KIND, {}, by=None, idempotency_key=KIND)


@jobs.job(KIND)
def write_keys(run: JobRun) -> Mapping[str, Any]:
    """Store the keys that are missing, page by page; a second attempt goes on where one stopped.

    Rules that are new are written for all pages; what is there stays.
    """
    work = _work()
    if work is None:
        return {"records": 0}
    learnt, whole, is_new = work
    after = int((run.cursor or {}).get("after", 0))
    pages = CodedPage.objects.filter(pk__gt=after) if is_new else _unkeyed()
    done = _write_pages(run, pages, learnt)
    with run.chunk(cursor=run.cursor, phase="keys"):
        whole.is_keyed = True
        whole.save(update_fields=["is_keyed"])
    return {"records": done}


def write_unkeyed(run: JobRun, learnt: Learnt) -> None:
    """Store the keys of the pages that have none yet, inside another job."""
    _write_pages(run, _unkeyed(), learnt, moves=False)


def _write_pages(
    run: JobRun, pages: "QuerySet[CodedPage]", learnt: Learnt, *, moves: bool = True
) -> int:
    """Store the keys of pages; returns of how many records. `moves`: the cursor tells the page.

    A search that ends meanwhile may put pages together: what they became comes after them.
    """
    done = number = pk = 0
    total = pages.count()
    waiting = pages.order_by("pk").values_list("pk", "content")
    while page := waiting.filter(pk__gt=pk).first():
        (pk, content), number = page, number + 1
        for records in _slices(bytes(content)):
            with run.chunk(cursor=run.cursor, done=number, total=max(number, total), phase="keys"):
                _write(records, learnt)
                done += len(records)
        with run.chunk(cursor={"after": pk} if moves else run.cursor, phase="keys"):
            CodedPage.objects.filter(pk=pk).update(is_keyed=True)
    return done


def candidates(records: "Folded", learnt: Learnt) -> Found:
    """Return the records that share a key with one of these, these left out."""
    import numpy as np

    keys = sorted({key for key, _record in _keys(records, learnt)})
    found: set[int] = set()
    too_common: list[int] = []
    for chunk in in_chunks(keys):
        for key, record, size in _holders(chunk, learnt.parameters.block_cap):
            if size > learnt.parameters.block_cap:
                too_common.append(key)
            else:
                found.add(record)
    capped = np.array(sorted(too_common), np.int64).view(np.uint64)
    return Found(found.difference(records.ids.tolist()), np.sort(capped))


# One query instead of two, and not put together by Django, which takes as long as the answer.
_HOLDERS = """
    SELECT key, record, size FROM (
        SELECT key, record, COUNT(*) OVER (PARTITION BY key) AS size,
            ROW_NUMBER() OVER (PARTITION BY key) AS place
        FROM matching_blockingkey WHERE key IN ({keys})
    ) AS held WHERE size <= %s OR place = 1
"""


def _holders(keys: Sequence[int], cap: int) -> list[tuple[int, int, int]]:
    """Return (key, record, records of that key), of a key above the cap one record only."""
    subquery, listed = key_query(keys)
    with connection.cursor() as cursor:
        cursor.execute(_HOLDERS.format(keys=subquery), [listed, cap])
        rows: list[tuple[int, int, int]] = cursor.fetchall()
    return rows


def follow_undo(row: MatchRun) -> None:
    """Have the keys written that lead by the rules of the search before one that was undone.

    Records that came since have keys of its rules alone.
    """
    before = learnt_by(MatchRun.objects.standing().first())
    if before and not set(before.rules) <= set(rules_of(row)):
        CodedPage.objects.filter(Q(run=None) | Q(run__gte=row.pk)).update(is_keyed=False)


def forget(record_ids: Sequence[int]) -> None:
    """Delete the keys of erased records: a key may be guessed back to a value.

    The table is read through, since nothing else ever asks by record.
    """
    BlockingKey.objects.filter(record__in=record_ids).delete()


def rebuild(*, check: bool) -> int:
    """Return how many keys are missing of the pages that should have them; store them.

    Args:
        check: only count.
    """
    learnt = learnt_with_keys()
    if learnt is None:
        return 0
    count = 0
    for pk in list(CodedPage.objects.filter(is_keyed=True).values_list("pk", flat=True)):
        content = CodedPage.objects.values_list("content", flat=True).get(pk=pk)
        for records in _slices(bytes(content)):
            missing = _missing(records, learnt)
            count += len(missing)
            if not check:
                bulk.insert_ignoring(BlockingKey, ("key", "record"), sorted(missing))
    return count


def _missing(records: "Folded", learnt: Learnt) -> set[tuple[int, int]]:
    wanted = set(_keys(records, learnt))
    for chunk in in_chunks(sorted({key for key, _record in wanted})):
        stored = BlockingKey.objects.filter(key__in=chunk).values_list("key", "record")
        wanted.difference_update(stored)
    return wanted


def _work() -> tuple[Learnt, WholeFile, bool] | None:
    """Return whose keys are to be written, and whether its rules are new; None for nothing."""
    run = MatchRun.objects.standing().first()
    learnt = learnt_by(run)
    if learnt is None:
        return None
    whole = WholeFile.objects.get(run=run)
    if not whole.is_keyed:
        keyed = keyed_files().order_by("-run_id").first()
        is_new = keyed is None or not set(whole.rules) <= set(keyed.rules)
        return learnt, whole, is_new
    return (learnt, whole, False) if _unkeyed().exists() else None


def _unkeyed() -> "QuerySet[CodedPage]":
    return CodedPage.objects.filter(is_keyed=False)


def _slices(content: bytes, size: int = 5_000) -> "Iterator[Folded]":
    from matching.linkage.pages import Reader

    reader = Reader()
    reader.add(content)
    records = reader.records()
    for start in range(0, len(records), size):
        yield records.part(slice(start, start + size))


def _write(records: "Folded", learnt: Learnt) -> None:
    # By rising key: neighbours of an index are written together.
    bulk.insert_ignoring(BlockingKey, ("key", "record"), sorted(_keys(records, learnt)))


def _keys(records: "Folded", learnt: Learnt) -> Iterable[tuple[int, int]]:
    """Return (key, record) of some records, with keys signed as databases want them."""
    import numpy as np

    from matching.linkage.encoding import encode
    from matching.linkage.keys import record_keys

    if not len(records):
        return []
    encoded = encode(records, learnt.known)
    found: list[tuple[int, int]] = []
    for rule in learnt.rules:
        for column in record_keys(encoded, rule):
            rows = np.flatnonzero(column)
            keys = column[rows].view(np.int64).tolist()
            found += zip(keys, records.ids[rows].tolist(), strict=True)
    return found
