"""The files of a demo company, written by a process of its own: `python -m benchmarks.company`.

Writing them takes more memory than loading them, and Linux counts the peak of a process from what
its parent held.
"""

import subprocess
import sys
from datetime import date
from pathlib import Path

from benchmarks.steps import REPOSITORY
from mdm.demo.company import CompanyFiles, write_company

SEED = 1
DEMO_DAY = date(2026, 9, 1)
"""The people of a demo company follow the day, and figures of two days are compared."""


def company_of(folder: Path, *, rows: int) -> CompanyFiles:
    """Write the company of so many records into a folder, and return its files."""
    command = [sys.executable, "-m", __name__, str(folder), str(rows)]
    subprocess.run(command, cwd=REPOSITORY, check=True)
    return CompanyFiles.in_folder(folder)


if __name__ == "__main__":
    write_company(Path(sys.argv[1]), rows=int(sys.argv[2]), seed=SEED, today=DEMO_DAY)
