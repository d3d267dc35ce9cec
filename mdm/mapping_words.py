"""Mappings as people read them: what each column is, and what differs between two versions."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mdm import attribute_words
from mdm.mapping_documents import Document
from mdm.mapping_forms import CHANNELS, COUNTED_WORDS

_LAST_DAY = datetime(2031, 12, 31, 23, 59, 58, tzinfo=UTC)
_FILE_OPTIONS: Mapping[str, Any] = {
    "encoding": gettext_lazy("Encoding"),
    "delimiter": gettext_lazy("Delimiter"),
    "quote": gettext_lazy("Quotation mark"),
    "sheet": gettext_lazy("Sheet"),
    "header": gettext_lazy("Line with the names of the columns"),
}
_SIGNS: Mapping[str, Any] = {"\t": gettext_lazy("tab"), "tab": gettext_lazy("tab")}


class Change(NamedTuple):
    """One thing that differs between two versions, in words."""

    kind: Literal["added", "removed", "changed"]
    name: str
    before: str
    after: str


def changes(older: Document, newer: Document) -> list[Change]:
    """Return what the newer version does otherwise: file options first, then columns by name."""
    found = list(_compare(_whole_in_words(older), _whole_in_words(newer)))
    found += _compare(columns_in_words(older), columns_in_words(newer))
    return found


def columns_in_words(document: Document) -> dict[str, str]:
    """Return each column by name: what it is, and how it is read."""
    return {column["name"]: _column_in_words(column) for column in document.get("column", [])}


def key_in_words(document: Document) -> str:
    """Return the columns by which a row is known again."""
    own = (c["name"] for c in document.get("column", []) if c.get("attribute") == "source_key")
    names = sorted(document.get("key_from", []), key=str.casefold)
    return ", ".join([*own, *names])


def _compare(older: Mapping[str, str], newer: Mapping[str, str]) -> Iterable[Change]:
    for name in dict.fromkeys((*older, *newer)):
        before, after = older.get(name), newer.get(name)
        if before is None or after is None:
            kind: Literal["added", "removed"] = "added" if before is None else "removed"
            yield Change(kind, name, before or "", after or "")
        elif before != after:
            yield Change("changed", name, before, after)


def _whole_in_words(document: Document) -> dict[str, str]:
    options = document.get("file", {})
    key = {str(_("Known again by")): key_in_words(document)} if document.get("key_from") else {}
    return key | {
        str(_FILE_OPTIONS.get(name, name)): str(_SIGNS.get(value, value))
        for name, value in options.items()
        if value not in ("", 0)
    }


def _column_in_words(column: Mapping[str, Any]) -> str:
    attribute = str(column.get("attribute", ""))
    is_left_out = attribute == "ignore"
    told = [_("Left out") if is_left_out else attribute_words.label(attribute)]
    told += [
        _OPTION_WORDS[option](value)
        for option, value in column.items()
        if option in _OPTION_WORDS and value not in ("", [], {}, None)
    ]
    return " · ".join(told)


def _date_format(pattern: str) -> str:
    if pattern in COUNTED_WORDS:
        return str(COUNTED_WORDS[pattern])
    for directive, form in (("%B", "F"), ("%b", "M")):
        pattern = pattern.replace(directive, date_format(_LAST_DAY, form))
    return _("dates such as %(example)s") % {"example": _LAST_DAY.strftime(pattern)}


def channel_in_words(code: str) -> str:
    """Return the name of a channel; of all of them for `*`."""
    return _("all channels") if code == "*" else _channel(code)


def claim_in_words(kind: str, channel: str) -> str:
    """Return what a row says of one permission: ✔ yes, ✘ no."""
    signs = {"opt_in": _("✔ %(channel)s"), "refusal": _("✘ %(channel)s")}
    words = signs.get(kind) or _("✘ %(channel)s (opt-out)")
    return words % {"channel": channel_in_words(channel)}


def _channel(code: str) -> str:
    return str(dict(CHANNELS).get(code, code))


def _purpose(code: str) -> str:
    return _("purpose %(code)s") % {"code": code}


def _yes(values: Sequence[str]) -> str:
    return _("yes: %(values)s") % {"values": ", ".join(values)}


def _no(values: Sequence[str]) -> str:
    return _("no: %(values)s") % {"values": ", ".join(values)}


def _by_words(_told: object) -> str:
    return _("texts refuse by their words")


def _meanings(values: Mapping[str, str]) -> str:
    return ", ".join(f"{code} → {meaning}" for code, meaning in values.items())


_OPTION_WORDS: Mapping[str, Any] = {
    "format": _date_format,
    "channel": _channel,
    "purpose": _purpose,
    "yes": _yes,
    "no": _no,
    "by_words": _by_words,
    "values": _meanings,
}
