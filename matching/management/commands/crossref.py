"""Write which customer every source record belongs to."""

import csv
import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from mdm.models import SourceRecord


class Command(BaseCommand):
    """Write source, source_key and customer_id of every active record, in order of birth."""

    help = "Write source, source_key, customer_id of every live record as CSV."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what the command takes."""
        parser.add_argument("--out", required=True, type=Path, metavar="FILE")
        parser.add_argument("--json", action="store_true", help="Print one JSON object.")

    def handle(self, *, out: Path, **options: Any) -> None:
        """Write the file and say how many rows it has."""
        rows = (
            SourceRecord.objects.active()
            .order_by("pk")
            .values_list("source__code", "source_key", "customer__public_id")
        )
        count = 0
        try:
            with out.open("w", encoding="utf-8", newline="") as lines:
                writer = csv.writer(lines)
                writer.writerow(("source", "source_key", "customer_id"))
                for row in rows.iterator(chunk_size=10_000):
                    writer.writerow(row)
                    count += 1
        except OSError as error:
            raise CommandError(
                _("%(file)s cannot be written: %(reason)s.")
                % {"file": out.name, "reason": error.strerror or ""}
            ) from error
        figures = {"rows": count, "file": out.name}
        words = _("%(rows)d records written to %(file)s.") % figures
        self.stdout.write(json.dumps(figures, ensure_ascii=False) if options["json"] else words)
