"""When a request must be answered: a month, to the same day, on a working day."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.deadlines import due_on, easter, is_holiday, next_working_day


@pytest.mark.parametrize(
    ("received", "due"),
    [
        (date(2026, 11, 24), date(2026, 12, 24)),
        (date(2026, 1, 30), date(2026, 3, 2)),  # 28 February is a Saturday.
        (date(2027, 1, 31), date(2027, 3, 1)),  # 28 February is a Sunday.
        (date(2028, 1, 31), date(2028, 2, 29)),
        (date(2026, 11, 25), date(2026, 12, 28)),  # Christmas is a Friday.
        (date(2026, 10, 11), date(2026, 11, 12)),  # 11 November is a holiday.
        (date(2027, 2, 28), date(2027, 3, 30)),  # The 28th is Easter, then its Monday.
    ],
)
def test_a_month_ends_on_a_working_day(received: date, due: date):
    assert due_on(datetime(received.year, received.month, received.day, 9, tzinfo=UTC)) == due


def test_a_request_of_late_evening_counts_for_its_day_in_france():
    assert due_on(datetime(2026, 6, 30, 22, 30, tzinfo=UTC)) == date(2026, 8, 3)  # 1 August: Sat.


@pytest.mark.parametrize(
    ("year", "day"),
    [
        (2024, date(2024, 3, 31)),
        (2025, date(2025, 4, 20)),
        (2026, date(2026, 4, 5)),
        (2027, date(2027, 3, 28)),
        (2038, date(2038, 4, 25)),
    ],
)
def test_easter(year: int, day: date):
    assert easter(year) == day


@given(st.integers(1990, 2100))
def test_a_year_has_eleven_legal_holidays(year: int):
    days = [date(year, 1, 1) + timedelta(days=n) for n in range(366)]
    holidays = {day for day in days if day.year == year and is_holiday(day)}

    # Ascension can fall on 1 or 8 May.
    assert len(holidays) in {10, 11}


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_the_next_working_day_is_at_most_five_days_away(day: date):
    found = next_working_day(day)

    assert 0 <= (found - day).days <= 5
    assert found.weekday() < 5
    assert not is_holiday(found)
