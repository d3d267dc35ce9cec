"""What is left out of an access pack because other people carry it too: pure.

A number or mailbox that is left out is found wherever it stands: in the attributes and the raw
cells of a record, in golden records, and in whatever staff or the person wrote.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mdm.folding import fold
from mdm.loading.points import points
from mdm.mapping import SourceMapping
from mdm.models import ATTRIBUTES, ContactPoint, PersonValues
from mdm.standardise.record import StandardRecord

_BETWEEN_DIGITS = re.compile(r"[\W_]+")
# The digits that every spelling of a number has: 0639…, +33 6 39…, 0033 639….
_LAST_DIGITS = 9
_PHONES = frozenset(["phone", "other_phone"])


@dataclass(frozen=True, slots=True)
class Veil:
    """The contact points that are left out, ready to be looked for."""

    places: frozenset[tuple[str, str]]
    """Kind and compared form of each."""
    words: tuple[str, ...]
    """E-mail addresses, folded."""
    digits: tuple[str, ...]

    @classmethod
    def over(cls, left_out: Collection[ContactPoint]) -> "Veil":
        """Return the veil over these contact points."""
        phones = [point for point in left_out if point.kind == ContactPoint.Kind.PHONE]
        mailboxes = [point for point in left_out if point.kind == ContactPoint.Kind.EMAIL]
        return cls(
            frozenset((point.kind, point.value) for point in left_out),
            tuple({fold(text) for point in mailboxes for text in (point.value, point.display)}),
            tuple({point.value.lstrip("+")[-_LAST_DIGITS:] for point in phones}),
        )

    def hides(self, text: str) -> bool:
        """Whether a contact point that is left out stands in the text."""
        if not self.places:
            return False
        folded = fold(text)
        if any(word in folded for word in self.words):
            return True
        return _has_number(text, self.digits)

    def point(self, point: ContactPoint | None) -> str | None:
        """Return a contact point as people read it; None for one that is left out."""
        if point is None or (point.kind, point.value) in self.places:
            return None
        return point.display

    def hidden_in(self, row: PersonValues | Any) -> frozenset[str]:
        """Return in which attributes a row carries what is left out."""
        if not self.places:
            return frozenset()
        said = [getattr(row, name) for name in ATTRIBUTES]
        return frozenset(
            point.attribute
            for point in points(StandardRecord(*said))
            if (point.kind, point.value) in self.places
        )

    def values(self, row: PersonValues | Any) -> dict[str, Any]:
        """Return the attributes of a record or golden record, those left out as None."""
        hidden = self.hidden_in(row)
        return {name: None if name in hidden else getattr(row, name) for name in ATTRIBUTES}

    def cells(self, row: Any, mapping: SourceMapping) -> dict[str, Any]:
        """Return the cells of a row as they came, without those that told what is left out."""
        hidden = self.hidden_in(row)
        if not hidden:
            return dict(row.raw)
        of = {column.name: column.attribute for column in mapping.columns}
        # Which of two columns told which number depends on what stands in them.
        numbers = [getattr(row, name)[-_LAST_DIGITS:] for name in _PHONES - hidden]
        return {
            name: cell
            for name, cell in row.raw.items()
            if _has_number(str(cell), filter(None, numbers))
            or not (of.get(name) in hidden or (hidden & _PHONES and of.get(name) in _PHONES))
        }

    def guarded(self, value: Any) -> Any:
        """Return a value, None in the place of every text in which what is left out stands."""
        if isinstance(value, str):
            return None if self.hides(value) else value
        if isinstance(value, Mapping):
            return {key: self.guarded(part) for key, part in value.items()}
        if isinstance(value, list | tuple):
            return [self.guarded(part) for part in value]
        return value


def _has_number(text: str, numbers: Iterable[str]) -> bool:
    joined = _BETWEEN_DIGITS.sub("", text)
    return any(number in joined for number in numbers)
