"""One new record against all: `python -m benchmarks.resembling --rows 100000 --queries 500`.

Loads the demo company, searches once, writes the keys, then describes records to the service that
the page and the API ask, some of them damaged, and prints the milliseconds of the answers. Run it
on an empty database (DATABASE_URL); it stops when there are records, unless --keep is given.

`--more 900000` then writes that many other demo records straight into the tables that the question
reads (records, customers, keys), which takes minutes instead of the hours of a load, and asks
again: what a load writes beside them is not read here. `benchmarks.run --only known` does so on
databases of its own and writes the table.
"""

import argparse
import csv
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.acts import percentiles
from benchmarks.scale import site_of
from benchmarks.servers import PostgresServer

_CODES = ("crm", "shop", "newsletter")
_CHUNK = 20_000
_PERCENTS = (50, 95, 99)
_MOST_LOADED = 100_000
_FIGURES = ("p50_ms", "p95_ms", "p50_cpu_ms", "p95_cpu_ms", "p99_cpu_ms")

Answers = tuple[str, Mapping[str, Any]]
"""Database and what was measured on it."""


def measure_known(
    folder: Path, *, rows: int, engines: Mapping[str, PostgresServer | None]
) -> Iterator[Answers]:
    """Ask on each database about one record against so many."""
    loaded = min(rows, _MOST_LOADED)
    sizes = ("--rows", str(loaded), "--more", str(rows - loaded))
    for engine, server in engines.items():
        with site_of(folder / f"known-{engine}{rows}", server) as site:
            yield engine, site.module("benchmarks.resembling", *sizes).answer


def known_table(answers: Iterable[Answers]) -> list[str]:
    """Return one line per database and size: milliseconds of an answer."""
    lines = [
        "| database | records | keys | clock p50 | p95 | processor p50 | p95 | p99 |",
        "|---|" + "---:|" * 7,
    ]
    for engine, figures in answers:
        sizes = f"{figures['records']:,} | {figures['keys']:,}"
        times = " | ".join(f"{figures[name]:.1f}" for name in _FIGURES)
        lines.append(f"| {engine} | {sizes} | {times} |")
    return lines


def main() -> int:
    """Print one JSON object with the percentiles."""
    options = _options()
    import django

    django.setup()
    from django.core.management import call_command

    from mdm.models import SourceRecord

    call_command("migrate", verbosity=0)
    if not options.keep:
        if SourceRecord.objects.exists():
            print("The database holds records already.", file=sys.stderr)
            return 1
        _fill(options.rows)
    print(json.dumps(_measure(options.queries)))
    if options.more:
        _add(options.more)
        print(json.dumps(_measure(options.queries)))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.resembling", description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000, help="records of the demo company")
    parser.add_argument("--queries", type=int, default=500, help="descriptions to ask for")
    parser.add_argument("--more", type=int, default=0, help="records to write into the tables")
    parser.add_argument("--keep", action="store_true", help="ask the records that are there")
    return parser.parse_args()


def _fill(rows: int) -> None:
    from django.core.management import call_command

    from matching import key_table
    from mdm import jobs
    from mdm.demo.company import write_company

    mappings = Path(__file__).resolve().parent.parent / "mdm" / "mappings"
    with tempfile.TemporaryDirectory() as folder:
        files = write_company(Path(folder) / "company", rows=rows, seed=11)
        for code in _CODES:
            mapping = str(mappings / f"demo-{code}.toml")
            path = str(getattr(files, code))
            call_command("load", path, source=code, mapping=mapping, stdout=StringIO())
    call_command("match", stdout=StringIO())
    started = time.perf_counter()
    jobs.run_now(key_table.prepare())
    print(f"keys written in {time.perf_counter() - started:.1f} s", file=sys.stderr)


