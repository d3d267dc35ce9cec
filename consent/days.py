"""Days as the company counts them: in the project's time zone."""

from datetime import date, datetime, time

from django.utils.timezone import get_default_timezone


def first_instant(day: date) -> datetime:
    """Return the first instant of a day."""
    return datetime.combine(day, time.min, tzinfo=get_default_timezone())


def last_instant(day: date) -> datetime:
    """Return the last microsecond of a day."""
    return datetime.combine(day, time.max, tzinfo=get_default_timezone())
