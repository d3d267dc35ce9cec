"""Dates by the format of their column, never by a guess."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm.standardise.dates import (
    parse_date,
    parse_moment,
    standardise_birth_date,
)

TODAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("cell", "date_format", "expected"),
    [
        ("07/05/1969", "%d/%m/%Y", (date(1969, 5, 7), ())),
        ("1969-05-07", "%d/%m/%Y", (date(1969, 5, 7), ())),
        ("1969-05-07T00:00:00", "", (date(1969, 5, 7), ())),
        ("07/05/69", "%d/%m/%y", (date(1969, 5, 7), ())),
        ("07/05/2027", "%d/%m/%Y", (None, ("future",))),
        ("07/05/1869", "%d/%m/%Y", (date(1869, 5, 7), ("too_old",))),
        ("1869", "%d/%m/%Y", (date(1869, 1, 1), ("too_old", "approximate"))),
        ("01/01/1753", "%d/%m/%Y", (None, ("placeholder",))),
        ("07/05/0969", "%d/%m/%Y", (None, ("unreadable",))),
        ("01/01/1900", "%d/%m/%Y", (None, ("placeholder",))),
        ("31/12/9999", "%d/%m/%Y", (None, ("placeholder",))),
        ("01/01/1970", "%d/%m/%Y", (None, ("placeholder",))),
        ("24/11/2026", "%d/%m/%Y", (None, ("placeholder",))),
        ("01/01/1980", "%d/%m/%Y", (date(1980, 1, 1), ("approximate",))),
        ("1980", "%d/%m/%Y", (date(1980, 1, 1), ("approximate",))),
        ("1970", "%d/%m/%Y", (date(1970, 1, 1), ("approximate",))),
        ("1900", "%d/%m/%Y", (None, ("placeholder",))),
        ("25/11/2011", "%d/%m/%Y", (date(2011, 11, 25), ("minor",))),
        ("24/11/2011", "%d/%m/%Y", (date(2011, 11, 24), ())),
        ("07/05/1915", "%d/%m/%Y", (date(1915, 5, 7), ("very_old",))),
        ("31/02/1980", "%d/%m/%Y", (None, ("unreadable",))),
        ("07/05/1969", "", (None, ("unreadable",))),
        ("", "%d/%m/%Y", (None, ())),
    ],
)
def test_a_date_of_birth_follows_its_column(cell, date_format, expected):
    assert standardise_birth_date(cell, date_format, today=TODAY) == expected


@given(
    st.sampled_from(["%d/%m/%Y", "%Y-%m-%d", "%m.%d.%Y", "%Y%m%d", "%d%m%Y"]),
    st.one_of(
        st.text("0123456789/-. ", max_size=11),
        st.dates().map(lambda day: day.strftime("%d/%m/%Y")),
        st.from_regex(r"\d{1,2}/\d{1,2}/\d{4}", fullmatch=True),
    ),
)
def test_the_quick_reading_of_dates_is_that_of_the_library(date_format, text):
    try:
        expected = datetime.strptime(text, date_format).date()  # noqa: DTZ007
    except ValueError:
        expected = None
    if not text.isascii() or " " in text or "%Y" not in date_format:
        return
    if text.isdigit() and len(text) != 8:
        expected = None  # The library reads 2024111 in one of two ways; nobody should.

    assert parse_date(text, date_format) == expected or parse_date(text) is not None


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


@pytest.mark.parametrize("date_format", ["", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S%z"])
def test_a_moment_with_a_z_is_in_utc_wherever_the_source_is(date_format):
    found = parse_moment("2026-07-01T22:30:00Z", date_format, zone=ZoneInfo("Europe/Paris"))

    assert found == datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
