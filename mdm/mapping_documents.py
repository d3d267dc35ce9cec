"""Documents of mappings: as proposed for a file, and as TOML."""

import json
from collections.abc import Mapping
from typing import Any

from mdm.mapping import ANSWER_ATTRIBUTES, CHANNEL_ATTRIBUTES
from mdm.proposals.columns import ColumnSample, Proposal

Document = Mapping[str, Any]


def proposed_entry(column: ColumnSample, proposal: Proposal) -> dict[str, Any] | None:
    """Return the [[column]] table of a proposal; None for a column that is not used."""
    if not proposal.attribute:
        return None
    entry: dict[str, Any] = {"name": column.name, "attribute": proposal.attribute}
    if proposal.format:
        entry["format"] = proposal.format
    if proposal.attribute in CHANNEL_ATTRIBUTES:
        entry["channel"] = proposal.channel or "email"
    if proposal.attribute in ANSWER_ATTRIBUTES:
        # Where the sample says only no, a later yes is spelt in one of the usual ways.
        answers = {"yes": list(proposal.yes), "no": list(proposal.no)}
        entry |= {answer: spellings for answer, spellings in answers.items() if spellings}
    return entry


def to_toml(document: Document) -> str:
    """Return a document as the TOML that `load --mapping` reads."""
    key = document.get("key_from")  # Above the tables, or it would belong to one of them.
    parts = [f"key_from = {_value(key)}\n"] if key else []
    parts += [_table(name, document[name]) for name in ("source", "file") if document.get(name)]
    parts += [_table("column", column, is_array=True) for column in document.get("column", [])]
    return "\n".join(parts)


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
