"""What the figures were measured on, in general words: no host names, no paths."""

import os
import platform
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from benchmarks.servers import PostgresServer


def describe_machine(server: "PostgresServer | None") -> list[str]:
    """Give one line per fact a reader needs to compare the figures with her own."""
    busy, cores = os.getloadavg()[0], os.cpu_count() or 1
    return [
        f"{os.cpu_count()} cores ({_processor()}), {memory_bytes() / 1024**3:.0f} GB of memory",
        f"{platform.system()}, Python {platform.python_version()}, Django {django.__version__}",
        f"SQLite {sqlite3.sqlite_version}"
        + (f", PostgreSQL {server.version} on the same machine{server.note}" if server else ""),
        f"{busy:.1f} processes ran or waited for the {cores} cores when the runs began",
    ]


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.machine()


def memory_bytes() -> int:
    """Return how much memory the machine has."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
