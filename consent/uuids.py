"""UUIDs by the time, many at once: RFC 9562, version 7; `uuid` has them from Python 3.14 on."""

from collections.abc import Iterator
from datetime import datetime
from os import urandom


def uuids_at(moment: datetime, count: int) -> Iterator[str]:
    """Yield UUIDs of a moment in hexadecimal, all from one random text.

    They begin with the time, so that a unique index grows at its end: of random ones each goes to
    another page, which costs a load more than all other keys of a consent event.
    """
    time = f"{int(moment.timestamp() * 1000):012x}"
    digits = urandom(10 * count).hex()
    for start in range(0, 20 * count, 20):
        variant = "89ab"[int(digits[start], 16) & 3]
        yield f"{time}7{digits[start + 1 : start + 4]}{variant}{digits[start + 4 : start + 19]}"
