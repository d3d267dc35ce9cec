"""Instants are read as Django reads them, only quicker."""

from datetime import UTC, datetime

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db


@pytest.mark.postgresql
@pytest.mark.parametrize(
    "text",
    [
        "2026-11-29 03:03:02.123456+00",
        "2026-11-29 03:03:02.5+00",
        "1899-12-31 23:59:59+00",
        "0001-01-01 00:00:00+00",
        "9999-12-31 23:59:59.999999+00",
        "2026-07-01 12:00:00+02:00",
    ],
)
def test_postgresql_tells_instants_in_utc_to_the_microsecond(text):
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz, NULL::timestamptz", [text])
        [(read, nothing)] = cursor.fetchall()

    assert read == datetime.fromisoformat(text)
    assert read.tzinfo is UTC
    assert nothing is None
