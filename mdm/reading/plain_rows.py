"""Rows of a sheet written as nearly all programs write them, read without the events of their XML.

An event for each tag and text of a million cells takes three times as long as the expressions
below. They accept only what can be read in one way: anything else, an entity as much as a
comment, is left to the parser.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

ROW_END = b"</row>"
_START = re.compile(
    rb'(?:<\?xml version="1\.0"(?: encoding="UTF-8")?(?: standalone="(?:yes|no)")? ?\?>\s*)?<\w',
    re.IGNORECASE,
)
_OPENING = b"<sheetData>"
_MARKUP = re.compile(rb"<[!?]")
# What XML forbids, or reads otherwise than it stands there, is in none of these.
_TEXT = r"[^<>&\r\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]+"
_ROW = re.compile(r'<row r="(\d{1,7})"(?: [\w:]+="[^"<>&]*")*>')
_CELL = re.compile(
    r'(<c r="([A-Z]{1,3})\d{1,7}"(?: s="(\d{1,6})")?(?: t="(n|s|b|d|e|inlineStr)")?(?:/>|>'
    rf'(?:<v>({_TEXT})</v>|<is><t(?: xml:space="preserve")?>({_TEXT})</t></is>)</c>))'
)


class PlainRow(NamedTuple):
    """The number of a row, and of each cell: letters of its column, style, type, text or ""."""

    line: int
    cells: list[tuple[str, str, str, str]]


def plain_row(content: bytes) -> PlainRow | None:
    """Return a row from its first tag up to its last, None where the parser must read it."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    opening = _ROW.match(text)
    if not opening:
        return None
    found = _CELL.findall(text, opening.end())
    if opening.end() + sum([len(cell[0]) for cell in found]) != len(text):
        return None
    cells = [(letters, style, kind, v or t) for _, letters, style, kind, v, t in found]
    return PlainRow(int(opening[1]), cells)


class Cutter:
    """Cuts the bytes of a sheet into rows and what is between them.

    From a comment, a declaration or too long a row on, nothing is cut any more: what looks like a
    row may be none.
    """

    def __init__(self, longest: int) -> None:
        """Take the most bytes of a row."""
        self._longest = longest
        self._rest = b""
        self._is_begun = self._is_inside = self._is_over = False

    def cut(self, piece: bytes) -> Iterator[tuple[bytes, bool]]:
        """Yield all bytes in order, each part with whether it is a row but for its last tag."""
        rest = self._rest + piece
        self._is_over = self._is_over or self._is_unlike(rest)
        if not self._is_inside and not self._is_over:
            head, opening, rest = rest.partition(_OPENING)
            self._is_inside = bool(opening)
            yield head + opening, False
        if self._is_inside and not self._is_over:
            *rows, rest = rest.split(ROW_END)
            for row in rows:
                yield row, True
        if self._is_over:
            yield rest, False
            rest = b""
        self._rest = rest

    def _is_unlike(self, content: bytes) -> bool:
        """Tell whether what comes cannot be cut."""
        begun, self._is_begun = self._is_begun, True
        beginning = None if begun else _START.match(content)
        if not begun and not beginning:
            return True
        is_long = len(content) > self._longest and ROW_END not in content
        return is_long or bool(_MARKUP.search(content, beginning.end() if beginning else 0))

    def end(self) -> bytes:
        """Return what is left."""
        return self._rest
