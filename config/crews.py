"""Processes beside this one, on the database that it uses."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

import django
from django.db import connection


@contextmanager
def crew(size: int) -> Iterator[ProcessPoolExecutor]:
    """Give so many processes, which read what is committed; outside of transactions."""
    name = connection.settings_dict["NAME"]
    with ProcessPoolExecutor(size, get_context("spawn"), _begin, (name,)) as processes:
        yield processes


def _begin(database: str) -> None:
    """Make a new process ready, before anything is imported that needs Django."""
    django.setup()
    connection.settings_dict["NAME"] = database
