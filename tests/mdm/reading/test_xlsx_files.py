"""Workbooks: typed cells become what somebody would have typed; bombs are refused unopened."""

import zipfile
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from mdm.mapping import FileOptions
from mdm.reading.rows import FileRefused, Row
from mdm.reading.tables import open_table
from tests.effort import takes_at_most
from tests.mdm.reading.workbooks import (
    DATE,
    PHONE,
    POSTCODE,
    RED,
    SHORT_DATE,
    number_row,
    parts,
    text_row,
    write,
)

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


def test_titles_above_the_names_are_skipped_and_their_line_can_be_told(tmp_path):
    path = workbook(tmp_path, ["Clients"], ["au", "24/11/2026"], [], list(WANTED), [1, 2, None])

    found, told = (open_table(path, FileOptions(header=line), []) for line in (0, 2))

    assert (found.columns, found.layout["header"]) == (WANTED, 4)
    assert (told.columns, told.layout["header"]) == (("au", "24/11/2026"), 2)
    with pytest.raises(FileRefused, match="3"):
        open_table(path, FileOptions(header=3), [])


def test_an_empty_sheet_is_refused(tmp_path):
    with pytest.raises(FileRefused):
        read(workbook(tmp_path))


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
    """A zip in a zip, names that climb out, thousands of members (A-IMP-04)."""
    path = write(tmp_path / "upload", members)

    def refuse(_number: int) -> None:
        with pytest.raises(FileRefused):
            read(path)

    assert takes_at_most(20, refuse)


def test_a_cut_off_workbook_is_refused(tmp_path):
    path = workbook(tmp_path, list(WANTED), [1, 2, None])
    path.write_bytes(path.read_bytes()[:-200])

    with pytest.raises(FileRefused):
        read(path)


def test_one_cell_at_the_far_end_costs_nothing(tmp_path):
    far = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    write(tmp_path / "upload", parts(text_row(*WANTED), text_row("1", "2", ""), far))

    row, stray = read(tmp_path / "upload")

    assert row.cells["id"] == "1"
    assert (stray.line, stray.reason) == (1_048_576, "too_many_cells")


def test_numbers_are_read_as_they_are_shown(tmp_path):
    rows = [
        number_row((1000, POSTCODE), (612345678, PHONE), (29254, DATE)),
        number_row((97400, POSTCODE), ("3.3612345678E10", 0), (29254, SHORT_DATE)),
        number_row(("5.0999999999999996", 0), ("1e400", 0), (29254, RED)),
        number_row((12345678901234567890, 0), ("-3", 0), ("29254.75", DATE)),
    ]
    write(tmp_path / "upload", parts(text_row(*WANTED), *rows))

    assert [list(row.cells.values()) for row in read(tmp_path / "upload")] == [
        ["01000", "0612345678", "1980-02-03"],
        ["97400", "33612345678", "1980-02-03"],
        ["5.1", "1e400", "29254"],
        ["12345678901234567890", "-3", "1980-02-03T18:00:00"],
    ]


@pytest.mark.parametrize(
    ("number", "is_1904", "text"),
    [
        (29254, False, "1980-02-03"),
        (27792, True, "1980-02-03"),
        (1, False, "1900-01-01"),
        (59, False, "1900-02-28"),
        (61, False, "1900-03-01"),
        (0, False, "1899-12-30"),
        (0.5, False, "12:00:00"),
        (99_999_999, False, "99999999"),
        (-1, False, "-1"),
    ],
)
def test_a_date_is_counted_from_the_first_day_of_its_workbook(tmp_path, number, is_1904, text):
    row = number_row((1, 0), (2, 0), (number, DATE))
    write(tmp_path / "upload", parts(text_row(*WANTED), row, is_1904=is_1904))

    assert [row.cells["born"] for row in read(tmp_path / "upload")] == [text]


