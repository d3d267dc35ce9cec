"""`manage.py replay_erasures`: after a restore, erase again whom the journal says was erased."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from mdm.erasure_replay import replay


class Command(BaseCommand):
    """Replay the journal of erasures; safe to run at any time, as often as one likes."""

    help = "Erase again whom the journal of erasures says was erased: after each restore."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare --check and --json."""
        parser.add_argument("--check", action="store_true", help="only count; change nothing")
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        """Replay, and end with status 1 while something is left to do."""
        told = replay(check=options["check"])
        words = _(
            "%(entry_count)d erasures in the journal, %(missing_count)d of them unknown to this "
            "database; %(erased_count)d people erased again, %(written_count)d earlier erasures "
            "written down."
        )
        self.stdout.write(json.dumps(asdict(told)) if options["json"] else words % asdict(told))
        if told.lost_key_count:
            raise CommandError(
                _("%d entries are under a key that SUPPRESSION_KEYS lacks: put it back.")
                % told.lost_key_count
            )
        if told.joined:
            raise CommandError(
                _("Held together with records of others, take them apart first: %s.")
                % ", ".join(told.joined)
            )
        if options["check"] and told.missing_count:
            raise CommandError(_("This database is older than its journal of erasures."))