def _add(count: int) -> None:
    """Write demo records, customers and keys, and nothing else of what a load writes."""
    from django.db import transaction

    from benchmarks.tables import table
    from mdm.models import SourceRecord

    started = time.perf_counter()
    like = SourceRecord.objects.values("source_id", "batch_id").earliest("pk")
    with table("demo-1000000").open(encoding="utf-8", newline="") as stream:
        rows = islice(csv.DictReader(stream), count)
        while chunk := list(islice(rows, _CHUNK)):
            with transaction.atomic():
                _write_records(chunk, like)
    _analyse()
    print(f"{count} records added in {time.perf_counter() - started:.1f} s", file=sys.stderr)


def _write_records(rows: Sequence[dict[str, str]], like: Mapping[str, object]) -> None:
    """Write a chunk of lines of a table as records of their own customers, with their keys."""
    from django.utils.timezone import now

    from matching import codes, key_table
    from matching.learnt import learnt_with_keys
    from mdm import bulk
    from mdm.birth_ids import public_id
    from mdm.models import Customer, SourceRecord
    from mdm.standardise.record import ATTRIBUTES

    learnt, moment = learnt_with_keys(), now()
    assert learnt, "search first"
    keys = bulk.allocate_ids(SourceRecord, len(rows))
    shared = {
        **like, "status": "active", "link_rule": "birth", "raw": {}, "issues": [],
        "standardiser_version": 1, "content_hash": "", "line": 0,
    }  # fmt: skip
    columns = ("id", "customer_id", "source_key", *ATTRIBUTES, *shared)
    records = [
        (key, key, f"more-{key}", *(_value(row, name) for name in ATTRIBUTES), *shared.values())
        for key, row in zip(keys, rows, strict=True)
    ]
    bulk.insert(SourceRecord, columns, records)
    born = ("id", "public_id", "status", "version", "created_at")
    bulk.insert(Customer, born, [(key, public_id(key), "active", 1, moment) for key in keys])
    key_table._write(codes.records_now(keys), learnt)


def _value(row: dict[str, str], name: str) -> Any:
    value = row.get(name, "")
    if name != "birth_date":
        return value
    is_whole = len(value) == 8 and value[4:6] != "00" and value[6:] != "00"
    return date.fromisoformat(value) if is_whole else None


def _analyse() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _measure(queries: int) -> dict[str, Any]:
    from matching.models import BlockingKey
    from matching.resemblance import resembling
    from mdm.models import SourceRecord

    described = list(_descriptions(queries))
    for one in described[:20]:
        resembling(one)
    times, cpu, found = [], [], 0
    for one in described:
        started, began = time.perf_counter(), time.process_time()
        found += bool(resembling(one))
        cpu.append(time.process_time() - began)
        times.append(time.perf_counter() - started)
    return {
        "records": SourceRecord.objects.count(),
        "keys": BlockingKey.objects.count(),
        "queries": queries,
        "found": found,
        **{f"{name}_ms": figure for name, figure in percentiles(times, _PERCENTS).items()},
        **{f"{name}_cpu_ms": figure for name, figure in percentiles(cpu, _PERCENTS).items()},
    }


def _descriptions(count: int) -> Iterator[Any]:
    """Yield records as somebody may type them: a third as they are, others with a slip or less."""
    from mdm.models import SourceRecord
    from mdm.standardise.record import ATTRIBUTES, StandardRecord

    chance = random.Random(7)
    keys = list(SourceRecord.objects.active().values_list("pk", flat=True))
    for record in SourceRecord.objects.filter(pk__in=chance.sample(keys, min(count, len(keys)))):
        values = {name: getattr(record, name) for name in ATTRIBUTES}
        kind = chance.randrange(3)
        if kind == 1 and len(values["family_name"]) > 3:
            values["family_name"] = values["family_name"][:2] + values["family_name"][3:]
        if kind == 2:
            values |= {"email": "", "phone": ""}
        yield StandardRecord(**values)


if __name__ == "__main__":
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    sys.exit(main())
