"""Rows of a staged file made ready to be compared with what is stored; knows no database."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from mdm.loading.rows import RowReader, StandardRow


@dataclass(slots=True)
class Candidate:
    """A row with its key, its raw values as JSON and, once it was made, its standard form."""

    line: int
    key: str
    raw_text: str
    content_hash: str
    standard: StandardRow | None = None

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

    Rows are the fields of a Candidate, as they go from one process to another; a line to reject
    is what `staging` wrote.
    """

    end: int
    rows: list[tuple[Any, ...]]
    rejects: list[list[Any]]


def candidate_fields(
    line: int, cells: dict[str, str], reader: RowReader, *, standardise: bool
) -> tuple[Any, ...]:
    """Return the fields of the Candidate of a row, standardised only when asked for."""
    raw = reader.raw(cells)
    raw_text = reader.raw_text(raw)
    standard = reader.read(raw) if standardise else None
    return line, cells[reader.key_column], raw_text, reader.content_hash(raw_text), standard


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
        rows: list[tuple[Any, ...]] = []
        rejects: list[list[Any]] = []
        for entry in self._entries(islice(self._file, self._size)):
            line, cells = entry[:2]
            if cells is None:
                rejects.append(entry)
            else:
                rows.append(candidate_fields(line, cells, self._reader, standardise=standardise))
        return Staged(self._end, rows, rejects) if rows or rejects else None

    def _entries(self, texts: Iterable[bytes]) -> Iterator[list[Any]]:
        for text in texts:
            self._end += len(text)
            yield json.loads(text)
