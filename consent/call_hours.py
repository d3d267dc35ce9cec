"""When a consumer may be called: weekdays and hours in her own time zone, no legal holiday.

Consumer code D223-9 names the hours; the policy pack holds them. Free of the database.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays
import phonenumbers
from phonenumbers import timezone as number_zones

from consent.policy_packs import PolicyPack

_SATURDAY = 5
_LOOK_AHEAD_DAYS = 14
_UNKNOWN = "Etc/Unknown"
# For the ranges that the table of the numbering plans leaves out.
_ZONES_OF_COUNTRY_CODE = {33: ("Europe/Paris",), 262: ("Indian/Mayotte", "Indian/Reunion")}
# Overseas departments keep a day of their own: the abolition of slavery.
_DEPARTMENTS = {
    "America/Guadeloupe": "971",
    "America/Martinique": "972",
    "America/Cayenne": "973",
    "Indian/Reunion": "974",
    "Indian/Mayotte": "976",
}


@dataclass(frozen=True, slots=True)
class CallHours:
    """Whether one may dial now, until when or from when, and in whose time.

    `changes_at` is the end of the open window, or the beginning of the next one; None when the
    number's time zone is unknown, which counts as closed.
    """

    is_open: bool
    changes_at: datetime | None
    zones: tuple[str, ...]


def call_hours(zones: tuple[str, ...], at: datetime, policy: PolicyPack) -> CallHours:
    """Tell whether a number that rings in these zones may be dialled at an instant.

    One that may ring in several is open when all of them are.
    """
    if not zones:
        return CallHours(is_open=False, changes_at=None, zones=())
    if all(_is_open(at.astimezone(ZoneInfo(zone)), zone, policy) for zone in zones):
        ends = (_end(at.astimezone(ZoneInfo(zone)), policy) for zone in zones)
        return CallHours(is_open=True, changes_at=min(ends), zones=zones)
    return CallHours(is_open=False, changes_at=_next_opening(at, zones, policy), zones=zones)


@lru_cache(maxsize=1024)
def zones_of(number: str) -> tuple[str, ...]:
    """Return the time zones an E.164 number may ring in; empty when nobody can say."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return ()
    found = tuple(number_zones.time_zones_for_number(parsed))
    if _UNKNOWN not in found:
        return found
    return _ZONES_OF_COUNTRY_CODE.get(parsed.country_code or 0, ())


def _is_open(local: datetime, zone: str, policy: PolicyPack) -> bool:
    if not _is_calling_day(local.date(), zone):
        return False
    return any(start <= local.time() < end for start, end in policy.call_hours)


def _end(local: datetime, policy: PolicyPack) -> datetime:
    end = min(end for _start, end in policy.call_hours if local.time() < end)
    return datetime.combine(local.date(), end, tzinfo=local.tzinfo)


def _next_opening(at: datetime, zones: tuple[str, ...], policy: PolicyPack) -> datetime | None:
    """Return the first opening of any zone at which all of them are open."""
    openings = sorted(
        opening for zone in zones for opening in _openings(at, ZoneInfo(zone), policy)
    )
    return next(
        (
            opening
            for opening in openings
            if all(_is_open(opening.astimezone(ZoneInfo(zone)), zone, policy) for zone in zones)
        ),
        None,
    )


def _openings(at: datetime, zone: ZoneInfo, policy: PolicyPack) -> Iterator[datetime]:
    today = at.astimezone(zone).date()
    for days in range(_LOOK_AHEAD_DAYS):
        for start, _end_of_window in policy.call_hours:
            opening = datetime.combine(today + timedelta(days=days), start, tzinfo=zone)
            if opening > at:
                yield opening


def _is_calling_day(day: date, zone: str) -> bool:
    return day.weekday() < _SATURDAY and day not in _holidays(_DEPARTMENTS.get(zone), day.year)


@lru_cache(maxsize=32)
def _holidays(department: str | None, year: int) -> frozenset[date]:
    """Return the legal holidays of France or of one of its overseas departments."""
    return frozenset(holidays.country_holidays("FR", subdiv=department, years=year))
