"""Folded records as bytes, many at a time: what is stored when records are loaded.

A page holds for each attribute the distinct words of its records and one code per record, so that
reading a page costs a look at each of its words and none at its records. Pages are read one after
the other: the dictionary of the whole grows by appending, and the last page that speaks of a
record is right.
"""

import itertools
import zlib
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from matching.linkage.coded import Coded, Folded
from matching.linkage.columns import ATTRIBUTES, DERIVED_ATTRIBUTES, Codes, Flags, Ids

VERSION = 2
"""Grows with every change of what folding or a part of a key gives, or of the form of a page."""

_COLUMNS = (*ATTRIBUTES, *DERIVED_ATTRIBUTES)
_END = "\x00"  # No value of a database holds it.
_PRESSED = 1  # zlib: a third of the size at a tenth of the time of folding.


def pack(records: Folded, is_live: Flags) -> bytes:
    """Return a page of records; those that are not live have no values in it."""
    assert records.sources is not None  # noqa: S101  (pages are of stored records)
    parts = [
        np.array([len(records)], "<i8").tobytes(),
        records.ids.astype("<i8").tobytes(),
        records.sources.astype("<i4").tobytes(),
        is_live.astype(np.uint8).tobytes(),
    ]
    for attribute in _COLUMNS:
        parts += _packed(records.column(attribute))
    return zlib.compress(b"".join(parts), _PRESSED)


def _packed(coded: Coded) -> list[bytes]:
    words = _END.join(word or "" for word in coded.words).encode()
    codes = coded.codes.astype(_width(len(coded.words)))
    return [np.array([len(coded.words), len(words)], "<i8").tobytes(), words, codes.tobytes()]


def _width(count: int) -> str:
    return "<u2" if count <= 1 << 16 else "<u4"


class Reader:
    """Pages put together, in the order in which they were written."""

    def __init__(self) -> None:
        """Start with no page."""
        self._ids: list[Ids] = []
        self._sources: list[Codes] = []
        self._live: list[Flags] = []
        self._codes: dict[str, list[Codes]] = {name: [] for name in _COLUMNS}
        self._numbers: dict[str, defaultdict[str, int]] = {}
        for name in _COLUMNS:
            # Counted apart: a dictionary that leads to itself would be kept for long.
            numbers: defaultdict[str, int] = defaultdict(itertools.count(1).__next__)
            numbers[""] = 0
            self._numbers[name] = numbers

    def add(self, page: bytes) -> Ids:
        """Read one more page; returns the ids of its records."""
        content = memoryview(zlib.decompress(page))
        count = int(np.frombuffer(content, "<i8", 1)[0])
        offset = 8
        self._ids.append(np.frombuffer(content, "<i8", count, offset))
        offset += 8 * count
        self._sources.append(np.frombuffer(content, "<i4", count, offset))
        offset += 4 * count
        self._live.append(np.frombuffer(content, np.bool_, count, offset))
        offset += count
        for attribute in _COLUMNS:
            offset = self._add_column(attribute, content, offset, count)
        return self._ids[-1]

    def _add_column(self, attribute: str, content: memoryview, offset: int, count: int) -> int:
        word_count, size = np.frombuffer(content, "<i8", 2, offset).tolist()
        offset += 16
        words = str(content[offset : offset + size], "utf-8").split(_END)
        offset += size
        numbers = map(self._numbers[attribute].__getitem__, words)
        of_word = np.fromiter(numbers, np.int32, word_count)
        codes = np.frombuffer(content, _width(word_count), count, offset)
        self._codes[attribute].append(np.take(of_word, codes))
        return offset + codes.nbytes

    def without(self, record_ids: Sequence[int]) -> bytes:
        """Return the pages as one, in their order, with nothing of these records in it.

        They stand in it as not live and without values, and no word is theirs alone.
        """
        ids = _joined(self._ids, np.int64)
        gone = np.isin(ids, record_ids)
        columns = {}
        for name, codes in self._codes.items():
            words: list[str | None] = list(self._numbers[name])
            words[0] = None
            left = np.where(gone, 0, _joined(codes, np.int32)).astype(np.int32)
            columns[name] = Coded(left, words).part(slice(None))
        records = Folded(ids, columns, _joined(self._sources, np.int32))
        return pack(records, _joined(self._live, np.bool_) & ~gone)

    def records(self) -> Folded:
        """Return the live records by rising id."""
        ids, live, last = self._last()
        rows = last[live[last]]
        columns = {}
        for name, codes in self._codes.items():
            words: list[str | None] = list(self._numbers[name])
            words[0] = None
            columns[name] = Coded(np.take(_joined(codes, np.int32), rows), words)
        return Folded(ids[rows], columns, _joined(self._sources, np.int32)[rows])

    def live_ids(self) -> Ids:
        """Return the ids of the live records, rising."""
        ids, live, last = self._last()
        return np.asarray(ids[last[live[last]]], np.int64)

    def _last(self) -> tuple[Ids, Flags, Ids]:
        """Return ids, whether they are live, and the place of the last word on each record."""
        ids, live = _joined(self._ids, np.int64), _joined(self._live, np.bool_)
        return ids, live, _last_of(ids)


def head_of(page: bytes) -> tuple[Ids, Flags]:
    """Return the ids of a page's records, and whether each is live, without the rest of it."""
    content = zlib.decompress(page)
    size = int(np.frombuffer(content, "<i8", 1)[0])
    ids = np.frombuffer(content, "<i8", size, 8).astype(np.int64)
    return ids, np.frombuffer(content, np.bool_, size, 8 + 12 * size).copy()


def last_words(heads: Sequence[tuple[Ids, Flags]]) -> list[Ids]:
    """Return of each page, by its head, the live records of which no later one speaks."""
    ids = _joined([ids for ids, _live in heads], np.int64)
    speaks = np.zeros(len(ids), np.bool_)
    speaks[_last_of(ids)] = True
    ends = np.cumsum([len(ids) for ids, _live in heads])[:-1]
    parts = zip(heads, np.split(speaks, ends), strict=True) if heads else ()
    return [ids[part & live] for (ids, live), part in parts]


def _last_of(ids: Ids) -> Ids:
    """Return by rising id the place where each stands last."""
    if (ids[1:] > ids[:-1]).all():
        return np.arange(len(ids))
    order = np.argsort(ids, kind="stable")
    is_last = np.r_[ids[order][1:] != ids[order][:-1], np.ones(min(1, len(ids)), np.bool_)]
    return np.asarray(order[is_last], np.int64)


def _joined(parts: Sequence[Any], kind: type) -> Any:
    return np.concatenate(parts) if parts else np.zeros(0, kind)
