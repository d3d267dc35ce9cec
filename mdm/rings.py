"""Rows make no rings: Python looks for some less often while millions of them are made."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def rare_collections() -> Iterator[None]:
    """Look for rings of objects that nothing leads to a hundred times less often.

    A search makes millions of rows and no ring; looking for some took a sixth of its time. The
    whole process does so meanwhile: it is for jobs and commands.
    """
    usual = gc.get_threshold()
    gc.set_threshold(100 * usual[0], *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
