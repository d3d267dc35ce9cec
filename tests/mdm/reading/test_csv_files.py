"""CSV files as systems write them, and as nobody should."""

from pathlib import Path

import pytest

from mdm.mapping import FileOptions
from mdm.reading.rows import BadRow, FileRefused, Row
from mdm.reading.tables import open_table

WANTED = ("id", "nom", "ville")


def read(path: Path, content: bytes, **options: str) -> list[Row | BadRow]:
    path = path / "upload"
    path.write_bytes(content)
    return list(open_table(path, FileOptions(**options), WANTED).rows())


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-32"]
)
def test_delimiter_and_encoding_are_found_out(tmp_path, delimiter, encoding):
    text = "id;nom;ville\r\n1;Béa;Orléans\r\n".replace(";", delimiter)

    assert read(tmp_path, text.encode(encoding)) == [
        Row(2, {"id": "1", "nom": "Béa", "ville": "Orléans"})
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_end_of_line_will_do(tmp_path, end):
    text = 'id,nom,ville\n1,"a\nb",c\n\n2,d,e\n'.replace("\n", end)

    rows = read(tmp_path, text.encode())

    assert [(row.line, row.cells["nom"]) for row in rows] == [(2, f"a{end}b"), (5, "d")]


@pytest.mark.parametrize("delimiter", ["^", "~", ":", "\x1f", "#"])
def test_rarer_delimiters_are_found_or_told(tmp_path, delimiter):
    text = "id;nom;ville\n1;a;b\n".replace(";", delimiter)
    told = {"delimiter": delimiter} if delimiter == "#" else {}

    assert len(read(tmp_path, text.encode(), **told)) == 1


def test_apostrophes_may_be_the_quotation_marks(tmp_path):
    [row] = read(tmp_path, b"'id','nom','ville'\n'1','LE GOFF, Anne','L''Isle'\n")

    assert list(row.cells.values()) == ["1", "LE GOFF, Anne", "L'Isle"]


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("id;adresse\n1;12 rue Foch, 75002, Paris\n2;3 rue X, Bât B, Sens\n", ("id", "adresse")),
        ("id;client\n" + '1;"Luc, 3 rue X, Sens"\n' * 9, ("id", "client")),
        ("id,nom,tags\n1,Luc,a;b;c\n2,Anne,d;e;f;g\n", ("id", "nom", "tags")),
        ('client\n"Luc, l\'Eglise, Sens"\n"Anne, l\'Eglise, Sens"\n', ("client",)),
        ("Clients\n\nid;nom;note\n1;Luc;a, b, c\n2;Anne;d, e, f\n", ("id", "nom", "note")),
        ("id;nom\n1;'Luc; 3'\n2;'Anne; 4'\n", ("id", "nom")),
    ],
)
def test_signs_inside_the_values_of_an_unknown_file_are_no_delimiters(tmp_path, text, columns):
    path = tmp_path / "upload"
    path.write_text(text, encoding="utf-8")

    assert open_table(path, FileOptions(), ()).columns == columns


def test_a_delimiter_at_the_end_of_each_line_shifts_nothing(tmp_path):
    rows = read(
        tmp_path,
        b"id;nom;ville\n1;a;b;\n2;c;d;\n3;x;c;d;\n4;e;f;\n5;g;h;\n6;i\n7;j;k\n8;l;m;\n9;n;o;\n10;p;q;\n11;r;s;\n12;t;u;\n",
    )

    assert [row.line for row in rows if isinstance(row, Row)] == [2, 3, 5, 6, 9, 10, 11, 12, 13]
    assert [(row.line, row.reason) for row in rows if isinstance(row, BadRow)] == [
        (4, "too_many_cells"), (7, "too_few_cells"), (8, "too_few_cells"),
    ]  # fmt: skip


def test_a_blank_cell_too_many_on_one_line_may_have_shifted_the_others(tmp_path):
    [good, bad] = read(tmp_path, b"id;nom;ville\n1;a;b\n2;DUPONT;SA;\n")

    assert (good.line, bad.reason) == (2, "too_many_cells")


def test_lines_of_blanks_are_no_header(tmp_path):
    path = tmp_path / "upload"
    path.write_bytes(b"\r\n \r\n")

    with pytest.raises(FileRefused):
        open_table(path, FileOptions(), ())


def test_excel_may_tell_the_delimiter_on_a_line_of_its_own(tmp_path):
    [row] = read(tmp_path, b"sep=#\r\nid#nom#ville\r\n1#a#b\r\n")

    assert row == Row(3, {"id": "1", "nom": "a", "ville": "b"})


def test_titles_above_the_header_are_skipped(tmp_path):
    content = b"Clients au 31/12/2024;;\n\nService;CRM;\nid;nom;ville\n1;a;b\n"

    assert read(tmp_path, content) == [Row(5, {"id": "1", "nom": "a", "ville": "b"})]


def test_a_header_that_comes_again_is_no_customer(tmp_path):
    _first, bad, _last = read(tmp_path, b"id,nom,ville\n1,a,b\nid,nom,ville\n2,c,d\n")

    assert (bad.line, bad.reason) == (3, "header_again")


