"""What the records of each source have and what is doubtful in them, counted set-based.

Counting a source reads all its records (ten seconds for a million), so it is done by a job
when a load has ended, into one row per source; pages read that row. Whoever changes values of
records tells `outdate`, so that figures never claim to be newer than they are.
"""

from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from django.db import connection
from django.db.models import BigIntegerField, Count, F, Func, Q, Value
from django.utils.timezone import now

from mdm.doubts import issue_part, issue_rows
from mdm.jobs import JobRun, job
from mdm.models import ATTRIBUTES, LoadBatch, SourceQuality, SourceRecord, SourceSystem
from mdm.models.records import SourceRecordQuerySet
from mdm.standardise.issues import ISSUES
from mdm.two_at_once import two_at_once

COUNT_QUALITY = "count_quality"
# Attributes whose different values are counted in one reading of all records: of each one, all its
# values are sorted meanwhile.
_COUNTED_AT_ONCE = 7

OnProgress = Callable[[int, int], None]


def _untold(done: int, total: int) -> None:
    """Keep progress to oneself."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The counted part of a SourceQuality, under the names of its fields."""

    record_count: int
    doubtful_count: int
    attributes: dict[str, list[int]]
    issues: list[list[Any]]


@job(COUNT_QUALITY)
def count_quality(run: JobRun) -> Mapping[str, Any]:
    """Bring figures up to date: of the source in the parameters, else of all that are due."""
    wanted = run.parameters.get("source")
    due = [source for source in sources_due() if wanted in (None, source)]
    for source in due:
        recount(source, on_progress=run.progress)
    return {"sources": len(due)}


def outdate(record_ids: Sequence[int]) -> None:
    """Note that these records changed, so that the figures of their sources are of before.

    Call it in the transaction that changes them.
    """
    if record_ids:
        changed = SourceRecord.objects.filter(pk__in=record_ids).values("source_id")
        _outdate(Q(source__in=changed))


def outdate_source(source_id: int) -> None:
    """Note that records of this source come or change, in the transaction that writes them."""
    _outdate(Q(source=source_id))


def _outdate(which: Q) -> None:
    SourceQuality.objects.filter(which).update(change_number=F("change_number") + 1)


def sources_due() -> list[int]:
    """Return the keys of the sources whose figures are missing or of before the last change."""
    due = Q(quality=None) | ~Q(quality__counted_change=F("quality__change_number"))
    return list(SourceSystem.objects.filter(due).order_by("pk").values_list("pk", flat=True))


def recount(source_id: int, *, on_progress: OnProgress = _untold) -> bool:
    """Count the figures of a source anew. Returns whether the stored ones said otherwise."""
    # Read before the records are: what changes meanwhile leaves the figures out of date.
    stored, _ = SourceQuality.objects.get_or_create(source_id=source_id)
    fresh = count(source_id, on_progress=on_progress)
    SourceQuality.objects.filter(pk=source_id, counted_change__lte=stored.change_number).update(
        **asdict(fresh), counted_change=stored.change_number, counted_at=now()
    )
    return _stored(stored) != fresh


def wrong_sources() -> list[int]:
    """Return the sources whose figures claim to be current and differ from the records."""
    current = SourceQuality.objects.filter(counted_change=F("change_number"))
    return [row.pk for row in current if _stored(row) != count(row.pk)]


def count(source_id: int, *, on_progress: OnProgress = _untold) -> Figures:
    """Count what the active records of a source have; nothing is written."""
    records = SourceRecord.objects.active().filter(source=source_id)
    totals, doubts = _answers(
        [
            lambda: records.aggregate(
                record_count=Count("pk"),
                **{name: Count("pk", filter=_has(name)) for name in ATTRIBUTES},
            ),
            lambda: _doubtful_by_attribute(source_id),
        ],
        _untold,
    )
    names = [name for name in ATTRIBUTES if totals[name] or doubts.get(name)]
    names += sorted(doubts.keys() - set(ATTRIBUTES))
    told = [name for name in names if totals.get(name)]
    groups = [told[i : i + _COUNTED_AT_ONCE] for i in range(0, len(told), _COUNTED_AT_ONCE)]
    doubtful_count, issues, *different = _answers(
        [
            lambda: _doubtful_records(_OF_SOURCE, [source_id]),
            lambda: _issues(source_id),
            *(partial(_different, records, some) for some in groups),
        ],
        on_progress,
    )
    different_counts = ChainMap(*different)
    return Figures(
        totals["record_count"],
        doubtful_count,
        {n: [totals.get(n, 0), different_counts.get(n, 0), doubts.get(n, 0)] for n in names},
        issues,
    )


