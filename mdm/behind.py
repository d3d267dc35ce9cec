"""Statements that run while the rows of the next ones are made.

A bulk writer on PostgreSQL would spend half of its time waiting for the server. Inside `behind`
its inserts are sent by a second thread, one after the other, in the order in which they were
given, and whoever asks the database anything else waits for them first. So the statements of a
transaction and their order are the same as without it. A question can be put in that order, too
(`ask`): its answer is waited for alone, while the server goes on with what was given after it.
"""

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from queue import SimpleQueue
from typing import Any

from django.db import connection

# What waits is held in memory: some megabytes for each.
_MOST_WAITING = 12
# Seconds after which the thread that computes lets the one go on that has heard from the server.
_GIVES_WAY_AFTER = 0.0005

Statement = Callable[[Any], object]
"""What is to be done with psycopg's connection."""


class _Line:
    """The statements that were given and are not known to have ended."""

    def __init__(self, thread: ThreadPoolExecutor) -> None:
        self._thread = thread
        self._given: deque[Future[object]] = deque()
        self._is_fed = False

    def add(self, statement: Statement) -> Future[object]:
        while len(self._given) >= _MOST_WAITING:
            self._wait_for_first()
        given = self._thread.submit(statement, connection.connection)
        self._given.append(given)
        return given

    def wait(self) -> None:
        while self._given:
            self._wait_for_first()

    def _wait_for_first(self) -> None:
        self.answer(self._given.popleft())

    def answer(self, given: Future[Any]) -> Any:
        if self._is_fed:  # What is waited for would wait for who waits.
            raise RuntimeError("The database was asked by what makes the rows of a statement.")
        with connection.wrap_database_errors:
            return given.result()

    def feed(
        self, statement: Callable[[Any, Iterator[str]], object], texts: Iterable[str]
    ) -> None:
        parts: SimpleQueue[str | BaseException | None] = SimpleQueue()
        self.add(lambda psycopg: statement(psycopg, _taken(parts)))
        self._is_fed = True
        end: BaseException | None = None
        try:
            for text in texts:
                parts.put(text)
        except BaseException as error:
            end = error
            raise
        finally:
            self._is_fed = False
            parts.put(end)


def _taken(parts: "SimpleQueue[str | BaseException | None]") -> Iterator[str]:
    """Yield texts as they are made; the error of who makes them is an error here, too."""
    while (part := parts.get()) is not None:
        if isinstance(part, BaseException):
            raise part
        yield part


_line: ContextVar[_Line | None] = ContextVar("line", default=None)


@contextmanager
def behind() -> Iterator[None]:
    """Let the bulk inserts of this block run behind it. Use it inside a transaction.

    The error of a statement is raised where the database is asked next, at the latest at the end
    of the block. SQLite works in this process and thread: there, nothing is different.
    """
    if connection.vendor != "postgresql" or _line.get():
        yield
        return
    interval = sys.getswitchinterval()
    sys.setswitchinterval(_GIVES_WAY_AFTER)
    try:
        # Leaving it waits for all statements, also after an error.
        with ThreadPoolExecutor(max_workers=1) as thread:
            line = _Line(thread)
            token = _line.set(line)
            try:
                with connection.execute_wrapper(_after(line)):
                    yield
                    line.wait()
            finally:
                _line.reset(token)
    finally:
        sys.setswitchinterval(interval)


def _after(line: _Line) -> Callable[..., Any]:
    def execute_after(execute: Callable[..., Any], *statement: Any) -> Any:
        line.wait()
        return execute(*statement)

    return execute_after


def is_behind() -> bool:
    """Tell whether statements run behind the one who gives them."""
    return _line.get() is not None


def send(statement: Statement) -> None:
    """Do something with psycopg's connection: behind the block that is open, else at once."""
    if line := _line.get():
        line.add(statement)
        return
    with connection.cursor(), connection.wrap_database_errors:
        statement(connection.connection)


def feed(statement: Callable[[Any, Iterator[str]], object], texts: Iterable[str]) -> None:
    """Do something with psycopg's connection and texts, which it takes while others are made.

    Whatever makes the texts does not ask the database.
    """
    if line := _line.get():
        line.feed(statement, texts)
        return
    with connection.cursor(), connection.wrap_database_errors:
        statement(connection.connection, iter(texts))


def ask(sql: str, parameters: Sequence[Any] | None = None) -> Callable[[], list[Any]]:
    """Execute a statement on any database and return what gives its rows when it is called.

    Behind a block, only whoever calls it waits.
    """
    if line := _line.get():
        answer = line.add(lambda psycopg: psycopg.execute(sql, parameters).fetchall())
        return partial(line.answer, answer)
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows = cursor.fetchall()
    return lambda: rows


def execute(sql: str, parameters: Sequence[Any] | None = None) -> None:
    """Execute a statement whose result nobody asks for, on any database."""
    if is_behind():
        send(lambda psycopg: psycopg.execute(sql, parameters))
        return
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
