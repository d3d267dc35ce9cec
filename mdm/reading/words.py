"""How a file was read, in words: `CSV · Windows-1252 · ;`."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mdm.reading import mixed_text

_FORMATS = {"csv": "CSV", "xlsx": "XLSX", "jsonl": gettext_lazy("JSON lines")}
_ENCODINGS = {
    "utf-8-sig": "UTF-8",
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16 LE",
    "utf-16-be": "UTF-16 BE",
    "utf-32": "UTF-32",
    "cp1252": "Windows-1252",
    "iso8859-1": "Latin-1",
    mixed_text.NAME: gettext_lazy("UTF-8 and Windows-1252 mixed"),
}
_SIGNS = {"\t": gettext_lazy("tab"), " ": gettext_lazy("blank"), "\x1f": "U+001F"}


def layout_words(layout: Mapping[str, Any]) -> str:
    """Return a line for people; empty for a file that was read before this was noted."""
    words = [_FORMATS.get(layout.get("format", ""), "")]
    if encoding := layout.get("encoding"):
        words.append(_ENCODINGS.get(encoding, encoding))
    if delimiter := layout.get("delimiter"):
        sign = _SIGNS.get(delimiter, delimiter)
        words.append(_("delimiter %(sign)s") % {"sign": sign})
    if layout.get("quote", '"') != '"':
        words.append(_("quotation mark %(sign)s") % {"sign": layout["quote"]})
    if sheet := layout.get("sheet"):
        words.append(_("sheet %(name)s") % {"name": sheet})
    if header := layout.get("header"):
        words.append(_("names of the columns on line %(line)d") % {"line": header})
    words.append(layout.get("packing", ""))
    return " · ".join(str(word) for word in words if word)
