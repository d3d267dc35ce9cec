"""Dates in the format declared for their column; a format is never guessed from one value."""

import re
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from typing import NamedTuple

from mdm.standardise.text import clean

# What forms and old systems write when they do not know.
PLACEHOLDERS = frozenset(
    [date(1900, 1, 1), date(1899, 12, 30), date(1899, 12, 31), date(1901, 1, 1), date(1970, 1, 1),
     date(1111, 11, 11), date(1, 1, 1), date(9999, 12, 31), date(2000, 1, 1)]
)  # fmt: skip
_OLDEST_AGE = 125
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]00:00(?::00(?:\.0+)?)?)?")


class StandardDate(NamedTuple):
    """A date of birth, or None; and the codes of what was seen."""

    value: date | None
    codes: tuple[str, ...] = ()


def standardise_birth_date(cell: str, date_format: str = "", *, today: date) -> StandardDate:
    """Return the date of birth of a cell; placeholders and impossible ones are left out."""
    text = clean(cell)
    if not text:
        return StandardDate(None)
    found = parse_date(text, date_format)
    if found is None:
        return StandardDate(None, ("unreadable",))
    if found > today and "%y" in date_format:
        # A year of two digits never means a birth to come.
        found = _century_earlier(found)
    if found in PLACEHOLDERS:
        return StandardDate(None, ("placeholder",))
    if found > today:
        return StandardDate(None, ("future",))
    if found.year < today.year - _OLDEST_AGE:
        return StandardDate(None, ("too_old",))
    if found.month == found.day == 1:
        return StandardDate(found, ("approximate",))
    return StandardDate(found)


@lru_cache(maxsize=1 << 16)
def parse_date(text: str, date_format: str = "") -> date | None:
    """Return the date in the declared format or in ISO 8601, the form of true dates of a sheet."""
    if _ISO.fullmatch(text):
        return _or_none(text[:10], "%Y-%m-%d")
    return _or_none(text, date_format) if date_format else None


@lru_cache(maxsize=1 << 14)
def parse_moment(text: str, date_format: str = "", *, zone: tzinfo = UTC) -> datetime | None:
    """Return the moment in the declared format or in ISO 8601; a zone not told is `zone`."""
    text = clean(text)
    found: datetime | None = None
    if date_format:
        try:
            found = datetime.strptime(text, date_format)  # noqa: DTZ007  (the zone comes below)
        except ValueError:
            found = None
    if found is None:
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            return None
    if found.tzinfo is None:
        found = found.replace(tzinfo=zone)
    try:
        return found.astimezone(UTC)
    except OverflowError:
        return None


def _or_none(text: str, date_format: str) -> date | None:
    try:
        return datetime.strptime(text, date_format).date()  # noqa: DTZ007  (a day has no zone)
    except ValueError:
        return None


def _century_earlier(day: date) -> date:
    try:
        return day.replace(year=day.year - 100)
    except ValueError:
        return day.replace(year=day.year - 100, day=28)
