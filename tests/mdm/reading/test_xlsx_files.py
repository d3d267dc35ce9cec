"""Workbooks: typed cells become what somebody would have typed; bombs are refused unopened."""

import time
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook

from mdm.mapping import FileOptions
from mdm.reading.rows import FileRefused, Row
from mdm.reading.tables import open_table

WANTED = ("id", "phone", "born")


def workbook(path: Path, *rows: list[object], title: str = "Clients") -> Path:
    path = path / "upload"
    book = Workbook()
    sheet = book.active
    sheet.title = title
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path


def read(path: Path, **options: str) -> list[object]:
    return list(open_table(path, FileOptions(**options), WANTED).rows())


def test_typed_cells_become_text(tmp_path):
    path = workbook(
        tmp_path,
        ["id", "phone", "born", "vip", "amount"],
        [1, 612345678, datetime(1980, 2, 3, tzinfo=UTC).replace(tzinfo=None), True, 12.5],
        [2.0, "0612345678", date(1980, 2, 3)],
        [None, None, None],
        [3, None, datetime(2020, 1, 2, 3, 4, tzinfo=UTC).replace(tzinfo=None), False, 3.0],
    )

    assert [(row.line, list(row.cells.values())) for row in read(path)] == [
        (2, ["1", "612345678", "1980-02-03", "true", "12.5"]),
        (3, ["2", "0612345678", "1980-02-03", "", ""]),
        (5, ["3", "", "2020-01-02T03:04:00", "false", "3"]),
    ]


def test_a_stray_cell_beside_the_table_rejects_its_row(tmp_path):
    path = workbook(tmp_path, ["id", "phone", "born"], [1, 2, None, "oops"], [2, 3, None])

    bad, good = read(path)

    assert (bad.line, bad.reason) == (2, "too_many_cells")
    assert good == Row(3, {"id": "2", "phone": "3", "born": ""})


def test_the_sheet_is_chosen_by_name(tmp_path):
    path = workbook(tmp_path, list(WANTED), [1, 2, None])

    assert len(read(path, sheet="Clients")) == 1
    with pytest.raises(FileRefused, match="Clients"):
        read(path, sheet="Kunden")


def test_an_empty_sheet_is_refused(tmp_path):
    with pytest.raises(FileRefused):
        read(workbook(tmp_path))


def archive(path: Path, members: dict[str, bytes]) -> Path:
    path = path / "upload"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in members.items():
            target.writestr(name, content)
    return path


@pytest.mark.parametrize(
    "members",
    [
        {"[Content_Types].xml": b"<x/>", "xl/sharedStrings.xml": b"a" * 210_000_000},
        {"[Content_Types].xml": b"<x/>", "xl/sharedStrings.xml": b"a" * 50_000_000},
        {"[Content_Types].xml": b"<x/>"} | {f"x{n}": b"" for n in range(1100)},
        {"readme.txt": b"hello"},
        {"[Content_Types].xml": b"<x/>"},
        {"[Content_Types].xml": b"not xml", "xl/workbook.xml": b"&lol;"},
    ],
    ids=["200 MB", "ratio", "members", "zip", "no workbook", "no xml"],
)
def test_a_hostile_archive_is_refused_at_once(tmp_path, members):
    path = archive(tmp_path, members)
    start = time.perf_counter()

    with pytest.raises(FileRefused):
        read(path)

    assert time.perf_counter() - start < 2


def test_a_cut_off_workbook_is_refused(tmp_path):
    path = workbook(tmp_path, list(WANTED), [1, 2, None])
    path.write_bytes(path.read_bytes()[:-200])

    with pytest.raises(FileRefused):
        read(path)


def test_one_cell_at_the_far_end_is_read_in_seconds(tmp_path):
    path = workbook(tmp_path, list(WANTED), [1, 2, None])
    with zipfile.ZipFile(path) as source:
        members = {name: source.read(name) for name in source.namelist()}
    sheet = members["xl/worksheets/sheet1.xml"].decode()
    far = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    members["xl/worksheets/sheet1.xml"] = sheet.replace("</sheetData>", far).encode()
    path = archive(tmp_path, members)
    start = time.perf_counter()

    rows = read(path)

    assert len(rows) == 1
    assert time.perf_counter() - start < 5
