"""Copies of the test database, to come back to: above all as it was made.

A test that commits cannot be rolled back, and Django's way of emptying every table loses the rows
that were there from the start and is refused by the append-only tables, as it should be.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
from django.db import connection
from psycopg import sql


class Copy:
    """A copy of the test database; `restore` puts it back."""

    def restore(self) -> None:
        """Make the test database equal to the copy again."""
        raise NotImplementedError


class _SqliteCopy(Copy):
    def __init__(self, copy: Path) -> None:
        self._copy = copy
        self._name = str(connection.settings_dict["NAME"])
        _copy_sqlite(self._name, str(copy))

    def restore(self) -> None:
        connection.close()
        _copy_sqlite(str(self._copy), self._name)


class _PostgresqlCopy(Copy):
    def __init__(self, label: str) -> None:
        self._name = str(connection.settings_dict["NAME"])
        self._copy = f"{self._name}_{label}"
        self._replace(self._copy, template=self._name)

    def restore(self) -> None:
        self._replace(self._name, template=self._copy)

    def drop(self) -> None:
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", self._copy)

    def _replace(self, name: str, *, template: str) -> None:
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
        self._execute("CREATE DATABASE {} TEMPLATE {}", name, template)

    def _execute(self, statement: str, *names: str) -> None:
        known = connection.settings_dict
        with closing(
            psycopg.connect(
                host=known["HOST"],
                port=known["PORT"],
                user=known["USER"],
                password=known["PASSWORD"],
                dbname="postgres",
                autocommit=True,
            )
        ) as server:
            server.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@contextmanager
def copied_database(label: str, folder: Path) -> Iterator[Copy]:
    """Take a copy of the test database for the length of the block."""
    if connection.vendor == "sqlite":
        yield _SqliteCopy(folder / f"{label}.sqlite3")
        return
    copy = _PostgresqlCopy(label)
    try:
        yield copy
    finally:
        copy.drop()


def _copy_sqlite(source: str, target: str) -> None:
    with closing(sqlite3.connect(source)) as read, closing(sqlite3.connect(target)) as write:
        read.backup(write)
