"""The parts of an XLSX file around its sheets: weighed, named, dated; nothing unpacked as a whole.

A workbook is a zip of XML parts (ECMA-376). They are read with expat, piece by piece, without
document types, so entities can neither grow nor reach out.
"""

import re
import tempfile
import zipfile
import zlib
from array import array
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from posixpath import join, normpath
from typing import IO, NamedTuple
from xml.parsers import expat

from django.utils.translation import gettext_lazy as _

from mdm.reading.rows import FileRefused

# A 545 kB file unfolds to 200 MB without the second of these.
MAX_UNPACKED_BYTES = 1 << 30
MAX_RATIO = 100
MAX_MEMBERS = 1000
_BLOCK = 1 << 16
_MAX_SHEETS = 200
_MAX_STYLES = 70_000  # Excel stops at 64,000.
_MAX_STRING_BYTES = 1 << 20  # Excel stops at 32,767 characters.

Start = Callable[[str, dict[str, str]], None]
End = Callable[[str], None]
Text = Callable[[str], None]


class Sheet(NamedTuple):
    """A sheet of the workbook: its name and the part that holds it."""

    name: str
    part: str


class CellStyle(NamedTuple):
    """What a number format does to a value: a date, or digits filled up with zeros."""

    is_date: bool = False
    digits: int = 0


PLAIN = CellStyle()
# Formats that every workbook knows without defining them (ECMA-376, 18.8.30).
_DATE_FORMATS = frozenset([*range(14, 23), *range(27, 37), 45, 46, 47, *range(50, 59)])
_NOT_IN_FORMAT = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.|_.|\*.')
# What reading a zip of XML can run into; numbers that are none are ValueErrors.
_DAMAGES = (
    zipfile.BadZipFile, zlib.error, expat.ExpatError, EOFError, LookupError, OSError,
    RuntimeError, ValueError,
)  # fmt: skip
_DATE_LETTERS = frozenset("dmyhs")
_ZEROS = re.compile(r"#*(0[0#]*)")


class Workbook:
    """An opened workbook: its sheets, styles and shared strings."""

    def __init__(self, archive: zipfile.ZipFile, folder: Path) -> None:
        self._archive = archive
        self._names = frozenset(archive.namelist())
        main = self._main_part()
        self._relations = self._related(main)
        self.is_1904 = False
        self.sheets: list[Sheet] = []
        self._hidden: set[str] = set()
        self._read_workbook(main)
        self.styles = self._styles()
        self.strings = SharedStrings(self, self._part_of_type("sharedStrings"), folder)

    def sheet(self, name: str) -> Sheet:
        """Return the sheet of a name.

        Raises:
            FileRefused: when there is none.
        """
        for sheet in self.sheets:
            if sheet.name == name:
                return sheet
        raise FileRefused(
            _("The workbook has no sheet “%(sheet)s”; it has: %(found)s."),
            sheet=name,
            found=", ".join(sheet.name for sheet in self.sheets[:20]),
        )

    def visible_sheets(self) -> list[Sheet]:
        """Return the sheets somebody sees, or all when none is shown."""
        return [sheet for sheet in self.sheets if sheet.name not in self._hidden] or self.sheets

    def pieces(self, part: str) -> Generator[bytes, None, None]:
        """Yield the bytes of a part. Close it: the archive stays open as long as a part is."""
        with self._archive.open(part) as file:
            while block := file.read(_BLOCK):
                yield block

    def _main_part(self) -> str:
        for type_name, target in self._related("").values():
            if type_name == "officeDocument":
                return target
        return "xl/workbook.xml"

    def _related(self, part: str) -> dict[str, tuple[str, str]]:
        """Return the parts a part refers to: key → (type, name)."""
        folder, _slash, name = part.rpartition("/")
        found: dict[str, tuple[str, str]] = {}

        def start(name: str, attributes: dict[str, str]) -> None:
            if name == "Relationship" and len(found) < MAX_MEMBERS:
                target = attributes.get("Target", "")
                path = target[1:] if target.startswith("/") else normpath(join(folder, target))
                type_name = attributes.get("Type", "").rpartition("/")[2]
                found[attributes.get("Id", "")] = (type_name, path)

        relations = join(folder, "_rels", f"{name}.rels")
        if relations in self._names:
            self._parse(relations, start)
        return found

    def _part_of_type(self, type_name: str) -> str:
        parts = (part for found, part in self._relations.values() if found == type_name)
        return next((part for part in parts if part in self._names), "")

    def _read_workbook(self, main: str) -> None:
        def start(name: str, attributes: dict[str, str]) -> None:
            if name == "workbookPr":
                self.is_1904 = attributes.get("date1904", "0") in ("1", "true")
            elif name == "sheet" and len(self.sheets) < _MAX_SHEETS:
                key = next((v for k, v in attributes.items() if k.endswith(":id")), "")
                type_name, part = self._relations.get(key, ("", ""))
                if type_name == "worksheet":
                    sheet = Sheet(attributes.get("name", ""), part)
                    self.sheets.append(sheet)
                    if attributes.get("state", "visible") != "visible":
                        self._hidden.add(sheet.name)

        self._parse(main, start)
        if not self.sheets:
            raise FileRefused(_("The workbook has no sheet."))

    def _styles(self) -> list[CellStyle]:
        """Return what each cell format does, by its number."""
        formats: dict[int, str] = {}
        styles: list[CellStyle] = []
        inside: list[str] = []

        def start(name: str, attributes: dict[str, str]) -> None:
            inside.append(name)
            if name == "numFmt":
                formats[int(attributes["numFmtId"])] = attributes.get("formatCode", "")
            elif name == "xf" and "cellXfs" in inside and len(styles) < _MAX_STYLES:
                number = int(attributes.get("numFmtId", "0"))
                styles.append(_style(number, formats.get(number, "")))

        def end(_name: str) -> None:
            inside.pop()

        part = self._part_of_type("styles")
        if part:
            self._parse(part, start, end)
        return styles

    def _parse(self, part: str, start: Start, end: End | None = None) -> None:
        parser = xml_parser(start, end)
        with closing(self.pieces(part)) as pieces:
            for piece in pieces:
                parser.Parse(piece, False)  # noqa: FBT003
        parser.Parse(b"", True)  # noqa: FBT003


