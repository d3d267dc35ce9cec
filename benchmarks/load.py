"""A load alone, at sizes that grow: is it linear, and does its memory stay where it is?"""

import json
import time
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from benchmarks.company import company_of
from benchmarks.scale import SOURCES, load_company, load_source, mapping_of, site_of
from benchmarks.servers import PostgresServer
from benchmarks.steps import Measured, Site
from mdm.demo.company import CompanyFiles

_AT_ONCE = 2
# What a file may say beside who somebody is and where she is reached.
_MORE = ("permission", "opt_out", "sale", "contract")


@dataclass(frozen=True, slots=True)
class LoadRun:
    """The three files of one company loaded into an empty database, and again into others.

    `load` is one file after the other. `alone_seconds` is the same without their columns of
    permissions, sales and contracts: what source records cost, with contact points, match keys,
    customers, golden records and history. `at_once_seconds` is the time of two files at a time, as
    a worker takes them unless it is told otherwise; None on SQLite, where one waits for the other.
    """

    engine: str
    rows: int
    load: Measured
    alone_seconds: float
    at_once_seconds: float | None = None


def measure_load(
    folder: Path, engine: str, server: PostgresServer | None, *, rows: int
) -> LoadRun:
    """Load a company of `rows` records on one engine, which is SQLite where there is no server."""
    files = company_of(folder / f"company{rows}", rows=rows)
    with _empty_site(folder / f"{engine}{rows}", server) as site:
        load = load_company(site, files)
    with _empty_site(folder / f"{engine}{rows}_alone", server) as site:
        alone = load_company(site, files, mapping=partial(of_records_alone, folder))
    run = LoadRun(engine, rows, load, alone.seconds)
    if server is None:
        return run
    with _empty_site(folder / f"{engine}{rows}_at_once", server) as site:
        return replace(run, at_once_seconds=_two_at_once(site, files))


def of_records_alone(folder: Path, code: str) -> Path:
    """Write the demo's mapping of a source without permissions, sales and contracts."""
    document = tomllib.loads(mapping_of(code).read_text("utf-8"))
    document["column"] = [
        column for column in document["column"] if not column["attribute"].startswith(_MORE)
    ]
    written = folder / f"{code}-alone.json"
    written.write_text(json.dumps(document), "utf-8")
    return written


@contextmanager
def _empty_site(folder: Path, server: PostgresServer | None) -> Iterator[Site]:
    with site_of(folder, server) as site:
        site.manage("migrate", "--verbosity", "0")
        yield site


def _two_at_once(site: Site, files: CompanyFiles) -> float:
    """Return the seconds until all files are loaded, each by a process of its own."""

    def load(code: str) -> None:
        load_source(replace(site, folder=site.folder / code), files, code, mapping_of(code))

    began = time.perf_counter()
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        list(threads.map(load, SOURCES))
    return time.perf_counter() - began
