"""The PostgreSQL server that the scale runs use: one that is there, or a disposable one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import psycopg

from benchmarks.steps import StepFailed
from tests import services


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A server on which the benchmark may create and drop databases of its own."""

    url: str
    version: str
    note: str

    @classmethod
    def at(cls, url: str, *, note: str) -> "PostgresServer":
        """Give the server behind a URL whose user may create databases."""
        with psycopg.connect(url) as connection:
            number = connection.info.server_version
        return cls(url, f"{number // 10_000}.{number % 10_000}", note)

    @contextmanager
    def database(self, name: str) -> Iterator[str]:
        """Create an empty database, give its URL, drop it at the end."""
        self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self._execute(f'CREATE DATABASE "{name}"')
        try:
            yield urlunsplit(urlsplit(self.url)._replace(path=f"/{name}"))
        finally:
            self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    @contextmanager
    def copy(self, url: str) -> Iterator[str]:
        """Copy a database nobody is connected to, give the copy's URL, drop it at the end."""
        name = urlsplit(url).path[1:]
        self._execute(f'CREATE DATABASE "{name}_copy" TEMPLATE "{name}"')
        try:
            yield f"{url}_copy"
        finally:
            self._execute(f'DROP DATABASE IF EXISTS "{name}_copy" WITH (FORCE)')

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Give the server of DATABASE_URL when it is PostgreSQL, else a disposable one.

    Raises:
        StepFailed: when there is neither.
    """
    url = os.environ.get("DATABASE_URL", "")
    if url.startswith("postgres"):
        yield PostgresServer.at(url, note="")
        return
    try:
        settings = _settings()
        with services.postgresql(**settings) as url:
            told = ", ".join(f"{name} {value}" for name, value in settings.items())
            note = f" (disposable: it does not wait for the disk; {told})"
            yield PostgresServer.at(url, note=note)
    except services.Unavailable as error:
        raise StepFailed(
            f"{error}; set DATABASE_URL, or leave it out: --engines sqlite"
        ) from error


def _settings() -> dict[str, str]:
    """Return what a disposable server is given beside what all of them have.

    Memory that nothing has used yet is slow where the host of a virtual machine has to give it
    first (125 MB/s instead of gigabytes, measured by writing to every page of some). So the sizes
    are small, and what is there is used again; a server that waits for no disk loses nothing by
    checkpoints that come often. The log is written as it comes: for its megabytes at once, such a
    system takes large pages, which mostly are not there yet.
    """
    return {
        "shared_buffers": "512MB",
        "min_wal_size": "256MB",
        "max_wal_size": "512MB",
        "wal_writer_delay": "10ms",
    }
