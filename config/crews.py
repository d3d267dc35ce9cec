"""Processes beside this one, on the database that it uses."""

from argparse import ArgumentTypeError
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

import django
from django.db import connection

MOST = 32
"""Each has a connection of its own, of which PostgreSQL gives a hundred to everybody together."""


@contextmanager
def crew(size: int) -> Iterator[ProcessPoolExecutor]:
    """Give so many processes, which read what is committed; outside of transactions."""
    name = connection.settings_dict["NAME"]
    with ProcessPoolExecutor(size, get_context("spawn"), _begin, (name,)) as processes:
        yield processes


def crew_size(text: str) -> int:
    """Read how many processes an option asks for, as a type of argparse."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST):
        raise ArgumentTypeError(f"a number from 1 to {MOST}, not {text}")
    return int(text)


def _begin(database: str) -> None:
    """Make a new process ready, before anything is imported that needs Django."""
    django.setup()
    connection.settings_dict["NAME"] = database
