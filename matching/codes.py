"""Records as codes, written when they are loaded or changed: a search starts from them.

What is stored is a log of pages (`linkage.pages`), each with the records that one transaction
wrote: nothing is read, locked or numbered for it, so a load pays some microseconds per record, and
two loads never wait for one another. Of the pages that speak of a record the last one is right. A
search marks what it has seen, so what has changed since is what no search has seen. Once in a
while pages are put together.

Codes are derived: `check` compares them with the records, `rebuild` writes them anew, and a search
codes what it finds missing.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Count, Q, QuerySet, Sum

from matching import key_table
from matching.models import CodedPage, MatchRun
from matching.reading import in_chunks
from mdm import bulk
from mdm.bulk import pause_for_other_writers
from mdm.jobs import JobRun
from mdm.models import LoadBatch, SourceRecord, SourceSystem
from mdm.snapshots import one_snapshot
from mdm.standardise.record import StandardRecord

if TYPE_CHECKING:
    from matching.linkage.coded import Folded
    from matching.linkage.columns import Ids
    from matching.linkage.pages import Reader

RECORDS_PER_PAGE = 5_000
RECORDS_PER_BASE_PAGE = 50_000
MOST_PAGES = 200
"""Pages from which on they are put together, beside those that are."""

_PAGES_PER_QUERY = 20
_RECORDS_COMPARED = 10_000
_PAGE = ("version", "is_base", "record_count", "content", "is_keyed", "run_id")


@dataclass(frozen=True)
class Stock:
    """All live records as codes, and the pages they stand in."""

    records: "Folded"
    page_ids: list[int]


def follow_load(
    *, batch: LoadBatch, records: Sequence[tuple[int, StandardRecord]], **_signal: object
) -> None:
    """Code records that were loaded, in the transaction that did it, from what it wrote."""
    from matching.linkage.columns import ATTRIBUTES

    values = itemgetter(*map(StandardRecord._fields.index, ATTRIBUTES))
    live = SourceRecord.Status.ACTIVE
    for chunk in in_chunks(sorted(records, key=itemgetter(0)), RECORDS_PER_PAGE):
        _write_page([(key, batch.source_id, live, *values(record)) for key, record in chunk])


def follow_change(*, record_ids: Sequence[int], **_signal: object) -> None:
    """Code records that changed otherwise, in the transaction that did it."""
    for chunk in in_chunks(record_ids, RECORDS_PER_PAGE):
        _write_page(rows_of_records(chunk))


def read_stock(run: JobRun) -> Stock:
    """Return the codes of all live records, after coding those that have none."""
    with run.chunk(cursor=run.cursor, phase="read"):
        CodedPage.objects.exclude(version=_version()).delete()
    reader, page_ids = _read(run)
    missing = _uncoded(reader)
    for done, chunk in enumerate(in_chunks(missing, RECORDS_PER_PAGE)):
        progress = (done * RECORDS_PER_PAGE, len(missing))
        with run.chunk(cursor=run.cursor, done=progress[0], total=progress[1], phase="read"):
            _code(chunk)
    if missing:
        reader, page_ids = _read(run)
    return Stock(reader.records(), page_ids)


def read_pages(page_ids: Sequence[int]) -> "Folded":
    """Return the live records of some pages, by rising id."""
    from matching.linkage.pages import Reader

    reader, wanted = Reader(), set(page_ids)
    for pk, content in _pages(CodedPage.objects.filter(version=_version())):
        if pk in wanted:
            reader.add(content)
    return reader.records()


def mark_seen(page_ids: Iterable[int], run: MatchRun) -> None:
    """Say that a search sees these pages; it has seen them once it is finished."""
    for chunk in in_chunks(sorted(page_ids)):
        _unseen().filter(pk__in=chunk).update(run=run)


def unseen_pages() -> list[int]:
    """Return the pages that no finished search has seen."""
    return list(_unseen().values_list("pk", flat=True))


def changed_records(run: MatchRun | None = None) -> set[int]:
    """Return the records of the pages that a run was the first to see; None: no run so far."""
    from matching.linkage.pages import Reader

    reader, found = Reader(), set[int]()
    pages = CodedPage.objects.filter(run=run) if run else _unseen()
    for _pk, content in _pages(pages.filter(version=_version())):
        found.update(reader.add(content).tolist())
    return found


def follow_undo(run: MatchRun) -> None:
    """Let what a search was the first to see be unseen again."""
    CodedPage.objects.filter(run=run).update(run=None)


def tidy() -> None:
    """Put the pages together that searches have seen, once there are many.

    Those of a search that can be undone stay apart: they would be unseen again. Without the first
    search of all, everything would be.
    """
    standing = MatchRun.objects.standing()
    undoable = standing.filter(keeps_former=True).order_by("pk").first()
    seen = CodedPage.objects.filter(run__finished_at__isnull=False, version=_version())
    if undoable:
        is_first = not standing.filter(pk__lt=undoable.pk).exists()
        last = undoable.pk if is_first else undoable.pk - 1
        seen = seen.filter(run__lte=last)
    if seen.filter(is_base=False).count() >= MOST_PAGES:
        _put_together(seen)


def forget(record_ids: Sequence[int]) -> None:
    """Take the values of erased records out of every page that was ever written of them."""
    import numpy as np

    from matching.linkage.pages import Reader

    for pk, content in _pages(CodedPage.objects.filter(version=_version())):
        reader = Reader()
        if np.isin(reader.add(content), record_ids).any():
            CodedPage.objects.filter(pk=pk).update(content=reader.without(record_ids))
    CodedPage.objects.exclude(version=_version()).delete()  # No search reads them.
    key_table.forget(record_ids)


def check() -> int:
    """Return how many records have other codes than their values give, or none.

    The pages are read twice, so that no more than some of them are held at once: where the last
    word on each record stands, then what it says.
    """
    import numpy as np

    with one_snapshot():
        live, coded = _live_ids(), _last_words()
        all_coded = np.concatenate([*coded, live[:0]])
        gone = np.setdiff1d(all_coded, live)
        wrong = len(gone) + len(np.setdiff1d(live, all_coded))
        for ids, reader in _batches(coded):
            if asked := ids[~np.isin(ids, gone)].tolist():
                wrong += _differences(fold_rows(rows_of_records(asked))[0], reader.records())
    return wrong


def _last_words() -> "list[Ids]":
    """Return the live records of each page of which no later one speaks."""
    from matching.linkage.pages import head_of, last_words

    return last_words([head_of(content) for _pk, content in _pages(_readable())])


def _batches(coded: "Sequence[Ids]") -> "Iterator[tuple[Ids, Reader]]":
    """Yield some pages at a time, the oldest first, with those of their records named here."""
    import numpy as np

    from matching.linkage.pages import Reader

    reader, named, count = Reader(), [], 0
    for (_pk, content), ids in zip(_pages(_readable()), coded, strict=True):
        named.append(ids)
        count += len(reader.add(content))
        if count >= _RECORDS_COMPARED:
            yield np.concatenate(named), reader
            reader, named, count = Reader(), [], 0
    if named:
        yield np.concatenate(named), reader


def _readable() -> "QuerySet[CodedPage]":
    return CodedPage.objects.filter(version=_version())


def rebuild() -> int:
    """Code all records anew. Returns how many had other codes, or none."""
    wrong = check()
    if wrong:
        CodedPage.objects.all().delete()  # A search would code what is missing meanwhile.
        for chunk in in_chunks(_live_ids().tolist(), RECORDS_PER_PAGE):
            with transaction.atomic():
                _code(chunk)
            pause_for_other_writers()
    return wrong


def _code(record_ids: Sequence[int]) -> None:
    """Code records that nobody has just written, while nobody can."""
    list(SourceSystem.objects.order_by("pk").select_for_update().values_list("pk"))
    follow_change(record_ids=record_ids)


def records_now(record_ids: Iterable[int]) -> "Folded":
    """Return the live ones of some records as codes, by rising id, from their values."""
    import numpy as np

    from matching.linkage.coded import Coded, Folded

    found = rows_of_records(sorted(record_ids))
    if not found:
        return Folded(np.zeros(0, np.int64), {}, np.zeros(0, np.int32))
    records, live = fold_rows(found)
    rows = np.flatnonzero(live)
    columns = {
        name: Coded(np.take(coded.codes, rows), coded.words)
        for name, coded in records.columns.items()
    }
    assert records.sources is not None  # noqa: S101  (read with the records)
    return Folded(records.ids[rows], columns, records.sources[rows])


def rows_of_records(record_ids: Sequence[int]) -> list[tuple[Any, ...]]:
    """Return (key, source, status, value of each attribute) of records, by rising key."""
    from matching.linkage.columns import ATTRIBUTES

    columns = ("pk", "source_id", "status", *ATTRIBUTES)
    found: list[tuple[Any, ...]] = []
    for chunk in in_chunks(sorted(record_ids)):
        rows = SourceRecord.objects.filter(pk__in=chunk).order_by("pk")
        found += rows.values_list(*columns)
    return found


def fold_rows(rows: Sequence[tuple[Any, ...]]) -> "tuple[Folded, list[bool]]":
    """Return records as codes, and whether each is live; one that is not has no values."""
    import numpy as np

    from matching.linkage.columns import ATTRIBUTES, Columns
    from matching.linkage.encoding import fold

    ids, sources, statuses, *values = zip(*rows, strict=True)
    live = [status == SourceRecord.Status.ACTIVE for status in statuses]
    is_told = all(live)
    columns = {}
    for name, column in zip(ATTRIBUTES, values, strict=True):
        told = (
            column
            if is_told
            else [v if alive else None for v, alive in zip(column, live, strict=True)]
        )
        columns[name] = np.array(_texts(told), object)
    records = Columns(np.array(ids, np.int64), columns, np.array(sources, np.int32))
    return fold(records), live


def _texts(values: Sequence[Any]) -> list[str | None]:
    """Return the values of an attribute as texts, None where there is none."""
    return [
        None if not value else value if isinstance(value, str) else str(value.isoformat())
        for value in values
    ]


def _write_page(rows: Sequence[tuple[Any, ...]]) -> None:
    import numpy as np

    from matching.linkage.pages import VERSION, pack

    if rows:
        records, live = fold_rows(rows)
        content = pack(records, np.array(live, np.bool_))
        page = CodedPage(version=VERSION, record_count=len(rows), content=content)
        key_table.follow_page(page, records)
        # Not saved as others are: a load would wait for its key.
        bulk.insert(CodedPage, _PAGE, [[getattr(page, name) for name in _PAGE]])


def _version() -> int:
    from matching.linkage.pages import VERSION

    return VERSION


def _unseen() -> "QuerySet[CodedPage]":
    return CodedPage.objects.filter(Q(run=None) | Q(run__finished_at=None))


def _pages(pages: "QuerySet[CodedPage]") -> Iterator[tuple[int, bytes]]:
    """Yield key and content of pages, from the oldest to the newest."""
    rows = pages.order_by("-is_base", "pk").values_list("pk", "content")
    for pk, content in rows.iterator(chunk_size=_PAGES_PER_QUERY):
        yield pk, bytes(content)


def _read(run: JobRun) -> "tuple[Reader, list[int]]":
    from matching.linkage.pages import Reader

    reader, page_ids = Reader(), []
    total = CodedPage.objects.aggregate(total=Sum("record_count"))["total"] or 0
    done = 0
    for pk, content in _pages(CodedPage.objects.all()):
        done += len(reader.add(content))
        page_ids.append(pk)
        run.progress(done, total, "read")
    return reader, page_ids


def _live_ids() -> "Ids":
    import numpy as np

    active = SourceRecord.objects.active().order_by("pk").values_list("pk", flat=True)
    return np.fromiter(active.iterator(chunk_size=50_000), np.int64)


def _uncoded(reader: "Reader") -> list[int]:
    """Return the records that are live and not coded so, or the other way round."""
    import numpy as np

    coded = reader.live_ids()
    active = SourceRecord.objects.active().aggregate(count=Count("pk"), total=Sum("pk"))
    if (active["count"] or 0, active["total"] or 0) == (len(coded), int(coded.sum())):
        return []
    found: list[int] = np.setxor1d(coded, _live_ids()).tolist()
    return found


def _put_together(pages: "QuerySet[CodedPage]") -> None:
    """Replace pages by fewer ones that say the same of every record."""
    import numpy as np

    from matching.linkage.pages import VERSION, Reader, pack

    reader, page_ids = Reader(), []
    for pk, content in _pages(pages):
        reader.add(content)
        page_ids.append(pk)
    records, seen_by = reader.records(), pages.latest("run_id").run
    is_keyed = not pages.filter(is_keyed=False).exists()
    with transaction.atomic():
        for start in range(0, len(records), RECORDS_PER_BASE_PAGE):
            part = records.part(slice(start, start + RECORDS_PER_BASE_PAGE))
            CodedPage.objects.create(
                version=VERSION,
                is_base=True,
                record_count=len(part),
                content=pack(part, np.ones(len(part), np.bool_)),
                is_keyed=is_keyed,
                run=seen_by,
            )
        CodedPage.objects.filter(pk__in=page_ids).delete()


def _differences(fresh: "Folded", stored: "Folded") -> int:
    """Return how many of some records are not coded, or otherwise."""
    import numpy as np

    places = np.searchsorted(stored.ids, fresh.ids)
    places = np.minimum(places, max(0, len(stored) - 1))
    wrong = np.ones(len(fresh), np.bool_)
    if len(stored):
        wrong = np.asarray(stored.ids[places] != fresh.ids)
        for name, coded in fresh.columns.items():
            other = stored.column(name)
            mine = np.array(coded.words, object)[coded.codes]
            wrong |= mine != np.array(other.words, object)[other.codes[places]]
    return int(wrong.sum())
