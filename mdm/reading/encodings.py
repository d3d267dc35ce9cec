"""Which encoding a text file has, proved on the whole file before its first row is used."""

import codecs
import re
from pathlib import Path

from django.utils.translation import gettext_lazy as _

from mdm.reading import mixed_text
from mdm.reading.rows import FileRefused

_BLOCK = 1 << 20
_HEAD = 1 << 16
_SINGLE_BYTE = frozenset(["cp1252", "iso8859-1", "iso8859-15", "latin-1", "mac-roman", "cp850"])
_SIGNATURES = {
    b"\xd0\xcf\x11\xe0": "xls",
    b"%PDF": "PDF",
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF8": "GIF",
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"7z\xbc\xaf": "7z",
    b"Rar!": "RAR",
    b"PK": "ZIP",
    b"SQLite format": "SQLite",
}
# An accented Latin letter in UTF-8: in Windows-1252 it would read Ã followed by a sign.
_UTF8_LETTER = re.compile(b"\xc3[\x80-\xbf]")


def find_encoding(path: Path, declared: str = "") -> str:
    """Return the Python codec that decodes every byte of the file.

    Raises:
        FileRefused: when the file is no text, or is not written in the declared encoding.
    """
    head = _head(path)
    _refuse_other_formats(head)
    if declared:
        return _proved(path, declared, head)
    for encoding in _candidates(head):
        if _first_bad_line(path, encoding) is None:
            is_mixed = encoding == "cp1252" and _first_utf8_line(path) is not None
            return mixed_text.NAME if is_mixed else encoding
    line = _first_bad_line(path, "utf-8-sig")
    raise FileRefused(
        _(
            "The file is neither UTF-8 nor Windows-1252 (first unreadable character on "
            "line %(line)d): save it as “CSV UTF-8”."
        ),
        line=line or 1,
    )


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD)


def _refuse_other_formats(head: bytes) -> None:
    for signature, name in _SIGNATURES.items():
        if head.startswith(signature):
            if name == "xls":
                raise FileRefused(
                    _(
                        "This is an Excel file of the old format, or one with a password: save it "
                        "as .xlsx without a password, or as CSV."
                    )
                )
            raise FileRefused(
                _("This is a %(format)s file, neither CSV, XLSX nor JSON lines."), format=name
            )
    start = head.lstrip(codecs.BOM_UTF8).lstrip().lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<table", b"{\\rtf")):
        raise FileRefused(_("This is a web page or document, neither CSV, XLSX nor JSON lines."))
    # Tab, line ends, form feed and the separator of units are at home in tables.
    odd = [code for code in range(1, 32) if code not in (9, 10, 12, 13, 31)]
    if sum(head.count(bytes([code])) for code in odd) > len(head) // 20:
        raise FileRefused(_("This is no text: the file is neither CSV, XLSX nor JSON lines."))


def _candidates(head: bytes) -> list[str]:
    if head.startswith(codecs.BOM_UTF8):
        return ["utf-8-sig"]
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return ["utf-32"]  # Its mark starts as that of UTF-16 does.
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ["utf-16"]
    # Western text in UTF-16 without its mark: every second byte is zero.
    if head[1::2].count(0) > len(head) * 0.3:
        return ["utf-16-le"]
    if head[0::2].count(0) > len(head) * 0.3:
        return ["utf-16-be"]
    return ["utf-8-sig", "cp1252"]


def _proved(path: Path, declared: str, head: bytes) -> str:
    codec = codecs.lookup(declared).name
    encoding = "utf-8-sig" if codec == "utf-8" else codec
    line = _first_bad_line(path, encoding)
    if line is not None:
        raise FileRefused(
            _(
                "The encoding is declared as %(encoding)s, but line %(line)d of the file cannot "
                "be read so: correct the encoding, or save the file again."
            ),
            encoding=declared,
            line=line,
        )
    # Every byte is a letter in these; but accents that are sound UTF-8 are UTF-8.
    if codec in _SINGLE_BYTE:
        _refuse_utf8(path, declared, head)
    return encoding


def _refuse_utf8(path: Path, declared: str, head: bytes) -> None:
    line = 1 if head.startswith(codecs.BOM_UTF8) else _first_utf8_line(path)
    if line is None:
        return
    if _first_bad_line(path, "utf-8") is None:
        raise FileRefused(
            _("The encoding is declared as %(encoding)s, but the file is written in UTF-8."),
            encoding=declared,
        )
    raise FileRefused(
        _(
            "The encoding is declared as %(encoding)s, but line %(line)d is written in UTF-8: "
            "leave the encoding out, and each accent is read as it was written."
        ),
        encoding=declared,
        line=line,
    )


def _first_utf8_line(path: Path) -> int | None:
    """Return the number of the first line with an accented letter in UTF-8, or None."""
    with path.open("rb") as file:
        lines, end = 1, b""
        while block := file.read(_BLOCK):
            block = end + block
            if found := _UTF8_LETTER.search(block):
                return lines + block.count(b"\n", 0, found.start())
            # A letter may lie across two blocks.
            end = block[-1:] if block.endswith(b"\xc3") else b""
            lines += block.count(b"\n")
    return None


def _first_bad_line(path: Path, encoding: str) -> int | None:
    """Return the number of the first line that cannot be decoded, or None."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    lines, ends_with_return = 1, False
    with path.open("rb") as file:
        while True:
            block = file.read(_BLOCK)
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                before = error.object[: error.start].decode(error.encoding, "ignore")
                return lines + _line_ends(before, after_return=ends_with_return)
            lines += _line_ends(text, after_return=ends_with_return)
            ends_with_return = text.endswith("\r")
            if not block:
                return None


def _line_ends(text: str, *, after_return: bool) -> int:
    """Count the ends of lines, be they LF, CR LF or, as on old Macs, CR alone."""
    ends = text.count("\n") + text.count("\r") - text.count("\r\n")
    return ends - 1 if after_return and text.startswith("\n") else ends
