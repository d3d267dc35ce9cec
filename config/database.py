"""Databases from a URL: SQLite for the embedded mode, PostgreSQL for everything else."""

from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

# WAL lets readers go on while one writes; IMMEDIATE takes the write lock at BEGIN, so that a
# read-modify-write waits its turn instead of failing with "database is locked" half-way. The log
# goes into the file every 32 MB: a load writes the same pages again and again, chunk by chunk.
_SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-65536; "
        "PRAGMA mmap_size=268435456; PRAGMA temp_store=MEMORY; PRAGMA wal_autocheckpoint=8000; "
        "PRAGMA recursive_triggers=ON;"
    ),
}


def database_from_url(url: str, *, pool_size: int) -> dict[str, Any]:
    """Build Django's settings for one database URL (`sqlite:///…` or `postgresql://…`).

    Raises:
        ImproperlyConfigured: when the URL is neither, naming the setting.
    """
    try:
        settings: dict[str, Any] = dict(dj_database_url.parse(url))
    except (dj_database_url.ParseError, dj_database_url.UnknownSchemeError, ValueError) as error:
        raise ImproperlyConfigured(
            "DATABASE_URL is not a database URL; write sqlite:///PATH or "
            "postgresql://USER:PASSWORD@HOST:PORT/NAME."
        ) from error
    match settings["ENGINE"]:
        case "django.db.backends.sqlite3":
            settings["OPTIONS"] = dict(_SQLITE_OPTIONS)
            Path(settings["NAME"]).parent.mkdir(parents=True, exist_ok=True)
        case "django.db.backends.postgresql":
            settings["OPTIONS"] = {
                **settings.get("OPTIONS", {}),
                "pool": {"min_size": 1, "max_size": pool_size, "timeout": 10},
            }
            settings["CONN_HEALTH_CHECKS"] = True
        case _:
            raise ImproperlyConfigured("DATABASE_URL must name SQLite or PostgreSQL.")
    return settings