def test_a_workbook_of_a_spreadsheet_with_dates_since_1904(tmp_path):
    path = tmp_path / "upload"
    book = Workbook()
    book.epoch = CALENDAR_MAC_1904
    book.active.append(list(WANTED))
    book.active.append([1, None, date(1980, 2, 3)])
    book.save(path)

    assert [row.cells["born"] for row in read(tmp_path / "upload")] == ["1980-02-03"]


def test_shared_strings_keep_their_runs_and_lose_their_pronunciation(tmp_path):
    strings = "<sst><si><r><t>LE </t></r><r><t>GOFF</t></r><rPh><t>x</t></rPh></si></sst>"
    row = '<row><c t="s"><v>0</v></c></row>'
    write(tmp_path / "upload", parts(text_row(*WANTED), row, strings=strings))

    assert [row.cells["id"] for row in read(tmp_path / "upload")] == ["LE GOFF"]


def test_an_error_of_the_workbook_is_no_value(tmp_path):
    row = '<row><c><v>1</v></c><c t="e"><v>#N/A</v></c><c t="b"><v>1</v></c></row>'
    write(tmp_path / "upload", parts(text_row(*WANTED), row))

    assert [list(row.cells.values()) for row in read(tmp_path / "upload")] == [["1", "", "true"]]


def test_a_formula_without_its_result_rejects_its_row(tmp_path):
    missing = '<row><c><v>1</v></c><c><f>A1&amp;"x"</f></c></row>'
    beside = '<row><c><v>2</v></c><c r="D4"><f>1+1</f></c></row>'
    known = '<row><c><v>3</v></c><c t="str"><f>A1</f><v>06</v></c></row>'
    write(tmp_path / "upload", parts(text_row(*WANTED, "note"), missing, known, beside))

    bad, good, other = read(tmp_path / "upload")

    assert (bad.line, bad.reason, bad.column) == (2, "no_result", "phone")
    assert (good.cells["phone"], other.cells["id"]) == ("06", "2")


def test_the_sheet_with_the_columns_is_found_and_hidden_ones_are_left(tmp_path):
    book = Workbook()
    book.active.title = "Read me"
    book.active.append(["Extracted on", date(2024, 1, 1)])
    for title, name in (("Hidden", "A"), ("Clients", "B")):
        other = book.create_sheet(title)
        other.append(["Customers of the year"])
        other.append(list(WANTED))
        other.append([1, name, None])
    book["Hidden"].sheet_state = "hidden"
    book.save(tmp_path / "upload")

    [row] = read(tmp_path / "upload")

    assert (row.line, row.cells["phone"]) == (3, "B")
    assert read(tmp_path / "upload", sheet="Hidden")[0].cells["phone"] == "A"


LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>'
)
OUTSIDE = '<!DOCTYPE x [<!ENTITY c SYSTEM "{}">]>'


@pytest.mark.parametrize(
    "doctype",
    [
        LAUGHS,
        f'<!DOCTYPE x [<!ENTITY c "{"a" * 50_000}">]>',
        OUTSIDE.format("file:///etc/passwd"),
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">',
    ],
    ids=["laughs", "quadratic", "file", "http"],
)
@pytest.mark.parametrize(
    "part",
    [
        "xl/sharedStrings.xml",
        "xl/workbook.xml",
        "xl/_rels/workbook.xml.rels",
        "xl/styles.xml",
        "xl/worksheets/sheet1.xml",
    ],
)
def test_entities_are_refused_wherever_they_stand(tmp_path, doctype, part):
    """Billion laughs and entities of files and addresses (A-IMP-03)."""
    members = parts(
        text_row(*WANTED),
        '<row><c t="s"><v>0</v></c></row>',
        strings="<sst><si><t>a</t></si></sst>",
    )
    members[part] = doctype + members[part].replace("<t>a</t>", "<t>&c;&c;</t>")
    write(tmp_path / "upload", members)

    with pytest.raises(FileRefused) as refusal:
        read(tmp_path / "upload")

    assert "root" not in str(refusal.value)


def hidden_behind(rows: str) -> dict[str, str]:
    return parts(text_row(*WANTED), rows)


