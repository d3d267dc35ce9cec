"""Rows of a staged file made ready to be compared with what is stored; knows no database."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Self

import msgspec

from mdm.golden_rows import Outline, outline
from mdm.loading.points import Point, points
from mdm.loading.rows import Cells, RowReader, StandardRow, cells_json

_read = msgspec.json.Decoder().decode


@dataclass(slots=True)
class Candidate:
    """A row with its key, its raw values as JSON and, once it was made, its standard form."""

    line: int
    key: str
    raw_text: str
    content_hash: str
    standard: StandardRow | None = None
    points: Sequence[Point] = ()
    outline: Outline | None = None

    @classmethod
    def of(cls, line: int, cells: Cells, reader: RowReader, cells_text: str = "") -> Self:
        """Return a row with its cells as text, not standardised yet."""
        raw_text = reader.raw_text(cells, cells_text)
        return cls(line, reader.keys.of(cells), raw_text, reader.content_hash(raw_text))

    @property
    def plain(self) -> tuple[Any, ...]:
        """What makes it again in another process, in plain tuples: three times as fast to send."""
        return (
            self.line,
            self.key,
            self.raw_text,
            self.content_hash,
            self.standard.plain if self.standard else None,
            tuple(map(tuple, self.points)),
            tuple(self.outline) if self.outline else None,
        )

    @classmethod
    def of_plain(cls, plain: Sequence[Any]) -> Self:
        """Return the row that `plain` gave."""
        line, key, raw_text, content_hash, standard, found, outlined = plain
        return cls(
            line,
            key,
            raw_text,
            content_hash,
            StandardRow.of_plain(standard) if standard else None,
            tuple(map(Point._make, found)),
            Outline._make(outlined) if outlined else None,
        )

    def standardise(self, reader: RowReader, cells: Cells | None = None) -> None:
        """Make the standard form and all that follows from the row alone, unless it was made.

        `cells` are those of the line, where they are at hand already.
        """
        if self.standard is None:
            self.standard = reader.read(self.raw if cells is None else cells)
            *values, issues = self.standard.record
            self.points = tuple(points(self.standard.record))
            self.outline = outline(self.key, issues, values)

    @property
    def raw(self) -> dict[str, str]:
        """The cells that are kept as received."""
        raw: dict[str, str] = json.loads(self.raw_text)
        return raw

    @property
    def written(self) -> StandardRow:
        """The standard form, which every row to be written has."""
        assert self.standard is not None  # noqa: S101  (sort made it where it was missing)
        return self.standard


class Staged(NamedTuple):
    """Some lines of a staged file: where the next one begins, rows and lines to reject.

    A line to reject is what `staging` wrote.
    """

    end: int
    rows: list[Candidate]
    rejects: list[list[Any]]

    @property
    def plain(self) -> tuple[Any, ...]:
        """The same as it goes between processes."""
        return self.end, [row.plain for row in self.rows], self.rejects

    @classmethod
    def of_plain(cls, plain: Sequence[Any]) -> Self:
        """Return the lines that `plain` gave."""
        end, rows, rejects = plain
        return cls(end, list(map(Candidate.of_plain, rows)), rejects)


def line_of(line: int, cells: Cells) -> bytes:
    """Return a row as a line of a staged file."""
    return b"[%d,%b]\n" % (line, cells_json(cells))


def read_line(text: bytes) -> list[Any]:
    """Return what stands in a line of a staged file."""
    entry: list[Any] = _read(text)
    return entry


def cells_of(line: bytes) -> str:
    """Return the cells of a row's line, as text."""
    return line[line.index(b",") + 1 : -2].decode()


class StagedFile:
    """A staged file read chunk by chunk, from a byte offset on."""

    def __init__(self, path: Path, reader: RowReader, *, offset: int, size: int) -> None:
        self._file = path.open("rb")
        self._file.seek(offset)
        self._end = offset
        self._reader, self._size = reader, size

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def next_chunk(self, *, standardise: bool) -> Staged | None:
        """Return the next chunk of lines, or None behind the last one."""
        rows: list[Candidate] = []
        rejects: list[list[Any]] = []
        for text in islice(self._file, self._size):
            self._end += len(text)
            entry = read_line(text)
            line, cells = entry[:2]
            if cells is None:
                rejects.append(entry)
            else:
                row = Candidate.of(line, cells, self._reader, cells_of(text))
                if standardise:
                    row.standardise(self._reader, cells)
                rows.append(row)
        return Staged(self._end, rows, rejects) if rows or rejects else None
