"""Workbooks written by hand, so that each part can be what no spreadsheet would write."""

import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

RELATIONS = (
    '<Relationships><Relationship Id="r1" Type="x/worksheet" Target="worksheets/sheet1.xml"/>'
    '<Relationship Id="r2" Type="x/sharedStrings" Target="sharedStrings.xml"/>'
    '<Relationship Id="r3" Type="x/styles" Target="styles.xml"/></Relationships>'
)
WORKBOOK = (
    '<workbook xmlns:r="r"><workbookPr{}/>'
    '<sheets><sheet name="Clients" sheetId="1" r:id="r1"/></sheets></workbook>'
)
_FORMATS = (
    "00000",
    "0#&quot; &quot;##&quot; &quot;##&quot; &quot;##&quot; &quot;##",
    "dd/mm/yyyy",
    "[Red]0.00",
)
STYLES = (
    "<styleSheet><numFmts>"
    + "".join(f'<numFmt numFmtId="{n}" formatCode="{f}"/>' for n, f in enumerate(_FORMATS, 164))
    + '</numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs>'
    + "".join(f'<xf numFmtId="{n}"/>' for n in (0, 164, 165, 166, 14, 167))
    + "</cellXfs></styleSheet>"
)
POSTCODE, PHONE, DATE, SHORT_DATE, RED = 1, 2, 3, 4, 5


def text_row(*values: str) -> str:
    """Return a row of texts that stand in their cells."""
    cells = "".join(f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>' for value in values)
    return f"<row>{cells}</row>"


def number_row(*cells: tuple[object, int]) -> str:
    """Return a row of (number, style)."""
    return "<row>" + "".join(f'<c s="{s}"><v>{v}</v></c>' for v, s in cells) + "</row>"


def sheet(*rows: str) -> str:
    return f"<worksheet><sheetData>{''.join(rows)}</sheetData></worksheet>"


def parts(*rows: str, strings: str = "<sst/>", is_1904: bool = False) -> dict[str, str]:
    """Return the parts of a workbook with one sheet, `Clients`."""
    return {
        "[Content_Types].xml": "<Types/>",
        "xl/workbook.xml": WORKBOOK.format(' date1904="1"' if is_1904 else ""),
        "xl/_rels/workbook.xml.rels": RELATIONS,
        "xl/styles.xml": STYLES,
        "xl/sharedStrings.xml": strings,
        "xl/worksheets/sheet1.xml": sheet(*rows),
    }


def write(
    path: Path, members: dict[str, str] | dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED
) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path
