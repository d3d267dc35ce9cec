"""What is stored of the records that a chunk of rows names by their keys."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from mdm.models import SourceRecord


class Known(NamedTuple):
    """What is stored of a record that a row may change."""

    pk: int
    content_hash: str
    updated_at: datetime | None
    status: str


_COLUMNS = ("source_key", "pk", "content_hash", "source_updated_at", "status")

# Each key is looked up by itself (OFFSET 0 keeps it so). Of a list of keys, PostgreSQL would
# read all records of a source that came after it last counted: it takes them for one or two, and
# each chunk of the source's first load took longer than the one before.
_LOOK_UP = """
    SELECT wanted.key, found.*
    FROM unnest(%s::text[]) AS wanted(key)
    CROSS JOIN LATERAL (
        SELECT id, content_hash, source_updated_at, status FROM mdm_sourcerecord
        WHERE source_id = %s AND source_key = wanted.key OFFSET 0
    ) AS found
"""


def known_records(source_id: int, keys: list[str]) -> dict[str, Known]:
    """Return what is stored of the records of a source that have these keys, by key."""
    return {key: Known(*stored) for key, *stored in _rows(source_id, keys)}


def _rows(source_id: int, keys: list[str]) -> Iterable[tuple[Any, ...]]:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(_LOOK_UP, [keys, source_id])
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows
    found = SourceRecord.objects.filter(source=source_id, source_key__in=keys).order_by()
    return found.values_list(*_COLUMNS)
