"""How long the stages of a search take."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def timed(timings: dict[str, float], stage: str) -> Iterator[None]:
    """Add the seconds that the block takes to those of a stage."""
    started = time.perf_counter()
    yield
    taken = time.perf_counter() - started
    timings[stage] = round(timings.get(stage, 0.0) + taken, 3)
