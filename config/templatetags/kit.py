"""Tags of the design kit: figures in the reader's language, and small charts as inline SVG.

Rows given to a chart are mappings or objects with `label` and `value` and, when wanted, `tone`
(a class of `static/css/orfevre.css`: same, close, conflict, missing, rare, gold, or 1 … 6),
`note` and `url`. Lengths are computed here and written as text, because a template would write
`12,5` in French.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import phonenumbers
from django import template
from django.utils.formats import number_format
from django.utils.timesince import timesince
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mdm.staff import staff_name

register = template.Library()
register.filter("staff_name", staff_name)

_TONES = 6  # Colours of a series, after which they repeat.
_SPARK_HEIGHT = 30


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar or segment, ready to draw: lengths are percentages as SVG attributes."""

    label: str
    value: int
    tone: str
    note: str
    url: str
    start: str
    width: str
    percent: str


@register.filter
def thousands(value: Any) -> str:
    """Return a number with the reader's separators: 12 345 in French, 12,345 in English."""
    if value is None or value == "":
        return "–"
    if not isinstance(value, int | float | Decimal):
        return str(value)
    return number_format(value, use_l10n=True, force_grouping=True)


@register.filter
def phone(number: str) -> str:
    """Return an E.164 number in its international written form: `+33 6 39 98 12 34`."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


@register.filter
def duration(seconds: float | None) -> str:
    """Return a length of time in words of at most two units: `3 min 20 s`."""
    if seconds is None:
        return "–"
    whole = round(seconds)
    if not whole:
        return _("less than 1 s")
    if whole < 60:
        return _("%(seconds)d s") % {"seconds": whole}
    if whole < 3600:
        return _("%(minutes)d min %(seconds)d s") % {"minutes": whole // 60, "seconds": whole % 60}
    if whole < 86_400:
        hours, minutes = whole // 3600, whole % 3600 // 60
        return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
    days = whole // 86_400
    return ngettext("%(days)d day", "%(days)d days", days) % {"days": days}


@register.filter
def ago(moment: datetime) -> str:
    """Return how long ago a moment was, in words; less than a minute is just now."""
    if now() - moment < timedelta(minutes=1):
        return _("just now")
    return _("%(age)s ago") % {"age": timesince(moment)}


@register.filter
def percent_of(part: float | None, whole: float | None) -> str:
    """Return a share as text with a sign: `37 %` in French, `37%` in English."""
    share = round(100 * (part or 0) / whole) if whole else 0
    return _("%(share)d%%") % {"share": share}


@register.filter
def share_of(part: float | None, whole: float | None) -> str:
    """Return a share as `percent_of` does, but a few are never shown as none, nor most as all."""
    share = 100 * (part or 0) / whole if whole else 0
    if 0 < share < 100:
        share = min(max(share, 0.1), 99.9)
    digits = 1 if 0 < share < 10 or 99 < share < 100 else 0
    return _("%(share)s%%") % {"share": number_format(share, decimal_pos=digits)}


@register.inclusion_tag("kit/_stacked_bar.html")
def stacked_bar(rows: Iterable[Any], label: str = "", thin: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002
    """Draw one bar cut into segments, with its legend underneath."""
    segments = list(rows)
    total = sum(_value(row) for row in segments)
    bars, start = [], 0.0
    for index, row in enumerate(segments):
        bar = _bar(row, index, start, total)
        start += 100 * _value(row) / total if total else 0
        bars.append(bar)
    return {"bars": bars, "label": label, "thin": thin}


@register.inclusion_tag("kit/_bars.html")
def bars(rows: Iterable[Any], whole: int | None = None) -> dict[str, Any]:
    """Draw horizontal bars with their labels and figures; the longest (or `whole`) is 100 %."""
    drawn = list(rows)
    longest = whole or max(map(_value, drawn), default=0)
    # One thing measured several times has one colour; tones tell rows apart only when given.
    return {"bars": [_bar(row, 1, 0, longest) for row in drawn]}


@register.inclusion_tag("kit/_waterfall.html")
def waterfall(steps: Iterable[Any]) -> dict[str, Any]:
    """Draw start, what each rule takes away, and what is left.

    The first and the last step are totals; the `value` of those between is what is taken away.
    """
    rows = list(steps)
    whole = _value(rows[0]) if rows else 0
    left = whole
    drawn = []
    for index, row in enumerate(rows):
        is_total = index in (0, len(rows) - 1)
        left -= 0 if is_total else _value(row)
        start = 0.0 if is_total or not whole else 100 * left / whole
        drawn.append({"bar": _bar(row, 1, start, whole), "is_total": is_total, "left": left})
    return {"steps": drawn}


@register.inclusion_tag("kit/_sparkline.html")
def sparkline(values: Sequence[float], label: str = "") -> dict[str, Any]:
    """Draw a small line of values, the latest on the right, starting from zero."""
    top = max([*values, 1])
    step = 100 / max(len(values) - 1, 1)
    points = [
        f"{index * step:.2f},{(_SPARK_HEIGHT - 2) * (1 - value / top) + 1:.2f}"
        for index, value in enumerate(values)
    ]
    return {"points": " ".join(points), "label": label, "height": _SPARK_HEIGHT, "values": values}


def _bar(row: Any, index: int, start: float, whole: float) -> Bar:
    value = _value(row)
    width = 100 * value / whole if whole else 0
    return Bar(
        label=str(_part(row, "label", "")),
        value=value,
        tone=str(_part(row, "tone", "") or index % _TONES + 1),
        note=str(_part(row, "note", "") or ""),
        url=str(_part(row, "url", "") or ""),
        start=f"{start:.3f}%",
        width=f"{width:.3f}%",
        percent=percent_of(value, whole),
    )


def _value(row: Any) -> int:
    return int(_part(row, "value", 0) or 0)


def _part(row: Any, name: str, default: Any) -> Any:
    if isinstance(row, Mapping):
        return row.get(name, default)
    return getattr(row, name, default)
