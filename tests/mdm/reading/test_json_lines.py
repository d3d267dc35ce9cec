"""JSON lines: flat cells from nested objects, and every bad line rejected with its number."""

import json
from pathlib import Path

import pytest

from mdm.mapping import FileOptions
from mdm.reading.rows import BadRow, FileRefused, Row
from mdm.reading.tables import open_table

WANTED = ("id", "name", "address.city")


def read(path: Path, content: bytes) -> list[Row | BadRow]:
    path = path / "upload"
    path.write_bytes(content)
    return list(open_table(path, FileOptions(), WANTED).rows())


def lines(*objects: object) -> bytes:
    return b"".join(json.dumps(entry).encode() + b"\n" for entry in objects)


FULL = {"id": 1, "name": "Béa", "address": {"city": "Lyon"}}


def test_nested_values_become_cells(tmp_path):
    content = lines(
        FULL,
        {"ID": 2, "phones": ["06 39 98 00 01", None, "06 39 98 00 02"], "vip": True},
        {"id": 3, "orders": [{"no": 1}, {"no": 2}], "note": None, "address": {"city": ""}},
    )

    assert [row.cells for row in read(tmp_path, content)] == [
        {"id": "1", "name": "Béa", "address.city": "Lyon"},
        {
            "id": "2",
            "name": "",
            "address.city": "",
            "phones": "06 39 98 00 01; 06 39 98 00 02",
            "vip": "true",
        },
        {"id": "3", "name": "", "address.city": "", "orders.1.no": "1", "orders.2.no": "2"},
    ]


def test_numbers_stay_as_they_were_written(tmp_path):
    content = (
        lines(FULL) + b'{"id": 0123}\n{"id": 12345678901234567890123, "x": 1e400, "y": 0.10}\n'
    )

    _first, bad, row = read(tmp_path, content)

    assert (bad.line, bad.reason) == (2, "no_json")
    assert (row.cells["id"], row.cells["x"], row.cells["y"]) == (
        "12345678901234567890123",
        "1e400",
        "0.10",
    )


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"id": 2', "no_json"),
        (b"not json", "no_json"),
        (b'{"id": NaN}', "no_json"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "no_json"),
        (b"[1, 2]", "no_object"),
        (b'"text"', "no_object"),
        (b'{"id": 2, "id": 3}', "key_twice"),
        (b'{"id": 2, "ID": 3}', "key_twice"),
        (b'{"id": 2, "name": "a\\u0000b"}', "nul"),
        (b'{"id": 2, "name": "a\\ud800b"}', "surrogate"),
        (json.dumps({f"k{n}": n for n in range(1, 2000)}).encode(), "too_many_cells"),
        (json.dumps({"name": "a" * 140_000}).encode(), "unreadable"),
        (b'{"name": "' + b"a" * 5_000_000 + b'"}', "unreadable"),
    ],
)
def test_a_bad_line_is_rejected_and_the_next_one_is_read(tmp_path, line, reason):
    first, bad, last = read(tmp_path, lines(FULL) + line + b"\n" + lines(FULL))

    assert (bad.line, bad.reason) == (2, reason)
    assert "\x00" not in "".join(bad.cells)
    "".join(bad.cells).encode()
    assert (first.line, last.line) == (1, 3)


def test_blank_lines_are_skipped_and_counted(tmp_path):
    rows = read(tmp_path, b"\xef\xbb\xbf\n" + lines(FULL) + b"\r\n \n" + lines(FULL))

    assert [row.line for row in rows] == [2, 5]


def test_half_a_pair_of_surrogates_is_whole_with_its_other_half(tmp_path):
    [row] = read(tmp_path, b'{"id": 1, "name": "\\ud83d\\ude00", "address.city": ""}\n')

    assert row.cells["name"] == "😀"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (json.dumps([FULL, FULL]).encode(), "JSON"),
        (json.dumps(FULL, indent=2).encode(), "JSON"),
        (lines({"id": 1, "name": "a"}), r"address\.city"),
        (lines({"id": 1, "name": "a", "address": {"town": "x"}}), r"address\.town"),
    ],
    ids=["array", "pretty", "column", "near"],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_line(tmp_path, content, words):
    with pytest.raises(FileRefused, match=words) as refusal:
        read(tmp_path, content)

    assert "\n" not in str(refusal.value)


def test_a_column_may_first_appear_far_down(tmp_path):
    content = lines({"id": 1, "name": "a"}) * 5000 + lines(FULL)

    assert len(read(tmp_path, content)) == 5001


def test_curly_braces_in_a_csv_header_are_no_json(tmp_path):
    path = tmp_path / "upload"
    path.write_bytes(b"{id};name\n1;a\n")

    assert open_table(path, FileOptions(), ["{id}"]).layout["format"] == "csv"


def test_all_the_columns_of_the_first_lines_are_shown_when_none_is_asked_for(tmp_path):
    path = tmp_path / "upload"
    path.write_bytes(lines({"id": 1}, {"id": 2, "name": "a"}))

    table = open_table(path, FileOptions(), [])

    assert table.columns == ("id", "name")
    assert [row.cells for row in table.rows()] == [{"id": "1"}, {"id": "2", "name": "a"}]
