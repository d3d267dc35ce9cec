"""Dates as French writes them: the first day of a month is « 1er », the others are figures."""

from django.utils.dateformat import DateFormat
from django.utils.translation import get_language

_figure = DateFormat.j


def _day(moment: DateFormat) -> int | str:
    day = _figure(moment)
    return "1er" if day == 1 and (get_language() or "").startswith("fr") else day


def write_first_days() -> None:
    """Let the format character `j`, which only dates in words use, write « 1er » in French."""
    DateFormat.j = _day  # type: ignore[assignment,method-assign]
