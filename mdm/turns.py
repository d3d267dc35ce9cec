"""Acts of people that wait in a circle with a load or a run are done again, not refused.

A steward locks customers and then counts who shares their contact points; a load that meets a
refused contact point locks it and then the customers who carry it. PostgreSQL breaks such a
circle by ending one of the two transactions. A job goes on at its cursor; a click has nobody to
ask again, so its whole transaction is run once more: nothing of it was written, nothing answered.
"""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection, transaction

_TRIES = 3
_OUR_TURN_ENDED = {"40P01", "40001"}  # Deadlock detected, serialization failure.

Given = ParamSpec("Given")
Made = TypeVar("Made")


def in_one_turn(act: Callable[Given, Made]) -> Callable[Given, Made]:
    """Let a function run in one transaction, and again when the database ended it for another.

    Inside of another transaction it is part of that one, which cannot be saved.
    """

    @wraps(act)
    def run(*arguments: Given.args, **options: Given.kwargs) -> Made:
        tries = 1 if connection.in_atomic_block else _TRIES
        for _ in range(tries - 1):
            try:
                with transaction.atomic():
                    return act(*arguments, **options)
            except OperationalError as error:
                if getattr(error.__cause__, "sqlstate", None) not in _OUR_TURN_ENDED:
                    raise
        with transaction.atomic():
            return act(*arguments, **options)

    return run
