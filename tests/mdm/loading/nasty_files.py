"""Files as nobody should send them and many do: one trap each, made by code.

docs/loading.md holds the same list in words; a test keeps both equal.
"""

import gzip
import io
import json
import zipfile
from dataclasses import dataclass, field
from typing import Any

from tests.mdm.loading.files import COLUMNS, csv_bytes, row
from tests.mdm.reading.workbooks import DATE, PHONE, number_row, parts, text_row


@dataclass(frozen=True)
class Nasty:
    """A file, and what a careful person expects of it.

    `loaded`: key → attributes of its record. `rejected`: (line, reason). `refused`: words of the
    refusal of the whole file. `issues`: (key, attribute, code) that must be told.
    """

    content: bytes
    loaded: dict[str, dict[str, Any]] = field(default_factory=dict)
    rejected: tuple[tuple[int, str], ...] = ()
    refused: str = ""
    issues: tuple[tuple[str, str, str], ...] = ()
    stale: int = 0


GOOD = {"family_name": "Dupont", "given_name": "Jean"}
HEADER = ";".join(COLUMNS)


def line(key: object, **values: str) -> str:
    return ";".join(row(key, **values).values())


def lines(*texts: str, end: str = "\n", encoding: str = "utf-8") -> bytes:
    return (end.join((HEADER, *texts)) + end).encode(encoding)


def workbook(*rows: str, **changes: Any) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts(text_row(*COLUMNS), *rows, **changes).items():
            archive.writestr(name, content)
    return target.getvalue()


def zipped(name: str, content: bytes, *, is_encrypted: bool = False) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(name, content)
    found = bytearray(target.getvalue())
    if is_encrypted:
        found[6] |= 1
        found[found.find(b"PK\x01\x02") + 8] |= 1
    return bytes(found)


def objects(*entries: str) -> bytes:
    return "\n".join(entries).encode() + b"\n"


_BLANK = dict.fromkeys(COLUMNS[1:], "")
_TWO = {"C1": GOOD, "C2": GOOD}
_WORKBOOK_ROW = (
    '<row><c t="str"><v>C1</v></c><c t="str"><v>DUPONT</v></c><c t="e"><v>#N/A</v></c>'
    '<c t="e"><v>#REF!</v></c></row>'
)

