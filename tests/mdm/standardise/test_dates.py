"""Dates by the format of their column, never by a guess."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm.standardise.dates import parse_moment, standardise_birth_date

TODAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("cell", "date_format", "expected"),
    [
        ("07/05/1969", "%d/%m/%Y", (date(1969, 5, 7), ())),
        ("1969-05-07", "%d/%m/%Y", (date(1969, 5, 7), ())),
        ("1969-05-07T00:00:00", "", (date(1969, 5, 7), ())),
        ("07/05/69", "%d/%m/%y", (date(1969, 5, 7), ())),
        ("07/05/2027", "%d/%m/%Y", (None, ("future",))),
        ("07/05/1869", "%d/%m/%Y", (None, ("too_old",))),
        ("01/01/1900", "%d/%m/%Y", (None, ("placeholder",))),
        ("31/12/9999", "%d/%m/%Y", (None, ("placeholder",))),
        ("01/01/1980", "%d/%m/%Y", (date(1980, 1, 1), ("approximate",))),
        ("31/02/1980", "%d/%m/%Y", (None, ("unreadable",))),
        ("07/05/1969", "", (None, ("unreadable",))),
        ("", "%d/%m/%Y", (None, ())),
    ],
)
def test_a_date_of_birth_follows_its_column(cell, date_format, expected):
    assert standardise_birth_date(cell, date_format, today=TODAY) == expected


def test_a_moment_without_zone_is_local():
    paris = ZoneInfo("Europe/Paris")

    assert parse_moment("2026-07-01T12:00:00Z") == datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert parse_moment("01/07/2026", "%d/%m/%Y", zone=paris) == datetime(
        2026, 6, 30, 22, tzinfo=UTC
    )
    assert parse_moment("soon") is None


@given(st.dates(date(1902, 1, 2), TODAY))
def test_a_standard_date_stays(day):
    once = standardise_birth_date(day.isoformat(), "%d/%m/%Y", today=TODAY).value

    assert once in (day, None)
    if once:
        assert standardise_birth_date(once.isoformat(), today=TODAY).value == once
