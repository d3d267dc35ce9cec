"""Dates in the format declared for their column; a format is never guessed from one value.

Two in five French dates can be read day first or month first: the mapping page looks at a whole
column (`mdm.proposals.looks.fitting_formats`) and asks when even that does not decide.
"""

import re
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from typing import NamedTuple

from mdm.standardise import months
from mdm.standardise.counted_dates import COUNTED, EXCEL, counted_day, counted_moment
from mdm.standardise.fillers import is_filler
from mdm.standardise.text import clean

# What forms and old systems write when they do not know.
PLACEHOLDERS = frozenset(
    [date(1900, 1, 1), date(1899, 12, 30), date(1899, 12, 31), date(1901, 1, 1), date(1970, 1, 1),
     date(1601, 1, 1), date(1753, 1, 1), date(1858, 11, 17), date(1111, 11, 11), date(1, 1, 1),
     date(9999, 12, 31)]
)  # fmt: skip
# Older dates are kept for registers of people long dead, and pointed out for all others.
_OLDEST_AGE = 125
_VERY_OLD_AGE = 105
_FIRST_YEAR = 1500  # Registers of baptisms go back no further.
# The age of consent to information services in France (loi Informatique et Libertés, art. 45).
AGE_OF_CONSENT = 15
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d")
_DIRECTIVE = re.compile(r"%([A-Za-z])")
_COMPACT = len("20241231")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]00:00(?::00(?:\.0+)?)?)?")


def names_year(date_format: str) -> bool:
    """Tell whether a format says in which year; Python warns before it reads a day without one."""
    return any(f"%{letter}" in date_format.replace("%%", "") for letter in "YyGcx")


class StandardDate(NamedTuple):
    """A date of birth, or None; and the codes of what was seen."""

    value: date | None
    codes: tuple[str, ...] = ()


_NONE = StandardDate(None)


def standardise_birth_date(cell: str, date_format: str = "", *, today: date) -> StandardDate:
    """Return the date of birth of a cell; placeholders and impossible ones are left out."""
    text = clean(cell) if cell else ""
    if not text:
        return _NONE
    found = parse_date(text, date_format)
    if found is None:
        return _year_alone(text, today)
    if found > today and "%y" in date_format:
        # A year of two digits never means a birth to come.
        found = _century_earlier(found)
    if found in PLACEHOLDERS or found == today:
        return StandardDate(None, ("placeholder",))
    if found > today:
        return StandardDate(None, ("future",))
    if found.year < _FIRST_YEAR:
        return StandardDate(None, ("unreadable",))
    codes = _doubts_of_age(found, today)
    return StandardDate(found, (*codes, "approximate") if _is_first_january(found) else codes)


def age_on(day: date, born: date) -> int:
    """Return the age in whole years."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _year_alone(text: str, today: date) -> StandardDate:
    """Keep a year as its first day, told to be approximate."""
    if not _YEAR.fullmatch(text):
        return StandardDate(None, ("placeholder" if is_filler(text) else "unreadable",))
    first = date(int(text), 1, 1)
    # The first day of computers' time is a filler; the year of it is one that people are born in.
    if first in PLACEHOLDERS and first.year != 1970:
        return StandardDate(None, ("placeholder",))
    if first.year > today.year:
        return StandardDate(None, ("unreadable",))
    return StandardDate(first, (*_doubts_of_age(first, today), "approximate"))


def _doubts_of_age(born: date, today: date) -> tuple[str, ...]:
    years = today.year - born.year
    if AGE_OF_CONSENT < years <= _VERY_OLD_AGE:  # Nearly everybody.
        return ()
    age = age_on(today, born)
    if age < AGE_OF_CONSENT:
        return ("minor",)
    if age > _OLDEST_AGE:
        return ("too_old",)
    return ("very_old",) if age > _VERY_OLD_AGE else ()


def _is_first_january(day: date) -> bool:
    return day.month == day.day == 1


@lru_cache(maxsize=1 << 16)
def parse_date(text: str, date_format: str = "") -> date | None:
    """Return the date in the declared format or in ISO 8601, the form of true dates of a sheet."""
    if _ISO.fullmatch(text):
        return _or_none(text[:10], "%Y-%m-%d")
    if date_format in COUNTED:
        return counted_day(text) if date_format == EXCEL else None
    return _or_none(*_without_names(text, date_format)) if date_format else None


@lru_cache(maxsize=1 << 14)
def parse_moment(text: str, date_format: str = "", *, zone: tzinfo = UTC) -> datetime | None:
    """Return the moment in the declared format or in ISO 8601; a zone not told is `zone`."""
    text = clean(text)
    found: datetime | None = None
    if date_format in COUNTED:
        found = counted_moment(text, date_format, zone=zone)
    elif date_format:
        found = _declared_moment(text, date_format)
        if found and date_format.endswith("Z") and not date_format.endswith("%Z"):
            zone = UTC  # A Z at the end of a moment is ISO 8601 for UTC, declared or not.
    if found is None and text.isdigit() and len(text) != _COMPACT:
        return None  # Of 13 digits Python would take the ninth for the sign before the hour.
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


def _declared_moment(text: str, date_format: str) -> datetime | None:
    """Return a moment without a zone, unless the format tells one."""
    try:
        if (pattern := _plain_pattern(date_format)) and (day := pattern.fullmatch(text)):
            return datetime(int(day["Y"]), int(day["m"]), int(day["d"]))  # noqa: DTZ001
        return datetime.strptime(*_without_names(text, date_format))  # noqa: DTZ007
    except ValueError:
        return None


def _without_names(text: str, date_format: str) -> tuple[str, str]:
    """Return a date and its format with the number of the month where both name it."""
    if months.names_month(date_format) and (plain := months.plain(text)):
        return plain, months.plain_format(date_format)
    return text, date_format


def _or_none(text: str, date_format: str) -> date | None:
    pattern = _plain_pattern(date_format)
    try:
        if pattern is None:
            return datetime.strptime(text, date_format).date()  # noqa: DTZ007  (a day has no zone)
        found = pattern.fullmatch(text)
        return date(int(found["Y"]), int(found["m"]), int(found["d"])) if found else None
    except ValueError:
        return None


@lru_cache(maxsize=256)
def _plain_pattern(date_format: str) -> re.Pattern[str] | None:
    """Return a pattern for a format of year, month and day alone: five times quicker to read."""
    parts = _DIRECTIVE.split(date_format)
    if sorted(parts[1::2]) != ["Y", "d", "m"] or any(part.isalnum() for part in parts[::2]):
        return None
    digits = {"Y": r"(?P<Y>\d{4})", "m": r"(?P<m>\d\d?)", "d": r"(?P<d>\d\d?)"}
    if not all(parts[2:-1:2]):  # Without separators every part has its full width.
        digits |= {"m": r"(?P<m>\d\d)", "d": r"(?P<d>\d\d)"}
    return re.compile(
        "".join(digits[part] if i % 2 else re.escape(part) for i, part in enumerate(parts)),
        re.ASCII,
    )


def _century_earlier(day: date) -> date:
    try:
        return day.replace(year=day.year - 100)
    except ValueError:
        return day.replace(year=day.year - 100, day=28)
