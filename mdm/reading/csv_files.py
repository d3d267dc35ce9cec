"""CSV files: delimiter found by the columns asked for, rows streamed with their line numbers."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from mdm.mapping import FileOptions
from mdm.reading.encodings import find_encoding
from mdm.reading.rows import NUL, BadRow, FileRefused, Row, bad_row, resolve_columns

_DELIMITERS = (";", ",", "\t", "|")
_LONGEST_HEADER = 1 << 17


class CsvTable:
    """A CSV file whose every byte is known to decode."""

    expected_count: int | None = None

    def __init__(self, path: Path, options: FileOptions, wanted: Sequence[str]) -> None:
        self._path = path
        self._encoding = find_encoding(path, options.encoding)
        header_text = self._header_text()
        self._delimiter = options.delimiter or _find_delimiter(header_text, wanted)
        self.columns = resolve_columns(_cells(header_text, self._delimiter), wanted)

    @property
    def layout(self) -> dict[str, Any]:
        """Return how the file is read, for people."""
        return {"format": "csv", "encoding": self._encoding, "delimiter": self._delimiter}

    def rows(self) -> Iterator[Row | BadRow]:
        """Yield every line that is not blank, in order."""
        with self._path.open(encoding=self._encoding, newline="") as file:
            reader = csv.reader(file, delimiter=self._delimiter)
            is_header = True
            while True:
                line = reader.line_num + 1
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error:
                    yield bad_row(line, "unreadable", [])
                    continue
                if not any(cells):
                    continue
                if is_header:
                    is_header = False
                    continue
                yield self._row(line, cells, spans=reader.line_num - line + 1)

    def _row(self, line: int, cells: list[str], *, spans: int) -> Row | BadRow:
        expected = len(self.columns)
        if len(cells) != expected:
            if spans > 1:
                return bad_row(line, "unclosed_quote", cells)
            reason = "too_many_cells" if len(cells) > expected else "too_few_cells"
            return bad_row(line, reason, cells)
        for place, cell in enumerate(cells):
            if NUL in cell:
                return bad_row(line, "nul", cells, column=self.columns[place])
        return Row(line, dict(zip(self.columns, cells, strict=True)))

    def _header_text(self) -> str:
        """Return the first line that is not blank; a quoted name may span lines, up to a limit."""
        with self._path.open(encoding=self._encoding, newline="") as file:
            for line in file:
                if line.strip():
                    return line[:_LONGEST_HEADER].rstrip("\r\n")
        raise FileRefused(_("The file is empty: not even a line with the names of columns."))


def _find_delimiter(header: str, wanted: Sequence[str]) -> str:
    """Return the delimiter under which most of the wanted columns appear."""
    names = {name.casefold() for name in wanted}

    def fit(delimiter: str) -> tuple[int, int]:
        cells = [cell.strip().casefold() for cell in _cells(header, delimiter)]
        return len(names.intersection(cells)), len(cells)

    return max(_DELIMITERS, key=fit)


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []
