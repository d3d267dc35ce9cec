"""What reading yields: rows, rows that cannot be used, and the refusal of a whole file."""

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple, Protocol

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mdm.reasons import Refusal

MAX_COLUMNS = 1000
# What Python's csv module stops at; the same for every format.
MAX_CELL_LENGTH = 131_072
NUL = "\x00"
# What one of the two databases cannot store: a NUL, or half of a UTF-16 pair.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_SHOWN_LENGTH = 1000
_LONGEST_NAME = 100
# A number, a date or an e-mail address: what no column is called.
_VALUE = re.compile(r"[\d\s.,/:+€%-]+|\S+@\S+\.\w+")


class FileRefused(Refusal):
    """The file cannot be loaded at all; the text says what is wrong and where."""


class Row(NamedTuple):
    """One line of the file as text by column."""

    line: int
    cells: dict[str, str]


class BadRow(NamedTuple):
    """One line that cannot be used: where, the value, the reason's code, and all its cells."""

    line: int
    column: str
    value: str
    reason: str
    cells: list[str]


class Table(Protocol):
    """An opened file: its columns, how it is read, and its rows as often as asked."""

    columns: tuple[str, ...]
    expected_count: int | None

    @property
    def layout(self) -> dict[str, Any]:
        """Return how the file is read: format, and encoding, delimiter, quote, sheet if any."""
        ...

    def rows(self) -> Iterator[Row | BadRow]:
        """Yield every line that is not blank, in order."""
        ...


def bad_row(line: int, reason: str, cells: Sequence[str], *, column: str = "") -> BadRow:
    """Return a rejected line that both databases can store."""
    shown = [_shown(cell) for cell in cells[:MAX_COLUMNS]]
    place = next((n for n, cell in enumerate(cells[:MAX_COLUMNS]) if _UNSTORABLE.search(cell)), -1)
    return BadRow(line, column, shown[place] if place >= 0 else "", reason, shown)


def checked_row(line: int, columns: Sequence[str], cells: Sequence[str]) -> Row | BadRow:
    """Return the row, or a rejected one when a cell is what no database stores or too long."""
    text = "".join(cells)
    if len(text) <= MAX_CELL_LENGTH and not _UNSTORABLE.search(text):
        return Row(line, dict(zip(columns, cells, strict=True)))
    for column, cell in zip(columns, cells, strict=True):
        if reason := _flaw(cell):
            return bad_row(line, reason, cells, column=column)
    return Row(line, dict(zip(columns, cells, strict=True)))


def _flaw(cell: str) -> str:
    if len(cell) > MAX_CELL_LENGTH:
        return "unreadable"
    found = _UNSTORABLE.search(cell)
    if not found:
        return ""
    return "nul" if found[0] == NUL else "surrogate"


def _shown(cell: str) -> str:
    return _UNSTORABLE.sub(_sign, cell[:_SHOWN_LENGTH])


def _sign(found: re.Match[str]) -> str:
    return "<NUL>" if found[0] == NUL else f"<U+{ord(found[0]):04X}>"


def resolve_columns(header: Sequence[str], wanted: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the file's columns, those of the mapping spelt as the mapping does.

    Raises:
        FileRefused: when a wanted column is missing or stands twice.
    """
    if len(header) > MAX_COLUMNS:
        raise FileRefused(
            gettext_lazy("The file has more than %(limit)d columns."), limit=MAX_COLUMNS
        )
    spelling = {name.casefold(): name for name in wanted}
    names: list[str] = []
    for number, cell in enumerate(header, start=1):
        name = column_name(cell) or _("column %(number)d") % {"number": number}
        name = spelling.get(name.casefold(), name)
        if name in names:
            if name in wanted:
                raise FileRefused(
                    gettext_lazy("The column “%(column)s” stands twice in the file."), column=name
                )
            name = f"{name} ({number})"
        names.append(name)
    refuse_missing([name for name in wanted if name not in names], names)
    return tuple(names)


def column_name(cell: str) -> str:
    """Return the name in a cell of the header, single blanks between its words."""
    return " ".join(_UNSTORABLE.sub("", cell).replace("\ufeff", "").split())[:_SHOWN_LENGTH]


def best_header(records: Sequence[Sequence[str]], wanted: Sequence[str]) -> tuple[int, int, int]:
    """Rank the record most like the header: (how like one, minus its place, its cells).

    It is the one with most of the wanted columns. Where nothing is wanted yet, it is the first
    with most of its cells filled, with names rather than with values: titles fill one or two.
    """
    if not wanted:
        return _first_of_names(records)
    names = {name.casefold() for name in wanted}
    ranks = [
        (len(names & {column_name(cell).casefold() for cell in cells}), -place, len(cells))
        for place, cells in enumerate(records)
    ]
    return max(ranks, default=(0, 0, 0))


def _first_of_names(records: Sequence[Sequence[str]]) -> tuple[int, int, int]:
    filled = [[cell for cell in cells if cell.strip()] for cells in records]
    widest = max(map(len, filled), default=0)
    full = [place for place, cells in enumerate(filled) if 2 * len(cells) > widest]
    named = (place for place in full if not any(map(_is_value, filled[place])))
    place = next(named, full[0] if full else 0)
    return len(filled[place]), -place, len(records[place])


def _is_value(cell: str) -> bool:
    return len(cell) <= _LONGEST_NAME and bool(_VALUE.fullmatch(cell))


def no_such_line(line: int) -> FileRefused:
    """Return the refusal of a file without the line that should hold the names of columns."""
    return FileRefused(
        gettext_lazy(
            "Line %(line)d, which should hold the names of the columns, is not there or blank."
        ),
        line=line,
    )


def refuse_missing(missing: Sequence[str], found: Sequence[str]) -> None:
    """Raise FileRefused when the list is not empty, with what is there instead."""
    if not missing:
        return
    told = {"missing": ", ".join(missing[:10]), "found": ", ".join(found[:30])[:300]}
    if near := get_close_matches(missing[0], found, n=1):
        raise FileRefused(
            gettext_lazy(
                "Columns of the mapping are not in the file: “%(missing)s”. "
                "It has: %(found)s. Is “%(near)s” the one?"
            ),
            **told,
            near=near[0],
        )
    raise FileRefused(
        gettext_lazy(
            "Columns of the mapping are not in the file: “%(missing)s”. It has: %(found)s."
        ),
        **told,
    )
