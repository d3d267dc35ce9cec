"""Dates written as a number: days as Excel counts them, seconds or milliseconds since 1970."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo

EXCEL = "excel"
EPOCH = "epoch"
EPOCH_MS = "epoch_ms"
COUNTED = frozenset([EXCEL, EPOCH, EPOCH_MS])
"""What stands in place of a format."""

_NUMBER = re.compile(r"(\d{1,16})(?:[.,](\d{1,12}))?")
# Excel took 1900 for a leap year: from its 1 March on days count from 30 December 1899.
_FIRST_DAY = date(1899, 12, 30)
_MARCH_1900 = 61
_LAST_DAY = 73_050  # 2099
_YEARS = range(1500, 2101)  # Such a number is a year.
# 1979 to 2099, so that no digits of a day (20240301) or of a phone are taken for a moment.
_SECONDS = range(300_000_000, 4_102_444_800)
_DAY_SECONDS = 86_400


def counted_day(text: str) -> date | None:
    """Return the day of a number that Excel shows as a date."""
    counted = _excel(text)
    if counted is None:
        return None
    days, _part = counted
    return _FIRST_DAY + timedelta(days=days + (days < _MARCH_1900))


def counted_moment(text: str, form: str, *, zone: tzinfo) -> datetime | None:
    """Return the moment of a number; Excel counts in the time of `zone`, the others in UTC."""
    if form == EXCEL:
        day, counted = counted_day(text), _excel(text)
        if day is None or counted is None:
            return None
        seconds = round(counted[1] * _DAY_SECONDS)
        midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001  (the zone comes below)
        return (midnight + timedelta(seconds=seconds)).replace(tzinfo=zone).astimezone(UTC)
    found = _NUMBER.fullmatch(text)
    number = int(found[1]) // (1000 if form == EPOCH_MS else 1) if found else 0
    return datetime.fromtimestamp(number, UTC) if number in _SECONDS else None


def counted_form(values: Sequence[str], *, is_moment: bool, least: float) -> str:
    """Return how a column counts its dates, where at least such a share of it does; else ""."""

    def share(form: str) -> float:
        read = sum(_reads(value.strip(), form) for value in values)
        return read / len(values) if values else 0.0

    forms = (EXCEL, EPOCH, EPOCH_MS) if is_moment else (EXCEL,)
    return next((form for form in forms if share(form) >= least), "")


def _reads(text: str, form: str) -> bool:
    if form == EXCEL:
        return len(text) >= 5 and counted_day(text) is not None  # Small numbers are many things.
    return counted_moment(text, form, zone=UTC) is not None


def _excel(text: str) -> tuple[int, float] | None:
    found = _NUMBER.fullmatch(text)
    if not found or not 0 < int(found[1]) < _LAST_DAY or int(found[1]) in _YEARS:
        return None
    return int(found[1]), float(f"0.{found[2] or 0}")
