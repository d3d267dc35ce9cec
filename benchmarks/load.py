"""A load alone, at sizes that grow: is it linear, and does its memory stay where it is?"""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.company import company_of
from benchmarks.scale import load_company, site_of
from benchmarks.servers import PostgresServer
from benchmarks.steps import Measured


@dataclass(frozen=True, slots=True)
class LoadRun:
    """The three files of one company loaded into one empty database."""

    engine: str
    rows: int
    load: Measured


def measure_load(
    folder: Path, engine: str, server: PostgresServer | None, *, rows: int
) -> LoadRun:
    """Load a company of `rows` records on one engine, which is SQLite where there is no server."""
    files = company_of(folder / f"company{rows}", rows=rows)
    with site_of(folder / f"{engine}{rows}", server) as site:
        site.manage("migrate", "--verbosity", "0")
        return LoadRun(engine, rows, load_company(site, files))
