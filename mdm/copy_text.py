"""Rows as text in the format of PostgreSQL's COPY, column by column: pure.

A column's values are mostly of one type, so what each needs is decided once for the column, and
the work is done by loops in C: some three times as fast as value by value.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any
from uuid import UUID

_NULL = "\\N"
_NOTHING = type(None)
_SPECIAL = ("\\", "\n", "\r", "\t")


def copy_text(columns: Sequence[Sequence[Any]]) -> str:
    """Return the lines of rows given by column, all of one length of at least one."""
    return "\n".join(map("\t".join, zip(*map(_texts, columns), strict=True))) + "\n"


def _texts(values: Sequence[Any]) -> Sequence[str]:
    first = values[0]
    if first is values[-1] and values.count(first) == len(values):  # A third of all columns.
        return [*_each([first])] * len(values)
    return _each(values)


def _each(values: Sequence[Any]) -> Sequence[str]:
    kinds = set(map(type, values))
    if _NOTHING not in kinds:
        return _written(values, kinds)
    if len(kinds) == 1:
        return [_NULL] * len(values)
    texts = iter(_written([v for v in values if v is not None], kinds - {_NOTHING}))
    return [_NULL if v is None else next(texts) for v in values]


def _written(values: Sequence[Any], kinds: set[type]) -> Sequence[str]:
    """Return values that are not None as text, escaped."""
    if kinds == {str}:
        return _escaped(values)
    if kinds == {UUID}:
        return list(map(_hex, values))
    if kinds == {datetime}:
        return list(map(_moment, values))
    if kinds == {int}:
        return list(map(repr, values))  # As `str` writes them, in half of its time.
    return _escaped(list(map(str, values)))


_hex = attrgetter("hex")
# Slow to write, and the same in one table of a load and the next: some for each row of a chunk.
_moment = lru_cache(maxsize=1 << 14)(datetime.isoformat)


def _escaped(texts: Sequence[str]) -> Sequence[str]:
    together = "".join(texts)
    if not any(letter in together for letter in _SPECIAL):
        return texts
    return [
        text.replace("\\", r"\\").replace("\n", r"\n").replace("\r", r"\r").replace("\t", r"\t")
        for text in texts
    ]
