"""Say what became of customer ids: in use, merged, inactive or erased."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from mdm.fates import what_became_of
from mdm.identity import UnknownCustomer


class Command(BaseCommand):
    """Answer for any id ever issued, in the form people type."""

    help = "Say what became of a customer id: in use, merged, inactive or erased."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what the command takes."""
        parser.add_argument("id", help="a customer id, as G-4F7K-2MXQ or 4f7k2mxq")
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")

    def handle(self, *, id: str, **options: Any) -> None:
        """Print the answer, or fail when the id was never issued."""
        try:
            fate = what_became_of(id)
        except UnknownCustomer as unknown:
            raise CommandError(str(unknown)) from unknown
        if options["json"]:
            self.stdout.write(json.dumps(fate.as_json()))
        else:
            self.stdout.write(" ".join(fate.sentences()))
