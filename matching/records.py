"""The active records as the columns that linkage compares."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mdm.models import SourceRecord

if TYPE_CHECKING:
    from matching.linkage.columns import Columns

ROWS_PER_FETCH = 10_000


def read_columns(progress: Callable[[int, int], None]) -> "Columns":
    """Return the active records in one streamed read, told to `progress` as (done, total)."""
    import numpy as np

    from matching.linkage.columns import ATTRIBUTES, Columns

    active = SourceRecord.objects.active().order_by("pk")
    total = active.count()
    ids, sources = np.zeros(total, np.int64), np.zeros(total, np.int32)
    values = {name: np.full(total, None, object) for name in ATTRIBUTES}
    done = 0
    for row in active.values_list("pk", "source_id", *ATTRIBUTES)[:total].iterator(
        chunk_size=ROWS_PER_FETCH
    ):
        ids[done], sources[done] = row[:2]
        for name, value in zip(ATTRIBUTES, row[2:], strict=True):
            if value:
                values[name][done] = _text(value)
        done += 1
        if not done % ROWS_PER_FETCH:
            progress(done, total)
    columns = {name: column[:done] for name, column in values.items()}
    return Columns(ids[:done], columns, sources[:done])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value.isoformat())
