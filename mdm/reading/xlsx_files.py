"""XLSX files: weighed before they are opened, then streamed; dates and numbers become text."""

import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import IO, Any

import openpyxl
from django.utils.translation import gettext as _

from mdm.mapping import FileOptions
from mdm.reading.rows import BadRow, FileRefused, Row, bad_row, checked_row, resolve_columns

# A 545 kB file unfolds to 1.2 GB in memory without these (SECURITY F5).
MAX_UNPACKED_BYTES = 200 * 1024 * 1024
MAX_RATIO = 100
MAX_MEMBERS = 1000
_SPARE_COLUMNS = 8  # How far right of the header a stray cell is still noticed.
_MAX_BLANK_ROWS = 10_000
_MAX_SHEETS_SHOWN = 50


class XlsxTable:
    """One sheet of a workbook, its first line that is not blank being the header."""

    def __init__(self, path: Path, options: FileOptions, wanted: Sequence[str]) -> None:
        _weigh(path)
        self._path = path
        self._sheet = options.sheet
        self.sheets: list[str] = []
        self.expected_count: int | None = None
        self._header_line, header = self._header()
        self.columns = resolve_columns(header, wanted)

    @property
    def layout(self) -> dict[str, Any]:
        """Return how the file is read, for people and for the next reading."""
        sheet = self._sheet or next(iter(self.sheets), "")
        return {"format": "xlsx", "sheet": sheet, "sheets": self.sheets}

    def rows(self) -> Iterator[Row | BadRow]:
        """Yield every line that is not blank, in order."""
        width = len(self.columns)
        values = self._values(self._header_line + 1, width + _SPARE_COLUMNS)
        for line, cells in values:
            if any(cells[width:]):
                yield bad_row(line, "too_many_cells", cells)
                continue
            cells = cells[:width] + [""] * (width - len(cells))
            yield checked_row(line, self.columns, cells)

    def _header(self) -> tuple[int, list[str]]:
        for line, cells in self._values(1, None):
            while cells and not cells[-1]:
                cells.pop()
            return line, cells
        raise FileRefused(_("The sheet is empty: not even a line with the names of columns."))

    def _values(self, first_line: int, width: int | None) -> Iterator[tuple[int, list[str]]]:
        """Yield (line, cells as text) of the lines with a value.

        Raises:
            FileRefused: for whatever openpyxl cannot read.
        """
        try:
            with self._path.open("rb") as file:
                # By its content: stored files have no name that says what they are.
                yield from self._values_of(file, first_line, width)
        except (FileRefused, GeneratorExit):
            raise
        except Exception as error:  # openpyxl lets through whatever its parsers raise.
            raise FileRefused(
                _("The workbook is damaged or is no XLSX file (%(kind)s): save it again.")
                % {"kind": type(error).__name__}
            ) from None

    def _values_of(
        self, file: IO[bytes], first_line: int, width: int | None
    ) -> Iterator[tuple[int, list[str]]]:
        workbook = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
        try:
            self.sheets = workbook.sheetnames[:_MAX_SHEETS_SHOWN]
            sheet = self._find_sheet(workbook)
            self.expected_count = sheet.max_row
            # What the file claims about its size may be a lie that costs hours.
            sheet.reset_dimensions()
            blank_count = 0
            lines = sheet.iter_rows(min_row=first_line, max_col=width, values_only=True)
            for line, values in enumerate(lines, start=first_line):
                cells = [_text(value) for value in values]
                if any(cells):
                    blank_count = 0
                    yield line, cells
                    continue
                blank_count += 1
                if blank_count > _MAX_BLANK_ROWS:
                    return
        finally:
            workbook.close()

    def _find_sheet(self, workbook: Any) -> Any:
        if not self._sheet:
            return workbook.worksheets[0]
        if self._sheet not in workbook.sheetnames:
            raise FileRefused(
                _("The workbook has no sheet “%(sheet)s”; it has: %(found)s.")
                % {"sheet": self._sheet, "found": ", ".join(workbook.sheetnames[:20])}
            )
        return workbook[self._sheet]


def _weigh(path: Path) -> None:
    """Refuse archives made to exhaust memory, before anything is unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise FileRefused(_("The file is cut off or damaged: send it again.")) from None
    unpacked = sum(member.file_size for member in members)
    packed = max(1, path.stat().st_size)
    if (
        len(members) > MAX_MEMBERS
        or unpacked > MAX_UNPACKED_BYTES
        or unpacked > packed * MAX_RATIO
    ):
        raise FileRefused(
            _("The workbook is too large when unpacked: split it, or save it as CSV.")
        )
    if any(member.flag_bits & 1 for member in members):
        raise FileRefused(_("The workbook is protected by a password: save it without."))
    if "[Content_Types].xml" not in {member.filename for member in members}:
        raise FileRefused(_("This is a zip archive, neither CSV, XLSX nor JSON lines."))


def _text(value: Any) -> str:
    """Return a cell as the text somebody would have typed."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)
