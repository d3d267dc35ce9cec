"""Search for duplicates."""

import json
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from tqdm import tqdm

from matching.models import MatchRun
from matching.run_charts import rule_in_words
from matching.runs import SearchRefused, prepare_run, start_run
from matching.undo_pages import KINDS
from matching.undoing import UndoRefused, start_preview, start_undo
from matching.words import PHASES, in_order
from mdm import jobs
from mdm.figures import readable
from mdm.models import Job


class Command(BaseCommand):
    """Find duplicates, link records and open review tasks, in this process."""

    help = "Find duplicates, link what is certain and open review tasks for the rest."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what the command takes."""
        parser.add_argument(
            "--scope",
            choices=["all", "changed"],
            default="all",
            help="All records, or those loaded since the last run with what that run learnt.",
        )
        parser.add_argument(
            "--simulate", action="store_true", help="Count what would change; change nothing."
        )
        parser.add_argument(
            "--undo",
            type=int,
            metavar="RUN",
            help="Say what undoing that search would change; with --yes, undo it.",
        )
        parser.add_argument("--yes", action="store_true", help="Undo it indeed.")
        parser.add_argument("--reason", default="", help="Why it is undone.")
        parser.add_argument("--queue", action="store_true", help="Leave the work to a worker.")
        parser.add_argument("--json", action="store_true", help="Print one JSON object.")

    def handle(self, *, undo: int | None, **options: Any) -> None:
        """Run the search, or queue it, and print what it did; or undo an earlier one."""
        try:
            if undo is None:
                self._search(**options)
            else:
                self._undo(undo, **options)
        except (SearchRefused, UndoRefused, jobs.JobFailed) as refusal:
            raise CommandError(str(refusal)) from refusal

    def _search(self, *, scope: str, simulate: bool, queue: bool, **options: Any) -> None:
        if queue:
            job = start_run(by=None, scope=scope, simulate=simulate)
            self._say({"job": str(job.pk), "state": job.state}, self._queued(job), **options)
            return
        started = time.monotonic()
        job = prepare_run(by=None, scope=scope, simulate=simulate)
        if job.state == Job.State.RUNNING:
            raise CommandError(_("A search for duplicates is already running."))
        self._run(job)
        seconds = round(time.monotonic() - started, 3)
        figures = {**(job.result or {}), "seconds": seconds}
        self._say(figures, self._done(figures), **options)

    def _undo(self, number: int, *, yes: bool, reason: str, **options: Any) -> None:
        row = MatchRun.objects.filter(pk=number).first()
        if row is None:
            raise CommandError(_("There is no search no. %(number)d.") % {"number": number})
        if yes:
            job = start_undo(row, by=None, reason=reason, is_foreground=True)
        else:
            job = start_preview(row, by=None, is_foreground=True)
        self._run(job)
        figures = dict(job.result or {})
        self._say(figures, _undone(figures) if yes else _would_undo(figures), **options)

    def _run(self, job: Job) -> None:
        with tqdm(disable=None, leave=False) as bar:

            def show(done: int, total: int | None, phase: str) -> None:
                bar.set_description(str(PHASES.get(phase, phase)), refresh=False)
                bar.total = total
                bar.n = done
                bar.refresh()

            jobs.run_now(job, on_progress=show)

    def _queued(self, job: Job) -> str:
        return _("Search for duplicates queued as job %(job)s.") % {"job": job.pk}

    def _done(self, figures: dict[str, Any]) -> str:
        text = (
            _(
                "Would make of %(records)s records %(customers)s customers; %(moved_records)s "
                "records would move (%(seconds)s s)."
            )
            if figures["simulated"]
            else _(
                "%(records)s records are %(customers)s customers: %(candidate_pairs)s pairs "
                "compared, %(moved_records)s records moved, %(open_tasks)s pairs wait for a "
                "steward (%(seconds)s s)."
            )
        )
        return text % readable(figures) + _shares(figures) + _over_budget(figures)

    def _say(self, figures: dict[str, Any], words: str, **options: Any) -> None:
        text = json.dumps(figures, ensure_ascii=False) if options["json"] else words
        self.stdout.write(text)


def _shares(figures: dict[str, Any]) -> str:
    """Tell the share of each stage that took any of the time, in the order of the work."""
    shares = [
        (stage, round(100 * seconds / figures["seconds"]))
        for stage, seconds in in_order(figures["timings"])
    ]
    listed = [
        _("%(stage)s %(percent)d %%") % {"stage": stage, "percent": share}
        for stage, share in shares
        if share
    ]
    return "\n" + _("Time: %s.") % ", ".join(listed) if listed else ""


def _over_budget(figures: dict[str, Any]) -> str:
    """Name the blocking rules that were left out although they find something of worth."""
    listed = [
        rule_in_words(rule["rule"])
        for rule in figures["rules"]
        if rule["left_out"] == "over_budget"
    ]
    words = _("Left out, with more pairs than the budget allows: %s.")
    return "\n" + words % "; ".join(listed) if listed else ""


def _would_undo(figures: dict[str, Any]) -> str:
    kept = figures["work"]["counts"]
    text = _(
        "Undoing search no. %(run)d: %(parted)d customers would part, %(joined)d come together "
        "again; %(moved)d records would move, %(opened)d review tasks open, %(closed)d go. "
        "Later work that is kept: %(kept)s. Nothing was changed; add --yes and --reason."
    )
    listed = ", ".join(f"{count} {KINDS[kind]}" for kind, count in kept.items())
    return text % {**figures, "kept": listed or _("none")}


def _undone(figures: dict[str, Any]) -> str:
    return (
        _(
            "Search no. %(run)d is undone: %(parted)d customers parted, %(joined)d came together "
            "again, %(moved)d records moved; %(open_tasks)d pairs wait for a steward."
        )
        % figures
    )
