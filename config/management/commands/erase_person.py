"""`manage.py erase_person ID`: erase a person everywhere, or tell what that would reach."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from mdm.erasure import ErasureRefused, erase, plan
from mdm.identity import UnknownCustomer, resolve


class Command(BaseCommand):
    """Erase a person (GDPR 17); with --plan, change nothing."""

    help = "Erase a person from every place that holds her data; --plan tells what it would reach."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the id and the reason."""
        parser.add_argument("customer", help="a customer id ever issued")
        parser.add_argument("--plan", action="store_true", help="only count; change nothing")
        parser.add_argument("--reason", default="", help="why, for the record: no personal data")
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        """Erase or plan, and print each place with its number of rows."""
        try:
            customer = resolve(options["customer"])
            if options["plan"]:
                reached = plan(customer)
            else:
                reached = erase(customer, reason=options["reason"], by=None)
        except (UnknownCustomer, ErasureRefused) as refusal:
            raise CommandError(str(refusal)) from refusal
        if options["json"]:
            self.stdout.write(json.dumps(dict(reached), ensure_ascii=False))
        else:
            self.stdout.write("\n".join(f"{count:>8}  {label}" for label, count in reached))
