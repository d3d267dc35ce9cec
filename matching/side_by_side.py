"""Two records line by line: what is equal, close, in conflict or missing, and what would survive.

The order of lines never changes: identity, birth, contact points, address, numbers. A street
stands on one line with its number, a town with its postcode, as people read them.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import phonenumbers
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from matching.differences import Piece, pieces
from mdm.folding import fold
from mdm.models import ContactPoint, PersonValues, SourceRecord
from mdm.survivorship import ADDRESS, Survivors

LINES: Mapping[str, tuple[str, ...]] = {
    "civility": ("civility",),
    "given_name": ("given_name",),
    "family_name": ("family_name",),
    "birth_name": ("birth_name",),
    "organisation": ("organisation",),
    "birth_date": ("birth_date",),
    "sex": ("sex",),
    "email": ("email",),
    "phone": ("phone",),
    "other_phone": ("other_phone",),
    "street": ("street_number", "street"),
    "address_complement": ("address_complement",),
    "town": ("postcode", "city"),
    "country": ("country",),
    "identifier": ("identifier",),
    "website": ("website",),
}
"""Line → the attributes that it shows."""

_ADDRESS_LINES = ("street", "address_complement", "town", "country")
_KIN = (("given_name", "family_name", "birth_name"), ("phone", "other_phone"))
"""Lines whose values come under one another's heading: the same value there is no conflict."""
_LEAST_LIKENESS = 0.5
"""Values that share less are marked whole: letters equal by chance tell nothing."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of both records, cut into pieces that are equal or differ."""

    attribute: str
    label: str
    left: tuple[Piece, ...]
    right: tuple[Piece, ...]
    state: str
    """`same`, `close` (equal but for case, accents or a few letters), `crossed` (the other record
    has it under another heading), `conflict`, `missing`."""
    state_label: str
    is_rare: bool = False
    """Equal, and so rarely equal by chance that it says a lot."""
    result: str = ""
    """What the golden record would say if both were one person."""
    result_from: int | None = None
    """The source record that the result comes from; None for a pin, or when there is none."""
    left_shared: ContactPoint | None = None
    right_shared: ContactPoint | None = None
    """The value, when so many people carry it that it does not tell one from another."""

    @property
    def is_plain(self) -> bool:
        """Equal and nothing special: a page may fold it."""
        return self.state == "same" and not self.is_rare


def rows_of_pair(
    left: SourceRecord,
    right: SourceRecord,
    *,
    rare: Collection[str] = (),
    survivors: Survivors | None = None,
    shared: Mapping[tuple[int, str], ContactPoint] | None = None,
) -> tuple[Row, ...]:
    """Return the lines that at least one of two records has.

    Args:
        left: one record.
        right: the other one.
        rare: fields of the score model whose agreement says a lot.
        survivors: the golden values if both were one person, when that can be.
        shared: the contact points that too many people carry, by record and its attribute.
    """
    rows, shared = [], shared or {}
    for line, attributes in LINES.items():
        values = _shown(left, attributes), _shown(right, attributes)
        if any(values):
            place = _field(line)
            state = _state(*values)
            if state == "conflict" and _is_crossed(line, left, right):
                state = "crossed"
            row = _row(line, *values, state, is_rare=place in rare, survivors=survivors)
            rows.append(
                replace(
                    row,
                    left_shared=shared.get((left.pk, place)),
                    right_shared=shared.get((right.pk, place)),
                )
            )
    return tuple(rows)


def _row(
    line: str, left: str, right: str, state: str, *, is_rare: bool, survivors: Survivors | None
) -> Row:
    left_pieces, right_pieces = _marked(left, right, state)
    chosen = (survivors.lineage.get(_group(line)) if survivors else None) or (None, None, "")
    is_rare = is_rare and state == "same"
    return Row(
        attribute=line,
        label=_label(line),
        left=left_pieces,
        right=right_pieces,
        state=state,
        state_label=_("same and rare") if is_rare else _state_label(state),
        is_rare=is_rare,
        result=_survivor(line, survivors),
        result_from=chosen[0],
    )


def _field(line: str) -> str:
    """Return the field of the score model that a line belongs to."""
    return "address" if line == "street" else line


def _group(line: str) -> str:
    return ADDRESS if line in _ADDRESS_LINES else line


def _label(line: str) -> str:
    if line == "town":
        return _("town")
    return str(PersonValues._meta.get_field(line).verbose_name)  # type: ignore[union-attr]


def _survivor(line: str, survivors: Survivors | None) -> str:
    if survivors is None:
        return ""
    return _shown(SourceRecord(**survivors.values), LINES[line])


def _shown(record: PersonValues, attributes: tuple[str, ...]) -> str:
    return " ".join(filter(None, (_as_read(record, name) for name in attributes)))


def _as_read(record: PersonValues, attribute: str) -> str:
    """Return a value as people read it: choices by their label, dates in their form."""
    value: Any = getattr(record, attribute)
    if not value:
        return ""
    if isinstance(value, date):
        return date_format(value, "SHORT_DATE_FORMAT")
    if attribute in ("phone", "other_phone"):
        return _spaced(value)
    display = getattr(record, f"get_{attribute}_display", None)
    return str(display() if display else value)


def _spaced(number: str) -> str:
    """Return an E.164 number with its spaces; anything else as it is."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _state(left: str, right: str) -> str:
    if not left or not right:
        return "missing"
    if left == right:
        return "same"
    return "close" if _is_close(fold(left), fold(right)) else "conflict"


def _is_crossed(line: str, left: SourceRecord, right: SourceRecord) -> bool:
    """Return whether one record has the other's value under the heading of another line."""
    kin = next((lines for lines in _KIN if line in lines), ())
    return any(
        fold(getattr(one, line)) == fold(getattr(other, name))
        for one, other in ((left, right), (right, left))
        for name in kin
        if name != line
    )


def _is_close(left: str, right: str) -> bool:
    """Return whether two folded values differ by few letters or one contains the other."""
    if left == right or left in right or right in left:
        return True
    return _likeness(*pieces(left, right)) >= 3 / 4


def _marked(left: str, right: str, state: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Return both values in pieces; those that have little in common are one piece each."""
    if state == "crossed":
        return (Piece(left, differs=False),), (Piece(right, differs=False),)
    found = pieces(left, right)
    if state == "conflict" and _likeness(*found) < _LEAST_LIKENESS:
        return (Piece(left, differs=True),), (Piece(right, differs=True),)
    return found


def _likeness(left: tuple[Piece, ...], right: tuple[Piece, ...]) -> float:
    """Return the share of letters that are equal, from 0 to 1."""
    total = sum(len(piece.text) for piece in (*left, *right))
    equal = sum(len(piece.text) for piece in (*left, *right) if not piece.differs)
    return equal / total if total else 1.0


def _state_label(state: str) -> str:
    return {
        "same": _("same"),
        "close": _("close"),
        "crossed": _("the other has it elsewhere"),
        "conflict": _("differs"),
        "missing": _("only on one side"),
    }[state]
