"""The processes of an instance: their command lines, their port, and the lock on their folder."""

import fcntl
import http.client
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from config.supervisor import Child

DEFAULT_PORT = 8000
_PORTS_TO_TRY = 50
_MANAGE = str(settings.BASE_DIR / "manage.py")


class CannotStart(Exception):
    """The instance cannot start; the text says why and what to do."""


def web(host: str, port: int, *, processes: int) -> Child:
    """Return the web server."""
    command = [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"{host}:{port}"]
    command += ["--workers", str(processes), "--threads", "8"]
    # Who trickles a request holds some threads, never all; the work itself is done by the worker.
    command += ["--worker-class", "config.patient_worker.PatientWorker"]
    command += ["--timeout", "120", "--graceful-timeout", "5", "--no-control-socket"]
    command += ["--log-level", "warning", "--chdir", str(settings.BASE_DIR)]
    return Child("web", command)


def worker() -> Child:
    """Return the Celery worker; the sweeper is a process of its own beside it."""
    # The hint about running as root is for servers that answer the world; this one is embedded.
    command = [sys.executable, "-W", "ignore:You're running the worker", "-m", "celery"]
    command += ["--quiet", "--app", "config"]
    command += ["--workdir", str(settings.BASE_DIR), "worker", "--loglevel", settings.LOG_LEVEL]
    # One machine: nobody to gossip with.
    command += ["--without-gossip", "--without-mingle"]
    return Child("worker", command, {"WORKER_SWEEPS": "false"})


def sweeper() -> Child:
    """Return the process that puts back lost jobs."""
    every = str(settings.SWEEP_SECONDS)
    return Child("sweeper", [sys.executable, _MANAGE, "sweep_jobs", "--every", every])


@contextmanager
def alone_on(folder: Path) -> Iterator[None]:
    """Hold the folder's lock for the length of the block, even if this process is killed.

    Raises:
        CannotStart: when an instance already runs on the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            message = _("Orfèvre already runs on the folder %(folder)s: stop it first.")
            raise CannotStart(message % {"folder": folder}) from error
        yield


def choose_port(host: str, wanted: int) -> int:
    """Return the wanted port, or with 0 the first free one from 8000.

    Raises:
        CannotStart: when the wanted port, or every one of them, is taken.
    """
    candidates = [wanted] if wanted else range(DEFAULT_PORT, DEFAULT_PORT + _PORTS_TO_TRY)
    for port in candidates:
        if _is_free(host, port):
            return port
    message = _("Port %(port)d is taken: choose another with --port or PORT.")
    raise CannotStart(message % {"port": candidates[0]})


def answers(host: str, port: int) -> bool:
    """Return whether the web server answers."""
    connection = http.client.HTTPConnection(_reachable(host), port, timeout=5)
    try:
        connection.request("GET", "/healthz", headers={"Host": "localhost"})
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


def address(host: str, port: int) -> str:
    """Return the address a person types."""
    return f"http://{_reachable(host)}:{port}/"


def _reachable(host: str) -> str:
    return "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104 - comparing, not binding.


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True
