"""Speed and memory of the whole way on demo companies, on SQLite and PostgreSQL side by side."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from benchmarks.company import company_of
from benchmarks.real_input import MAPPINGS
from benchmarks.servers import PostgresServer
from benchmarks.steps import Measured, Site
from mdm.demo.company import CompanyFiles

SOURCES = ("crm", "shop", "newsletter")


@dataclass(frozen=True, slots=True)
class Run:
    """One company on one database: its steps in order."""

    engine: str
    rows: int
    steps: dict[str, Measured]


def measure_scale(
    folder: Path, *, rows: int, engines: dict[str, PostgresServer | None]
) -> Iterator[Run]:
    """Walk the way on each engine with the very same files."""
    files = company_of(folder / f"company{rows}", rows=rows)
    for engine, server in engines.items():
        with site_of(folder / f"{engine}{rows}", server) as site:
            yield Run(engine, rows, _walk(site, files))


def site_of(folder: Path, server: PostgresServer | None) -> AbstractContextManager[Site]:
    """Give a scratch installation, on SQLite where there is no server."""
    return nullcontext(Site.on_sqlite(folder)) if server is None else _on_postgres(folder, server)


@contextmanager
def _on_postgres(folder: Path, server: PostgresServer) -> Iterator[Site]:
    with server.database(f"orfevre_{folder.name}") as url:
        yield Site(folder, url)


def _walk(site: Site, files: CompanyFiles) -> dict[str, Measured]:
    site.manage("migrate", "--verbosity", "0")
    steps: dict[str, Callable[[], Measured]] = {
        "start": lambda: site.manage("version"),
        "load": lambda: load_company(site, files),
        "load again": lambda: load_company(site, files),
        "standardise": lambda: site.module("benchmarks.stages", "standardise"),
        "match": lambda: site.manage("match", "--json"),
        "match again": lambda: site.manage("match", "--json"),
        "golden": lambda: site.module("benchmarks.stages", "golden"),
        "waterfall": lambda: site.module("benchmarks.stages", "waterfall"),
    }
    return {name: step() for name, step in steps.items()}


def mapping_of(code: str) -> Path:
    """Return the demo's mapping of a source."""
    return MAPPINGS / f"demo-{code}.toml"


def load_company(
    site: Site, files: CompanyFiles, *, mapping: Callable[[str], Path] = mapping_of
) -> Measured:
    """Load the three files of a demo company, as one step, each by the mapping of its source."""
    measured = Measured(0, 0, 0)
    for code in SOURCES:
        measured = measured.plus(load_source(site, files, code, mapping(code)))
    return measured


def load_source(site: Site, files: CompanyFiles, code: str, mapping: Path) -> Measured:
    """Load the file of one source of a demo company."""
    file = getattr(files, code)
    return site.manage("load", file, "--source", code, "--mapping", mapping, "--json")
