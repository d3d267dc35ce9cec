"""A load alone, at sizes that grow: is it linear, and does its memory stay where it is?"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.company import company_of
from benchmarks.scale import SOURCES, load_company, load_source, site_of
from benchmarks.servers import PostgresServer
from benchmarks.steps import Measured, Site
from mdm.demo.company import CompanyFiles

_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class LoadRun:
    """The three files of one company loaded into an empty database, and once more into another.

    `load` is one file after the other. `at_once_seconds` is the time of two at a time, as a worker
    takes them unless it is told otherwise; None on SQLite, where one waits for the other.
    """

    engine: str
    rows: int
    load: Measured
    at_once_seconds: float | None = None


def measure_load(
    folder: Path, engine: str, server: PostgresServer | None, *, rows: int
) -> LoadRun:
    """Load a company of `rows` records on one engine, which is SQLite where there is no server."""
    files = company_of(folder / f"company{rows}", rows=rows)
    with _empty_site(folder / f"{engine}{rows}", server) as site:
        load = load_company(site, files)
    if server is None:
        return LoadRun(engine, rows, load)
    with _empty_site(folder / f"{engine}{rows}_at_once", server) as site:
        return LoadRun(engine, rows, load, _two_at_once(site, files))


@contextmanager
def _empty_site(folder: Path, server: PostgresServer | None) -> Iterator[Site]:
    with site_of(folder, server) as site:
        site.manage("migrate", "--verbosity", "0")
        yield site


def _two_at_once(site: Site, files: CompanyFiles) -> float:
    """Return the seconds until all files are loaded, each by a process of its own."""
    began = time.perf_counter()
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        sites = {code: replace(site, folder=site.folder / code) for code in SOURCES}
        list(threads.map(lambda code: load_source(sites[code], files, code), SOURCES))
    return time.perf_counter() - began
