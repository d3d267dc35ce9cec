"""Rows of a workbook that are read without the parser say what they say to the parser."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mdm.mapping import FileOptions
from mdm.reading.rows import FileRefused
from mdm.reading.tables import open_table
from tests.mdm.reading.workbooks import parts, text_row, write

WANTED = ("id", "phone", "born")
SHEET = "xl/worksheets/sheet1.xml"

texts = st.sampled_from(
    ("", "a", "7", "007", "29254", "0.5", "1&amp;2", "b\r\nc", "\td", "é", "\x0b", ">")
)
values = st.sampled_from(
    (
        "",
        "<v>{}</v>",
        "<is><t>{}</t></is>",
        "<is><t xml:space='preserve'>{}</t></is>",
        '<is><t xml:space="preserve">{}</t></is>',
        "<is><r><t>{}</t></r><t>e</t></is>",
        "<f>A1</f>",
        "<f>A1</f><v>{}</v>",
        "<v><![CDATA[{}]]></v>",
    )
)
places = st.sampled_from(
    ("", ' r="A1"', ' r="B1"', ' r="C1"', ' r="F1"', ' r="AB1"', ' r="a1"', ' r="AAAA1"')
)
marks = st.sampled_from(
    ("", ' s="3"', ' s="9"', ' t="s"', ' t="inlineStr"', ' s="1" t="n"', ' t="b"', ' t="e"')
)
anything = st.builds(
    lambda place, mark, value, text: f"<c{place}{mark}>{value.format(text)}</c>",
    places, marks, values, texts,
)  # fmt: skip
plain = st.builds(
    lambda text, kind: f'<c r="{{}}1"{kind[0]}>{kind[1].format(text)}</c>',
    texts,
    st.sampled_from(
        ((' t="inlineStr"', "<is><t>{}</t></is>"), (' s="1"', "<v>{}</v>"), ("", "<v>{}</v>"))
    ),
)
plain_cells = st.lists(plain, max_size=4).map(
    lambda found: "".join(map(str.format, found, "ABDE"))
)
cells = plain_cells | st.lists(anything, max_size=3).map("".join)
openings = st.sampled_from(("<row>", '<row r="{}">', '<row r="{}" spans="1:3" x:d="0.2">'))
between = st.sampled_from(
    ("{}", "{}", "{}", "\n{}", "<row/>{}", '<row r="8"/>{}', "<x>{}</x>", "<!--{}-->", "<x>{}")
)
rows = st.lists(st.tuples(between, openings, cells), max_size=4)


def text_cell(letters: str, text: str) -> str:
    return f'<c r="{letters}2" t="inlineStr"><is><t>{text}</t></is></c>'


def told(folder: Path, sheet: str) -> object:
    """Return the rows of a sheet, or that it is refused."""
    members = {
        **parts(strings="<sst><si><t>s</t></si></sst>"),
        SHEET: f"<worksheet>{sheet}</worksheet>",
    }
    try:
        path = write(folder / "upload", members)
        return list(open_table(path, FileOptions(), WANTED).rows())
    except FileRefused:
        return "refused"


def same_by_the_parser(folder: Path, rows: str) -> bool:
    """Compare with the same sheet behind a comment: from there on, the parser reads everything."""
    sheet = f"<sheetData>{text_row(*WANTED)}{rows}</sheetData>"
    return told(folder, sheet) == told(folder, f"<!-- -->{sheet}")


@pytest.mark.parametrize(
    "cells",
    [
        text_cell("A", "1&amp;2"),
        text_cell("A", "1&nbsp;2"),
        text_cell("A", "b\r\nc"),
        text_cell("A", "b\x0bc"),
        text_cell("A", "b\ufffec"),
        text_cell("A", "b]]>c"),
        text_cell("A", "7") + text_cell("AB", "8"),
        text_cell("B", "7") + text_cell("A", "8"),
        text_cell("A", "7") + text_cell("XFE", "8"),
        text_cell("A", "7") + "\n" + text_cell("B", "8"),
        text_cell("A", "7") + "b" + text_cell("B", "8"),
        '<c r="A2" s="3"><v>29254</v></c><c r="B2" s="1"><v>7</v></c><c r="C2" s="1"/>',
        '<c r="A2" s="99"><v>7</v></c>',
        '<c r="A2" t="s"><v>0</v></c><c r="B2" t="b"><v>1</v></c>',
        '<c r="A2" t="s"><v>1</v></c>',
        '<c r="A2"><f>B2</f></c>',
        '<c r="A2"><v>7</v></c><!-- --><c r="B2"><v>8</v></c>',
    ],
)
@pytest.mark.parametrize(
    "around", ["{}", "<!--</row>{}-->", "<x>{}</x>", "<x>{}", '{}<row r="2"/>']
)
def test_a_row_that_looks_plain_says_what_the_parser_hears(tmp_path, cells, around):
    assert same_by_the_parser(tmp_path, around.format(f'<row r="2" spans="1:3">{cells}</row>'))


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=rows)
def test_a_row_says_the_same_with_and_without_the_parser(tmp_path, rows):
    assert same_by_the_parser(
        tmp_path,
        "".join(
            around.format(f"{opening.format(line)}{row}</row>")
            for line, (around, opening, row) in enumerate(rows, start=2)
        ),
    )


def test_a_plain_row_may_lie_across_the_pieces_of_a_file(tmp_path):
    numbers = range(2, 700)
    content = "".join(
        f'<row r="{n}"><c r="A{n}"><v>{n}</v></c>'
        f'<c r="B{n}" t="inlineStr"><is><t>{"é" * n}</t></is></c></row>'
        for n in numbers
    )

    found = told(tmp_path, f"<sheetData>{text_row(*WANTED)}{content}</sheetData>")

    assert isinstance(found, list)
    assert [(row.line, row.cells["id"], row.cells["phone"]) for row in found] == [
        (n, str(n), "é" * n) for n in numbers
    ]
