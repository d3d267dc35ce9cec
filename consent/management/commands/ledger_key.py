"""`manage.py ledger_key`: show the public key that checks checkpoints, or change the pair."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from consent.signing_keys import KeyRefused, key_id, pem_of, rotate, signing_key


class Command(BaseCommand):
    """Print the public key, made with its private one when there is none yet."""

    help = "Print the public key that checks the ledger's checkpoints; --rotate makes a new pair."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare --rotate."""
        parser.add_argument(
            "--rotate", action="store_true", help="make a new pair; the old public key stays"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the id on standard error and the key, as PEM, on standard output."""
        try:
            if options["rotate"]:
                rotate()
            public = signing_key().public_key()
        except KeyRefused as refusal:
            raise CommandError(_("%s holds no Ed25519 key.") % refusal) from refusal
        self.stderr.write(key_id(public))
        self.stdout.write(pem_of(public), ending="")
