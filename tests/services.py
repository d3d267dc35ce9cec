"""Disposable servers: a PostgreSQL and a Redis on free ports, in folders that vanish with them.

Both end with this process, however it ends: on Linux the kernel signals them when it dies.
"""

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import redis

# Where Debian packages are unpacked when they cannot be installed; see tests/run.py.
UNPACKED = Path(__file__).resolve().parent.parent / ".data" / "tools"
_POSTGRESQL_FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
)
_CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_START_SECONDS = 30
_PR_SET_PDEATHSIG = 1


class Unavailable(Exception):
    """A server is not on this machine; the text says which and what was looked for."""


def find_postgresql() -> Path:
    """Return the folder of the newest PostgreSQL server's programs."""
    roots = [Path("/"), UNPACKED]
    found = [
        folder
        for root in roots
        for pattern in _POSTGRESQL_FOLDERS
        for folder in root.glob(pattern.lstrip("/"))
        if (folder / "initdb").exists()
    ]
    if on_path := shutil.which("initdb"):
        found.append(Path(on_path).resolve().parent)
    if not found:
        raise Unavailable("PostgreSQL: no initdb on PATH or in /usr/lib/postgresql")
    return max(found, key=_server_version)


def _server_version(folder: Path) -> tuple[int, ...]:
    said = subprocess.run(
        [folder / "postgres", "--version"],
        capture_output=True,
        text=True,
        check=False,
        env=_environment(),
    )
    number = said.stdout.split()[2] if said.returncode == 0 else "0"
    return tuple(int(part) for part in number.split(".") if part.isdigit())


def find_redis() -> Path:
    """Return the Redis (or Valkey) server program."""
    unpacked = os.pathsep.join([os.environ.get("PATH", ""), str(UNPACKED / "usr/bin")])
    for name in ("redis-server", "valkey-server"):
        if path := shutil.which(name, path=unpacked):
            return Path(path)
    raise Unavailable("Redis: no redis-server on PATH")


def find_chromium() -> Path:
    """Return a Chromium or Chrome."""
    for name in _CHROMIUM_NAMES:
        if path := shutil.which(name):
            return Path(path)
    raise Unavailable(f"Chromium: none of {', '.join(_CHROMIUM_NAMES)} on PATH")


@contextmanager
def postgresql(**wanted: str) -> Iterator[str]:
    """Run a PostgreSQL server for the length of the block and give its URL.

    Args:
        wanted: settings beside those that every such server has.
    """
    programs = find_postgresql()
    with _folder("orfevre-postgresql-") as folder:
        cluster, port = folder / "cluster", free_port()
        initdb = [str(programs / "initdb"), "--pgdata", str(cluster), "--username", "postgres"]
        _run([*initdb, "--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8"])
        # Nothing here must outlive a power cut, so nothing waits for the disk.
        options = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(folder),
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "wal_init_zero": "off",
            "max_connections": "200",
            # Rows that tests roll back would have it count tables as empty while they are not, and
            # plans made for empty tables take minutes.
            "autovacuum": "off",
            "jit": "off",
            **wanted,
        }
        command = [str(programs / "postgres"), "-D", str(cluster), "-p", str(port)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        with _server(command, folder, lambda: psycopg.connect(url).close(), stop=signal.SIGINT):
            yield url


@contextmanager
def redis_server() -> Iterator[str]:
    """Run a Redis server for the length of the block and give its URL, without database number."""
    with _folder("orfevre-redis-") as folder:
        port = free_port()
        command = [str(find_redis()), "--bind", "127.0.0.1", "--port", str(port), "--save", ""]
        command += ["--appendonly", "no", "--dir", str(folder)]

        def ping() -> None:
            with redis.Redis(port=port, socket_timeout=1) as client:
                client.ping()

        with _server(command, folder, ping, stop=signal.SIGTERM):
            yield f"redis://127.0.0.1:{port}"


def free_port() -> int:
    """Return a port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _folder(prefix: str) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    try:
        if account := _ordinary_account():
            os.chown(folder, account.pw_uid, account.pw_gid)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _server(
    command: Sequence[str], folder: Path, knock: Callable[[], object], *, stop: int
) -> Iterator[None]:
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, start_new_session=True, **_as_ordinary_user()
        )
    try:
        _wait(process, knock, log)
        yield
    finally:
        process.send_signal(stop)
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()


def _wait(process: subprocess.Popen[bytes], knock: Callable[[], object], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            knock()
        except (psycopg.OperationalError, redis.RedisError) as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise Unavailable(
                    f"A test server ended at its start: {log.read_text()[-500:]}"
                ) from error
            time.sleep(0.05)
        else:
            return


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, **_as_ordinary_user()
    )
    if done.returncode:
        raise Unavailable(f"{command[0]}: {done.stderr[-500:]}")


def _as_ordinary_user() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: become postgres or nobody."""
    options: dict[str, Any] = {"env": _environment(), "preexec_fn": _end_with_parent}
    if account := _ordinary_account():
        options |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    return options | {"cwd": "/"}


def _ordinary_account() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise Unavailable("PostgreSQL: neither a user postgres nor nobody to run it as")


def _environment() -> dict[str, str]:
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    if UNPACKED.exists():
        libraries = [str(folder) for folder in UNPACKED.glob("usr/lib/*-linux-gnu*")]
        environment["LD_LIBRARY_PATH"] = os.pathsep.join(libraries)
    return environment


def _end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
