"""How good the present links are against a file that knows the truth."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from matching.clustering import Evidence
from matching.evaluation import Score, b_cubed, pair_score, pairwise, true_pair_count
from matching.neighbourhood import Facts, read_facts
from matching.reading import rows_of
from matching.records import read_columns
from matching.rule_sets import Parameters, active_rule_set
from mdm.models import SourceRecord

COLUMNS = ("source", "source_key", "entity")


class TruthRefused(ValueError):
    """The truth file cannot be used, for the reason in words."""


@dataclass(frozen=True, slots=True)
class Quality:
    """What `evaluate` answers."""

    records: int
    unknown_rows: int
    """Rows of the truth file that name no active record."""
    true_pairs: int
    pairwise: Score
    b_cubed: Score
    blocking_recall: float
    even_odds_pairwise: Score
    """As if stewards had said Same to every task more likely than not."""
    even_odds_b_cubed: Score

    def as_json(self) -> dict[str, Any]:
        """Return the figures as one JSON object."""
        return {
            "records": self.records,
            "unknown_rows": self.unknown_rows,
            "true_pairs": self.true_pairs,
            "pairwise": self.pairwise.as_json(),
            "b_cubed": self.b_cubed.as_json(),
            "blocking_recall": round(self.blocking_recall, 5),
            "at_even_odds": {
                "pairwise": self.even_odds_pairwise.as_json(),
                "b_cubed": self.even_odds_b_cubed.as_json(),
            },
        }


def evaluate(truth_file: Path) -> Quality:
    """Compare the present links with a CSV file of source, source_key and entity.

    Raises:
        TruthRefused: when the file cannot be read, or knows none of the records.
    """
    entities, unknown = _known(read_truth(truth_file))
    found = dict(rows_of(_active().values_list("pk", "customer_id"), "pk", entities))
    best = _at_even_odds(read_facts()).partition().names
    return Quality(
        records=len(entities),
        unknown_rows=unknown,
        true_pairs=true_pair_count(entities),
        pairwise=pairwise(found, entities),
        b_cubed=b_cubed(found, entities),
        blocking_recall=pair_score(_candidates(), entities).recall,
        even_odds_pairwise=pairwise(best, entities),
        even_odds_b_cubed=b_cubed(best, entities),
    )


def read_truth(truth_file: Path) -> Iterator[tuple[str, str, str]]:
    """Yield (source code, source key, entity) of each row.

    Raises:
        TruthRefused: with the line where reading ended.
    """
    try:
        with truth_file.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.DictReader(lines)
            if missing := [name for name in COLUMNS if name not in (rows.fieldnames or ())]:
                raise TruthRefused(
                    _("%(file)s has no column %(column)s; it needs source, source_key, entity.")
                    % {"file": truth_file.name, "column": missing[0]}
                )
            for row in rows:
                yield row["source"], row["source_key"], row["entity"]
    except OSError as error:
        raise TruthRefused(
            _("%(file)s cannot be read: %(reason)s.")
            % {"file": truth_file.name, "reason": error.strerror or ""}
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise TruthRefused(
            _("%(file)s is not a CSV file in UTF-8.") % {"file": truth_file.name}
        ) from error


def _known(truth: Iterable[tuple[str, str, str]]) -> tuple[dict[int, str], int]:
    """Return the entity of each active record, and how many rows name none."""
    rows = _active().values_list("source__code", "source_key", "pk")
    keys = {(code, key): pk for code, key, pk in rows.iterator(chunk_size=10_000)}
    entities: dict[int, str] = {}
    unknown = 0
    for source, source_key, entity in truth:
        record = keys.get((source, source_key))
        if record is None:
            unknown += 1
        else:
            entities[record] = entity
    if not entities:
        raise TruthRefused(_("The truth file names no record that is loaded."))
    return entities, unknown


def _active() -> "QuerySet[SourceRecord]":
    return SourceRecord.objects.active().order_by()


def _candidates() -> Iterator[tuple[int, int]]:
    """Yield the pairs that blocking proposes for the present records."""
    from matching.linkage.engine import candidate_ids

    cap = Parameters.read(active_rule_set().parameters).block_cap
    return candidate_ids(read_columns(lambda _done, _total: None), block_cap=cap)


def _at_even_odds(facts: Facts) -> Facts:
    """Return the facts as if stewards confirmed what is likely: rules for machines do not bind."""
    likely = [
        Evidence(pair.left, pair.right, pair.score, pair.score >= 0) for pair in facts.evidence
    ]
    guards = replace(facts.guards, exclusive={}, unique_source={})
    return Facts(facts.records, likely, facts.rulings, guards)
