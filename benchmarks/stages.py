"""Stages of the way that have no command of their own, run in a process of their own.

`python -m benchmarks.stages golden` derives every golden record anew; `… waterfall` counts who
an e-mail campaign may reach; `… standardise` reads every stored row again and writes nothing.
Each prints one JSON object with what it did.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import django

_CHUNK = 2000


def derive_golden_records() -> dict[str, Any]:
    """Delete all golden records and derive them again as `rebuild --processes 2` does."""
    from django.db import connection

    from config.crews import crew
    from config.management.commands.rebuild import derive_all, derive_range
    from mdm.key_sets import key_ranges
    from mdm.models import Customer, GoldenRecord, SourceRecord

    GoldenRecord.objects.all()._raw_delete("default")
    has_writers = connection.vendor == "postgresql"
    started = time.perf_counter()
    with crew(2) if has_writers else nullcontext() as others:
        derived = (others.map if others else map)(
            derive_range, key_ranges(Customer.objects.all(), _CHUNK)
        )
        written = derive_all(derived)["golden_records"]
    return {
        "inner_seconds": time.perf_counter() - started,
        "records": SourceRecord.objects.count(),
        "golden_records": written,
    }


def standardise_rows() -> dict[str, Any]:
    """Standardise the raw values of every record, alone and on one core; nothing is written."""
    from django.utils.timezone import localdate

    from mdm.loading.work import source_readers
    from mdm.models import SourceRecord, SourceSystem

    rows = []
    for source in SourceSystem.objects.all():
        readers = source_readers(source, today=localdate())
        raws = SourceRecord.objects.filter(source=source).values_list("batch__mapping", "raw")
        rows += [(readers[mapping], raw) for mapping, raw in raws.iterator()]
    started = time.process_time()
    for reader, raw in rows:
        reader.standardise(raw)
    return {"core_seconds": time.process_time() - started, "records": len(rows)}


def measure_waterfall() -> dict[str, Any]:
    """Count whom an e-mail campaign to everybody may reach."""
    from django.contrib.auth.models import User

    from campaigns.models import Campaign
    from campaigns.waterfall import measure
    from consent.models import Channel, Purpose

    owner, _ = User.objects.get_or_create(username="benchmark")
    purpose = Purpose.objects.get(code="marketing")
    campaign = Campaign.objects.create(
        name="Benchmark", purpose=purpose, channel=Channel.EMAIL, owner=owner
    )
    started = time.perf_counter()
    waterfall = measure(campaign)
    return {
        "inner_seconds": time.perf_counter() - started,
        "customers": waterfall.start,
        "allowed": waterfall.allowed,
    }


STAGES: dict[str, Callable[[], dict[str, Any]]] = {
    "golden": derive_golden_records,
    "standardise": standardise_rows,
    "waterfall": measure_waterfall,
}


def main() -> None:
    """Run the stage named on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    print(json.dumps(STAGES[sys.argv[1]]()))


if __name__ == "__main__":
    main()
