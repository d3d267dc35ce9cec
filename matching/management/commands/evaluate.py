"""Measure the links against the truth."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from matching.evaluation import Score
from matching.quality import TruthRefused, evaluate


class Command(BaseCommand):
    """Print precision, recall and F1 of the present links, by pairs and by records (B-cubed)."""

    help = "Compare the links with a file of source, source_key, entity."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what the command takes."""
        parser.add_argument("--truth", required=True, type=Path, metavar="FILE")
        parser.add_argument("--json", action="store_true", help="Print one JSON object.")

    def handle(self, *, truth: Path, **options: Any) -> None:
        """Print the figures."""
        try:
            quality = evaluate(truth)
        except TruthRefused as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(quality.as_json(), ensure_ascii=False))
            return
        self.stdout.write(
            _("%(records)d records, %(pairs)d true pairs; blocking finds %(recall).1f %% of them.")
            % {
                "records": quality.records,
                "pairs": quality.true_pairs,
                "recall": 100 * quality.blocking_recall,
            }
        )
        self._line(_("Links, by pairs"), quality.pairwise)
        self._line(_("Links, by records (B-cubed)"), quality.b_cubed)
        self._line(_("With likely pairs confirmed, by pairs"), quality.even_odds_pairwise)
        self._line(_("With likely pairs confirmed, by records"), quality.even_odds_b_cubed)

    def _line(self, label: str, score: Score) -> None:
        self.stdout.write(
            _("%(label)s: precision %(precision).4f, recall %(recall).4f, F1 %(f1).4f")
            % {
                "label": label,
                "precision": score.precision,
                "recall": score.recall,
                "f1": score.f1,
            }
        )
