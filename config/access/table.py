"""A table of the access pack: rows under stable keys, one CSV and one part of the JSON."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Model

from config.access.subject import Subject
from config.access.veil import Veil

Rows = Callable[[Subject], Iterable[Sequence[Any]]]


@dataclass(frozen=True, slots=True)
class Table:
    """What a table is called, its columns, which are documented and stay, and who reads it.

    `models` are those whose rows about the person it tells.
    """

    name: str
    title: Any
    columns: tuple[str, ...]
    models: frozenset[type[Model]]
    rows: Rows


@dataclass(frozen=True, slots=True)
class ToldTable:
    """A table as it is told to one person: without what concerns others."""

    table: Table
    rows: list[dict[str, Any]]

    @property
    def name(self) -> str:
        """The name of its file."""
        return self.table.name


def tell(table: Table, subject: Subject) -> ToldTable:
    """Return the rows of a table about a person, as JSON knows values."""
    return ToldTable(table, list(_told(table, subject, subject.veil)))


def _told(table: Table, subject: Subject, veil: Veil) -> Iterable[dict[str, Any]]:
    for row in table.rows(subject):
        values = [veil.guarded(plain(value)) for value in row]
        yield dict(zip(table.columns, values, strict=True))


def plain(value: Any) -> Any:
    """Return a value as JSON has it: dates and instants after ISO 8601."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal | UUID):
        return str(value)
    return value
