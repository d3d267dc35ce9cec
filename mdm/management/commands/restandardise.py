"""Standardise stored records again."""

import json
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from tqdm import tqdm

from mdm import jobs
from mdm.figures import readable
from mdm.restandardising import UnknownSource, prepare


class Command(BaseCommand):
    """Read the raw values of records again with the present rules, in this process."""

    help = (
        "Standardise the stored raw values again with the present rules; only what differs is "
        "written. Stopped half-way, the same command goes on where it stopped."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what the command takes."""
        parser.add_argument("--source", default="", metavar="CODE", help="Only this source.")
        parser.add_argument("--queue", action="store_true", help="Leave the work to a worker.")
        parser.add_argument("--json", action="store_true", help="Print one JSON object.")

    def handle(self, *, source: str, queue: bool, **options: Any) -> None:
        """Read all again, or queue it, and print the counts."""
        started = time.monotonic()
        try:
            job = prepare(source_code=source, by=None)
            if queue:
                jobs.ring(job)
                self._say({"job": str(job.pk)}, _("Queued as job %(job)s."), **options)
                return
            with tqdm(unit=" records", disable=None, leave=False) as bar:

                def show(done: int, total: int | None, phase: str) -> None:
                    bar.total, bar.n = total, done
                    bar.refresh()

                jobs.run_now(job, on_progress=show)
        except (UnknownSource, jobs.JobFailed) as error:
            raise CommandError(str(error)) from error
        seconds = max(time.monotonic() - started, 0.001)
        figures = {**(job.result or {}), "seconds": round(seconds, 3)}
        self._say(
            figures,
            _("%(records)s records read again, %(changed)s changed (%(seconds)s s)."),
            **options,
        )

    def _say(self, figures: dict[str, Any], words: str, **options: Any) -> None:
        self.stdout.write(json.dumps(figures) if options["json"] else words % readable(figures))
