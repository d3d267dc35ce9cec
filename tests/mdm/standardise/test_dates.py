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


@pytest.mark.parametrize(
    ("cell", "form", "born"),
    [
        ("12 mars 1980", "%d %B %Y", date(1980, 3, 12)),
        ("1er août 1980", "%d %B %Y", date(1980, 8, 1)),
        ("12 JUIL. 1980", "%d %b %Y", date(1980, 7, 12)),
        ("le 3 févr. 1980", "%d %B %Y", date(1980, 2, 3)),
        ("3-Jan-85", "%d-%b-%y", date(1985, 1, 3)),
        ("3-Jan-30", "%d-%b-%y", date(1930, 1, 3)),  # No birth is to come.
        ("12. März 1980", "%d. %B %Y", date(1980, 3, 12)),
        ("5. Jänner 1980", "%d %B %Y", date(1980, 1, 5)),
        ("March 12th, 1980", "%B %d, %Y", date(1980, 3, 12)),
        ("the 3rd of May 1980", "%d %B %Y", date(1980, 5, 3)),
        ("12 de diciembre de 1980", "%d %B %Y", date(1980, 12, 12)),
        ("1º maggio 1980", "%d %B %Y", date(1980, 5, 1)),
        ("12 mrt 1980", "%d %B %Y", date(1980, 3, 12)),
        ("12 mei 1980", "%d %B %Y", date(1980, 5, 12)),
        ("12MAR1980", "%d%b%Y", date(1980, 3, 12)),
        ("12 mars 1980", "%B %d %Y", None),  # Not the third of December.
        ("12 jui 1980", "%d %B %Y", None),  # June or July?
        ("12/03/1980", "%d %B %Y", None),  # Names no month, so the format says nothing of it.
        ("12 mars avril 1980", "%d %B %Y", None),
        ("31 juin 1980", "%d %B %Y", None),
        ("29292", "excel", date(1980, 3, 12)),
        ("29292.75", "excel", date(1980, 3, 12)),
        ("60", "excel", date(1900, 3, 1)),  # Its 29 February, which never was.
        ("59", "excel", date(1900, 2, 28)),
        ("61", "excel", date(1900, 3, 1)),
        ("1980", "excel", date(1980, 1, 1)),  # A year is a year.
        ("99999", "excel", None),
        ("1980-03-12", "excel", date(1980, 3, 12)),
    ],
)
def test_dates_in_words_and_numbers_are_read_by_the_declared_format(cell, form, born):
    assert standardise_birth_date(cell, form, today=TODAY).value == born


@pytest.mark.parametrize(
    ("text", "form", "moment"),
    [
        ("1709294400", "epoch", datetime(2024, 3, 1, 12, tzinfo=UTC)),
        ("1709294400123", "epoch_ms", datetime(2024, 3, 1, 12, tzinfo=UTC)),
        ("1709294400.5", "epoch", datetime(2024, 3, 1, 12, tzinfo=UTC)),
        ("45352.5", "excel", datetime(2024, 3, 1, 11, tzinfo=UTC)),
        ("1 mars 2024 à 13:00", "%d %B %Y %H:%M", datetime(2024, 3, 1, 12, tzinfo=UTC)),
        (
            "1 March 2024 02:00 PM +0200",
            "%d %B %Y %I:%M %p %z",
            datetime(2024, 3, 1, 12, tzinfo=UTC),
        ),
        ("1 mai 2024 02:00 am", "%d %B %Y %I:%M %p", datetime(2024, 5, 1, 0, tzinfo=UTC)),
        ("20240301", "epoch", datetime(2024, 2, 29, 23, tzinfo=UTC)),
        ("1709294400123", "epoch", None),
        ("1709294400", "epoch_ms", None),
        ("1611011510123", "", None),  # No moment of 1611.
        ("0", "epoch", None),
        ("9" * 40, "epoch", None),
    ],
)
def test_moments_in_numbers_are_read_by_the_declared_format(text, form, moment):
    assert parse_moment(text, form, zone=ZoneInfo("Europe/Paris")) == moment


@given(
    st.dates(date(1928, 1, 1), date(2026, 1, 1)), st.sampled_from("%d %B %Y|%B %d, %Y".split("|"))
)
def test_a_date_is_the_same_in_words_and_numbers(day, form):
    assert parse_date(day.strftime(form), form) == day
    assert parse_date(str((day - date(1899, 12, 30)).days), "excel") == day


@given(st.text(max_size=30), st.sampled_from(["%d %B %Y", "excel", "epoch", "epoch_ms", "%d%b%y"]))
def test_whatever_stands_in_a_cell_is_a_date_or_none(text, form):
    parse_date(text, form)
    parse_moment(text, form)