def _answers(questions: Sequence[Callable[[], Any]], on_progress: OnProgress) -> list[Any]:
    """Return what each question is answered, two of them being asked at a time."""
    answers = []
    for done, (_question, answer) in enumerate(two_at_once(lambda ask: ask(), questions), 1):
        answers.append(answer)
        on_progress(done, len(questions))
    return answers


def doubtful_rows(batch: LoadBatch) -> int:
    """Count the records written by a load that has just ended in which something is doubtful."""
    return _doubtful_records("mdm_sourcerecord.batch_id = %s", [batch.pk])


def _stored(row: SourceQuality) -> Figures:
    return Figures(row.record_count, row.doubtful_count, row.attributes, row.issues)


def _has(attribute: str) -> Q:
    return ~Q(birth_date=None) if attribute == "birth_date" else ~Q(**{attribute: ""})


def _different(records: SourceRecordQuerySet, attributes: Sequence[str]) -> dict[str, int]:
    """Return how many different values each attribute has; all records are read once for them."""
    return records.aggregate(
        **{name: Count(_told_apart(name), distinct=True, filter=_has(name)) for name in attributes}
    )


def _told_apart(attribute: str) -> F | Func:
    """Return what is as different as a value is, and quick to sort.

    PostgreSQL sorts all values to count different ones: numbers of eight bytes in some half of the
    time of texts. That two of a million texts have one number has a chance of 1 in 30 million.
    """
    if connection.vendor != "postgresql" or attribute == "birth_date":
        return F(attribute)
    return Func(attribute, Value(0), function="hashtextextended", output_field=BigIntegerField())


# What was mended and is good now is no doubt.
_NOTES = sorted(code for code, kind in ISSUES.items() if kind.severity == "note")
_IS_DOUBTFUL = f"{{code}} NOT IN ({', '.join(['%s'] * len(_NOTES))})"
_OF_SOURCE = "mdm_sourcerecord.source_id = %s AND mdm_sourcerecord.status = 'active'"


def _issues(source_id: int) -> list[list[Any]]:
    rows = _each_issue("{attribute}, {code}, COUNT(*)", _OF_SOURCE, [source_id], "GROUP BY 1, 2")
    return sorted(map(list, rows), key=lambda row: (-row[2], row[0], row[1]))


def _doubtful_by_attribute(source_id: int) -> dict[str, int]:
    """Return how many records are doubtful in each attribute; one with two issues counts once."""
    return dict(
        _each_issue(
            "{attribute}, COUNT(DISTINCT mdm_sourcerecord.id)",
            f"{_OF_SOURCE} AND {_IS_DOUBTFUL}",
            [source_id, *_NOTES],
            "GROUP BY 1",
        )
    )


def _doubtful_records(which: str, values: Sequence[Any]) -> int:
    rows = _each_issue(
        "COUNT(DISTINCT mdm_sourcerecord.id)", f"{which} AND {_IS_DOUBTFUL}", [*values, *_NOTES]
    )
    return int(rows[0][0])


def _each_issue(
    columns: str, which: str, values: Sequence[Any], grouped: str = ""
) -> list[tuple[Any, ...]]:
    """Read the issues of records one by one; `{attribute}` and `{code}` are put in."""
    sql = (
        f"SELECT {columns} FROM mdm_sourcerecord, {issue_rows()}"  # noqa: S608
        f" WHERE {which} AND mdm_sourcerecord.issues <> '[]' {grouped}"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql.format(attribute=issue_part(0), code=issue_part(1)), list(values))
        return list(cursor.fetchall())
