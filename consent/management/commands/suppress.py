"""`manage.py suppress`: put a file of addresses and numbers on a suppression list."""

import json
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from consent.models import ALL_CHANNELS, Channel, SuppressionList
from consent.suppression import (
    Asked,
    LeftOut,
    ListRefused,
    add_list,
    read_contacts,
    read_residents,
)


class Command(BaseCommand):
    """Bring a suppression list of any size."""

    help = "Add the e-mail addresses and phone numbers of a text or CSV file to a list."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file, the name of the list and what it forbids."""
        parser.add_argument("file", type=Path, help="one a line; of a CSV, the first column")
        parser.add_argument("--list", required=True, metavar="NAME", dest="name")
        parser.add_argument(
            "--channel", default=ALL_CHANNELS, choices=[ALL_CHANNELS, *Channel.values]
        )
        parser.add_argument(
            "--register",
            default="",
            choices=SuppressionList.Register.values,
            help="the list is a register's answer; robinson: family name;street;postcode",
        )
        parser.add_argument(
            "--asked-on",
            type=date.fromisoformat,
            metavar="DAY",
            help="when the register was asked (default: today)",
        )
        parser.add_argument("--reference", default="", help="of the register's answer")
        parser.add_argument("--json", action="store_true", help="one JSON object, nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read the file, add its lines, and say how many were understood."""
        left_out, register = LeftOut(), options["register"]
        asked_on = options["asked_on"] or localdate()
        asked = Asked(register, asked_on, options["reference"]) if register else None
        read = read_contacts
        if register == SuppressionList.Register.ROBINSON:
            read = read_residents
        try:
            with options["file"].open(encoding="utf-8-sig", errors="replace") as file:
                added = add_list(
                    options["name"],
                    read(file, left_out),
                    channel=options["channel"],
                    asked=asked,
                    by=None,
                )
        except (OSError, ListRefused) as error:
            raise CommandError(str(error)) from error
        report = {"new": added.new, "known": added.known, "left_out": left_out.count}
        if options["json"]:
            self.stdout.write(json.dumps({**report, "first_lines_left_out": left_out.first}))
            return
        words = _("%(new)d new on the list, %(known)d known, %(left_out)d lines not understood.")
        self.stdout.write(words % report)
