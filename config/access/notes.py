"""What staff wrote about a person in their own words: the DPO reads it before it leaves.

It is hers to know, but may name somebody else; what does is left out.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from config.access.table import ToldTable

_WRITTEN_IN: Mapping[str, tuple[str, ...]] = {
    "pins": ("reason",),
    "customer_ids": ("reason",),
    "decisions": ("note",),
    "relations": ("reason",),
    "evidence": ("reference",),
    "consent_decisions": ("reason", "reference"),
    "requests": ("answer",),
    "packs": ("reason",),
}


@dataclass(frozen=True, slots=True)
class Note:
    """Words of staff, and in which table they stand."""

    code: str
    words: str
    table: str


def notes_in(tables: Iterable[ToldTable]) -> list[Note]:
    """Return what staff wrote, each text once."""
    found: dict[str, Note] = {}
    for told in tables:
        for column in _WRITTEN_IN.get(told.name, ()):
            for row in told.rows:
                if words := row[column]:
                    code = code_of(words)
                    found.setdefault(code, Note(code, words, str(told.table.title)))
    return list(found.values())


def leave_out(tables: Iterable[ToldTable], codes: Collection[str]) -> int:
    """Take the notes of these codes out of the tables; return how many there were."""
    left_out = [note for note in notes_in(tables) if note.code in codes]
    for told in tables:
        for column in _WRITTEN_IN.get(told.name, ()):
            for row in told.rows:
                if row[column] and code_of(row[column]) in codes:
                    row[column] = None
    return len(left_out)


def code_of(words: str) -> str:
    """Return what names a text in a form, and tells nothing of it."""
    return hashlib.sha256(words.encode()).hexdigest()[:16]
