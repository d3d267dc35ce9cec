import csv
from io import BytesIO, StringIO

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.formats import WRITERS
from campaigns.formats.csv import neutral

NASTY = [
    "=1+1", "==1", "+1", "-2+3", "@SUM(1)", "\t=1", "\r=1", " =1", "'quoted", "a;b", 'say "hi"',
    "two\nlines", "\x00=1", "Zoé",
]  # fmt: skip


def written(format, rows, header=("A", "B")):
    file = BytesIO()
    assert WRITERS[format](file, header, rows) == len(rows)
    return file.getvalue()


def read_csv(content):
    assert content.startswith(b"\xef\xbb\xbf")
    text = content.decode("utf-8-sig")
    return list(csv.reader(StringIO(text, newline=""), delimiter=";"))


def read_xlsx(content):
    sheet = openpyxl.load_workbook(BytesIO(content)).active
    return [list(row) for row in sheet.iter_rows()]


@pytest.mark.parametrize("value", NASTY)
def test_no_cell_of_a_csv_is_a_formula(value):
    [_header, [cell, other]] = read_csv(written("csv", [[value, "x"]]))

    assert not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))
    assert cell.removeprefix("'") == value.replace("\x00", "") or cell == value
    assert other == "x"


def test_a_phone_number_stays_readable_for_what_sends_messages():
    assert neutral("+33639981234") == "+33639981234"
    assert neutral("+33 6 39 98 12 34").startswith("'")
    assert neutral("+33639981234+1").startswith("'")


@pytest.mark.parametrize("value", [*NASTY, "+33639981234", "00123", "2026-01-01", "<b>&"])
def test_every_cell_of_an_xlsx_is_text(value):
    [_header, [cell, _other]] = read_xlsx(written("xlsx", [[value, "x"]]))

    assert cell.data_type == "s"
    assert cell.value == value.replace("\x00", "")
    assert cell.number_format == "@"


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2), max_size=4))
def test_a_csv_reads_back_with_as_many_cells(rows):
    rows = [[cell.encode("utf-8", "ignore").decode() for cell in row] for row in rows]

    back = read_csv(written("csv", rows))

    assert [len(row) for row in back] == [2] * (len(rows) + 1)
