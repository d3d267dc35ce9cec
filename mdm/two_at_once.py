"""Asking the database about many chunks, or changing them, two at a time.

A PostgreSQL server answers each connection by a processor of its own. Two connections halve the
time of a long count, and leave the rest of the pool to everybody else. Of a chunk that is changed
the server does its share while this process does its own of another.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from itertools import chain, islice
from typing import TypeVar

from django.db import connection, connections

Chunk = TypeVar("Chunk")
Answer = TypeVar("Answer")
_AT_ONCE = 2


def two_at_once(
    ask: Callable[[Chunk], Answer], chunks: Iterable[Chunk]
) -> Iterator[tuple[Chunk, Answer]]:
    """Yield each chunk with its answer, in their order, while the next ones are asked about.

    `ask` returns all it read; what it writes, it writes in a transaction of its own, and no two
    chunks may wait for one another in a circle. Inside a transaction, whose rows no other
    connection sees, and on SQLite, chunks are asked about one after the other; so is a single one.
    """
    left = iter(chunks)
    begun = list(islice(left, 2))
    left = chain(begun, left)
    if len(begun) < 2 or not _has_connections():
        for chunk in left:
            yield chunk, ask(chunk)
        return
    waiting: deque[tuple[Chunk, Future[Answer]]] = deque()
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        try:
            for chunk in left:
                waiting.append((chunk, threads.submit(copy_context().run, _ask, ask, chunk)))
                if len(waiting) > _AT_ONCE:
                    yield _first(waiting)
            while waiting:
                yield _first(waiting)
        finally:
            for _chunk, asked in waiting:
                asked.cancel()


def _ask(ask: Callable[[Chunk], Answer], chunk: Chunk) -> Answer:
    try:
        return ask(chunk)
    finally:
        connections.close_all()  # Of this thread: back into the pool.


def _first(waiting: deque[tuple[Chunk, Future[Answer]]]) -> tuple[Chunk, Answer]:
    chunk, asked = waiting.popleft()
    return chunk, asked.result()


def _has_connections() -> bool:
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        return False
    pool = connection.settings_dict["OPTIONS"].get("pool")
    return not pool or pool["max_size"] > _AT_ONCE
