"""Derive again from the facts what is derived from them, or prove that it holds."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction

from config.crews import crew, crew_size
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
    word_index,
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
        """Declare --check, --processes and --json."""
        parser.add_argument("--check", action="store_true", help="only compare; exit 1 if unequal")
        parser.add_argument(
            "--processes",
            type=crew_size,
            default=1,
            help="so many compare at a time, or derive golden records (on PostgreSQL)",
        )
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        """Rebuild or check, and say how many customers and differences there were."""
        statistics.renew()
        with rare_collections():
            bring_about = _checked if options["check"] else _rebuilt
            found = bring_about(options["processes"])
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


def _links(*, check: bool) -> dict[str, int]:
    found = proving.compare()
    if not check:
        proving.mend(found, reason="rebuild")
    return {
        "waiting": found.waiting_count,
        "links": len(found.record_ids),
        "tasks": len(found.tasks),
    }


def _states(*, check: bool) -> dict[str, int]:
    found = projection.rebuild(check=check)
    return {"customers": found.customer_count, "permission_states": found.difference_count}


def _of_customers(*, check: bool) -> dict[str, int]:
    """Compare or derive statuses and golden records, range by range."""
    ranges = key_ranges(Customer.objects.all(), _CHUNK)
    return _sums(map(_compared, ranges)) if check else derive_all(map(derive_range, ranges))


def derive_all(derived: Iterable[tuple[int, int]]) -> dict[str, int]:
    """Go through the ranges that are derived, and return how many of both were wrong."""
    counts = _sums(derived)
    word_index.take_in()
    return counts


def _compared(keys: range) -> tuple[int, int]:
    """Return how many of these ids have a wrong status, and how many golden records differ."""
    return len(identity.wrong_statuses(keys)), golden_records.differences(keys).count


def derive_range(keys: range) -> tuple[int, int]:
    """Derive both again, and return the same."""
    with rare_collections(), acting_as(None, "rebuild"), transaction.atomic():
        word_index.gather()
        identity.lock_customers(keys)
        golden = golden_records.consolidate(keys)
        if wrong := identity.wrong_statuses(keys):
            identity.refresh(wrong)
    bulk.pause_for_other_writers()
    return len(wrong), golden


def _sums(counts: Iterable[tuple[int, int]]) -> dict[str, int]:
    statuses = golden = 0
    for wrong, differing in counts:
        statuses, golden = statuses + wrong, golden + differing
    return {"statuses": statuses, "golden_records": golden}


def _events(*, check: bool) -> dict[str, int]:
    # What was told cannot be derived from facts: it is compared, in either case.
    replayed = replay.check()
    return {"events": len({*replayed.gaps, *replayed.differing})}


def _figures(*, check: bool) -> dict[str, int]:
    """Count the sources with wrong figures; those known to be out of date are not wrong."""
    if check:
        return {"quality_figures": len(quality_figures.wrong_sources())}
    sources = SourceSystem.objects.values_list("pk", flat=True)
    return {"quality_figures": sum(quality_figures.recount(source) for source in sources)}


# From links to what follows from them.
_PARTS: dict[str, Callable[..., dict[str, int]]] = {
    "links": _links,
    "customers": _of_customers,
    "contact points": lambda check: {
        "shared_contact_points": contact_points.recount_all(check=check)
    },
    "states": _states,
    "figures": _figures,
    "codes": lambda check: {"codes": codes.check() if check else codes.rebuild()},
    "keys": lambda check: {"blocking_keys": key_table.rebuild(check=check)},
    "events": _events,
}


def _rebuilt(processes: int) -> dict[str, int]:
    """Derive one part after the other, and return how much was not as it should be.

    Golden records are derived by several processes, where the database has several writers.
    """
    counts: dict[str, int] = {}
    with acting_as(None, "rebuild"):
        for name, part in _PARTS.items():
            if name == "customers" and processes > 1 and connection.vendor == "postgresql":
                with crew(processes) as others:
                    ranges = key_ranges(Customer.objects.all(), _CHUNK)
                    counts |= derive_all(others.map(derive_range, ranges))
            else:
                counts |= part(check=False)
    return counts


def _checked(processes: int) -> dict[str, int]:
    """Compare what is derived with its facts, several parts at a time."""
    if processes == 1:
        return _together(map(_check, _PARTS))
    # The longest comes first: the others are done beside it.
    order = sorted(_PARTS, key=lambda name: name != "states")
    with crew(processes) as others:
        return _together(others.map(_check, order))


def _check(name: str) -> dict[str, int]:
    with rare_collections():
        return _PARTS[name](check=True)


def _together(parts: Iterable[dict[str, int]]) -> dict[str, int]:
    return {name: count for part in parts for name, count in part.items()}
