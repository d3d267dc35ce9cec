"""`manage.py seal_ledger`: seal what waits, and write the head of the chain down outside."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from consent.checkpoints import write_checkpoint
from consent.sealing import oldest_unsealed, seal_events

_FOR_EVER = 10.0**9


class Command(BaseCommand):
    """Seal every event that waits and write a signed checkpoint into LEDGER_FOLDER."""

    help = "Seal the consent events that wait and write a signed checkpoint outside the database."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare --json."""
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        """Seal, write, and say how much is left (another sealer may be at work)."""
        sealed = seal_events(seconds=_FOR_EVER)
        waiting, _oldest = oldest_unsealed()
        path = write_checkpoint()
        found = {"sealed": sealed, "unsealed": waiting, "checkpoint": path.name if path else None}
        self.stdout.write(
            json.dumps(found)
            if options["json"]
            else "{sealed} events sealed, {unsealed} wait. Checkpoint: {checkpoint}".format(
                **found
            )
        )
