"""Real processes on the test database: a whole instance, or a worker to kill."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper

from config import processes
from mdm.models import Job
from tests.services import free_port

ROOT = Path(__file__).resolve().parent.parent
_START_SECONDS = 120


def instance_environment(connection: BaseDatabaseWrapper) -> dict[str, str]:
    """Return an environment in which other processes open the test's own database and broker."""
    known = connection.settings_dict
    url = f"sqlite:///{known['NAME']}"
    if connection.vendor == "postgresql":
        login = f"{known['USER']}:{known['PASSWORD']}" if known["PASSWORD"] else known["USER"]
        url = f"postgresql://{login}@{known['HOST']}:{known['PORT']}/{known['NAME']}"
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": url,
        "JOB_LEASE_SECONDS": "3",
        "SWEEP_SECONDS": "1",
        "WORKER_CONCURRENCY": "1",
        "LOG_LEVEL": "WARNING",
        "ORFEVRE_TEST_MAILS": str(Path(settings.DATA_DIR) / "mails"),
    }


@dataclass
class Instance:
    """A running Orfèvre: web, worker and sweeper under the supervisor."""

    url: str
    process: subprocess.Popen[bytes]

    @classmethod
    @contextmanager
    def running(cls, environment: Mapping[str, str]) -> Iterator[Self]:
        """Run an instance for the length of the block, and end it as a power cut would."""
        port = free_port()
        command = [sys.executable, str(ROOT / "manage.py"), "up", "--port", str(port)]
        process = subprocess.Popen([*command, "--workers", "1"], env=environment, cwd=ROOT)
        instance = cls(f"http://127.0.0.1:{port}", process)
        try:
            wait_until(lambda: processes.answers("127.0.0.1", port), "the web server answers")
            yield instance
        finally:
            instance._kill()

    def children(self) -> list[int]:
        """Return the process numbers of web, worker and sweeper."""
        listed = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.process.pid)],
            capture_output=True,
            text=True,
            check=False,
        )
        return [int(pid) for pid in listed.stdout.split()]

    def _kill(self) -> None:
        groups = self.children()  # Each leads a group of its own.
        self.process.kill()
        self.process.wait()
        for group in groups:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)


class Worker:
    """A Celery worker alone, with the sweeper it starts itself, in one process group."""

    def __init__(self, environment: Mapping[str, str], *, app: str = "config") -> None:
        self._environment, self._app = environment, app
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start a worker."""
        command = [sys.executable, "-m", "celery", "--quiet", "--app", self._app, "worker"]
        self._process = subprocess.Popen(
            [*command, "--loglevel", "WARNING"],
            env=self._environment,
            cwd=ROOT,
            start_new_session=True,
        )

    def does(self, job: Job) -> bool:
        """Say whether it is the one that claimed a job last."""
        claimed_by = int(job.worker.rpartition(":")[2])
        return self._process is not None and os.getpgid(claimed_by) == self._process.pid

    def kill(self) -> None:
        """Kill the worker with its pool, as a power cut would."""
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None


def wait_until(is_so: Callable[[], bool], what: str, *, seconds: float = _START_SECONDS) -> None:
    """Look until it is so; fail naming what never came."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"waited {seconds:g} s in vain until {what}"
        time.sleep(0.05)  # Looking again costs those who are waited for processor time.
