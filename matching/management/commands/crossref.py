"""Write which customer every source record belongs to, and where merged ids lead."""

import csv
import json
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from mdm.models import Customer, SourceRecord


class Command(BaseCommand):
    """Write source, source_key and customer_id of every active record, in order of birth."""

    help = "Write source, source_key, customer_id of every live record as CSV."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what the command takes."""
        parser.add_argument("--out", required=True, type=Path, metavar="FILE")
        parser.add_argument(
            "--merged",
            type=Path,
            metavar="FILE",
            help="also write merged_id, customer_id, status of every id that leads elsewhere",
        )
        parser.add_argument("--json", action="store_true", help="Print one JSON object.")

    def handle(self, *, out: Path, merged: Path | None, **options: Any) -> None:
        """Write the files and say how many rows they have."""
        figures: dict[str, Any] = {"rows": _write(out, _RECORDS, _records()), "file": out.name}
        words = _("%(rows)d records written to %(file)s.") % figures
        if merged:
            count = _write(merged, _MERGED, _merged())
            figures |= {"merged_ids": count, "merged_file": merged.name}
            words += " " + _("%(merged_ids)d merged ids written to %(merged_file)s.") % figures
        self.stdout.write(json.dumps(figures, ensure_ascii=False) if options["json"] else words)


_RECORDS = ("source", "source_key", "customer_id")
_MERGED = ("merged_id", "customer_id", "customer_status")


def _records() -> Iterator[tuple[str, ...]]:
    rows = SourceRecord.objects.active().order_by("pk")
    columns = rows.values_list("source__code", "source_key", "customer__public_id")
    return columns.iterator(chunk_size=10_000)


def _merged() -> Iterator[tuple[str, ...]]:
    """Yield every id that leads to another one, with what became of that one."""
    rows = Customer.objects.filter(merged_into__isnull=False).order_by("pk")
    columns = rows.values_list("public_id", "merged_into__public_id", "merged_into__status")
    return columns.iterator(chunk_size=10_000)


def _write(out: Path, header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> int:
    """Write a CSV file and return how many rows it has below its header."""
    count = 0
    try:
        with out.open("w", encoding="utf-8", newline="") as lines:
            writer = csv.writer(lines)
            writer.writerow(header)
            for row in rows:
                writer.writerow(row)
                count += 1
    except OSError as error:
        raise CommandError(
            _("%(file)s cannot be written: %(reason)s.")
            % {"file": out.name, "reason": error.strerror or ""}
        ) from error
    return count
