"""Documents of mappings: as proposed for a file, as TOML, and what differs between two."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from mdm.mapping import ANSWER_ATTRIBUTES, CHANNEL_ATTRIBUTES
from mdm.proposals.columns import ColumnSample, Proposal

Document = Mapping[str, Any]


class Change(NamedTuple):
    """One thing that differs between two versions; options are told as text."""

    kind: Literal["added", "removed", "changed"]
    name: str
    before: str
    after: str


def proposed_entry(column: ColumnSample, proposal: Proposal) -> dict[str, Any] | None:
    """Return the [[column]] table of a proposal; None for a column that is not used."""
    if not proposal.attribute:
        return None
    entry: dict[str, Any] = {"name": column.name, "attribute": proposal.attribute}
    if proposal.format:
        entry["format"] = proposal.format
    if proposal.attribute in CHANNEL_ATTRIBUTES:
        entry["channel"] = proposal.channel or "email"
    if proposal.attribute in ANSWER_ATTRIBUTES and (proposal.yes or proposal.no):
        entry |= {"yes": list(proposal.yes), "no": list(proposal.no)}
    return entry


def to_toml(document: Document) -> str:
    """Return a document as the TOML that `load --mapping` reads."""
    parts = [_table(name, document[name]) for name in ("source", "file") if document.get(name)]
    parts += [_table("column", column, is_array=True) for column in document.get("column", [])]
    return "\n".join(parts)


def changes(older: Document, newer: Document) -> list[Change]:
    """Return what the newer version does otherwise: file options first, then columns by name."""
    found = list(_compare(_file_options(older), _file_options(newer)))
    found += _compare(columns_in_words(older), columns_in_words(newer))
    return found


def _compare(older: Mapping[str, str], newer: Mapping[str, str]) -> Iterable[Change]:
    for name in dict.fromkeys((*older, *newer)):
        before, after = older.get(name), newer.get(name)
        if before is None or after is None:
            kind: Literal["added", "removed"] = "added" if before is None else "removed"
            yield Change(kind, name, before or "", after or "")
        elif before != after:
            yield Change("changed", name, before, after)


def _file_options(document: Document) -> dict[str, str]:
    options = document.get("file", {})
    return {f"[{name}]": str(value) for name, value in options.items() if value != ""}


def columns_in_words(document: Document) -> dict[str, str]:
    """Return each column by name with its attribute and options."""
    return {column["name"]: _options_in_words(column) for column in document.get("column", [])}


def _options_in_words(column: Mapping[str, Any]) -> str:
    told = [str(column.get("attribute", ""))]
    for option, value in column.items():
        if option in {"name", "attribute"} or value in ("", [], {}, None):
            continue
        if isinstance(value, Mapping):
            value = ", ".join(f"{code} → {meaning}" for code, meaning in value.items())
        elif isinstance(value, Sequence) and not isinstance(value, str):
            value = " | ".join(value)
        told.append(f"{option}: {value}")
    return "; ".join(told)


def _table(name: str, entries: Mapping[str, Any], *, is_array: bool = False) -> str:
    head = f"[[{name}]]" if is_array else f"[{name}]"
    lines = [
        f"{_key(option)} = {_value(value)}"
        for option, value in entries.items()
        if value is not None
    ]
    return "\n".join([head, *lines, ""])


def _key(name: str) -> str:
    is_bare = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if is_bare else _value(name)


def _value(value: Any) -> str:
    """Write a value; a JSON text is a TOML text too, but for the DEL character."""
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key(key)} = {_value(part)}" for key, part in value.items())
        return f"{{{inner}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
