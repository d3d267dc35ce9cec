"""What a job has freed goes back to the system."""

import ctypes
import sys
from pathlib import Path

import numpy as np
import pytest

from mdm.freed import give_back

MEGABYTE = 1 << 20


def resident_megabytes() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / MEGABYTE


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_trim"),
    reason="no such call in this C library",
)
def test_arrays_that_were_dropped_between_others_leave_no_holes():
    np.ones(30 * MEGABYTE, np.uint8)  # From now on such sizes come from the heap.
    arrays = [np.ones(4 * MEGABYTE, np.uint8) for _ in range(40)]
    kept = arrays[::10]
    del arrays
    before = resident_megabytes()

    give_back()

    assert resident_megabytes() < before - 60
    assert all(array.all() for array in kept)
