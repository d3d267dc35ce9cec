"""Count where the data that is there breaks what must always hold."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.invariants import INVARIANTS


class Command(BaseCommand):
    """Check every invariant; exit status 0 only when all hold."""

    help = "Count where identity, golden records, events and permissions break what must hold."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare --json."""
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one line per invariant, and fail when one of them is broken."""
        found = []
        for number, sentence, count_breaches in INVARIANTS:
            breaches = count_breaches()
            found.append({"number": number, "sentence": sentence, "breaches": breaches})
            if not options["json"]:
                state = f"{breaches} BREACHES" if breaches else "holds"
                self.stdout.write(f"{number:<8}{sentence:<64}{state}")
        if options["json"]:
            self.stdout.write(json.dumps({"invariants": found}))
        if broken := [row["number"] for row in found if row["breaches"]]:
            raise CommandError(f"Not everything holds: {', '.join(map(str, broken))}.")
