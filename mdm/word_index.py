"""The index of the words of golden records, on PostgreSQL, where many are written at once.

New words wait in a list that is taken into the index when it is full. Taken in by many they cost
a fifth less: each word is looked up once for all the rows that have it. As searches read that list
from end to end, which takes some 15 ms, it is long only while golden records are loaded, linked or
derived in bulk, and empty afterwards. Who changes a golden record meanwhile may have to take it
in: 0.4 s.
"""

from django.db import connection

_GATHER = """
    SELECT set_config('gin_pending_list_limit', '32MB', true), set_config('work_mem', '64MB', true)
"""
# Only the owner may; elsewhere the servant that comes round does it.
_TAKE_IN = """
    SELECT gin_clean_pending_list(oid) FROM pg_class
    WHERE relname = 'golden_record_search' AND relnamespace = current_schema()::regnamespace
    AND pg_has_role(relowner, 'USAGE')
"""


def gather() -> None:
    """Let words wait in a longer list until this transaction ends."""
    _execute(_GATHER)


def take_in() -> None:
    """Take in all words that wait, so that no click has to."""
    _execute(_TAKE_IN)


def _execute(statement: str) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(statement)
