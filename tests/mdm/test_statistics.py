"""PostgreSQL looks at tables again that a bulk writer has filled since it last did."""

import psycopg
import pytest
from django.db import connection

from mdm import statistics

pytestmark = pytest.mark.postgresql


@pytest.fixture
def grown_table(django_db_setup):
    """A table that was filled and never looked at; it must be there for all connections."""
    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as other:
        other.execute("CREATE TABLE grown AS SELECT * FROM generate_series(1, 2000) AS number")
        other.execute("SELECT pg_stat_force_next_flush()")
    yield "grown"
    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as other:
        other.execute("DROP TABLE grown")


def test_a_table_that_grew_is_looked_at_and_others_are_not(grown_table, db):
    statistics.renew()

    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = %s", [grown_table])
        assert cursor.fetchone() == (2000,)
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = 'mdm_pin'")
        assert cursor.fetchone()[0] <= 0


def test_a_load_has_looked_at_what_was_never_seen_and_has_a_size(db):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE filled AS SELECT generate_series(1, 50000) AS number")
        cursor.execute("CREATE TABLE small AS SELECT 1 AS number")
        statistics.look_at_new()
        cursor.execute("INSERT INTO filled SELECT generate_series(1, 50000)")
        statistics.look_at_new()

        cursor.execute(
            "SELECT relname, reltuples FROM pg_class WHERE relname IN ('filled', 'small')"
        )
        assert dict(cursor.fetchall()) == {"filled": 50_000, "small": -1}
