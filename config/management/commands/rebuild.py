"""Derive again from the facts what is derived from them, or prove that it holds."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from consent import projection
from matching import codes
from mdm import bulk, contact_points, golden_records, quality_figures
from mdm.audit import acting_as
from mdm.models import Customer, SourceSystem

_CHUNK = 2_000


class Command(BaseCommand):
    """Rebuild what is derived; with --check, change nothing and fail when anything differs."""

    help = (
        "Derive golden records, shared contact points, permission states, the figures of data "
        "quality and the codes that searches for duplicates read again from the facts."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare --check and --json."""
        parser.add_argument("--check", action="store_true", help="only compare; exit 1 if unequal")
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        """Rebuild or check, and say how many customers and differences there were."""
        check = options["check"]
        with acting_as(None, "rebuild"):
            golden = _golden_differences(check=check)
            shared = contact_points.recount_all(check=check)
            states = projection.rebuild(check=check)
            figures = _wrong_figures(check=check)
            coded = codes.check() if check else codes.rebuild()
        found = {
            "customers": states.customer_count,
            "golden_records": golden,
            "shared_contact_points": shared,
            "permission_states": states.difference_count,
            "quality_figures": figures,
            "codes": coded,
        }
        self.stdout.write(
            json.dumps(found)
            if options["json"]
            else "{customers} customers: {golden_records} golden records, {shared_contact_points} "
            "shared contact points, {permission_states} permission states, the figures of "
            "{quality_figures} sources and the codes of {codes} records differed from their "
            "facts.".format(**found)
        )
        if check and any(count for name, count in found.items() if name != "customers"):
            raise CommandError("Derived data differs from its facts: run it without --check.")


def _golden_differences(*, check: bool) -> int:
    count = 0
    for keys in _chunks():
        if check:
            count += golden_records.differences(keys).count
            continue
        with transaction.atomic():
            count += golden_records.consolidate(keys)
        bulk.pause_for_other_writers()
    return count


def _chunks() -> Iterator[Sequence[int]]:
    keys = list(Customer.objects.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(keys), _CHUNK):
        yield keys[start : start + _CHUNK]


def _wrong_figures(*, check: bool) -> int:
    """Count the sources with wrong figures; those known to be out of date are not wrong."""
    if check:
        return len(quality_figures.wrong_sources())
    sources = SourceSystem.objects.values_list("pk", flat=True)
    return sum(quality_figures.recount(source) for source in sources)
