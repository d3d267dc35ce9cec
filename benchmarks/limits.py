"""Run a program within limits of time and memory, and say which one it broke."""

import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.steps import REPOSITORY, StepFailed

_LOOK_EVERY = 0.25


class LimitBroken(Exception):
    """The program was stopped; the message says at what."""


def run_limited(command: Sequence[str], *, seconds: float, megabytes: int) -> str:
    """Return what a program writes to its output.

    Args:
        command: the words of the command, run from the repository.
        seconds: how long it may take.
        megabytes: the memory it may hold (not watched where there is no /proc).

    Raises:
        LimitBroken: when it was stopped at a limit.
        StepFailed: when it ended in an error.
    """
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        with subprocess.Popen(command, cwd=REPOSITORY, stdout=output, stderr=errors) as process:
            try:
                _watch(process, seconds, megabytes)
            finally:
                process.kill()
        for stream in (output, errors):
            stream.seek(0)
        if process.returncode:
            raise StepFailed(f"{command[-2]}: {errors.read()[-600:]}")
        return output.read()


def _watch(process: "subprocess.Popen[bytes]", seconds: float, megabytes: int) -> None:
    ends = time.monotonic() + seconds
    while process.poll() is None:
        if time.monotonic() > ends:
            raise LimitBroken(f"stopped after {seconds:.0f} s")
        if _resident(process.pid) > megabytes:
            raise LimitBroken(f"stopped at {megabytes:,} MB")
        time.sleep(_LOOK_EVERY)


def _resident(pid: int) -> int:
    """Return the megabytes that a process holds, 0 where nobody says."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    sizes = [line.split()[1] for line in lines if line.startswith("VmRSS:")]
    return int(sizes[0]) >> 10 if sizes else 0