@pytest.mark.parametrize(
    "members",
    [
        hidden_behind('<row r="5"/><row r="3"><c><v>1</v></c></row>'),
        hidden_behind('<row r="2000000"><c><v>1</v></c></row>'),
        hidden_behind('<row r="-1"><c><v>1</v></c></row>'),
        hidden_behind('<row r="two"><c><v>1</v></c></row>'),
        hidden_behind('<row><c r="B2"><v>1</v></c><c r="A2"><v>2</v></c></row>'),
        hidden_behind('<row><c r="A2"><v>1</v></c><c r="A2"><v>2</v></c></row>'),
        hidden_behind('<row><c r="ZZZZ2"><v>1</v></c></row>'),
        hidden_behind(f"<row>{'<c/>' * 20_000}</row>"),
        hidden_behind('<row><c t="s"><v>7</v></c></row>'),
        hidden_behind('<row><c t="s"><v>-7</v></c></row>'),
        hidden_behind('<row><c t="s"><v>x</v></c></row>'),
        hidden_behind('<row><c s="99"><v>1</v></c></row>'),
        hidden_behind("<row><c><v>1</v></row>"),
        {**hidden_behind(""), "xl/workbook.xml": "<workbook/>"},
        {**hidden_behind(""), "xl/worksheets/sheet1.xml": b"\x00\x01"},
        {k: v for k, v in hidden_behind("").items() if "sheet1" not in k},
    ],
)
def test_a_workbook_no_spreadsheet_writes_is_refused(tmp_path, members):
    write(tmp_path / "upload", members)

    with pytest.raises(FileRefused) as refusal:
        read(tmp_path / "upload")

    assert "\n" not in str(refusal.value)


def test_members_of_one_name_are_refused(tmp_path):
    path = write(tmp_path / "upload", parts(text_row(*WANTED)))
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/workbook.xml", "<other/>")

    with pytest.raises(FileRefused):
        read(tmp_path / "upload")


def test_only_the_usual_compression_is_read(tmp_path):
    write(tmp_path / "upload", parts(text_row(*WANTED)), zipfile.ZIP_LZMA)

    with pytest.raises(FileRefused):
        read(tmp_path / "upload")


def test_a_password_is_asked_to_be_taken_off(tmp_path):
    path = write(tmp_path / "upload", parts(text_row(*WANTED)))
    content = bytearray(path.read_bytes())
    place = content.find(b"PK\x01\x02")
    content[place + 8] |= 1  # The flag of an encrypted member.
    path.write_bytes(content)

    with pytest.raises(FileRefused, match=r"password|passe"):
        read(tmp_path / "upload")


def test_a_row_longer_than_any_customer_is_rejected(tmp_path):
    strings = f"<sst><si><t>{'a' * 32_000}</t></si></sst>"
    row = "<row>" + '<c t="s"><v>0</v></c>' * 900 + "</row>"
    write(tmp_path / "upload", parts(text_row(*WANTED), row, strings=strings))

    [bad] = read(tmp_path / "upload")

    assert (bad.line, bad.reason) == (2, "unreadable")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(place=st.floats(0, 1), noise=st.binary(min_size=1, max_size=8), part=st.integers(1, 5))
def test_noise_in_a_workbook_is_refused_or_read(tmp_path, place, noise, part):
    members = parts(
        text_row(*WANTED),
        number_row((1, POSTCODE), (2, PHONE), (29254, DATE)),
        '<row><c t="s"><v>0</v></c></row>',
        strings="<sst><si><t>a</t></si></sst>",
    )
    name = list(members)[part]
    content = members[name].encode()
    cut = int(place * len(content))
    noisy: dict[str, bytes] = {key: value.encode() for key, value in members.items()}
    noisy[name] = content[:cut] + noise + content[cut + len(noise) :]
    write(tmp_path / "upload", noisy)

    with suppress(FileRefused):
        read(tmp_path / "upload")
