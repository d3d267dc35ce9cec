"""Segments: conditions that must all hold, checked in words, turned into one condition."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date

from django.db.models import Q
from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns.segment_fields import FIELDS, OPERATOR_LABELS, Field, Kind, Values
from mdm.folding import fold
from mdm.reasons import Refusal

MAX_CONDITIONS = 12
MAX_VALUES = 50
MAX_LENGTH = 200
_OLDEST_AGE = 120
_MOST_OFFERED = 12


class InvalidSegment(Refusal):
    """The conditions cannot be understood; the text says which one and why."""


def check(rows: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    """Return the conditions as they are stored: known fields, fitting operators, clean values.

    Raises:
        InvalidSegment: names the first condition that cannot be understood and why.
    """
    conditions = [_checked(number, row) for number, row in enumerate(rows, start=1)]
    if len(conditions) > MAX_CONDITIONS:
        raise InvalidSegment(
            _("A segment has at most %(most)s conditions; these are %(count)s."),
            most=MAX_CONDITIONS,
            count=len(conditions),
        )
    return conditions


def condition(conditions: Sequence[Mapping[str, str]], *, today: date) -> Q:
    """Return the condition on golden records that a segment stands for; empty means everybody.

    Raises:
        InvalidSegment: when stored conditions no longer fit the fields.
    """
    combined = Q()
    for number, row in enumerate(conditions, start=1):
        field = _field(number, row)
        combined &= field.condition(row["operator"], _values(number, field, row), today)
    return combined


def sentence(row: Mapping[str, str]) -> str:
    """Return one condition in words, for pages: `town is Nantes, Rezé`."""
    field = FIELDS.get(row.get("field", ""))
    if not field:
        return gettext("a condition that no longer exists")
    choices = dict(field.choices()) if field.choices else {}
    value = str(choices.get(row["value"], row["value"]))
    if field.kind == Kind.DATE and (day := parse_date(value)):
        value = date_format(day, "SHORT_DATE_FORMAT")
    return f"{field.label} {OPERATOR_LABELS.get(row['operator'], row['operator'])} {value}"


def _checked(number: int, row: Mapping[str, str]) -> dict[str, str]:
    field = _field(number, row)
    value = str(row.get("value", "")).strip()
    checked = {"field": field.code, "operator": str(row.get("operator", "")), "value": value}
    if checked["operator"] not in field.operators:
        raise InvalidSegment(
            _(
                "Condition %(number)s: “%(field)s” cannot be compared with “%(operator)s”;"
                " use %(known)s."
            ),
            number=number,
            field=field.label,
            # In the language of who asks: no worker compares what cannot be compared.
            operator=str(OPERATOR_LABELS.get(checked["operator"], checked["operator"])),
            known=", ".join(f"“{OPERATOR_LABELS[known]}”" for known in field.operators),
        )
    values = _values(number, field, checked)
    if field.kind == Kind.CHOICE:
        checked["value"] = values[0]
    return checked


def _field(number: int, row: Mapping[str, str]) -> Field:
    code = str(row.get("field", ""))
    if code not in FIELDS:
        raise InvalidSegment(
            _("Condition %(number)s: there is no field “%(field)s”."),
            number=number,
            field=code[:40],
        )
    return FIELDS[code]


def _values(number: int, field: Field, row: Mapping[str, str]) -> Values:
    """Return the value as the field's type; several only where commas are allowed."""
    try:
        return _parsed(field, row["value"])
    except InvalidSegment as problem:
        raise InvalidSegment(
            _("Condition %(number)s (%(field)s): %(problem)s."),
            number=number,
            field=field.label,
            problem=problem,
        ) from None


def _parsed(field: Field, value: str) -> Values:
    if not value:
        raise InvalidSegment(_("a value is missing"))
    if len(value) > MAX_LENGTH or "\x00" in value:
        raise InvalidSegment(_("the value has more than %(most)s characters"), most=MAX_LENGTH)
    return _PARSERS[field.kind](field, value)


def _words(field: Field, value: str) -> Values:
    words = [word for part in value.split(",") if (word := part.strip())]
    if not words:
        raise InvalidSegment(_("a value is missing"))
    if len(words) > MAX_VALUES:
        raise InvalidSegment(_("at most %(most)s values with commas"), most=MAX_VALUES)
    return words


def _number(field: Field, value: str) -> Values:
    lowest, highest = (0, _OLDEST_AGE) if field.code == "age" else (1500, 2100)
    if not (value.isascii() and value.isdigit()) or not lowest <= int(value[:6]) <= highest:
        raise InvalidSegment(
            _("“%(value)s” is not a whole number from %(lowest)s to %(highest)s"),
            value=value[:40],
            lowest=lowest,
            highest=highest,
        )
    return [int(value)]


def _date(field: Field, value: str) -> Values:
    try:
        day = date.fromisoformat(value)
    except ValueError:
        day = date.min
    if not date(1900, 1, 1) <= day <= date(2100, 1, 1):
        raise InvalidSegment(_("“%(value)s” is not a date such as 2026-03-31"), value=value[:40])
    return [day]


def _choice(field: Field, value: str) -> Values:
    """Return the code of a choice, given by code or, as one types it without JS, by its words."""
    choices = field.choices() if field.choices else []
    for code, label in choices:
        if value == code or fold(value) == fold(str(label)):
            return [code]
    raise InvalidSegment(
        _("“%(value)s” is not one of the choices: %(choices)s"),
        value=value[:40],
        choices=[label for _code, label in choices[:_MOST_OFFERED]],
    )


_PARSERS: dict[Kind, Callable[[Field, str], Values]] = {
    Kind.WORDS: _words,
    Kind.NUMBER: _number,
    Kind.DATE: _date,
    Kind.CHOICE: _choice,
}
