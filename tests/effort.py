"""What work costs on any machine: counted in units of plain Python work done beside it."""

import time
from collections.abc import Callable

TRIES = 5
_STEPS_OF_A_UNIT = 100_000  # Some 4 ms of a processor of 2025.


def takes_at_most(units: float, work: Callable[[int], object]) -> bool:
    """Say whether the work, at its cheapest, takes no more processor time than so many units.

    A slow or busy machine is slow at both, and what disturbs one try misses another. Work is told
    the number of the try, from 0: with an input of its own it cannot answer from a cache.
    """
    for number in range(TRIES):
        unit = _processor_seconds(_count)
        if _processor_seconds(lambda: work(number)) <= units * unit:  # noqa: B023
            return True
    return False


def _processor_seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _count() -> None:
    total = 0
    for step in range(_STEPS_OF_A_UNIT):
        total += step & 7
