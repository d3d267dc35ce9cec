"""Who is known already among all records: one description against all, as a search would judge.

Candidates come from the table of keys, and pass through the very comparison, model and bands of
the last search. Nothing is stored, and neither pandas nor recordlinkage is imported.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from matching import codes, key_table
from matching.explanation import ScoreInWords, explain_pattern
from matching.learnt import Learnt, learnt_with_keys
from matching.searching import reading_of
from mdm.key_sets import key_query
from mdm.models import SourceRecord
from mdm.standardise.record import StandardRecord, standardise_record

MOST_SHOWN = 10
_REGION = "FR"
# Not put together by Django, which takes as long as the answer.
_CUSTOMERS = "SELECT id, customer_id FROM mdm_sourcerecord WHERE id IN ({keys})"
_DESCRIBED = 0  # No record has this key, and it comes before all.


class NothingLearnt(Exception):
    """No search has learnt yet how to compare; the text says so."""


@dataclass(frozen=True, slots=True)
class Resemblance:
    """A customer, by the record of hers that is most like the description."""

    customer_id: int
    record_id: int
    pattern: int
    score: float
    """Bits: what a search would store for the two."""
    reasons: ScoreInWords


def standard(described: Mapping[str, str], *, phones: Sequence[str] = ()) -> StandardRecord:
    """Return what somebody typed as a load would store it.

    Args:
        described: attribute, or `full_name`, `address_line` → text; dates as year-month-day.
        phones: telephone numbers in any form.
    """
    return standardise_record(
        described,
        phones=phones,
        region=_REGION,
        today=localdate(),
        birth_date_format="%Y-%m-%d",
    )


def resembling(record: StandardRecord, *, most: int = MOST_SHOWN) -> list[Resemblance]:
    """Return customers that may be the person described, the most alike first.

    Args:
        record: what is known of her.
        most: customers at most.

    Raises:
        NothingLearnt: when no search has learnt yet how to compare.
    """
    learnt = learnt_with_keys()
    if learnt is None:
        raise NothingLearnt(_("Search for duplicates first: it learns how to compare records."))
    found = compared(record, learnt)
    customers = _customers_of([pk for _score, pk, _pattern in found])
    best: dict[int, tuple[float, int, int]] = {}
    for one in found:
        best.setdefault(customers[one[1]], one)
    return [
        Resemblance(customer, pk, pattern, score, explain_pattern(learnt.model, pattern, score))
        for customer, (score, pk, pattern) in list(best.items())[:most]
    ]


def _customers_of(record_ids: Sequence[int]) -> dict[int, int]:
    if not record_ids:
        return {}
    subquery, listed = key_query(record_ids)
    with connection.cursor() as cursor:
        cursor.execute(_CUSTOMERS.format(keys=subquery), [listed])
        return dict(cursor.fetchall())


def compared(record: StandardRecord, learnt: Learnt) -> list[tuple[float, int, int]]:
    """Return (score, record, pattern) of candidates above the floor, by falling score."""
    import numpy as np

    from matching.linkage.comparison import patterns
    from matching.linkage.encoding import encode

    described = _row(record)
    alone, _live = codes.fold_rows([described])
    candidates = key_table.candidates(alone, learnt).record_ids
    rows = [row for row in codes.rows_of_records(sorted(candidates)) if _is_live(row)]
    if not rows:
        return []
    folded, _live = codes.fold_rows([described, *rows])
    left, right = np.zeros(len(rows), np.int32), np.arange(1, len(rows) + 1, dtype=np.int32)
    encoded = encode(folded, learnt.known, reading=reading_of(learnt.parameters))
    found = patterns(encoded, encoded.fields, left, right).tolist()
    levels = {one: learnt.model.levels(one) for one in set(found)}
    kept = {
        one: score
        for one, known in levels.items()
        if (score := learnt.model.score(known)) >= learnt.parameters.bounds(known)[0]
    }
    listed = ((kept[p], row[0], p) for p, row in zip(found, rows, strict=True) if p in kept)
    return sorted(listed, key=lambda one: (-one[0], one[1]))


def _row(record: StandardRecord) -> tuple[Any, ...]:
    """Return a description as `codes.rows_of_records` returns records."""
    from matching.linkage.columns import ATTRIBUTES

    values: Iterable[str | date | None] = (getattr(record, name) for name in ATTRIBUTES)
    return (_DESCRIBED, 0, SourceRecord.Status.ACTIVE, *values)


def _is_live(row: tuple[Any, ...]) -> bool:
    return bool(row[2] == SourceRecord.Status.ACTIVE)
