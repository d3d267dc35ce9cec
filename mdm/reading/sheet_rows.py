"""The rows of one sheet, streamed: every typed cell as the text somebody would have typed."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from xml.parsers import expat

from mdm.reading.plain_rows import ROW_END, Cutter, PlainRow, plain_row
from mdm.reading.workbook import PLAIN, CellStyle, Sheet, Workbook, xml_parser

_MAX_COLUMN = 16_384
_MAX_LINE = 1_048_576
_MAX_BLANK_ROWS = 10_000
_LONGEST_ROW = 1 << 22
_DAY_0 = datetime(1899, 12, 30)  # noqa: DTZ001  (a day of a calendar, without a zone)
_DAY_0_1904 = datetime(1904, 1, 1)  # noqa: DTZ001
_LAST_DAY = 2_958_465  # 31 December 9999.
_LEAP_BUG = 61  # Excel believes that 29 February 1900 was a day.


class SheetRow(NamedTuple):
    """One row: its number, the text of each cell by its column, and what is amiss.

    `uncomputed` are the columns of formulas that were saved without their result.
    """

    line: int
    cells: dict[int, str]
    uncomputed: tuple[int, ...] = ()
    is_too_long: bool = False


class SheetReader:
    """Collects the rows of a sheet from the events of its XML."""

    def __init__(self, workbook: Workbook) -> None:
        self.last_line: int | None = None  # As the sheet claims.
        self._workbook = workbook
        self._styles = workbook.styles
        self._rows: list[SheetRow] = []
        self._line = self._column = self._length = self._blank_count = 0
        self._cells: dict[int, str] = {}
        self._uncomputed: list[int] = []
        self._type, self._style = "", PLAIN
        self._text: list[str] = []
        self._is_text = self._has_formula = self._has_value = False
        self._is_phonetic = self._is_over = False
        self._cutter = Cutter(_LONGEST_ROW)

    def rows(self, sheet: Sheet) -> Iterator[SheetRow]:
        """Yield the rows that hold a value, in order; call it inside `open_workbook`."""
        parser = xml_parser(self._start, self._end, self._characters)
        with closing(self._workbook.pieces(sheet.part)) as pieces:
            for piece in pieces:
                self._read(piece, parser)
                yield from self._rows
                self._rows.clear()
                if self._is_over:
                    return
        parser.Parse(self._cutter.end(), True)  # noqa: FBT003
        yield from self._rows

    def _read(self, piece: bytes, parser: expat.XMLParserType) -> None:
        for part, is_row in self._cutter.cut(piece):
            if is_row and (row := plain_row(part)):
                self._take(row)
            else:
                parser.Parse(part + ROW_END if is_row else part, False)  # noqa: FBT003
            if self._is_over:
                return

    def _take(self, row: PlainRow) -> None:
        """Do for a row written plainly what the events of its XML would have done."""
        self._start_row(row.line)
        for letters, style, kind, text in row.cells:
            self._column = _next(self._column, _column(letters), _MAX_COLUMN)
            if text:
                self._length += len(text)
                self._keep(text, kind or "n", self._style_of(style) if style else PLAIN)
        self._end_row()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            self._start_cell(attributes)
        elif name in ("v", "t"):
            self._is_text = not self._is_phonetic
            self._has_value = True
        elif name == "row":
            self._start_row(int(attributes.get("r") or self._line + 1))
        elif name == "f":
            self._has_formula = True
        elif name == "rPh":
            self._is_phonetic = True
        elif name == "dimension":
            last = (
                attributes.get("ref", "").rpartition(":")[2].lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
            )
            self.last_line = int(last) if last.isdigit() else None

    def _start_row(self, line: int) -> None:
        self._line = _next(self._line, line, _MAX_LINE)
        self._column = self._length = 0
        self._cells, self._uncomputed = {}, []

    def _start_cell(self, attributes: dict[str, str]) -> None:
        place = attributes.get("r")
        column = _column(place.rstrip("0123456789")) if place else self._column + 1
        self._column = _next(self._column, column, _MAX_COLUMN)
        self._type = attributes.get("t", "n")
        self._style = self._style_of(attributes.get("s"))
        self._text.clear()
        self._has_formula = self._has_value = False

    def _style_of(self, number: str | None) -> CellStyle:
        return self._styles[int(number)] if number and self._styles else PLAIN

    def _characters(self, text: str) -> None:
        if self._is_text and self._length < _LONGEST_ROW:
            self._text.append(text)
            self._length += len(text)

    def _end(self, name: str) -> None:
        if name in ("v", "t"):
            self._is_text = False
        elif name == "c":
            self._end_cell()
        elif name == "row":
            self._end_row()
        elif name == "rPh":
            self._is_phonetic = False

    def _end_cell(self) -> None:
        if self._has_value:
            self._keep("".join(self._text), self._type, self._style)
        elif self._has_formula and self._length < _LONGEST_ROW:
            self._uncomputed.append(self._column)

    def _keep(self, text: str, kind: str, style: CellStyle) -> None:
        """Keep what a cell says, as somebody would have typed it."""
        if self._length >= _LONGEST_ROW:
            return
        if kind == "s":
            text = self._workbook.strings.get(int(text))
            self._length += len(text)
        elif kind == "n":
            text = number_text(text, style, is_1904=self._workbook.is_1904)
        elif kind == "b":
            text = "true" if text == "1" else "false"
        elif kind == "d":
            text = text.removesuffix("T00:00:00")
        elif kind == "e":  # #N/A and the like: the workbook itself says there is no value.
            text = ""
        if text:
            self._cells[self._column] = text

    def _end_row(self) -> None:
        if self._cells or self._uncomputed or self._length >= _LONGEST_ROW:
            self._blank_count = 0
            is_too_long = self._length >= _LONGEST_ROW
            self._rows.append(
                SheetRow(self._line, self._cells, tuple(self._uncomputed), is_too_long)
            )
            return
        self._blank_count += 1
        self._is_over = self._is_over or self._blank_count > _MAX_BLANK_ROWS


def _next(before: int, number: int, limit: int) -> int:
    """Return the number of a row or cell; they come in order, or one would hide another."""
    if not before < number <= limit:
        raise ValueError
    return number


@lru_cache(maxsize=_MAX_COLUMN)
def _column(letters: str) -> int:
    """Return the number of a column, A being 1."""
    number = 0
    for letter in letters[:4]:
        number = number * 26 + ord(letter) - 64
    return number


def number_text(text: str, style: CellStyle, *, is_1904: bool) -> str:
    """Return a number as it is shown: a date, with its leading zeros, without an exponent."""
    if text.isdigit() and style == PLAIN:
        return text
    try:
        value = float(text)
    except ValueError:
        return text
    if style.is_date:
        return _date_text(value, is_1904=is_1904) or text
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value)).zfill(style.digits)
    return text if text.isdigit() or not abs(value) < 1e300 else repr(value)


def _date_text(value: float, *, is_1904: bool) -> str:
    """Return the day or moment of a serial number; empty when there is none."""
    if not 0 <= value <= _LAST_DAY:
        return ""
    if not is_1904 and 1 <= value < _LEAP_BUG:
        value += 1
    start = _DAY_0_1904 if is_1904 else _DAY_0
    moment = start + timedelta(seconds=round(value * 86_400))
    if 0 < value < 1 and not is_1904:
        return moment.time().isoformat()
    whole_day = (moment.hour, moment.minute, moment.second) == (0, 0, 0)
    return moment.date().isoformat() if whole_day else moment.isoformat()