class SharedStrings:
    """The strings that cells refer to by number, laid down in a file without a name.

    They are read only as far as somebody asks, which for the header is the first piece.
    """

    most: int | None = None  # How many are read at most; those behind are blank.

    def __init__(self, workbook: Workbook, part: str, folder: Path) -> None:
        self._pieces = workbook.pieces(part) if part else _nothing()
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
        self._ends = array("Q", [0])
        self._text: list[str] = []
        self._length = 0
        self._phonetic = False
        self._in_text = False
        self._parser = xml_parser(self._start, self._end, self._characters)

    def close(self) -> None:
        """Forget the strings."""
        self._pieces.close()
        self._file.close()

    def get(self, number: int) -> str:
        """Return a string.

        Raises:
            FileRefused: when the workbook has fewer.
        """
        while number >= len(self._ends) - 1:
            if self.most and len(self._ends) > self.most:
                return ""
            piece = next(self._pieces, None)
            if piece is None:
                raise FileRefused(_("The workbook is damaged: a text is missing in it."))
            self._file.seek(self._ends[-1])
            self._parser.Parse(piece, False)  # noqa: FBT003
        start, end = self._ends[number], self._ends[number + 1]
        self._file.seek(start)
        return self._file.read(end - start).decode("utf-8", "surrogatepass")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "si":
            self._text.clear()
            self._length = 0
        elif name == "rPh":  # How Japanese text is pronounced is no part of it.
            self._phonetic = True
        elif name == "t":
            self._in_text = not self._phonetic

    def _characters(self, text: str) -> None:
        if self._in_text and self._length < _MAX_STRING_BYTES:
            self._text.append(text)
            self._length += len(text)

    def _end(self, name: str) -> None:
        if name == "t":
            self._in_text = False
        elif name == "rPh":
            self._phonetic = False
        elif name == "si":
            content = "".join(self._text).encode("utf-8", "surrogatepass")
            self._file.write(content)
            self._ends.append(self._ends[-1] + len(content))


def _nothing() -> Generator[bytes, None, None]:
    yield from ()


@contextmanager
def open_workbook(path: Path) -> Iterator[Workbook]:
    """Open a workbook that is neither a bomb nor damaged.

    Raises:
        FileRefused: when it is, here or inside the block.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _weigh(archive, path.stat().st_size)
            workbook = Workbook(archive, path.parent)
            try:
                yield workbook
            finally:
                workbook.strings.close()
    except _DAMAGES as error:
        raise FileRefused(
            _("The workbook is damaged or is no XLSX file (%(kind)s): save it again."),
            kind=type(error).__name__,
        ) from None


def xml_parser(
    start: Start, end: End | None = None, text: Text | None = None
) -> expat.XMLParserType:
    """Return a parser that calls back with local names and takes no document type."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    local: dict[str, str] = {}

    def start_local(name: str, attributes: dict[str, str]) -> None:
        start(local.get(name) or _local(local, name), attributes)

    def end_local(name: str) -> None:
        end(local.get(name) or _local(local, name))  # type: ignore[misc]

    parser.StartElementHandler = start_local
    if end:
        parser.EndElementHandler = end_local
    if text:
        parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    return parser


def _local(known: dict[str, str], name: str) -> str:
    if len(known) > MAX_MEMBERS:
        known.clear()
    return known.setdefault(name, name.rpartition(":")[2])


def _refuse_doctype(*_declared: object) -> None:
    raise FileRefused(_("The workbook declares a document type, which no spreadsheet does."))


def _style(number: int, code: str) -> CellStyle:
    if not code:
        return CellStyle(is_date=number in _DATE_FORMATS)
    bare = _NOT_IN_FORMAT.sub("", code.partition(";")[0]).replace(" ", "").lower()
    if zeros := _ZEROS.fullmatch(bare):
        return CellStyle(digits=len(zeros[1]))
    return CellStyle(is_date=not _DATE_LETTERS.isdisjoint(bare))


def _weigh(archive: zipfile.ZipFile, packed: int) -> None:
    """Refuse archives made to exhaust memory or time, before anything is unpacked."""
    members = archive.infolist()
    unpacked = sum(member.file_size for member in members)
    if (
        len(members) > MAX_MEMBERS
        or unpacked > MAX_UNPACKED_BYTES
        or unpacked > max(1, packed) * MAX_RATIO
    ):
        raise FileRefused(
            _("The workbook is too large when unpacked: split it, or save it as CSV.")
        )
    if any(member.flag_bits & 1 for member in members):
        raise FileRefused(_("The workbook is protected by a password: save it without."))
    names = {member.filename for member in members}
    if "[Content_Types].xml" not in names:
        raise FileRefused(_("This is a zip archive, neither CSV, XLSX nor JSON lines."))
    usual = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
    if len(names) < len(members) or any(m.compress_type not in usual for m in members):
        raise zipfile.BadZipFile
