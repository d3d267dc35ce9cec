"""Measure the links against the truth."""

import json
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from matching.explanation import level_in_words, reason_in_words
from matching.levels import level_name
from matching.quality import MOST_PAIRS, Quality, TruthRefused, evaluate
from matching.run_charts import rule_in_words
from mdm.figures import readable

if TYPE_CHECKING:
    from matching.linkage.judging import Figures
    from matching.mistakes import WrongPair


class Command(BaseCommand):
    """Tell how good the present links are, and which pairs they have wrong."""

    help = "Compare the links with a file of source, source_key, entity."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what the command takes."""
        parser.add_argument("--truth", required=True, type=Path, metavar="FILE")
        parser.add_argument("--json", action="store_true", help="Print one JSON object.")
        parser.add_argument(
            "--pairs",
            type=int,
            metavar="N",
            help="Name the N worst false merges and misses by their keys; "
            f"{MOST_PAIRS} by default, with --json none.",
        )

    def handle(self, *, truth: Path, **options: Any) -> None:
        """Print the figures."""
        most = options["pairs"]
        try:
            quality = evaluate(truth, most_pairs=MOST_PAIRS if most is None else most)
        except TruthRefused as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            answer = quality.as_json(with_pairs=most is not None)
            self.stdout.write(json.dumps(answer, ensure_ascii=False))
            return
        for line in _lines(quality):
            self.stdout.write(line)


def _lines(quality: Quality) -> Iterator[str]:
    yield _(
        "%(records)s records, %(pairs)s true pairs; blocking finds %(recall)s %% of them."
    ) % readable(
        {
            "records": quality.records,
            "pairs": quality.true_pairs,
            "recall": 100.0 * quality.blocking_recall,
        }
    )
    yield _figures(_("Links, by pairs"), quality.pairwise)
    yield _figures(_("Links, by records (B-cubed)"), quality.b_cubed)
    yield _figures(_("Links, by whole customers"), quality.whole_clusters)
    yield _figures(_("With likely pairs confirmed, by pairs"), quality.even_odds_pairwise)
    yield _figures(_("With likely pairs confirmed, by records"), quality.even_odds_b_cubed)
    yield from _rules(quality)
    yield from _bands(quality)
    yield from _missed(quality)
    yield from _pairs(_("Linked, and two people:"), quality.false_merges)
    yield from _pairs(_("One person, and not linked:"), quality.misses)


def _figures(label: str, figures: "Figures") -> str:
    return _("%(label)s: precision %(precision).4f, recall %(recall).4f, F1 %(f1).4f") % {
        "label": label,
        "precision": figures.precision,
        "recall": figures.recall,
        "f1": figures.f1,
    }


def _rules(quality: Quality) -> Iterator[str]:
    yield ""
    yield _("Of the true pairs, each blocking rule finds alone, and with those before it:")
    for rule in quality.rules:
        words = rule_in_words(rule.rule)
        yield f"  {100 * rule.recall:6.1f} %  {100 * rule.cumulative:6.1f} %  {words}"


def _bands(quality: Quality) -> Iterator[str]:
    yield ""
    yield _("Pairs by score: how many, how many of them were promised right, and are:")
    for band in quality.bands:
        promised, found = 100 * band.expected_precision, 100 * band.precision
        yield f"  {band.least:+6.1f}  {band.pairs:9d}  {promised:6.1f} %  {found:6.1f} %"


def _missed(quality: Quality) -> Iterator[str]:
    if quality.missed:
        yield ""
        yield _("Why true pairs are not linked:")
        for reason, count in quality.missed.items():
            yield f"  {count:9d}  {reason_in_words(reason)}"


def _pairs(title: str, pairs: "Iterable[WrongPair]") -> Iterator[str]:
    for place, pair in enumerate(pairs):
        if not place:
            yield ""
            yield title
        score = "" if pair.score is None else f"{pair.score:+.1f}  "
        words = [level_in_words(f, level_name(f, level)) for f, level in pair.levels.items()]
        yield f"  {pair.left} / {pair.right}  {score}{'; '.join(words)}"
        if pair.reason:
            yield f"      {reason_in_words(pair.reason)}"
