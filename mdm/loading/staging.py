"""Staging: the whole file read once, proved readable, and laid down as lines to load.

Nothing is written to the database meanwhile, so a refusal leaves no trace. A staged line is JSON:
`[line, cells]` to load, or `[line, null, column, value, reason, cells]` to reject.
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec

from mdm import rejects
from mdm.loading.candidates import line_of, read_line
from mdm.loading.other_lines import what_else
from mdm.loading.rows import RowReader
from mdm.reading.rows import BadRow, Row, Table, bad_row

MAX_KEY_LENGTH = 200
_REPORT_EVERY = 2000
_LONG_AGO = datetime.min.replace(tzinfo=UTC)

Report = Callable[[int], None]


@dataclass
class Stage:
    """A staged file: where its lines are, how many, and which of them are overtaken by another."""

    path: Path
    line_count: int = 0
    unread_count: int = 0
    """Rejected lines that may be somebody's: a full file with such does not tell who is gone."""
    overtaken: set[int] = field(default_factory=set)
    # Eight bytes for each key: a million keys weigh 8 MB, where a set of texts weighs 100.
    _key_hashes: "array[int]" = field(default_factory=lambda: array("Q"))

    def holds(self, source_key: str) -> bool:
        """Tell whether a line of the file has this key."""
        wanted = _key_hash(source_key)
        place = bisect_left(self._key_hashes, wanted)
        return place < len(self._key_hashes) and self._key_hashes[place] == wanted

    def lines(self, offset: int = 0) -> Iterator[tuple[int, Any]]:
        """Yield (offset behind the line, staged line) from a byte offset on."""
        with self.path.open("rb") as file:
            file.seek(offset)
            for text in file:
                offset += len(text)
                yield offset, read_line(text)


def stage(table: Table, reader: RowReader, path: Path, report: Report) -> Stage:
    """Read every row of the table and lay the lines down in a file at `path`.

    Raises:
        FileRefused: when the file turns out unreadable on the way.
    """
    staged = Stage(path)
    hashes = array("Q")
    is_returned = rejects.is_returned(table.columns)
    with path.open("wb") as file:
        path.chmod(0o600)
        for row in table.rows():
            if is_returned and isinstance(row, Row):
                row = Row(row.line, rejects.as_sent(row.cells))
            checked, key = _checked(row, reader)
            if isinstance(checked, Row):
                hashes.append(_key_hash(key))
                file.write(line_of(checked.line, checked.cells))
            else:
                staged.unread_count += checked.reason not in rejects.NOBODY
                file.write(msgspec.json.encode([checked.line, None, *checked[1:]]) + b"\n")
            staged.line_count += 1
            if staged.line_count % _REPORT_EVERY == 0:
                file.flush()  # Whoever hears of the lines may read them.
                report(staged.line_count)
    staged._key_hashes = array("Q", sorted(hashes))
    staged.overtaken = _overtaken(staged, reader)
    return staged


def _checked(row: Row | BadRow, reader: RowReader) -> tuple[Row | BadRow, str]:
    """Return the row with its key, or a rejected one."""
    if isinstance(row, BadRow):
        return row, ""
    keys = reader.keys
    if reason := what_else(row.cells, reader):
        return bad_row(row.line, reason, list(row.cells.values())), ""
    key = keys.of(row.cells)
    if 0 < len(key) <= MAX_KEY_LENGTH:
        if keys.column:
            row.cells[keys.column] = key
        return row, key
    reason = "key_too_long" if key else keys.missing
    told = keys.named[:MAX_KEY_LENGTH]
    return bad_row(row.line, reason, list(row.cells.values()), column=told), ""


def _overtaken(staged: Stage, reader: RowReader) -> set[int]:
    """Return the lines whose key stands again in the file: the youngest, else the last, counts."""
    hashes = staged._key_hashes
    pairs = zip(hashes, memoryview(hashes)[1:], strict=False)
    repeated = {one for one, other in pairs if one == other}
    if not repeated:
        return set()
    best: dict[str, tuple[datetime, int]] = {}
    overtaken: set[int] = set()
    for _, entry in staged.lines():
        line, cells = entry[0], entry[1]
        if cells is None:
            continue
        key = reader.keys.of(cells)
        if _key_hash(key) not in repeated:
            continue
        rank = (reader.updated_at(cells) or _LONG_AGO, line)
        if key not in best:
            best[key] = rank
            continue
        overtaken.add(min(best[key], rank)[1])
        best[key] = max(best[key], rank)
    return overtaken


def _key_hash(key: str) -> int:
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big")
