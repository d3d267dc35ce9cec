"""Which encoding a text file has, proved on the whole file before its first row is used."""

import codecs
from pathlib import Path

from django.utils.translation import gettext as _

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
    b"SQLite format": "SQLite",
}


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
            return encoding
    line = _first_bad_line(path, "utf-8-sig")
    raise FileRefused(
        _(
            "The file is neither UTF-8 nor Windows-1252 (first unreadable character on "
            "line %(line)d): save it as “CSV UTF-8”."
        )
        % {"line": line or 1}
    )


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD)


def _refuse_other_formats(head: bytes) -> None:
    for signature, name in _SIGNATURES.items():
        if head.startswith(signature):
            if name == "xls":
                raise FileRefused(
                    _("This is an Excel file of the old format: save it as .xlsx or CSV.")
                )
            raise FileRefused(
                _("This is a %(format)s file, neither CSV nor XLSX.") % {"format": name}
            )
    start = head.lstrip(codecs.BOM_UTF8).lstrip().lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"{\\rtf")):
        raise FileRefused(_("This is a web page or document, neither CSV nor XLSX."))
    controls = sum(
        head.count(bytes([code])) for code in range(1, 32) if code not in (9, 10, 12, 13)
    )
    if controls > len(head) // 20:
        raise FileRefused(_("This is no text: the file is neither CSV nor XLSX."))


def _candidates(head: bytes) -> list[str]:
    if head.startswith(codecs.BOM_UTF8):
        return ["utf-8-sig"]
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
                "The mapping declares %(encoding)s, but line %(line)d of the file cannot be read "
                "so: correct the encoding in the mapping, or save the file again."
            )
            % {"encoding": declared, "line": line}
        )
    # Every byte is a letter in these; but accents that are sound UTF-8 are UTF-8.
    if codec in _SINGLE_BYTE and _is_utf8_with_accents(path, head):
        raise FileRefused(
            _("The mapping declares %(encoding)s, but the file is written in UTF-8.")
            % {"encoding": declared}
        )
    return encoding


def _is_utf8_with_accents(path: Path, head: bytes) -> bool:
    if head.startswith(codecs.BOM_UTF8):
        return True
    is_ascii = _first_bad_line(path, "ascii") is None
    return not is_ascii and _first_bad_line(path, "utf-8") is None


def _first_bad_line(path: Path, encoding: str) -> int | None:
    """Return the number of the first line that cannot be decoded, or None."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    lines = 1
    with path.open("rb") as file:
        while True:
            block = file.read(_BLOCK)
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                return lines + error.object[: error.start].count(b"\n")
            lines += text.count("\n")
            if not block:
                return None
