"""Derive again from the facts what is derived from them, or prove that it holds."""

import json
from collections.abc import Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from consent import projection
from matching import codes, key_table, proving
from mdm import (
    bulk,
    contact_points,
    golden_records,
    identity,
    quality_figures,
    replay,
    statistics,
)
from mdm.audit import acting_as
from mdm.key_sets import key_ranges
from mdm.models import Customer, SourceSystem
from mdm.rings import rare_collections

_CHUNK = 2_000


class Command(BaseCommand):
    """Rebuild what is derived; with --check, change nothing and fail when anything differs."""

    help = (
        "Derive links, statuses of ids, review tasks, golden records, shared contact points, "
        "permission states, the figures of data quality and the codes that searches for "
        "duplicates read again from the facts."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare --check and --json."""
        parser.add_argument("--check", action="store_true", help="only compare; exit 1 if unequal")
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        """Rebuild or check, and say how many customers and differences there were."""
        statistics.renew()
        with acting_as(None, "rebuild"), rare_collections():
            found = _differences(check=options["check"])
        self.stdout.write(json.dumps(found) if options["json"] else _told(found))
        if found["events"]:
            raise CommandError("What was told of customers is not what is so: see replay_events.")
        if options["check"] and any(found[name] for name in _DERIVED):
            raise CommandError("Derived data differs from its facts: run it without --check.")


_DERIVED = {
    "links": "links",
    "statuses": "statuses of ids",
    "tasks": "review tasks",
    "golden_records": "golden records",
    "shared_contact_points": "shared contact points",
    "permission_states": "permission states",
    "quality_figures": "figures of sources",
    "codes": "codes of records",
    "blocking_keys": "blocking keys",
    "events": "customers' events",
}


def _told(found: Mapping[str, int]) -> str:
    counts = ", ".join(f"{found[name]} {words}" for name, words in _DERIVED.items())
    return (
        f"{found['customers']} customers; {found['waiting']} records wait for the next search. "
        f"Differing from their facts: {counts}."
    )


def _differences(*, check: bool) -> dict[str, int]:
    """Compare what is derived with its facts, from links to what follows from them."""
    linked = proving.compare()
    if not check:
        proving.mend(linked, reason="rebuild")
    statuses, golden = _of_customers(check=check)
    shared = contact_points.recount_all(check=check)
    states = projection.rebuild(check=check)
    return {
        "customers": states.customer_count,
        "waiting": linked.waiting_count,
        "links": len(linked.record_ids),
        "statuses": statuses,
        "tasks": len(linked.tasks),
        "golden_records": golden,
        "shared_contact_points": shared,
        "permission_states": states.difference_count,
        "quality_figures": _wrong_figures(check=check),
        "codes": codes.check() if check else codes.rebuild(),
        "blocking_keys": key_table.rebuild(check=check),
        # What was told cannot be derived from facts: it is compared, in either case.
        "events": _wrong_events(),
    }


def _of_customers(*, check: bool) -> tuple[int, int]:
    """Return how many ids had a wrong status, and how many golden records differed."""
    statuses = golden = 0
    for keys in key_ranges(Customer.objects.all(), _CHUNK):
        if check:
            statuses += len(identity.wrong_statuses(keys))
            golden += golden_records.differences(keys).count
            continue
        with transaction.atomic():
            identity.lock_customers(keys)
            golden += golden_records.consolidate(keys)
            if wrong := identity.wrong_statuses(keys):
                identity.refresh(wrong)
                statuses += len(wrong)
        bulk.pause_for_other_writers()
    return statuses, golden


def _wrong_events() -> int:
    replayed = replay.check()
    return len({*replayed.gaps, *replayed.differing})


def _wrong_figures(*, check: bool) -> int:
    """Count the sources with wrong figures; those known to be out of date are not wrong."""
    if check:
        return len(quality_figures.wrong_sources())
    sources = SourceSystem.objects.values_list("pk", flat=True)
    return sum(quality_figures.recount(source) for source in sources)
