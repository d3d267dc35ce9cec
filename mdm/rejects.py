"""Rejected rows: why, in words, and the file in which they leave and come back corrected."""

import codecs
import csv
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from mdm.models import LoadBatch

WORDS: Mapping[str, Any] = {
    "nul": _("The line contains a NUL character; remove it and send the line again."),
    "too_many_cells": _(
        "The line has more cells than the header; a delimiter inside a value needs quotes."
    ),
    "too_few_cells": _("The line has fewer cells than the header; it may be cut off."),
    "unclosed_quote": _(
        "A quotation mark opened here is not closed, so the following lines were read with it."
    ),
    "unreadable": _("The line cannot be read: a cell is longer than 131,072 characters."),
    "surrogate": _("The line contains half of a character; write it whole and send it again."),
    "total": _("The line sums up the table; it is nobody."),
    "header_again": _("The line repeats the names of the columns."),
    "other_header": _(
        "The line names columns, as a header does: another table begins here. Load it as a file of"
        " its own."
    ),
    "no_result": _(
        "A formula was saved without its result; open the workbook, save it and send it again."
    ),
    "no_json": _("The line is not valid JSON."),
    "no_object": _("The line is JSON, but no object of the form {…}."),
    "key_twice": _("The same name stands twice in the object."),
    "no_key": _("The line has no key: the source's own number of the customer is missing."),
    "no_key_parts": _("The columns that make the key are all blank: nothing tells the row again."),
    "key_too_long": _("The key is longer than 200 characters."),
    "erased": _("This customer was erased at her request and must not come back."),
}

NOBODY = frozenset({"total", "header_again"})
"""Reasons of lines that are surely no customer."""

# The columns that the file of rejected rows has before those of the source. A load leaves them
# out and takes such a file for a delta: the rows that were right are not missing.
REASON_COLUMNS = ("orfevre_line", "orfevre_column", "orfevre_value", "orfevre_reason")
# A spreadsheet runs a cell that starts so as a formula (STACK §6).
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_QUOTE = "'"


def words_for(reason: str) -> str:
    """Return a reason in words."""
    return str(WORDS.get(reason, reason))


def is_returned(columns: Sequence[str]) -> bool:
    """Tell whether a file with these columns is a file of rejected rows that comes back."""
    return REASON_COLUMNS[-1] in columns


def as_sent(cells: Mapping[str, str]) -> dict[str, str]:
    """Return the cells of a returned row as the source had them."""
    return {
        name: value[1:] if value.startswith(_QUOTE) and _is_formula(value[1:]) else value
        for name, value in cells.items()
        if name not in REASON_COLUMNS
    }


def inert(value: str) -> str:
    """Return the text so that no spreadsheet takes it for a formula."""
    return _QUOTE + value if _is_formula(value) else value


def csv_lines(batch: LoadBatch) -> Iterator[bytes]:
    """Yield the rejected rows as a CSV file that its mapping reads again.

    It is written as the file was: an encoding or delimiter that the mapping declares would
    refuse another. A cell too many stands to the right of the last column.
    """
    layout = batch.layout
    encoder = _encoder(layout.get("encoding", ""))
    writer = csv.writer(
        _Echo(), delimiter=layout.get("delimiter") or ";", quotechar=layout.get("quote") or '"'
    )
    yield encoder.encode(writer.writerow([*REASON_COLUMNS, *layout.get("columns", ())]))
    for row in batch.rejected_rows.iterator(chunk_size=1000):
        cells = [str(row.line), row.column, row.value, words_for(row.reason)]
        cells += map(str, row.raw.get("cells", ()))
        yield encoder.encode(writer.writerow([inert(cell) for cell in cells]))


def _encoder(encoding: str) -> codecs.IncrementalEncoder:
    """Return an encoder that writes a byte order mark once, and what it lacks as `?`."""
    try:
        make = codecs.getincrementalencoder(encoding or "utf-8-sig")
    except LookupError:  # Files of two encodings come back in one.
        make = codecs.getincrementalencoder("utf-8-sig")
    return make(errors="replace")


class _Echo:
    """A file that gives back what is written, so that lines can be streamed."""

    def write(self, text: str) -> str:
        return text


def _is_formula(value: str) -> bool:
    return value.startswith(_FORMULA_STARTS)
