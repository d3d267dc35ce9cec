"""Rows written in bulk come back as they were given, whatever stands in them."""

import time

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mdm import bulk
from mdm.models import ContactPoint

COLUMNS = ("id", "kind", "value", "display", "region", "shared_by", "status", "audience")
# What COPY writes in its own way stands in every second example.
texts = st.text(
    st.one_of(st.sampled_from("\\N\t\n\r\b.'\""), st.characters(exclude_categories=["Cs"])),
    max_size=12,
).map(lambda text: text.replace("\x00", ""))


@pytest.mark.django_db
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(displays=st.lists(texts, min_size=1, max_size=4))
def test_any_text_comes_back_as_it_was(displays: list[str]):
    ids = bulk.allocate_ids(ContactPoint, len(displays))
    rows = [
        (key, "email", f"{key}@example.org", text, "", 1, "usable", "b2c")
        for key, text in zip(ids, displays, strict=True)
    ]

    bulk.insert(ContactPoint, COLUMNS, rows)

    stored = ContactPoint.objects.filter(pk__in=ids).order_by("pk")
    assert list(stored.values_list("display", flat=True)) == displays


def test_work_between_two_chunks_is_part_of_the_pause(monkeypatch: pytest.MonkeyPatch):
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)

    monkeypatch.setattr(bulk, "_SQLITE_PAUSE_SECONDS", 0.03)
    bulk.pause_for_other_writers()
    bulk.pause_for_other_writers(since=time.monotonic() - 1)

    assert slept == ([0.03, 0.0] if connection.vendor == "sqlite" else [])


@pytest.mark.django_db
@pytest.mark.parametrize("taken_between", [0, 2])
def test_every_key_is_given_once_and_belongs_to_the_sequence(taken_between: int):
    """Where somebody else takes keys at the same time, they are no range."""
    step = 1
    if connection.vendor == "postgresql":  # SQLite has one writer at a time.
        step += taken_between
        table = ContactPoint._meta.db_table
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [table])
            [sequence] = cursor.fetchone()
            cursor.execute(f"ALTER SEQUENCE {sequence} INCREMENT BY {step}")

    first, none = bulk.allocate_ids(ContactPoint, 4), bulk.allocate_ids(ContactPoint, 0)
    bulk.insert(
        ContactPoint,
        COLUMNS,
        [(key, "email", f"{key}@example.org", "", "", 1, "usable", "b2c") for key in first],
    )
    later = bulk.allocate_ids(ContactPoint, 2)

    keys = [*first, *later]
    assert not none
    assert keys == [keys[0] + step * number for number in range(6)]
