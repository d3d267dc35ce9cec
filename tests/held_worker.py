"""A Celery worker that waits at gates until a test opens them; all else is that of `config`.

Small work is done in milliseconds: to be killed in the middle of it, a worker must be held there.
It waits while there is a file named after the phase it is in, in the folder `ORFEVRE_TEST_GATES`.
It loads in small chunks, with a process beside that prepares them, as large files have it.
"""

import os
import time
from pathlib import Path
from typing import Any

from celery.signals import worker_process_init

from config.celery import app  # noqa: F401 - what Celery looks for.

LINES_PER_CHUNK = 100
_POLL_SECONDS = 0.02


@worker_process_init.connect
def put_up_gates(**_kwargs: Any) -> None:
    """Put a gate before each part, each further chunk, and after each word on progress."""
    from matching import fan_out
    from mdm.jobs import JobRun
    from mdm.loading import preparation, work

    preparation._WORTH_A_PROCESS = 1
    work.CHUNK_SIZE.update(dict.fromkeys(work.CHUNK_SIZE, LINES_PER_CHUNK))
    give, chunk, progress = fan_out._give, JobRun.chunk, JobRun.progress

    def held_give(row: Any, work: Any, part: Any, phase: str) -> bytes:
        _wait_at(phase)
        return give(row, work, part, phase)

    def held_chunk(run: JobRun, **figures: Any) -> Any:
        if run.cursor:  # Something has been written.
            _wait_at(figures.get("phase", run._phase))
        return chunk(run, **figures)

    def held_progress(run: JobRun, done: int, total: int | None = None, phase: str = "") -> None:
        if _is_closed(phase):
            run._next_progress = 0.0  # Told without delay: nothing is told while it waits.
        progress(run, done, total, phase)
        _wait_at(phase)

    fan_out._give = held_give
    JobRun.chunk, JobRun.progress = held_chunk, held_progress  # type: ignore[method-assign, assignment]


def _wait_at(phase: str) -> None:
    while _is_closed(phase):
        time.sleep(_POLL_SECONDS)


def _is_closed(phase: str) -> bool:
    return (Path(os.environ["ORFEVRE_TEST_GATES"]) / phase).is_file()
