"""A Celery worker whose parts of a search wait at a gate until a test opens it.

Small parts are done in milliseconds: to be killed in one, a worker must be held there. A part
waits while there is a file named after its phase in the folder `ORFEVRE_TEST_GATES`; all else is
the worker of `celery --app config`.
"""

import os
import time
from pathlib import Path
from typing import Any

from celery.signals import worker_process_init

from config.celery import app  # noqa: F401 - what Celery looks for.

_POLL_SECONDS = 0.02


@worker_process_init.connect
def hold_parts(**_kwargs: Any) -> None:
    """Put the gate before the parts, in each process that does jobs."""
    from matching import fan_out

    gates, give = Path(os.environ["ORFEVRE_TEST_GATES"]), fan_out._give

    def held(row: Any, work: Any, part: Any, phase: str) -> bytes:
        while (gates / phase).exists():
            time.sleep(_POLL_SECONDS)
        return give(row, work, part, phase)

    fan_out._give = held
