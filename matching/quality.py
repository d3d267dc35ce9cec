"""How good the present links are against a file that knows the truth."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from matching.mistakes import Compared, Truth, WrongPair
from matching.neighbourhood import read_facts
from matching.runs import last_run
from mdm.models import SourceRecord

if TYPE_CHECKING:
    from matching.linkage.columns import Ids
    from matching.linkage.judging import Band, Figures, RuleRecall

COLUMNS = ("source", "source_key", "entity")
MOST_PAIRS = 10
BANDS = (-3.0, 0.0, 3.0, 6.0, 10.0)
"""Lower ends, in bits, of the ranges of scores whose precision is told."""


class TruthRefused(ValueError):
    """The truth file cannot be used, for the reason in words."""


@dataclass(frozen=True, slots=True)
class Quality:
    """What `evaluate` answers."""

    records: int
    unknown_rows: int
    """Rows of the truth file that name no active record."""
    true_pairs: int
    pairwise: "Figures"
    b_cubed: "Figures"
    whole_clusters: "Figures"
    even_odds_pairwise: "Figures"
    """As if stewards had said Same to every task more likely than not."""
    even_odds_b_cubed: "Figures"
    rules: "tuple[RuleRecall, ...]"
    bands: "tuple[Band, ...]"
    missed: dict[str, int]
    """Reason -> true pairs that are not linked."""
    false_merges: tuple[WrongPair, ...]
    misses: tuple[WrongPair, ...]

    @property
    def blocking_recall(self) -> float:
        """Share of the true pairs that some blocking rule makes."""
        return self.rules[-1].cumulative if self.rules else 0.0

    def as_json(self, *, with_pairs: bool = False) -> dict[str, Any]:
        """Return the figures as one JSON object; single pairs only when asked for."""
        document: dict[str, Any] = {
            "records": self.records,
            "unknown_rows": self.unknown_rows,
            "true_pairs": self.true_pairs,
            "pairwise": self.pairwise.as_json(),
            "b_cubed": self.b_cubed.as_json(),
            "clusters": self.whole_clusters.as_json(),
            "blocking_recall": round(self.blocking_recall, 5),
            "blocking_rules": [asdict(rule) for rule in self.rules],
            "score_bands": [asdict(band) for band in self.bands],
            "missed": self.missed,
            "at_even_odds": {
                "pairwise": self.even_odds_pairwise.as_json(),
                "b_cubed": self.even_odds_b_cubed.as_json(),
            },
        }
        if with_pairs:
            document["false_merges"] = [asdict(pair) for pair in self.false_merges]
            document["misses"] = [asdict(pair) for pair in self.misses]
        return document


def evaluate(truth_file: Path, *, most_pairs: int = MOST_PAIRS) -> Quality:
    """Compare the present links with a CSV file of source, source_key and entity.

    Args:
        truth_file: the truth.
        most_pairs: how many false merges, and how many misses, to name.

    Raises:
        TruthRefused: when the file cannot be read, or knows none of the records.
    """
    truth, unknown_rows = _known(read_truth(truth_file))
    return _quality(truth, unknown_rows, most_pairs)


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


def _known(rows: Iterable[tuple[str, str, str]]) -> tuple[Truth, int]:
    """Return the active records with their entities, and how many rows name none of them."""
    import numpy as np

    active = SourceRecord.objects.active().order_by("pk")
    listed = list(active.values_list("pk", "customer_id", "source__code", "source_key"))
    places = {row[2:]: place for place, row in enumerate(listed)}
    # A record of which the truth says nothing is nobody else's.
    entity = np.arange(len(listed)) + len(listed)
    numbers: dict[str, int] = {}
    unknown = 0
    for source, key, name in rows:
        place = places.get((source, key))
        if place is None:
            unknown += 1
        else:
            entity[place] = numbers.setdefault(name, len(numbers))
    if not numbers:
        raise TruthRefused(_("The truth file names no record that is loaded."))
    truth = Truth(
        ids=np.array([row[0] for row in listed], np.int64),
        customer=np.array([row[1] for row in listed], np.int64),
        entity=np.unique(entity, return_inverse=True)[1],
        known=entity < len(listed),
        references=["·".join(row[2:]) for row in listed],
    )
    return truth, unknown


def _quality(truth: Truth, unknown_rows: int, most_pairs: int) -> Quality:
    from matching.linkage import judging

    found, entity = truth.customer[truth.known], truth.entity[truth.known]
    by_pair, by_record = judging.judge_clusters(found, entity)
    likely_pair, likely_record = judging.judge_clusters(
        _at_even_odds(truth.ids)[truth.known], entity
    )
    compared = Compared(truth, last_run())
    missed, misses = compared.misses(most_pairs)
    return Quality(
        records=int(truth.known.sum()),
        unknown_rows=unknown_rows,
        true_pairs=judging.true_pairs(entity),
        pairwise=by_pair,
        b_cubed=by_record,
        whole_clusters=judging.whole_clusters(found, entity),
        even_odds_pairwise=likely_pair,
        even_odds_b_cubed=likely_record,
        rules=tuple(judging.blocking_recall(compared.blocks, truth.entity)),
        bands=tuple(compared.bands(BANDS)),
        missed=missed,
        false_merges=compared.false_merges(most_pairs),
        misses=misses,
    )


def _at_even_odds(ids: "Ids") -> "Ids":
    """Return the clusters as if stewards confirmed what is likely; size and support bind them too.

    What says that two numbers or two records of a source are two people is a rule for machines.
    """
    import numpy as np

    from matching.clustering import Guards
    from matching.linkage.grouping import group

    facts = read_facts(ids.tolist())
    rows = [pair for pair in facts.evidence if pair.score >= 0]
    places = {key: place for place, key in enumerate(ids.tolist())}
    return group(
        len(ids),
        np.array([places[pair.left] for pair in rows], np.int64),
        np.array([places[pair.right] for pair in rows], np.int64),
        np.array([pair.score for pair in rows], np.float64),
        np.ones(len(rows), np.bool_),
        guards=Guards(facts.guards.max_size, facts.guards.least_support),
        rulings=[r._replace(left=places[r.left], right=places[r.right]) for r in facts.rulings],
    ).oldest
