"""CSV files: delimiter, quotes and header found by the columns asked for, rows streamed."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice, takewhile
from pathlib import Path
from typing import IO, Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from mdm.mapping import FileOptions
from mdm.reading.encodings import find_encoding
from mdm.reading.rows import (
    BadRow,
    FileRefused,
    Row,
    bad_row,
    best_header,
    checked_row,
    no_such_line,
    resolve_columns,
)

_DELIMITERS = (";", ",", "\t", "|", "^", "~", ":", "\x1f")
_QUOTES = ('"', "'")
_APOSTROPHE = re.compile(rf"(?:^|[{re.escape(''.join(_DELIMITERS))}])'", re.MULTILINE)
# A line without an end would otherwise be read into memory as a whole.
_LONGEST_LINE = 1 << 22
_LONGEST_HEADER = 1 << 17
# Titles and remarks may stand above the header.
_LINES_ABOVE_HEADER = 20
_EVEN = 0.75  # Of the first lines: some may be broken.


class _LineTooLong(Exception):
    """A line is longer than any row of customers."""


class _Lines:
    """The lines of a file as the csv module wants them; goes on behind a line that is too long."""

    def __init__(self, file: IO[str], longest: int = _LONGEST_LINE) -> None:
        self._file, self._longest = file, longest
        self._is_inside = False
        self.number = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._file.readline(self._longest)
        while line and self._is_inside:
            self._is_inside = not line.endswith(("\n", "\r"))
            line = self._file.readline(self._longest)
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) == self._longest and not line.endswith(("\n", "\r")):
            self._is_inside = True
            raise _LineTooLong
        return line


class _Layout(NamedTuple):
    """How the file is written, and where its header ends.

    `spare` blank cells end each line below the header: some programs write one delimiter too many.
    """

    delimiter: str
    quote: str
    header: list[str]
    header_line: int
    header_end: int
    spare: int = 0


class CsvTable:
    """A CSV file whose every byte is known to decode."""

    expected_count: int | None = None

    def __init__(self, path: Path, options: FileOptions, wanted: Sequence[str]) -> None:
        self._path = path
        self._encoding = find_encoding(path, options.encoding)
        self._layout = self._find_layout(options, wanted)
        self.columns = resolve_columns(self._layout.header, wanted)

    @property
    def layout(self) -> dict[str, Any]:
        """Return how the file is read, for people and for the next reading."""
        line = self._layout.header_line
        return {
            "format": "csv",
            "encoding": self._encoding,
            "delimiter": self._layout.delimiter,
            "quote": self._layout.quote,
            **({"header": line} if line > 1 else {}),
        }

    def rows(self) -> Iterator[Row | BadRow]:
        """Yield every line that is not blank, in order."""
        layout = self._layout
        with self._open() as file:
            records = _records(_Lines(file), layout.delimiter, layout.quote)
            for first, last, cells in records:
                if first <= layout.header_end:
                    continue
                if cells is None:
                    yield bad_row(first, "unreadable", [])
                elif any(cells):
                    yield self._row(first, cells, spans=last - first + 1)

    def _row(self, line: int, cells: list[str], *, spans: int) -> Row | BadRow:
        spare = self._layout.spare
        expected = len(self.columns) + spare
        if spare and len(cells) == expected and not any(cells[-spare:]):
            cells = cells[:-spare]
        elif len(cells) != expected:
            if spans > 1:
                return bad_row(line, "unclosed_quote", cells)
            reason = "too_many_cells" if len(cells) > expected else "too_few_cells"
            return bad_row(line, reason, cells)
        if cells == self._layout.header:
            return bad_row(line, "header_again", cells)
        return checked_row(line, self.columns, cells)

    def _find_layout(self, options: FileOptions, wanted: Sequence[str]) -> _Layout:
        """Return the layout under which most of the wanted columns appear."""
        told = self._told_delimiter()
        delimiters = options.delimiter or told or _DELIMITERS
        above = 1 if told else 0
        best: tuple[tuple[int, ...], _Layout] | None = None
        for delimiter in delimiters:
            for quote in options.quote or self._quotes():
                with self._open() as file:
                    lines = _Lines(file, _LONGEST_HEADER)
                    records = list(_first_records(lines, delimiter, quote, above, options.header))
                found = _header(records, delimiter, quote, wanted)
                if found and (best is None or found[0] > best[0]):
                    best = found
        if best is None and options.header:
            raise no_such_line(options.header)
        if best is None:
            raise FileRefused(_("The file is empty: not even a line with the names of columns."))
        return best[1]

    def _quotes(self) -> Sequence[str]:
        """Return the quotes to try: an apostrophe is one only where cells start with it."""
        with self._open() as file:
            return _QUOTES if _APOSTROPHE.search(file.read(_LONGEST_HEADER)) else _QUOTES[:1]

    def _told_delimiter(self) -> str:
        """Return what a first line `sep=;` tells, as Excel writes it."""
        with self._open() as file:
            line = file.readline(10).rstrip("\r\n")
        return line[4] if len(line) == 5 and line.lower().startswith("sep=") else ""

    def _open(self) -> IO[str]:
        return self._path.open(encoding=self._encoding, newline="")


def _first_records(
    lines: _Lines, delimiter: str, quote: str, above: int, told: int
) -> Iterator[tuple[int, int, list[str]]]:
    """Yield what may be the header: (first line, last line, cells); `told` names its line."""
    most = max(_LINES_ABOVE_HEADER + above, told)
    records = islice(_records(lines, delimiter, quote), most)
    for first, last, cells in takewhile(lambda record: record[2] is not None, records):
        is_meant = first <= told <= last if told else first > above
        if cells and any(map(str.strip, cells)) and is_meant:
            yield first, last, cells


def _header(
    records: Sequence[tuple[int, int, list[str]]],
    delimiter: str,
    quote: str,
    wanted: Sequence[str],
) -> tuple[tuple[int, ...], _Layout] | None:
    """Return the best header that the first records hold, and how good it is.

    Where nothing is wanted yet, the right delimiter is the one that cuts the lines evenly, from
    the first on if it can: commas inside addresses may make more cells than semicolons.
    """
    if not records:
        return None
    rank = best_header([cells for _first, _last, cells in records], wanted)
    place = -rank[1]
    first, last, cells = records[place]
    even = [len(others) == len(cells) for _first, _last, others in records[place:]]
    is_even = not wanted and len(cells) > 1 and sum(even) >= _EVEN * len(even)
    spare = _spare_cells(len(cells), [others for _first, _last, others in records[place + 1 :]])
    layout = _Layout(delimiter, quote, cells, first, last, spare)
    return (is_even and place == 0, is_even, *rank), layout


def _spare_cells(width: int, below: Sequence[list[str]]) -> int:
    """Return how many blank cells nearly all lines below the header have beyond it."""
    spare = Counter(
        len(cells) - width if not any(cells[width:]) else 0
        for cells in below
        if len(cells) > width
    )
    found, count = spare.most_common(1)[0] if spare else (0, 0)
    return found if count >= _EVEN * len(below) else 0


def _records(
    lines: _Lines, delimiter: str, quote: str
) -> Iterator[tuple[int, int, list[str] | None]]:
    """Yield (first line, last line, cells); None for cells that cannot be read."""
    reader = csv.reader(lines, delimiter=delimiter, quotechar=quote)
    while True:
        first = lines.number + 1
        try:
            cells: list[str] | None = next(reader)
        except StopIteration:
            return
        except (csv.Error, _LineTooLong):
            cells = None
        yield first, lines.number, cells
