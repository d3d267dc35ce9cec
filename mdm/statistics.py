"""What PostgreSQL knows of its tables, brought up to date where a bulk writer has outrun it.

Its own servant comes round once a minute at best. Until then it plans for an empty table, and what
takes a second on one that it knows took minutes: 104 s instead of 0.04 s were measured for 2,000
customers among 60,000 records.
"""

from django.db import connection

_OUTRUN = """
    SELECT quote_ident(relname) FROM pg_stat_user_tables
    WHERE schemaname = current_schema() AND n_mod_since_analyze > 1000 + n_live_tup / 3
"""

# Small tables are read in no time, whatever the plan.
_UNSEEN = """
    SELECT quote_ident(relname) FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
    AND reltuples < 0 AND pg_relation_size(oid) > 1048576
"""


def renew() -> None:
    """Let PostgreSQL look again at tables that have changed by a third since it last did.

    It looks at a sample, so a table of a million rows takes a second or two. Tables that the
    user does not own are left as they are.
    """
    _look_at(_OUTRUN)


def look_at_new() -> None:
    """Let PostgreSQL look at tables of more than a megabyte that it has never seen filled.

    For a load, between its chunks: one look tells how many rows share a value, and that stays
    true while a table grows. Without it, a first load took longer with every chunk.
    """
    _look_at(_UNSEEN)


def _look_at(choice: str) -> None:
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(choice)
        if tables := [name for (name,) in cursor.fetchall()]:
            cursor.execute(f"ANALYZE {', '.join(tables)}")
