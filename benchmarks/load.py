"""A load alone, at sizes that grow: is it linear, and does its memory stay where it is?

`python -m benchmarks.load FOLDER ROWS` writes the files of one company. It is a process of its
own because it needs more memory than a load, and Linux counts the peak of a process from what
its parent held.
"""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.scale import load_company, site_of
from benchmarks.servers import PostgresServer
from benchmarks.steps import REPOSITORY, Measured
from mdm.demo.company import CompanyFiles, write_company


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
    company = folder / f"company{rows}"
    command = [sys.executable, "-m", __name__, str(company), str(rows)]
    subprocess.run(command, cwd=REPOSITORY, check=True)
    files = CompanyFiles.in_folder(company)
    with site_of(folder / f"{engine}{rows}", server) as site:
        site.manage("migrate", "--verbosity", "0")
        return LoadRun(engine, rows, load_company(site, files))


if __name__ == "__main__":
    write_company(Path(sys.argv[1]), rows=int(sys.argv[2]), seed=1)
