"""File formats of target lists: each writes rows of text to a binary file, streaming."""

from collections.abc import Callable, Iterable, Sequence
from typing import IO

from campaigns.formats import csv, xlsx

Write = Callable[[IO[bytes], Sequence[str], Iterable[Sequence[str]]], int]

WRITERS: dict[str, Write] = {"csv": csv.write, "xlsx": xlsx.write}
"""Format → function that writes a header and rows and returns the number of rows."""

CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
