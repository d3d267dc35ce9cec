"""Queries of a click, put together once and asked with other keys each time.

A steward's act asks some forty queries, most of which Django takes longer to put together than
the database to answer. A kept query is written as a queryset all the same, and gives its rows.
"""

from collections.abc import Callable, Hashable, Iterable
from functools import wraps
from typing import Any, NamedTuple, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.models import QuerySet
from django.db.transaction import TransactionManagementError

from mdm.behind import ask
from mdm.key_sets import KeysToCome, TextToCome, key_text

Row = TypeVar("Row")
Model = TypeVar("Model", bound=models.Model)


def kept_objects(
    model: type[Model],
) -> "Callable[[Callable[..., QuerySet[Model]]], Callable[..., list[Model]]]":
    """Return what makes a function that gives objects of a query of whole rows; see `kept`."""
    names = [field.attname for field in model._meta.concrete_fields]

    def keep(query: "Callable[..., QuerySet[Model]]") -> Callable[..., list[Model]]:
        rows = kept(lambda *keys, **named: query(*keys, **named).values_list(*names))

        @wraps(query)
        def objects_of(*keys: Iterable[int], **named: Hashable) -> list[Model]:
            found = rows(*keys, **named)
            return [model.from_db(DEFAULT_DB_ALIAS, names, row) for row in found]

        return objects_of

    return keep


class _Kept(NamedTuple):
    """A query as it is sent, and which of its columns are read in Django's way."""

    sql: str
    parameters: tuple[Any, ...]
    converted: dict[int, Any]
    is_locking: bool


def kept(query: "Callable[..., QuerySet[Any, Row]]") -> Callable[..., list[Row]]:
    """Return a function that gives the rows of a query by `values_list`, not flat.

    Positional arguments are sets of keys, which the query names through `mdm.key_sets` alone, a
    range as it is written there; named ones make it another query, so they have few values.
    """
    found: dict[Hashable, _Kept] = {}

    @wraps(query)
    def rows_of(*keys: Iterable[int], **named: Hashable) -> list[Row]:
        if any(isinstance(some, range) for some in keys):
            return list(query(*keys, **named))
        which = (connection.vendor, *named.items())
        if (asked := found.get(which)) is None:
            to_come = map(KeysToCome.at, range(len(keys)))
            asked = found[which] = _put_together(query(*to_come, **named))
        return _rows(asked, keys)

    return rows_of


def kept_behind(
    query: "Callable[..., QuerySet[Any, Row]]",
) -> Callable[..., Callable[[], list[Row]]]:
    """Return a function that asks such a query and gives what gives its rows (`behind.ask`).

    Nobody is locked by it, and no set of keys is a range.
    """
    found: dict[str, _Kept] = {}

    @wraps(query)
    def ask_behind(*keys: Iterable[int]) -> Callable[[], list[Row]]:
        if (asked := found.get(connection.vendor)) is None:
            to_come = map(KeysToCome.at, range(len(keys)))
            asked = found[connection.vendor] = _put_together(query(*to_come))
        rows = ask(asked.sql, _given(asked, keys))
        return lambda: _converted(rows(), asked.converted) if asked.converted else rows()

    return ask_behind


def _put_together(rows: "QuerySet[Any, Any]") -> _Kept:
    compiler: Any = rows.query.get_compiler(connection=connection)
    sql, parameters = compiler.as_sql()
    columns = [column for column, *_ in compiler.select[: compiler.col_count]]
    converted = {place: columns[place] for place in compiler.get_converters(columns)}
    return _Kept(sql, tuple(parameters), converted, rows.query.select_for_update)


def _rows(asked: _Kept, keys: tuple[Iterable[int], ...]) -> list[Any]:
    database = connections[DEFAULT_DB_ALIAS]  # The proxy looks it up each time it is named.
    if asked.is_locking and not database.in_atomic_block:
        raise TransactionManagementError("Rows are locked inside of a transaction.")
    with database.cursor() as cursor:
        cursor.execute(asked.sql, _given(asked, keys))
        rows = cursor.fetchall()
    return _converted(rows, asked.converted) if asked.converted and rows else rows


def _given(asked: _Kept, keys: tuple[Iterable[int], ...]) -> list[Any]:
    texts = list(map(key_text, keys))
    return [
        texts[int(value)] if type(value) is TextToCome else value for value in asked.parameters
    ]


def _converted(rows: Iterable[Any], columns: dict[int, Any]) -> list[Any]:
    """Let values be what Django makes of them; each connection has ways of its own."""
    lists = list(map(list, rows))
    for place, column in columns.items():
        ways = [
            *connection.ops.get_db_converters(column),
            *column.get_db_converters(connection),
        ]
        for way in ways:
            for row in lists:
                row[place] = way(row[place], column, connection)
    return list(map(tuple, lists))
