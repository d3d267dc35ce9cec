"""How many histories the costly property tests invent."""

import os

from django.conf import settings

IS_LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
"""Whether this is `make test-long`."""


IS_SQLITE = settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")


def histories(usual: int, *, long: int | None = None) -> int:
    """Return how many to try: a third on PostgreSQL, where each takes three times as long.

    What a history must come to is the same on both; `make test-long` tries all of them on both.
    """
    if IS_LONG:
        return long or usual
    return usual if IS_SQLITE else max(2, usual // 3)
