"""Undo one loaded file."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder
from django.utils.translation import gettext as _
from tqdm import tqdm

from mdm import jobs
from mdm.loading.undo import UndoRefused, read_undo_samples, start_preview, start_undo
from mdm.models import Job, LoadBatch


class Command(BaseCommand):
    """Give every record of a loaded file back what it said before, in this process."""

    help = "Undo a loaded file: its records go back to what they said before it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what the command takes."""
        parser.add_argument("batch", type=int, metavar="BATCH", help="Number of the loaded file.")
        parser.add_argument(
            "--preview", action="store_true", help="Say what would change; change nothing."
        )
        parser.add_argument("--json", action="store_true", help="Print one JSON object.")

    def handle(self, *, batch: int, preview: bool, **options: Any) -> None:
        """Undo the file, or tell what that would do, and print the counts."""
        found = LoadBatch.objects.select_related("job", "undo_job").filter(pk=batch).first()
        if found is None:
            raise CommandError(_("There is no loaded file no. %(number)d.") % {"number": batch})
        try:
            job = self._run(found, is_preview=preview)
        except (UndoRefused, jobs.JobFailed) as error:
            raise CommandError(str(error)) from error
        figures = dict(job.result or {})
        if options["json"]:
            if preview:
                figures["samples"] = read_undo_samples(job)
            self.stdout.write(json.dumps(figures, cls=DjangoJSONEncoder, ensure_ascii=False))
            return
        self.stdout.write(_words(is_preview=preview) % figures)

    def _run(self, batch: LoadBatch, *, is_preview: bool) -> Job:
        start = start_preview if is_preview else start_undo
        job = start(batch, by=None, is_foreground=True)
        with tqdm(unit=" records", disable=None, leave=False) as bar:

            def show(done: int, total: int | None, phase: str) -> None:
                bar.set_description(phase, refresh=False)
                bar.total, bar.n = total, done
                bar.refresh()

            return jobs.run_now(job, on_progress=show)


def _words(*, is_preview: bool) -> str:
    if is_preview:
        return _(
            "File no. %(batch)d would give: %(restored)d records as before, %(deleted)d deleted, "
            "%(revived)d back again; %(kept)d changed since are kept; %(claims)d consents taken "
            "back. Nothing was changed."
        )
    return _(
        "File no. %(batch)d is undone: %(restored)d records as before, %(deleted)d deleted, "
        "%(revived)d back again; %(kept)d changed since were kept; %(claims)d consents taken back."
    )
