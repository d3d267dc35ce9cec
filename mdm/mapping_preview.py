"""What a mapping makes of the first rows of a file: raw beside standard, with every issue."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import islice
from typing import Any

from django.utils.formats import date_format
from django.utils.timezone import get_default_timezone, localdate, localtime

from mdm import attribute_words, postcodes
from mdm.loading.drafts import Sample
from mdm.loading.other_lines import what_else
from mdm.loading.rows import RowReader, StandardRow
from mdm.mapping import ANSWER_ATTRIBUTES, Column, SourceMapping
from mdm.mapping_words import claim_in_words
from mdm.rejects import words_for
from mdm.standardise.issues import WORDS as ISSUE_WORDS
from mdm.standardise.record import ATTRIBUTES

PREVIEW_ROWS = 50
_SHOWN_STRANGERS = 5
_MADE_OF: Mapping[str, tuple[str, ...]] = {
    "civility": ("full_name",),
    "sex": ("civility",),
    "given_name": ("full_name",),
    "family_name": ("full_name",),
    "birth_name": ("full_name",),
    "street_number": ("address_line", "full_address"),
    "street": ("address_line", "full_address"),
    "address_complement": ("address_line",),
    "postcode": ("full_address", "city"),
    "city": ("full_address",),
    "country": ("full_address",),
    "other_phone": ("phone",),
}
"""The attributes whose columns a standard value may come from, beside its own."""
_ISSUES_OF = {"full_name": "family_name", "address_line": "street", "full_address": "street"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One standard value with the raw cells it came from and what was noticed."""

    value: str
    raw: str
    issues: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """True when the value is not simply what the cell said."""
        return self.value != self.raw


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """One line of the file: its number, its key, and a cell for each column of the preview.

    Or why a load rejects it, as it is no customer; then it has no cells.
    """

    line: int
    key: str
    cells: tuple[Cell, ...]
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Strangers:
    """The values of a column of answers that are neither its yes nor its no."""

    column: str
    count: int
    total: int
    values: tuple[str, ...]
    """The most frequent ones."""


@dataclass(frozen=True, slots=True)
class MappingPreview:
    """The first rows as the mapping reads them."""

    headings: tuple[str, ...]
    rows: tuple[PreviewRow, ...]
    issue_count: int
    missing_key_count: int
    sample_count: int
    overtaken_count: int
    """How many rows of the sample have the key of a later one."""
    strangers: tuple[Strangers, ...]


def preview_mapping(sample: Sample, mapping: SourceMapping, region: str) -> MappingPreview:
    """Return the first fifty rows of a sample, standardised as a load would."""
    reader = RowReader(
        mapping,
        region=region,
        today=localdate(),
        zone=get_default_timezone(),
        postcodes=postcodes.table(),
    )
    keys = list(filter(None, (reader.keys.of(cells) for _line, cells in _cells(sample))))
    first = islice(_cells(sample), PREVIEW_ROWS)
    read = [(line, cells, reader.read(cells)) for line, cells in first]
    shown = _shown_attributes(mapping, [row for _line, _cells, row in read])

    def preview_row(line: int, cells: dict[str, str], row: StandardRow) -> PreviewRow:
        key = reader.keys.of(cells)
        if reason := what_else(cells, reader):
            return PreviewRow(line, key, (), words_for(reason))
        return PreviewRow(line, key, _cells_of(row, cells, mapping, shown))

    rows = tuple(preview_row(*one) for one in read)
    return MappingPreview(
        headings=tuple(map(attribute_words.label, shown)),
        rows=rows,
        issue_count=sum(len(cell.issues) for row in rows for cell in row.cells),
        missing_key_count=sum(not row.key for row in rows),
        sample_count=len(sample.rows),
        overtaken_count=len(keys) - len(set(keys)),
        strangers=tuple(_strangers(sample, mapping)),
    )


def _strangers(sample: Sample, mapping: SourceMapping) -> Iterator[Strangers]:
    values = {column.name: column.values for column in sample.columns}
    for column in mapping.named(*ANSWER_ATTRIBUTES):
        said = values.get(column.name, ())
        found = Counter(text.strip() for text in said if column.answer(text) == "unknown")
        if found:
            frequent = tuple(text for text, _count in found.most_common(_SHOWN_STRANGERS))
            yield Strangers(column.name, found.total(), len(said), frequent)


def _cells(sample: Sample) -> Iterable[tuple[int, dict[str, str]]]:
    for line, cells in sample.rows:
        yield line, dict(zip(sample.names, cells, strict=True))


def _shown_attributes(mapping: SourceMapping, rows: Sequence[StandardRow]) -> list[str]:
    """Return the standard attributes that any row has, or that have a column; then the rest."""
    named = {column.attribute for column in mapping.columns}
    standard = [
        name
        for name in ATTRIBUTES
        if name in named or any(getattr(row.record, name) for row in rows)
    ]
    return standard + [name for name, is_told in _OTHERS.items() if named.intersection(is_told)]


_OTHERS: Mapping[str, tuple[str, ...]] = {
    "created_at": ("created_at",),
    "updated_at": ("updated_at",),
    "permission": ("permission", "opt_out", "opt_out_at", "double_opt_in"),
    "sale_date": ("sale_date",),
    "contract_start": ("contract_start",),
}


def _cells_of(
    row: StandardRow, cells: Mapping[str, str], mapping: SourceMapping, shown: Sequence[str]
) -> tuple[Cell, ...]:
    raw = {name: _raw(name, cells, mapping) for name in shown}
    found = {name: Cell(_value(row, name), raw[name], _issues(row, name)) for name in shown}
    told = {cell.raw for cell in found.values() if cell.value or cell.issues}
    # "DUPONT Jean" stands beside the names it was split into, not below a civility it lacks.
    return tuple(
        replace(cell, raw="")
        if not cell.value and not cell.issues and not _own(name, mapping) and cell.raw in told
        else cell
        for name, cell in found.items()
    )


def _own(name: str, mapping: SourceMapping) -> tuple[Column, ...]:
    """Return the columns that hold a standard attribute by itself."""
    return mapping.named(name, *_OTHERS.get(name, ()))


def _raw(name: str, cells: Mapping[str, str], mapping: SourceMapping) -> str:
    columns = _own(name, mapping) or mapping.named(*_MADE_OF.get(name, ()))
    return " · ".join(filter(None, (cells.get(column.name, "").strip() for column in columns)))


def _issues(row: StandardRow, name: str) -> tuple[str, ...]:
    """Return in words what was noticed at an attribute, composed ones at their main part."""
    return tuple(
        str(ISSUE_WORDS.get(code, code))
        for attribute, code in row.record.issues
        if _ISSUES_OF.get(attribute, attribute) == name
        or (name == "permission" and attribute in _OTHERS["permission"])
    )


def _value(row: StandardRow, name: str) -> str:
    if name in ATTRIBUTES:
        return attribute_words.value_in_words(name, getattr(row.record, name))
    if name == "permission":
        return ", ".join(claim_in_words(claim.kind, claim.channel) for claim in row.claims)
    if name == "sale_date":
        return _text(row.sale.sold_on) if row.sale else ""
    if name == "contract_start":
        return _text(row.contract.starts_on) if row.contract else ""
    return _text(getattr(row, name))


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return date_format(localtime(value), "SHORT_DATETIME_FORMAT")
    if isinstance(value, date):
        return date_format(value, "SHORT_DATE_FORMAT")
    return str(value or "")