def test_two_encodings_in_one_file_are_each_read_as_written(tmp_path):
    content = b"id,nom,ville\n" + "1,Béa,Orléans\n".encode() + "2,Zoé,€\n".encode("cp1252")
    path = tmp_path / "upload"
    path.write_bytes(content)

    table = open_table(path, FileOptions(), WANTED)

    assert [row.cells["nom"] for row in table.rows()] == ["Béa", "Zoé"]
    assert [row.cells["ville"] for row in table.rows()] == ["Orléans", "€"]
    with pytest.raises(FileRefused, match="2"):
        read(tmp_path, content, encoding="cp1252")


def test_a_letter_across_two_blocks_is_seen_as_utf8(tmp_path):
    start = b"id,nom,ville\n1,"
    content = start + b"a" * ((1 << 20) - len(start) - 1) + "é,b\n2,c,".encode() + b"\xe9\n"
    path = tmp_path / "upload"
    path.write_bytes(content)

    assert open_table(path, FileOptions(), WANTED).layout["encoding"] == "utf8_or_cp1252"


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
def test_the_layout_says_how_the_file_was_read_and_reads_it_again(tmp_path, encoding):
    path = tmp_path / "upload"
    path.write_bytes("id|nom|ville\n1|Béa|Orléans\n".encode(encoding))

    table = open_table(path, FileOptions(), WANTED)
    again = open_table(path, FileOptions().over(table.layout), WANTED)

    assert table.layout["encoding"].startswith(encoding)
    assert (table.layout["format"], table.layout["delimiter"]) == ("csv", "|")
    assert list(again.rows()) == list(table.rows())


def test_columns_are_found_in_any_case_and_others_are_kept(tmp_path):
    rows = read(tmp_path, b"ID,Nom,VILLE,Note,Note\n1,a,b,c,d\n")

    assert rows == [Row(2, {"id": "1", "nom": "a", "ville": "b", "Note": "c", "Note (5)": "d"})]


def test_lines_are_counted_as_an_editor_counts_them(tmp_path):
    rows = read(tmp_path, b'\nid,nom,ville\n\n1,"a\nb",c\n2,d,e\n,,\n')

    assert [(row.line, row.cells["nom"]) for row in rows] == [(4, "a\nb"), (6, "d")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"1,a,b,c", "too_many_cells"),
        (b"1,a", "too_few_cells"),
        (b"1,a\x00,b", "nul"),
        (b"1," + b"a" * 200_000 + b",b", "unreadable"),
        (b"1,a,b," + b"," * 5_000_000 + b"x", "unreadable"),
    ],
)
def test_a_bad_line_is_rejected_and_the_next_one_is_read(tmp_path, line, reason):
    bad, good = read(tmp_path, b"id,nom,ville\n" + line + b"\n2,c,d\n")

    assert (bad.line, bad.reason) == (2, reason)
    assert not any("\x00" in cell for cell in bad.cells)
    assert good == Row(3, {"id": "2", "nom": "c", "ville": "d"})


def test_a_quote_left_open_is_said_so(tmp_path):
    [bad] = read(tmp_path, b'id,nom,ville\n1,"a,b\n2,c,d\n')

    assert (bad.line, bad.reason) == (2, "unclosed_quote")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "vide|empty"),
        (b"\n\n\n", "vide|empty"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 100, "PNG"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xlsx"),
        (b"<!DOCTYPE html><html>", "CSV"),
        (bytes(range(1, 32)) * 100, "CSV"),
        (b"id,nom,ville\n1,\x81\x8d,b\n", "2"),
        (b"id,nom\n1,a\n", "ville"),
        (b"id,nom,ville,nom\n1,a,b,c\n", "nom"),
        (b"1,a,b\n2,c,d\n", "id"),
        (b",".join(b"c%d" % n for n in range(2000)) + b"\n", "1000"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_line(tmp_path, content, words):
    with pytest.raises(FileRefused, match=words) as refusal:
        read(tmp_path, content)

    assert "\n" not in str(refusal.value)


def test_a_wrong_encoding_is_refused_with_its_line(tmp_path):
    content = "id,nom,ville\n1,a,b\n2,é,c\n"

    with pytest.raises(FileRefused, match="3"):
        read(tmp_path, content.encode("cp1252"), encoding="utf-8")
    with pytest.raises(FileRefused, match="UTF-8"):
        read(tmp_path, content.encode(), encoding="cp1252")


def test_two_million_empty_lines_are_skipped(tmp_path):
    rows = read(tmp_path, b"id,nom,ville\n" + b"\n" * 2_000_000 + b"1,a,b\n")

    assert [row.line for row in rows] == [2_000_002]


TITLES = "Export du CRM;;\nau;24/11/2026;\n\nid;nom;ville\n1;a;b\n"


def test_titles_above_the_names_are_skipped_before_anybody_knows_the_names(tmp_path):
    path = tmp_path / "file.csv"
    path.write_text(TITLES)

    table = open_table(path, FileOptions(), [])

    assert table.columns == ("id", "nom", "ville")
    assert (table.layout["header"], [row.line for row in table.rows()]) == (4, [5])


def test_a_line_of_names_that_is_told_is_taken_or_missed_in_words(tmp_path):
    path = tmp_path / "file.csv"
    path.write_text(TITLES)

    told = open_table(path, FileOptions(header=2), [])

    assert told.columns[:2] == ("au", "24/11/2026")
    assert [row.line for row in told.rows()] == [4, 5]
    with pytest.raises(FileRefused, match="3"):
        open_table(path, FileOptions(header=3), [])
