"""What reading yields: rows, rows that cannot be used, and the refusal of a whole file."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple, Protocol

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

MAX_COLUMNS = 1000
NUL = "\x00"
NUL_SIGN = "<NUL>"


class FileRefused(Exception):
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
    """An opened file: its columns, and its rows as often as asked."""

    columns: tuple[str, ...]
    expected_count: int | None

    @property
    def layout(self) -> dict[str, Any]:
        """Return how the file is read, for people: format, encoding, delimiter, sheet."""
        ...

    def rows(self) -> Iterator[Row | BadRow]:
        """Yield every line that is not blank, in order."""
        ...


def bad_row(line: int, reason: str, cells: Sequence[str], *, column: str = "") -> BadRow:
    """Return a rejected line that both databases can store: they refuse NUL characters."""
    shown = [cell.replace(NUL, NUL_SIGN)[:1000] for cell in cells[:MAX_COLUMNS]]
    position = next((place for place, cell in enumerate(cells) if NUL in cell), None)
    value = shown[position] if position is not None and position < len(shown) else ""
    return BadRow(line, column, value, reason, shown)


def resolve_columns(header: Sequence[str], wanted: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the file's columns, those of the mapping spelt as the mapping does.

    Raises:
        FileRefused: when a wanted column is missing or stands twice.
    """
    if len(header) > MAX_COLUMNS:
        raise FileRefused(_("The file has more than %(limit)d columns.") % {"limit": MAX_COLUMNS})
    spelling = {name.casefold(): name for name in wanted}
    names: list[str] = []
    for number, cell in enumerate(header, start=1):
        name = " ".join(cell.replace(NUL, "").split()) or _("column %(number)d") % {
            "number": number
        }
        name = spelling.get(name.casefold(), name)
        if name in names:
            if name in wanted:
                raise FileRefused(
                    _("The column “%(column)s” stands twice in the file.") % {"column": name}
                )
            name = f"{name} ({number})"
        names.append(name)
    _refuse_missing([name for name in wanted if name not in names], names)
    return tuple(names)


def _refuse_missing(missing: Sequence[str], found: Sequence[str]) -> None:
    if not missing:
        return
    text = ngettext(
        "The column “%(missing)s” of the mapping is not in the file, which has: %(found)s.",
        "The columns “%(missing)s” of the mapping are not in the file, which has: %(found)s.",
        len(missing),
    ) % {"missing": "”, “".join(missing[:10]), "found": ", ".join(found[:30])[:300]}
    near = get_close_matches(missing[0], found, n=1)
    if near:
        text += " " + _("Is “%(near)s” the one?") % {"near": near[0]}
    raise FileRefused(text)
