"""Opening a file: what it is decides its content, not its name."""

from collections.abc import Sequence
from pathlib import Path

from django.utils.translation import gettext_lazy as _

from mdm.mapping import FileOptions
from mdm.reading.csv_files import CsvTable
from mdm.reading.json_lines import JsonLinesTable, looks_like_json
from mdm.reading.rows import FileRefused, Table
from mdm.reading.xlsx_files import XlsxTable

_HEAD = 1 << 16


def open_table(path: Path, options: FileOptions, wanted: Sequence[str]) -> Table:
    """Return the table of a CSV, XLSX or JSON lines file that has all `wanted` columns.

    Raises:
        FileRefused: when the file is none, is empty, cannot be decoded or lacks a column.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        raise FileRefused(_("The file is empty."))
    if head.startswith(b"PK\x03\x04"):
        return XlsxTable(path, options, wanted)
    if looks_like_json(head):
        return JsonLinesTable(path, options, wanted)
    return CsvTable(path, options, wanted)
