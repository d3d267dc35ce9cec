"""Load the table of French postcodes."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from mdm.postcodes import load_postcodes
from mdm.reading.rows import FileRefused


class Command(BaseCommand):
    """Replace the table of postcodes by the official file of La Poste."""

    help = (
        "Load La Poste's file of postcodes (CSV, may be packed), so that postcodes and towns are "
        "checked against each other. `restandardise` checks the records that are already there."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what the command takes."""
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--json", action="store_true", help="Print one JSON object.")

    def handle(self, *, file: Path, **options: Any) -> None:
        """Load the file and print how many postcodes and towns it holds."""
        try:
            count = load_postcodes(file)
        except FileRefused as refusal:
            raise CommandError(f"{file.name}: {refusal}") from refusal
        except OSError as error:
            reason = _("The file cannot be read: %(reason)s.") % {"reason": error.strerror or ""}
            raise CommandError(f"{file.name}: {reason}") from error
        if options["json"]:
            self.stdout.write(json.dumps({"towns": count}))
        else:
            self.stdout.write(_("%(count)d pairs of postcode and town loaded.") % {"count": count})
