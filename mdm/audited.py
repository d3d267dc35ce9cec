"""Rows written together with their history, in one statement where they are few on PostgreSQL.

A click writes a row here and two there: what it costs is the number of statements. Many rows are
written as `mdm.bulk` does, and their history after them.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from django.db import connection, models

from mdm import bulk
from mdm.audit import record_history, telling
from mdm.behind import execute
from mdm.key_sets import key_query

# Of which one statement is put together.
_FEW_ROWS = 8

Row = Sequence[Any]


def add(model: type[models.Model], columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Insert rows; the first of `columns` is the primary key."""
    if _are_few(rows):
        names, marks = bulk.column_names(model, columns), ", ".join(["%s"] * len(columns))
        statement = f"INSERT INTO {_table(model)} ({names}) VALUES ({marks})"  # noqa: S608
        _tell(model, statement, _adapted(model, columns, rows), "+")
    elif rows:
        bulk.insert(model, columns, rows)
        record_history(model, [row[0] for row in rows], "+")


def create(row: models.Model) -> None:
    """Insert one new object, which gets its key, as `save` would."""
    model, fields = type(row), row._meta.concrete_fields
    columns = [field.attname for field in fields]
    values = [field.pre_save(row, add=True) for field in fields]
    if connection.vendor == "postgresql":
        row.pk = _create(model, columns[1:], values[1:])
    else:
        [row.pk] = bulk.allocate_ids(model, 1)
        add(model, columns, [[row.pk, *values[1:]]])
    row._state.adding = False


def _create(model: type[models.Model], columns: Sequence[str], values: Row) -> Any:
    """Insert a row without key and its history in one statement; returns the key."""
    names, marks = bulk.column_names(model, columns), ", ".join(["%s"] * len(columns))
    [given] = _adapted(model, columns, [values])
    told, stamp = telling(model, "written", "+")
    insert = f"INSERT INTO {_table(model)} ({names}) VALUES ({marks}) RETURNING *"  # noqa: S608
    key = bulk.column_names(model, ["pk"])
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH written AS ({insert}), told AS ({told}) SELECT {key} FROM written",  # noqa: S608
            [*given, *stamp],
        )
        return cursor.fetchone()[0]


def change(model: type[models.Model], columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Update rows by key: the first of `columns` is the primary key, the others are set."""
    if _are_few(rows):
        key, *names = [bulk.column_names(model, [name]) for name in columns]
        assigned = ", ".join(f"{name} = %s" for name in names)
        statement = f"UPDATE {_table(model)} SET {assigned} WHERE {key} = %s"  # noqa: S608
        values = [[*values, primary] for primary, *values in _adapted(model, columns, rows)]
        _tell(model, statement, values, "~")
    elif rows:
        bulk.update(model, columns, rows)
        record_history(model, [row[0] for row in rows], "~")


def remove(model: type[models.Model], keys: Iterable[int]) -> None:
    """Delete rows, of which nothing hangs."""
    gone = sorted(keys)
    if not gone:
        return
    subquery, listed = key_query(gone)
    key = bulk.column_names(model, ["pk"])
    statement = f"DELETE FROM {_table(model)} WHERE {key} IN ({subquery})"  # noqa: S608
    if connection.vendor == "postgresql":
        _tell(model, statement, [[listed]], "-")
    else:
        record_history(model, gone, "-")
        execute(statement, [listed])


def _are_few(rows: Sequence[Row]) -> bool:
    return connection.vendor == "postgresql" and 0 < len(rows) <= _FEW_ROWS


def _adapted(model: type[models.Model], columns: Sequence[str], rows: Sequence[Row]) -> list[Row]:
    blocks = bulk.adapted(model, columns, rows)
    return [row for block in blocks for row in zip(*block, strict=True)]


def _table(model: type[models.Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _tell(
    model: type[models.Model],
    statement: str,
    rows: Sequence[Row],
    kind: Literal["+", "~", "-"],
) -> None:
    """Execute a statement for each of the rows, and write the history of what it touches."""
    told, stamp = telling(model, "written", kind)
    parts = [f"part{number}" for number in range(len(rows))]
    each = ", ".join(f"{part} AS ({statement} RETURNING *)" for part in parts)
    union = " UNION ALL ".join(f"TABLE {part}" for part in parts)
    values = [value for row in rows for value in row]
    execute(f"WITH {each}, written AS ({union}) {told}", [*values, *stamp])
