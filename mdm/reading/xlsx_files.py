"""XLSX files: weighed before they are opened, then streamed; dates and numbers become text."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from mdm.mapping import FileOptions
from mdm.reading.rows import (
    MAX_COLUMNS,
    BadRow,
    FileRefused,
    Row,
    bad_row,
    best_header,
    checked_row,
    no_such_line,
    resolve_columns,
)
from mdm.reading.sheet_rows import SheetReader, SheetRow
from mdm.reading.workbook import Sheet, Workbook, open_workbook

_LINES_ABOVE_HEADER = 20
_SHEETS_TRIED = 10
# Writers number strings as they come, the header's first. A page must not wait for all of them.
_MOST_STRINGS_FOR_HEADER = 500_000
_SPARE_COLUMNS = 8  # How many stray cells beside the table are shown.
_MAX_SHEETS_SHOWN = 50


class _Header(NamedTuple):
    """Where the names of the columns stand."""

    sheet: str
    line: int
    names: list[str]


class XlsxTable:
    """One sheet of a workbook: the one that is named, or the first with the wanted columns."""

    def __init__(self, path: Path, options: FileOptions, wanted: Sequence[str]) -> None:
        self._path = path
        self._wanted = wanted
        self.expected_count: int | None = None
        with open_workbook(path) as workbook:
            workbook.strings.most = _MOST_STRINGS_FOR_HEADER
            sheets = (
                [workbook.sheet(options.sheet)]
                if options.sheet
                else workbook.visible_sheets()[:_SHEETS_TRIED]
            )
            self.sheets = [sheet.name for sheet in workbook.sheets[:_MAX_SHEETS_SHOWN]]
            self._header = _find_header(workbook, sheets, wanted, options.header)
        self.columns = resolve_columns(self._header.names, wanted)
        self._formulas_matter = {
            place for place, name in enumerate(self.columns, start=1) if name in set(wanted)
        }

    @property
    def layout(self) -> dict[str, Any]:
        """Return how the file is read, for people and for the next reading."""
        layout = {"format": "xlsx", "sheet": self._header.sheet, "sheets": self.sheets}
        return layout | ({"header": self._header.line} if self._header.line > 1 else {})

    def rows(self) -> Iterator[Row | BadRow]:
        """Yield every line that is not blank, in order."""
        with open_workbook(self._path) as workbook:
            reader = SheetReader(workbook)
            for row in reader.rows(workbook.sheet(self._header.sheet)):
                self.expected_count = reader.last_line
                if row.line > self._header.line:
                    yield self._row(row)

    def _row(self, row: SheetRow) -> Row | BadRow:
        width = len(self.columns)
        last = max(row.cells, default=0)
        get = row.cells.get
        cells = [get(place, "") for place in range(1, min(last, width + _SPARE_COLUMNS) + 1)]
        if row.is_too_long:
            return bad_row(row.line, "unreadable", cells)
        if last > width:
            return bad_row(row.line, "too_many_cells", cells)
        cells += [""] * (width - len(cells))
        if found := self._formulas_matter.intersection(row.uncomputed):
            return bad_row(row.line, "no_result", cells, column=self.columns[min(found) - 1])
        if cells == self._header.names:
            return bad_row(row.line, "header_again", cells)
        return checked_row(row.line, self.columns, cells)


def _find_header(
    workbook: Workbook, sheets: Sequence[Sheet], wanted: Sequence[str], told: int
) -> _Header:
    """Return the line most like a header among the first of the sheets; `told` is the line."""
    best: tuple[int, _Header] | None = None
    for sheet in sheets:
        most = max(_LINES_ABOVE_HEADER, told)
        first_rows = islice(SheetReader(workbook).rows(sheet), most)
        rows = [row for row in first_rows if row.cells and told in (0, row.line)]
        records = [_names(row) for row in rows]
        lines = [row.line for row in rows]
        if not records:
            continue
        fit, place, _width = best_header(records, wanted)
        # Where nothing is wanted yet: the first sheet with a table, not the notice before it.
        if best is None or (fit > best[0] if wanted else best[0] < 2 <= fit):
            best = (fit, _Header(sheet.name, lines[-place], records[-place]))
    if best is None and told:
        raise no_such_line(told)
    if best is None:
        raise FileRefused(_("The sheet is empty: not even a line with the names of columns."))
    return best[1]


def _names(row: SheetRow) -> list[str]:
    last = min(max(row.cells), MAX_COLUMNS + 1)
    return [row.cells.get(place, "") for place in range(1, last + 1)]
