"""A source's own database, read by one SELECT as if it were a file.

The rows come by a server-side cursor and leave as CSV in UTF-8, so that all that follows is the
way of every file. Nothing can be written there: the session is read-only, and what is no SELECT
is refused. The address stands in an environment variable, never in the database of Orfèvre.
"""

import csv
import io
import json
import os
import re
import sqlite3
from collections.abc import Generator, Sequence
from contextlib import closing
from datetime import date, datetime, time
from decimal import Decimal
from typing import IO, Any, cast
from urllib.parse import quote, unquote, urlsplit

import psycopg
from django.utils.translation import gettext_lazy as _

from mdm.mapping import DATABASE_VARIABLE, FileOptions
from mdm.reading.rows import FileRefused

WRITTEN = FileOptions(encoding="utf-8", delimiter=",", quote='"')
_ROWS_AT_ONCE = 2000
_CONNECT_SECONDS = 10
_COMMENTS = re.compile(r"(?:\s+|--[^\n]*\n|/\*.*?\*/)*", re.DOTALL)
_READING = re.compile(r"(?:select|with|values|table)\b", re.IGNORECASE)
# What a SELECT does in SQLite; above all it attaches no other file.
_SQLITE_ALLOWED = frozenset(
    [sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE]
)

Batches = Generator[Sequence[Sequence[Any]], None, None]


def open_query(variable: str, query: str) -> IO[bytes]:
    """Return the result of a query as a CSV file that is read once, from start to end.

    Raises:
        FileRefused: here or while reading, with the place but without any value.
    """
    url = os.environ.get(variable, "") if re.fullmatch(DATABASE_VARIABLE, variable) else ""
    if not url:
        raise FileRefused(
            _("The environment variable %(name)s, the address of the database, is not set."),
            name=variable,
        )
    comments = _COMMENTS.match(query)
    if not _READING.match(query, comments.end() if comments else 0):
        raise FileRefused(_("The query of the source is no SELECT."))
    scheme = urlsplit(url).scheme
    if scheme in ("postgresql", "postgres"):
        return io.BufferedReader(_Blocks(_csv_blocks(_postgresql(url, query))))
    if scheme == "sqlite":
        return io.BufferedReader(_Blocks(_csv_blocks(_sqlite(url, query))))
    raise FileRefused(_("%(name)s must start with postgresql:// or sqlite:///."), name=variable)


class _Blocks(io.RawIOBase):
    """A file made of blocks that are produced as they are read."""

    def __init__(self, blocks: Generator[bytes, None, None]) -> None:
        self._blocks = blocks
        self._rest = b""

    def close(self) -> None:
        """Let go of the database, however far it was read."""
        self._blocks.close()
        super().close()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._rest = self._rest or next(self._blocks, b"")
        taken = self._rest[: len(buffer)]
        self._rest = self._rest[len(taken) :]
        buffer[: len(taken)] = taken
        return len(taken)


def _csv_blocks(batches: Batches) -> Generator[bytes, None, None]:
    """Write rows as CSV; the first batch is the line of names."""
    with closing(batches):
        for batch in batches:
            text = io.StringIO(newline="")
            csv.writer(text, lineterminator="\n").writerows(
                [_text(value) for value in row] for row in batch
            )
            yield text.getvalue().encode("utf-8", "replace")


def _postgresql(url: str, query: str) -> Batches:
    try:
        with (
            psycopg.connect(
                url,
                connect_timeout=_CONNECT_SECONDS,
                options="-c default_transaction_read_only=on",
                application_name="orfevre",
            ) as connection,
            connection.cursor(name="orfevre") as cursor,
        ):
            connection.read_only = True
            # DECLARE … CURSOR takes one SELECT and nothing else.
            cursor.execute(cast("Any", query.strip().rstrip(";")))
            yield [[column.name for column in cursor.description or ()]]
            while rows := cursor.fetchmany(_ROWS_AT_ONCE):
                yield rows
    except psycopg.Error as error:
        raise _refusal(error) from None


def _refusal(error: psycopg.Error) -> FileRefused:
    """Tell what went wrong; only what speaks of names, never of values, is quoted."""
    state = error.sqlstate or ""
    if not state and isinstance(error, psycopg.OperationalError):
        return FileRefused(_("The database of the source cannot be reached."))
    words = error.diag.message_primary if state.startswith("42") else type(error).__name__
    return FileRefused(
        _("The query of the source failed: %(reason)s (%(state)s)."),
        reason=" ".join((words or "").split()),
        state=state,
    )


def _sqlite(url: str, query: str) -> Batches:
    path = unquote(urlsplit(url).path).removeprefix("/")
    try:
        connection = sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True)
        with closing(connection):
            connection.text_factory = lambda content: content.decode("utf-8", "replace")
            connection.execute("PRAGMA query_only = ON")
            connection.set_authorizer(_allow_reading)
            cursor = connection.execute(query)
            yield [[column[0] for column in cursor.description]]
            while rows := cursor.fetchmany(_ROWS_AT_ONCE):
                yield rows
    except sqlite3.Error as error:
        if "unable to open" in str(error) or "not a database" in str(error):
            raise FileRefused(_("The database of the source cannot be reached.")) from None
        raise FileRefused(
            _("The query of the source failed: %(reason)s (%(state)s)."),
            reason=" ".join(str(error).split()),
            state=type(error).__name__,
        ) from None


def _allow_reading(action: int, *_about: object) -> int:
    return sqlite3.SQLITE_OK if action in _SQLITE_ALLOWED else sqlite3.SQLITE_DENY


def _text(value: object) -> str:
    """Return a value of a database as a file would hold it."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
