"""The key by which a row is known again: the source's own, or one made out of columns.

A made key is a digest, since keys stand where values of people may not: in histories, in the
journal of erasures, in exports of links.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256

from mdm.mapping import SourceMapping
from mdm.standardise.text import clean

_LENGTH = 24  # Hexadecimal digits: among a million rows two meet once in 10^17 files.
_BETWEEN = "\x1f"  # No cleaned value holds it.


class RowKeys:
    """How the rows of a mapping are known again."""

    def __init__(self, mapping: SourceMapping) -> None:
        self.column = mapping.key_column
        self._made_from = mapping.key_from

    @property
    def named(self) -> str:
        """The columns that hold the key or make it, in words."""
        return self.column or ", ".join(self._made_from)

    @property
    def missing(self) -> str:
        """The code of the reason why a row without a key is rejected."""
        return "no_key" if self.column else "no_key_parts"

    def of(self, cells: Mapping[str, str]) -> str:
        """Return the key of a row; "" when it has none."""
        if self.column:
            key = clean(cells[self.column])
            # An apostrophe keeps a spreadsheet from reading a number: it is no part of it.
            return key[1:] if key.startswith("'") and key[1:].isdecimal() else key
        return made_key(cells[name] for name in self._made_from)


def made_key(values: Iterable[str]) -> str:
    """Return the key that values make, whatever their case and blanks; "" when all are blank."""
    parts = [clean(value).casefold() for value in values]
    if not any(parts):
        return ""
    return sha256(_BETWEEN.join(parts).encode()).hexdigest()[:_LENGTH]
