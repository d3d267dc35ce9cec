"""What a chunk of a load reads does not grow with what is stored."""

import pytest
from django.db import connection

from mdm.loading import work
from tests.mdm.loading.files import csv_bytes, load_bytes, row

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

_READ = """
    SELECT idx_tup_fetch, seq_tup_read FROM pg_stat_xact_user_tables
    WHERE schemaname = current_schema() AND relname = %s
"""
ROWS, CHUNK = 2_000, 25


def load(source: str) -> None:
    """Load rows of which each objects, so that whoever carried her address is looked at again."""
    rows = [row(n, email=f"p{n}@example.com", stop="oui") for n in range(ROWS)]
    assert load_bytes(csv_bytes(rows), source=source).new_count == ROWS


def rows_read(table: str) -> tuple[int, int]:
    """Rows of a table that this transaction has read: of its indexes, and one after the other."""
    with connection.cursor() as cursor:
        cursor.execute(_READ, [table])
        by_index, in_turn = cursor.fetchone()
    return by_index, in_turn


def test_the_first_load_of_a_second_source_reads_what_its_rows_touch(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setitem(work.CHUNK_SIZE, "postgresql", CHUNK)
    load("crm")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # As of now, there is one source.
    records, events = rows_read("mdm_sourcerecord"), rows_read("mdm_customerevent")

    load("web")

    # A chunk that reads the records of its source, or the events of all, reads many times as many.
    assert rows_read("mdm_sourcerecord")[0] - records[0] < 30 * ROWS
    assert rows_read("mdm_customerevent")[1] - events[1] == 0
