"""Run one step of the way in a process of its own, and measure that process."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

REPOSITORY = Path(__file__).resolve().parent.parent


class StepFailed(Exception):
    """A step ended with an error; the text holds its last words."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One finished step: seconds from start to end of the process, its memory and its answer."""

    seconds: float
    cpu_seconds: float
    peak_megabytes: float
    answer: dict[str, Any] = field(default_factory=dict)

    def plus(self, other: "Measured") -> "Measured":
        """Add a step that belongs to the same line of the table."""
        return Measured(
            self.seconds + other.seconds,
            self.cpu_seconds + other.cpu_seconds,
            max(self.peak_megabytes, other.peak_megabytes),
            {**self.answer, **other.answer},
        )


@dataclass(frozen=True, slots=True)
class Site:
    """A scratch installation: its own data folder and database, nothing shared."""

    folder: Path
    database_url: str
    settings: Mapping[str, str] = field(default_factory=dict)
    """What is set beside its folder and database."""

    @classmethod
    def on_sqlite(cls, folder: Path) -> "Site":
        """Give a site with an SQLite file in its folder."""
        return cls(folder, f"sqlite:///{folder / 'orfevre.sqlite3'}")

    def manage(self, *arguments: str | Path) -> Measured:
        """Run a management command; with --json its answer is read."""
        return self._run([str(REPOSITORY / "manage.py"), *map(str, arguments)])

    def module(self, name: str, *arguments: str | Path) -> Measured:
        """Run a module of the benchmarks that prints one JSON object."""
        return self._run(["-m", name, *map(str, arguments)])

    def _run(self, arguments: Sequence[str]) -> Measured:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (
            (self.folder / "step.out").open("w+", encoding="utf-8") as out,
            (self.folder / "step.err").open("w+", encoding="utf-8") as err,
        ):
            return _measure([sys.executable, *arguments], self.environment(), out, err)

    def environment(self) -> Mapping[str, str]:
        """Return the environment of its processes."""
        # An installation keeps the bytecode: without it, each process would compile the project.
        kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        return {
            **kept,
            "DATA_DIR": str(self.folder),
            "DATABASE_URL": self.database_url,
            "PYTHONPATH": str(REPOSITORY),
            "PRODUCTION": "false",
            **self.settings,
        }


def _measure(
    command: Sequence[str], environment: Mapping[str, str], out: IO[str], err: IO[str]
) -> Measured:
    started = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=REPOSITORY, env=dict(environment), stdout=out, stderr=err
    )
    # wait4 reports the resources of this very child; RUSAGE_CHILDREN keeps the peak of all so far.
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise StepFailed(_last_words(command, err))
    # Linux counts in kilobytes, macOS in bytes.
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return Measured(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit, _answer(out))


def _answer(out: IO[str]) -> dict[str, Any]:
    out.seek(0)
    lines = out.read().strip().splitlines()
    try:
        answer = json.loads(lines[-1]) if lines else {}
    except json.JSONDecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _last_words(command: Sequence[str], err: IO[str]) -> str:
    err.seek(0)
    words = err.read().strip().splitlines()[-3:]
    return f"{' '.join(command[1:3])}: {' / '.join(words) or 'no message'}"
