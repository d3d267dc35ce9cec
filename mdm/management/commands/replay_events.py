"""Replay the events of all customers from nothing, or prove that they give what is so today."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from mdm.birth_ids import display, public_id
from mdm.replay import Replayed, check, replay


class Command(BaseCommand):
    """Replay; with --check, compare with today and fail when anything differs."""

    help = "Replay the events of all customers; with --check, compare with what is so today."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare --check and --json."""
        parser.add_argument("--check", action="store_true", help="compare; exit 1 if unequal")
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        """Say how many events and live customers there are, and what does not fit."""
        state = check() if options["check"] else replay()
        found = {
            "events": state.event_count,
            "live_customers": state.live_count,
            "customers_with_gaps": len(state.gaps),
            "customers_that_differ": len(state.differing),
        }
        self.stdout.write(
            json.dumps(found)
            if options["json"]
            else "{events} events give {live_customers} customers; {customers_with_gaps} have gaps"
            " and {customers_that_differ} differ from today.".format(**found)
        )
        if not state.is_sound:
            raise CommandError(f"The events do not give what is so today, first: {_first(state)}.")


def _first(state: Replayed) -> str:
    return display(public_id(min([*state.gaps, *state.differing])))
