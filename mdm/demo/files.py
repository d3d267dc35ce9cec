"""Write the three files of the company, line by line, so that memory does not grow with them."""

import csv
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from openpyxl import Workbook

from mdm.demo.shop import Cell


def write_csv(
    path: Path,
    columns: Sequence[str],
    rows: Iterable[Sequence[str | int]],
    *,
    encoding: str = "utf-8",
    delimiter: str = ",",
    line_end: str = "\n",
) -> None:
    """Write a header and rows as the exporting system would."""
    with path.open("w", encoding=encoding, newline="") as stream:
        writer = csv.writer(stream, delimiter=delimiter, lineterminator=line_end)
        writer.writerow(columns)
        writer.writerows(rows)


def write_workbook(
    path: Path,
    columns: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    sheet: str,
    now: datetime,
) -> None:
    """Write one sheet with typed cells: true dates, numbers where the spreadsheet saw numbers."""
    workbook = Workbook(write_only=True)
    workbook.properties.created = workbook.properties.modified = now
    page = workbook.create_sheet(sheet)
    page.append(list(columns))
    for row in rows:
        page.append(list(row))
    workbook.save(path)
