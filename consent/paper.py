"""Paper: what the PDFs that Orfèvre makes have in common: page, type, tables.

Fonts are embedded (Bitstream Vera, which comes with reportlab); a letter they lack is written in
Latin letters instead.
"""

import io
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import reportlab
from anyascii import anyascii
from django.conf import settings
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import get_language
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Table, TableStyle

INK, SOFT, LINE = HexColor("#22201c"), HexColor("#6b655b"), HexColor("#d9d3c7")
YES, NO, GOLD = HexColor("#1f6b3a"), HexColor("#a32a22"), HexColor("#7d5c14")
PAPER = HexColor("#faf7f0")
MARGIN = 18 * mm
WIDTH = A4[0] - 2 * MARGIN
SANS, BOLD = "Vera", "VeraBd"

TEXT = ParagraphStyle("text", fontName=SANS, fontSize=8.5, leading=12, textColor=INK)
QUIET = ParagraphStyle("quiet", TEXT, fontSize=7.5, leading=10.5, textColor=SOFT)
STRONG = ParagraphStyle("strong", TEXT, fontName=BOLD)
DIGEST = ParagraphStyle("digest", QUIET, fontSize=6.5, leading=9, wordWrap="CJK")
TITLE = ParagraphStyle("title", TEXT, fontName=BOLD, fontSize=20, leading=25)
HEAD = ParagraphStyle(
    "head", TEXT, fontName=BOLD, fontSize=12, leading=16, spaceBefore=12, spaceAfter=6,
    textColor=GOLD,
)  # fmt: skip
ALLOWED = ParagraphStyle("allowed", STRONG, textColor=YES)
REFUSED = ParagraphStyle("refused", STRONG, textColor=NO)
GRID = TableStyle(
    [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
        ("LEFTPADDING", (0, 0), (-1, -1), 4),
        ("RIGHTPADDING", (0, 0), (-1, -1), 4),
        ("TOPPADDING", (0, 0), (-1, -1), 4),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
    ]
)


def printed(story: Callable[[], Iterable[Flowable]], *, title: str, number: str) -> bytes:
    """Return a PDF in the reader's language; every page carries the number.

    `story` is called once the fonts are known, by which paragraphs are written.
    """
    _register_fonts()
    file = io.BytesIO()
    document = SimpleDocTemplate(
        file,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=MARGIN,
        bottomMargin=20 * mm,
        title=title,
        author=settings.COMPANY_NAME,
        lang=get_language(),
    )

    def frame(canvas: Any, page: Any) -> None:
        canvas.setFont(SANS, 7)
        canvas.setFillColor(SOFT)
        canvas.drawString(MARGIN, 12 * mm, f"{_plain(settings.COMPANY_NAME)} · {number}")
        canvas.drawRightString(A4[0] - MARGIN, 12 * mm, str(canvas.getPageNumber()))

    document.build(list(story()), onFirstPage=frame, onLaterPages=frame)
    return file.getvalue()


@cache
def _register_fonts() -> None:
    folder = Path(reportlab.__file__).parent / "fonts"
    for name in (SANS, BOLD):
        pdfmetrics.registerFont(TTFont(name, str(folder / f"{name}.ttf")))


def _plain(text: object) -> str:
    """Write letters that the font lacks in Latin ones."""
    known = pdfmetrics.getFont(SANS).face.charToGlyph
    return "".join(
        letter if ord(letter) in known or letter == "\n" else anyascii(letter)
        for letter in str(text)
    )


def paragraph(text: object, style: ParagraphStyle = TEXT) -> Paragraph:
    """Return a text as it stands, whatever is in it."""
    return Paragraph(escape(_plain(text)).replace("\n", "<br/>"), style)


def moment_in_words(moment: Any) -> str:
    """Return an instant as people read it, in local time."""
    return date_format(localtime(moment), "DATETIME_FORMAT")


def grid(rows: Sequence[Sequence[Any]], widths: Sequence[float], **options: Any) -> Table:
    """Return a table with a line below each row."""
    return Table(rows, colWidths=list(widths), style=GRID, hAlign="LEFT", **options)
