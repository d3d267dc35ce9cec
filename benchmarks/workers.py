"""One search as the button starts it: queued, and done by one or two Celery workers.

Each count of workers gets a copy of one loaded PostgreSQL database, and a Redis of its own.
"""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.company import company_of
from benchmarks.scale import load_company
from benchmarks.servers import PostgresServer
from benchmarks.steps import REPOSITORY, Site, StepFailed
from tests import services

_LOOK_EVERY = 0.2
_STATE = "SELECT state, error FROM mdm_job WHERE id = %s"
_RESULT = """
    SELECT count(*), count(*) FILTER (WHERE automatic),
        md5(string_agg(concat_ws(' ', left_id, right_id, score, pattern), ';' ORDER BY left_id, right_id)),
        (SELECT count(DISTINCT customer_id) FROM mdm_sourcerecord)
    FROM matching_pairevidence
"""  # noqa: E501


@dataclass(frozen=True, slots=True)
class Search:
    """A finished search: seconds from the order to the end, and what it came to."""

    workers: int
    rows: int
    seconds: float
    pairs: int
    automatic: int
    digest: str
    """Of all pairs with their scores and patterns."""
    customers: int


def measure_workers(
    folder: Path, *, rows: int, server: PostgresServer, counts: Sequence[int] = (1, 2)
) -> Iterator[Search]:
    """Search the same records by each number of workers.

    Raises:
        StepFailed: when a search fails.
    """
    files = company_of(folder / f"company{rows}", rows=rows)
    with server.database(f"orfevre_workers{rows}") as url:
        loaded = Site(folder / f"workers{rows}", url)
        loaded.manage("migrate", "--verbosity", "0")
        load_company(loaded, files)
        for count in counts:
            with server.copy(url) as copied:
                yield _searched(folder / f"workers{rows}_{count}", copied, count, rows)


def _searched(folder: Path, url: str, count: int, rows: int) -> Search:
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        broker = stack.enter_context(services.redis_server())
        site = Site(folder, url, {"CELERY_BROKER_URL": f"{broker}/0"})
        for number in range(count):
            stack.enter_context(_worker(site, f"worker{number}@benchmark"))
        started = time.perf_counter()
        job = site.manage("match", "--queue", "--json").answer["job"]
        with psycopg.connect(url, autocommit=True) as connection:
            _wait_for(connection, job)
            seconds = time.perf_counter() - started
            found = connection.execute(_RESULT).fetchone()
    assert found is not None
    pairs, automatic, digest, customers = found
    return Search(count, rows, seconds, pairs, automatic, digest, customers)


@contextmanager
def _worker(site: Site, name: str) -> Iterator[None]:
    """Run a worker that has come up: an installation has its workers running."""
    celery = [sys.executable, "-m", "celery", "--quiet", "--app", "config"]
    environment = dict(site.environment())
    with (site.folder / f"{name}.log").open("w") as log:
        process = subprocess.Popen(
            [*celery, "worker", "--concurrency", "1", "--loglevel", "WARNING", "--hostname", name],
            cwd=REPOSITORY,
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        ping = [*celery, "inspect", "--destination", name, "ping"]
        while subprocess.run(
            ping, cwd=REPOSITORY, env=environment, capture_output=True
        ).returncode:
            if process.poll() is not None:
                raise StepFailed(f"{name} ended with {process.returncode}")
        yield
    finally:
        process.terminate()
        process.wait()


def _wait_for(connection: "psycopg.Connection[Any]", job: str) -> None:
    while True:
        row = connection.execute(_STATE, [job]).fetchone()
        state, error = row or ("gone", "")
        if state == "done":
            return
        if state not in ("queued", "running"):
            raise StepFailed(f"match --queue: {state} {error}")
        time.sleep(_LOOK_EVERY)


def workers_table(searches: Sequence[Search]) -> list[str]:
    """Return one line per search, and whether it came to the same as the first of its size."""
    lines = [
        "| records | workers | s | : one worker | pairs kept | linked by themselves | customers "
        "| same pairs and scores |",
        "|---:|" + "---:|" * 7,
    ]
    for one in searches:
        first = next(other for other in searches if other.rows == one.rows)
        cells = [f"{one.rows:,}", str(one.workers), f"{one.seconds:.1f}"]
        cells += [f"{one.seconds / first.seconds:.2f}", f"{one.pairs:,}", f"{one.automatic:,}"]
        cells += [f"{one.customers:,}", "yes" if one.digest == first.digest else "no"]
        lines.append(f"| {' | '.join(cells)} |")
    return lines
