"""The peer of a load: django-import-export's own way of bringing the same file into a table.

`python -m benchmarks.import_peer default FILE` imports row by row, as a ModelResource does when
nothing is set; `… bulk FILE` sets `use_bulk` and looks for no row that may be there. Both without
a preview. The table holds the file's columns as text: nothing is standardised, no contact point,
history, golden record or permission follows. Each prints one JSON object.
"""

import csv
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django

from benchmarks.real_input import MAPPINGS
from benchmarks.scale import site_of
from benchmarks.servers import PostgresServer
from benchmarks.steps import Measured
from mdm.demo.company import write_company

WAYS: dict[str, dict[str, Any]] = {
    "default": {},
    "bulk": {"use_bulk": True, "skip_diff": True, "force_init_instance": True},
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """One file on one database: rows per second of the load, and of each way of the peer."""

    engine: str
    rows: int
    load: float
    peers: dict[str, float]


def measure_peers(
    folder: Path, *, rows: int, engines: dict[str, PostgresServer | None]
) -> Iterator[Comparison]:
    """Load the customer file of a company of `rows` records, and import the same file."""
    file = write_company(folder / f"company{rows}", rows=rows, seed=1).crm
    mapping = MAPPINGS / "demo-crm.toml"
    for engine, server in engines.items():
        with site_of(folder / f"{engine}peer{rows}", server) as site:
            site.manage("migrate", "--verbosity", "0")
            load = site.manage("load", file, "--source", "crm", "--mapping", mapping, "--json")
            peers = {way: site.module("benchmarks.import_peer", way, file) for way in WAYS}
        yield Comparison(
            engine,
            load.answer["rows"],
            load.answer["rows_per_second"],
            {way: _speed(measured) for way, measured in peers.items()},
        )


def _speed(measured: Measured) -> float:
    return float(measured.answer["rows"] / measured.answer["inner_seconds"])


def import_plainly(way: str, file: Path) -> dict[str, Any]:
    """Import the file into a table of its own, and drop the table again."""
    import tablib
    from import_export import resources

    with file.open(encoding="cp1252", newline="") as stream:
        header, *lines = csv.reader(stream, delimiter=";")
    data = tablib.Dataset(*lines, headers=header)
    with _plain_table(header) as model:
        options = {"model": model, "import_id_fields": [header[0]], "fields": header, **WAYS[way]}
        resource = type(
            "PlainResource", (resources.ModelResource,), {"Meta": type("Meta", (), options)}
        )
        started = time.perf_counter()
        result = resource().import_data(data, dry_run=False, raise_errors=True)
        seconds = time.perf_counter() - started
        stored = model._default_manager.count()
    if stored != len(lines):
        raise RuntimeError(f"{stored} of {len(lines)} rows were imported: {result.totals}")
    return {"inner_seconds": seconds, "rows": stored}


@contextmanager
def _plain_table(columns: list[str]) -> Iterator[Any]:
    from django.apps import apps
    from django.db import connection, models

    # The key first: fields keep the order in which they are made.
    key = models.CharField(max_length=200, primary_key=True)
    fields = {name: models.CharField(max_length=400, blank=True) for name in columns[1:]}
    meta = type("Meta", (), {"app_label": "mdm"})
    model: Any = type(
        "PlainCustomer",
        (models.Model,),
        {"__module__": __name__, "Meta": meta, columns[0]: key, **fields},
    )
    # By hand: Django's schema editor refuses to work inside a transaction on SQLite.
    quoted = [connection.ops.quote_name(field.column) for field in model._meta.concrete_fields]
    table = connection.ops.quote_name(model._meta.db_table)
    others = "".join(f", {column} varchar(400) NOT NULL" for column in quoted[1:])
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {table} ({quoted[0]} varchar(200) PRIMARY KEY{others})")
        try:
            yield model
        finally:
            cursor.execute(f"DROP TABLE {table}")
            del apps.all_models["mdm"][model._meta.model_name]
            apps.clear_cache()


def main() -> None:
    """Import the file named on the command line, in the way named there."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    print(json.dumps(import_plainly(sys.argv[1], Path(sys.argv[2]))))


if __name__ == "__main__":
    main()
