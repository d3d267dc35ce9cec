"""Consumers are called on weekdays, in the hours of the law, in their own time, on no holiday."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.call_hours import call_hours, zones_of
from consent.policy_packs import FR_2026_11

PARIS = ("Europe/Paris",)
START = datetime(2026, 1, 1, tzinfo=UTC)


def paris(day: str, time: str) -> datetime:
    return datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=ZoneInfo("Europe/Paris"))


@pytest.mark.parametrize(
    ("day", "time", "is_open", "changes_at"),
    [
        ("2026-11-24", "09:59", False, paris("2026-11-24", "10:00")),
        ("2026-11-24", "10:00", True, paris("2026-11-24", "13:00")),
        ("2026-11-24", "13:00", False, paris("2026-11-24", "14:00")),
        ("2026-11-24", "19:59", True, paris("2026-11-24", "20:00")),
        ("2026-11-27", "20:00", False, paris("2026-11-30", "10:00")),  # A Friday evening.
        ("2026-11-28", "11:00", False, paris("2026-11-30", "10:00")),  # A Saturday.
        ("2026-05-08", "11:00", False, paris("2026-05-11", "10:00")),  # The end of the war.
        ("2026-04-06", "15:00", False, paris("2026-04-07", "10:00")),  # Easter Monday.
    ],
)
def test_the_hours_of_the_law(day, time, is_open, changes_at):
    hours = call_hours(PARIS, paris(day, time), FR_2026_11)

    assert (hours.is_open, hours.changes_at) == (is_open, changes_at)


@pytest.mark.parametrize(
    ("number", "zones"),
    [
        ("+33639981234", PARIS),
        ("+596696123456", ("America/Martinique",)),
        ("+262639123456", ("Indian/Mayotte", "Indian/Reunion")),
        ("+4915112345678", ("Europe/Berlin",)),
        ("nonsense", ()),
        ("+9991234", ()),
    ],
)
def test_a_number_rings_in_its_own_time(number, zones):
    assert zones_of(number) == zones


def test_martinique_sleeps_while_paris_works():
    zones = zones_of("+596696123456")

    assert not call_hours(zones, paris("2026-11-24", "11:00"), FR_2026_11).is_open
    assert call_hours(zones, paris("2026-11-24", "15:00"), FR_2026_11).is_open
    # The abolition of slavery is a holiday there alone.
    assert not call_hours(zones, paris("2026-05-22", "16:00"), FR_2026_11).is_open


def test_a_number_of_several_zones_rings_when_all_are_open():
    zones = ("Indian/Reunion", "Europe/Paris")

    hours = call_hours(zones, paris("2026-11-24", "18:00"), FR_2026_11)

    assert not hours.is_open
    # 10 am in Paris is lunch time on the island.
    assert hours.changes_at == paris("2026-11-25", "11:00")


def test_an_unknown_zone_is_closed():
    hours = call_hours((), paris("2026-11-24", "11:00"), FR_2026_11)

    assert (hours.is_open, hours.changes_at) == (False, None)


@given(
    st.integers(0, 700 * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes)),
    st.sampled_from([PARIS, ("America/Cayenne",), ("Indian/Reunion", "Indian/Mayotte")]),
)
def test_the_answer_holds_until_it_changes(at, zones):
    hours = call_hours(zones, at, FR_2026_11)

    assert hours.changes_at is not None
    assert hours.changes_at > at
    assert call_hours(zones, hours.changes_at, FR_2026_11).is_open != hours.is_open