NASTY: dict[str, Nasty] = {
    "two byte-order marks": Nasty(b"\xef\xbb\xbf\xef\xbb\xbf" + lines(line("C1")), {"C1": GOOD}),
    "UTF-16 without a mark": Nasty(
        lines(line("C1", nom="LEMAÎTRE"), encoding="utf-16-be"),
        {"C1": {"family_name": "Lemaître"}},
    ),
    "UTF-32": Nasty(
        lines(line("C1", nom="LEMAÎTRE"), encoding="utf-32"), {"C1": {"family_name": "Lemaître"}}
    ),
    "two encodings": Nasty(
        lines(line("C1", nom="LEMAÎTRE")) + line("C2", nom="GÉRÔME").encode("cp1252"),
        {"C1": {"family_name": "Lemaître"}, "C2": {"family_name": "Gérôme"}},
    ),
    "ends of line of an old Mac": Nasty(lines(line("C1"), line("C2"), end="\r"), _TWO),
    "the delimiter told by Excel": Nasty(b"sep=;\r\n" + lines(line("C1")), {"C1": GOOD}),
    "titles above the header": Nasty(
        b"Clients;;\nau 31/12/2024;;\n\n" + lines(line("C1"), line("C2")), _TWO
    ),
    "two files joined": Nasty(
        lines(line("C1")) + lines(line("C2")), _TWO, rejected=((3, "header_again"),)
    ),
    "totals between and below": Nasty(
        lines(
            line("'12", nom="TOTAL", prenom="", email="achats@total.example"),
            line("Sous-total : 1 204", **_BLANK),
            line("C2"),
            line("TOTAL GÉNÉRAL", **{**_BLANK, "prenom": "1 204", "email": "1204,50"}),
            line("Total", **_BLANK),
            line("", **{**_BLANK, "nom": "Total"}),
        ),
        {"12": {"email": "achats@total.example"}, "C2": GOOD},
        rejected=tuple((at, "total") for at in (3, 5, 6, 7)),
    ),
    "two tables in a sheet": Nasty(
        lines(line("C1"), "", "Nom;Téléphone;Ville" + ";" * (len(COLUMNS) - 3), line("C2")),
        _TWO,
        rejected=((4, "other_header"),),
    ),
    "thousands of blank lines": Nasty(
        lines(line("C1"), *[";" * 7] * 5000, *[""] * 50_000, line("C2")), _TWO
    ),
    "a quotation mark left open": Nasty(
        lines(line("C1"), line("C2", nom='"DUPONT'), line("C3"), line("C4")),
        {"C1": GOOD},
        rejected=((3, "unclosed_quote"),),
    ),
    "a delimiter inside a value": Nasty(
        lines(line("C1"), line("C2", nom="DUPONT;SA")), {"C1": GOOD}, ((3, "too_many_cells"),)
    ),
    "a delimiter too many on each line": Nasty(
        lines(*(line(key) + ";" for key in ("C1", "C2"))), _TWO
    ),
    "a line cut off": Nasty(lines(line("C1"), "C2;DUP"), {"C1": GOOD}, ((3, "too_few_cells"),)),
    "a NUL character": Nasty(
        lines(line("C1"), line("C2", nom="DU\0PONT")), {"C1": GOOD}, ((3, "nul"),)
    ),
    "a cell of 200,000 characters": Nasty(
        lines(line("C1", nom="A" * 200_000), line("C2")), {"C2": GOOD}, ((2, "unreadable"),)
    ),
    "invisible characters": Nasty(
        lines(line("C1", nom="\u202eDU\u200bPONT\x07", prenom="\ufeffJean\u00a0")), {"C1": GOOD}
    ),
    "accents in two pieces, and emoji": Nasty(
        lines(line("C1", nom="LEMAI\u0302TRE", prenom="Zoé 🎉")),
        {"C1": {"family_name": "Lemaître"}},
    ),
    "a value longer than any name": Nasty(
        lines(line("C1", nom="A" * 5000)),
        {"C1": {"family_name": "", "given_name": "Jean"}},
        issues=(("C1", "family_name", "too_long"),),
    ),
    "dates that are none": Nasty(
        lines(line("C1", maj="31/02/2024"), line("C2", maj="2024-99-99"), line("C3", maj="1e400")),
        {"C1": GOOD, "C2": GOOD, "C3": GOOD},
        issues=(("C1", "updated_at", "unreadable"), ("C3", "updated_at", "unreadable")),
    ),
    "phones rounded by a spreadsheet": Nasty(
        lines(line("C1", tel="3,36E+10"), line("C2", tel="6.39981234E+08")),
        {"C1": {"phone": ""}, "C2": {"phone": "+33639981234"}},
        issues=(("C1", "phone", "rounded"),),
    ),
    "formulas and tags": Nasty(
        lines(line("C1", nom="=1+1"), line("C2", nom="<script>alert(1)</script>")),
        {"C1": {"given_name": "Jean"}, "C2": {"given_name": "Jean"}},
    ),
    "values made to keep a computer busy": Nasty(
        lines(
            line("C1", nom="a" * 50_000 + "!", tel="1" * 100_000), line("C2", email="a@" * 10_000)
        ),
        {"C1": {"phone": ""}, "C2": {"email": ""}},
        rejected=(),
    ),
    "a key that stands twice": Nasty(
        lines(line("C1", prenom="Anne", maj="03/02/2024"), line("C1", maj="01/02/2024")),
        {"C1": {"given_name": "Anne"}},
        stale=1,
    ),
    "keys with zeros and blanks": Nasty(
        lines(line("007"), line("7"), line("  8 "), line("")),
        {"007": GOOD, "7": GOOD, "8": GOOD},
        rejected=((5, "no_key"),),
    ),
    "columns that would be powers": Nasty(
        csv_bytes(
            [{**row("C1"), "is_superuser": "1", "password": "x", "golden_id": "9", "pk": "5"}],
            (*COLUMNS, "is_superuser", "password", "golden_id", "pk"),
        ),
        {"C1": {**GOOD, "status": "active"}},
    ),
    "only the header": Nasty(lines()),
    "gzip of UTF-16": Nasty(gzip.compress(lines(line("C1"), encoding="utf-16")), {"C1": GOOD}),
    "JSON lines with a bad line": Nasty(
        objects(
            json.dumps(row("C1")),
            "{'id': 'C2'}",
            json.dumps({**row("C3"), "nom": "\ud800"}),
            json.dumps({**row("C4"), "nested": [{"a": {"b": 1}}]}),
        ),
        {"C1": GOOD, "C4": GOOD},
        rejected=((2, "no_json"), (3, "surrogate")),
    ),
    "a workbook of numbers, since 1904": Nasty(
        workbook(
            number_row((1, 0), (2, 0), (3, 0), ("", 0), (639981234, PHONE), (43861, DATE)),
            is_1904=True,
        ),
        {"1": {"phone": "+33639981234", "source_updated_at": "2024-02-01"}},
    ),
    "errors in a workbook": Nasty(
        workbook(_WORKBOOK_ROW), {"C1": {"family_name": "Dupont", "given_name": "", "email": ""}}
    ),
    "a formula without its result": Nasty(
        workbook("<row><c><v>1</v></c><c><f>A2</f></c></row>"), rejected=((2, "no_result"),)
    ),
    "a picture named .csv": Nasty(b"\x89PNG\r\n\x1a\n" + bytes(100), refused="PNG"),
    "a web page named .csv": Nasty(b"\n <!DOCTYPE html><table><tr>", refused="CSV"),
    "an old Excel file named .xlsx": Nasty(
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), refused=r"\.xlsx"
    ),
    "a zip in a zip": Nasty(zipped("a.zip", zipped("b.csv", b"id")), refused="zip"),
    "a workbook with a password": Nasty(
        zipped("[Content_Types].xml", b"<Types/>", is_encrypted=True), refused="passe|password"
    ),
    "a workbook cut off": Nasty(
        workbook(number_row((1, 0)))[:-90], refused="XLSX|cut|incomplet|abîmé|endommagé"
    ),
    "a zip that climbs out": Nasty(zipped("../../x.csv", b"id"), refused="zip"),
    "a column that stands twice": Nasty(
        lines(line("C1")).replace(b"prenom", b"nom", 1), refused="nom"
    ),
    "5,000 columns": Nasty(";".join(f"c{n}" for n in range(5000)).encode(), refused="id|1000"),
    "no header": Nasty(lines(line("C1")).split(b"\n", 1)[1], refused="id"),
    "nothing at all": Nasty(b"", refused="vide|empty"),
}
