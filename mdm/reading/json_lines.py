"""JSON lines: one object a line; what is nested becomes columns of its own.

`{"address": {"city": "Lyon"}}` has the column `address.city`, `{"phones": ["06…", "07…"]}` the
column `phones` with both numbers, and `{"orders": [{"id": 1}]}` the column `orders.1.id`.
Numbers stay as they are written, `true` and `false` are these words, `null` is a blank cell.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import IO, Any

from django.utils.translation import gettext_lazy as _

from mdm.mapping import FileOptions
from mdm.reading.encodings import find_encoding
from mdm.reading.rows import (
    MAX_COLUMNS,
    BadRow,
    FileRefused,
    Row,
    bad_row,
    checked_row,
    column_name,
    refuse_missing,
)

_LONGEST_LINE = 1 << 22
_LIST_SEPARATOR = "; "
_LONGEST_KEY = 200
_LINES_SHOWN = 1000
_MOST_NAMES = 10_000  # Of columns remembered; a file may invent new ones on every line.
_OBJECT = re.compile(r'\{\s*["}]')
_ARRAY = re.compile(r'\[\s*\{\s*["}]')


class _NotUsable(Exception):
    """The line is JSON, but no flat set of cells; the text is the reason's code."""


class JsonLinesTable:
    """A file of JSON objects. Objects need not have the same keys."""

    expected_count: int | None = None

    def __init__(self, path: Path, options: FileOptions, wanted: Sequence[str]) -> None:
        self._path = path
        self._wanted = tuple(wanted)
        self._spelling = {name.casefold(): name for name in wanted}
        self._names: dict[str, str] = {}
        self._encoding = find_encoding(path, options.encoding)
        self.columns = self._find_columns()

    @property
    def layout(self) -> dict[str, Any]:
        """Return how the file is read, for people and for the next reading."""
        return {"format": "jsonl", "encoding": self._encoding}

    def rows(self) -> Iterator[Row | BadRow]:
        """Yield every line that is not blank, in order."""
        with self._open() as file:
            for number, line in enumerate(_lines(file), start=1):
                if line is None:
                    yield bad_row(number, "unreadable", [])
                elif line.strip():
                    yield self._row(number, line)

    def _row(self, number: int, line: str) -> Row | BadRow:
        try:
            cells = self._cells(line)
        except _NotUsable as flaw:
            return bad_row(number, str(flaw), [line.rstrip("\r\n")])
        except (ValueError, RecursionError):  # JSONDecodeError is a ValueError.
            return bad_row(number, "no_json", [line.rstrip("\r\n")])
        return checked_row(number, tuple(cells), tuple(cells.values()))

    def _cells(self, line: str) -> dict[str, str]:
        # A key that is missing, null or blank says the same: nothing.
        cells = dict.fromkeys(self._wanted, "")
        for count, (path, value) in enumerate(_flatten(_parse(line), "")):
            if count == MAX_COLUMNS:
                raise _NotUsable("too_many_cells")
            name = self._name(path)
            if cells.get(name):
                raise _NotUsable("key_twice")
            if value or name in cells:
                cells[name] = value
        return cells

    def _name(self, path: str) -> str:
        name = self._names.get(path)
        if name is None:
            name = column_name(path) or "?"
            name = self._spelling.get(name.casefold(), name)
            if len(self._names) < _MOST_NAMES:
                self._names[path] = name
        return name

    def _find_columns(self) -> tuple[str, ...]:
        """Read until every wanted column was seen, which is nearly always on the first line.

        When none is asked for, those of the first lines are all there is to show.
        """
        seen: dict[str, None] = {}
        with self._open() as file:
            for line in _lines(file) if self._wanted else islice(_lines(file), _LINES_SHOWN):
                if not line or not line.strip():
                    continue
                with suppress(_NotUsable, ValueError, RecursionError):
                    paths = islice(_flatten(_parse(line), ""), MAX_COLUMNS)
                    seen |= dict.fromkeys(self._name(path) for path, _value in paths)
                is_complete = bool(self._wanted) and seen.keys() >= set(self._wanted)
                if is_complete or len(seen) > _MOST_NAMES:
                    break
        refuse_missing([name for name in self._wanted if name not in seen], list(seen))
        return tuple(seen)

    def _open(self) -> IO[str]:
        return self._path.open(encoding=self._encoding, newline=None)


def looks_like_json(head: bytes) -> bool:
    """Tell whether a file starts as JSON lines do.

    Raises:
        FileRefused: when it is one JSON document over many lines.
    """
    # Good enough for the first signs, in whichever encoding they are.
    start = head.replace(b"\0", b"").decode("latin-1").lstrip("ï»¿ÿþ \t\r\n")
    lines = [line.strip() for line in start.splitlines()]
    if _OBJECT.match(start):
        if lines[0].endswith("}") or len(lines) == 1 or lines[1].startswith("{"):
            return True
    elif not _ARRAY.match(start):
        return False
    raise FileRefused(
        _("This is one JSON document: write JSON lines, one object {…} on each line.")
    )


def _lines(file: IO[str]) -> Iterator[str | None]:
    """Yield each line, None for one that is too long to be a customer."""
    while line := file.readline(_LONGEST_LINE):
        if len(line) < _LONGEST_LINE:
            yield line
            continue
        while line and not line.endswith("\n"):
            line = file.readline(_LONGEST_LINE)
        yield None


def _flatten(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield (path, text) of every plain value."""
    if isinstance(value, dict):
        for key, inner in value.items():
            key = key[:_LONGEST_KEY]
            yield from _flatten(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        if any(isinstance(inner, dict | list) for inner in value):
            for number, inner in enumerate(value, start=1):
                yield from _flatten(inner, f"{path}.{number}")
        else:
            yield path, _LIST_SEPARATOR.join(filter(None, map(_text, value)))
    else:
        yield path, _text(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _parse(line: str) -> Mapping[str, Any]:
    found = json.loads(
        line,
        object_pairs_hook=_without_repetition,
        parse_float=str,
        parse_int=str,
        parse_constant=_refuse_constant,
    )
    if not isinstance(found, dict):
        raise _NotUsable("no_object")
    return found


def _without_repetition(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _NotUsable("key_twice")
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(name)
