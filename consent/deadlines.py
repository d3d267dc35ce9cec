"""Legal deadlines: a month to the same day, and to a working day (Regulation 1182/71 art. 3)."""

from datetime import date, datetime, timedelta

from django.utils.timezone import localdate

from consent.cases import months_after

_FIXED = frozenset({(1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)})
_AFTER_EASTER = (1, 39, 50)  # Easter Monday, Ascension, Whit Monday.
_SATURDAY = 5


def due_on(received_at: datetime, *, months: int = 1) -> date:
    """Return the last day to answer a request (GDPR 12(3)); 31 January gives 28 February."""
    return next_working_day(months_after(_noon(received_at), months).date())


def next_working_day(day: date) -> date:
    """Return the day itself, or the next that is neither weekend nor a French legal holiday."""
    while day.weekday() >= _SATURDAY or is_holiday(day):
        day += timedelta(days=1)
    return day


def is_holiday(day: date) -> bool:
    """Tell whether a day is one of the eleven legal holidays (C. trav. L3133-1)."""
    return (day.month, day.day) in _FIXED or (day - easter(day.year)).days in _AFTER_EASTER


def easter(year: int) -> date:
    """Return Easter Sunday of the Gregorian calendar (Meeus, Jones and Butcher)."""
    golden, century, year_of_century = year % 19, year // 100, year % 100
    leaps, rest = century // 4, century % 4
    shift = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leaps - shift + 15) % 30
    weekday = (32 + 2 * rest + 2 * (year_of_century // 4) - epact - year_of_century % 4) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


def _noon(moment: datetime) -> datetime:
    """Return the day of a moment in the company's time zone, away from its edges."""
    day = localdate(moment)
    return datetime(day.year, day.month, day.day, 12, tzinfo=moment.tzinfo)
