"""Keep a handful of processes running, and leave none behind.

The embedded mode has no init system: `manage.py up` starts web, worker and sweeper as children,
restarts the one that dies, and ends all of them when it is asked to stop or dies itself.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType

STOP_SECONDS = 8
"""How long a child may take to finish what it does; a killed job goes on at the next start."""

_LOOK_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 30
_STEADY_SECONDS = 60  # A child that ran this long starts again without a pause.
_PR_SET_PDEATHSIG = 1


@dataclass
class Child:
    """One process that should run, in a process group of its own."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    deaths_in_a_row: int = 0
    started_at: float = 0.0
    start_again_at: float = 0.0

    def keep_running(self) -> None:
        """Start the child when it does not run, each time after a longer pause."""
        if self.process and self.process.poll() is not None:
            self._kill_group()  # A pool outlives its killed parent for a while.
            self._note_death(self.process.returncode)
        if self.process is None and time.monotonic() >= self.start_again_at:
            self._start()

    def stop(self) -> None:
        """Ask the child to finish; its whole group is killed by `end` if it does not."""
        if self.process and self.process.poll() is None:
            self.process.terminate()

    def end(self, deadline: float) -> None:
        """Wait until the deadline (monotonic), then kill whatever is left of the group."""
        if self.process is None:
            return
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(max(0.0, deadline - time.monotonic()))
        self._kill_group()
        self.process.wait()

    def _start(self) -> None:
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603 - our own command lines.
            self.command,
            env={**os.environ, **self.environment},
            start_new_session=True,  # Ctrl-C in the terminal reaches the supervisor alone.
            preexec_fn=_end_with_parent,  # One system call: no lock is taken.
        )

    def _kill_group(self) -> None:
        if self.process:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def _note_death(self, status: int) -> None:
        steady = time.monotonic() - self.started_at > _STEADY_SECONDS
        self.deaths_in_a_row = 0 if steady else self.deaths_in_a_row + 1
        pause = min(2.0**self.deaths_in_a_row / 2, _LONGEST_PAUSE_SECONDS)
        self.start_again_at = time.monotonic() + pause
        self.process = None
        sys.stderr.write(f"{self.name} ended ({status}); starting it again in {pause:g} s.\n")


class Supervisor:
    """Runs children until it is told to stop."""

    def __init__(self, children: Sequence[Child]) -> None:
        self._children = children
        self._stopping = False

    def run(self, *, is_ready: Callable[[], bool], when_ready: Callable[[], None]) -> None:
        """Run until SIGINT or SIGTERM; call `when_ready` once, when `is_ready` says so."""
        before = {
            name: signal.signal(name, self._stop) for name in (signal.SIGINT, signal.SIGTERM)
        }
        announced = False
        try:
            while not self._stopping:
                for child in self._children:
                    child.keep_running()
                if not announced and is_ready():
                    announced = True
                    when_ready()
                time.sleep(_LOOK_SECONDS)
        finally:
            self._end()
            for name, handler in before.items():
                signal.signal(name, handler)

    def _stop(self, signal_number: int, frame: FrameType | None) -> None:
        self._stopping = True

    def _end(self) -> None:
        for child in self._children:
            child.stop()
        deadline = time.monotonic() + STOP_SECONDS
        for child in self._children:
            child.end(deadline)


def keep_running_beside(child: Child) -> None:
    """Keep one child running from a thread, for a process that has work of its own."""

    def watch() -> None:
        while True:
            child.keep_running()
            time.sleep(1)

    threading.Thread(target=watch, daemon=True, name=f"keeps {child.name}").start()


def _end_with_parent() -> None:
    """Have the kernel end this child when its parent dies without a word (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
