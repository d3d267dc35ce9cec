"""Opening a file: what it is decides its content, not its name."""

from collections.abc import Sequence
from pathlib import Path

from django.utils.translation import gettext as _

from mdm.mapping import FileOptions
from mdm.reading.csv_files import CsvTable
from mdm.reading.rows import FileRefused, Table
from mdm.reading.xlsx_files import XlsxTable


def open_table(path: Path, options: FileOptions, wanted: Sequence[str]) -> Table:
    """Return the table of a CSV or XLSX file that has all `wanted` columns.

    Raises:
        FileRefused: when the file is neither, is empty, cannot be decoded or lacks a column.
    """
    with path.open("rb") as file:
        signature = file.read(4)
    if not signature:
        raise FileRefused(_("The file is empty."))
    if signature == b"PK\x03\x04":
        return XlsxTable(path, options, wanted)
    return CsvTable(path, options, wanted)
