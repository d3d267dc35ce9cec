"""How good a search was, by what stewards answered: their decisions are the truth there is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, OuterRef, Subquery

from matching.learnt import rules_of
from matching.models import Decision, MatchRun, PairEvidence
from matching.run_charts import rule_in_words
from matching.scoring import probability
from mdm.models import ContactPoint, SourceRecord

EDGES = (10.0, 6.0, 3.0, 0.0, -3.0)
"""Lower ends, in bits, of the ranges of scores, from the surest."""

MOST_DECISIONS = 2_000
"""Decisions that a page blocks again; the latest stand for all."""


@dataclass(frozen=True, slots=True)
class Answered:
    """Pairs in a range of scores that stewards answered."""

    least: float
    count: int
    same: int
    promised: float
    """Sum of the probabilities that their scores stand for."""


@dataclass(frozen=True, slots=True)
class ByDecisions:
    """What the decisions in force say of the evidence that stands."""

    bands: list[Answered]
    linked_same: int
    linked_different: int
    """Pairs strong enough to link by themselves of which a steward said Different."""
    unseen_same: int
    """Pairs of one person that no search has found."""

    @property
    def count(self) -> int:
        """Number of decisions."""
        return sum(band.count for band in self.bands) + self.unseen_same


@dataclass(frozen=True, slots=True)
class RuleLine:
    """What a blocking rule cost and gave."""

    words: str
    pairs: int
    new_pairs: int
    largest_block: int | None
    capped_blocks: int
    is_used: bool
    is_over_budget: bool
    decided: int | None
    """Pairs decided Same that it brings together; None where none was decided."""


def by_decisions() -> ByDecisions:
    """Compare the decisions in force with the evidence."""
    found = PairEvidence.objects.filter(left=OuterRef("left"), right=OuterRef("right"))
    rows = (
        Decision.objects.in_force()
        .clear()
        .annotate(
            score=Subquery(found.values("score")[:1]),
            automatic=Subquery(found.values("automatic")[:1]),
        )
        .values_list("verdict", "score", "automatic")
    )
    return _counted(list(rows.iterator(chunk_size=10_000)))


def _counted(rows: Sequence[tuple[str, float | None, bool | None]]) -> ByDecisions:
    scored = [(verdict == Decision.Verdict.SAME, score) for verdict, score, _ in rows]
    linked = [verdict for verdict, _, automatic in rows if automatic]
    return ByDecisions(
        bands=[band for band in _bands(scored) if band.count],
        linked_same=linked.count(Decision.Verdict.SAME),
        linked_different=linked.count(Decision.Verdict.DIFFERENT),
        unseen_same=sum(is_same and score is None for is_same, score in scored),
    )


def _bands(scored: Sequence[tuple[bool, float | None]]) -> Iterator[Answered]:
    above = float("inf")
    for least in EDGES:
        inside = [
            (is_same, score)
            for is_same, score in scored
            if score is not None and least <= score < above
        ]
        same = sum(is_same for is_same, _ in inside)
        yield Answered(least, len(inside), same, sum(probability(score) for _, score in inside))
        above = least


def blocking_report(run: MatchRun) -> list[RuleLine]:
    """Return the rules of a run, those used first, with the decided pairs that each finds."""
    decided = _decided_by_rule(run)
    lines = [
        RuleLine(
            words=rule_in_words(rule["rule"]),
            pairs=rule["pairs"],
            new_pairs=rule["new_pairs"],
            largest_block=rule.get("largest_block"),
            capped_blocks=rule.get("capped_blocks", 0),
            is_used=rule["used"],
            is_over_budget=rule.get("left_out") == "over_budget",
            decided=decided.get(rule["rule"]),
        )
        for rule in run.counts.get("rules", ())
        if not _finds_nothing(rule)
    ]
    return sorted(lines, key=lambda line: (not line.is_used, -line.new_pairs, line.pairs))


def silent_rules(run: MatchRun) -> list[str]:
    """Return the rules that no two records share, in words."""
    rules = run.counts.get("rules", ())
    return [rule_in_words(rule["rule"]) for rule in rules if _finds_nothing(rule)]


def _finds_nothing(rule: dict[str, Any]) -> bool:
    return rule.get("left_out") == "finds_nothing"


def decided_same() -> list[tuple[int, int]]:
    """Return the pairs of the latest SAME decisions."""
    same = Decision.objects.in_force().filter(verdict=Decision.Verdict.SAME)
    return list(same.order_by("-pk").values_list("left", "right")[:MOST_DECISIONS])


def _decided_by_rule(run: MatchRun) -> dict[str, int]:
    """Return per rule how many pairs decided Same share one of its keys."""
    pairs = decided_same()
    if not pairs:
        return {}
    import numpy as np

    from matching.linkage.columns import ATTRIBUTES, Columns
    from matching.linkage.encoding import encode
    from matching.linkage.proposals import build_all

    records = SourceRecord.objects.filter(pk__in={key for pair in pairs for key in pair})
    rows = list(records.order_by("pk").values("pk", *ATTRIBUTES))
    encoded = encode(Columns.from_rows((row["pk"], _as_text(row)) for row in rows))
    ids = np.array([row["pk"] for row in rows], np.int64)
    left, right = (
        np.searchsorted(ids, [pair[side] for pair in pairs]).astype(np.int32) for side in (0, 1)
    )
    rules = rules_of(run)
    found = dict.fromkeys((rule.name for rule in rules), 0)
    for one in build_all(encoded, rules, len(rows)):
        found[one.rule.name] = int(one.joins(left, right).sum())
    return found


def _as_text(row: dict[str, Any]) -> dict[str, str | None]:
    return {name: str(value) if value else None for name, value in row.items() if name != "pk"}


def shared_values() -> list[dict[str, Any]]:
    """Return per kind how many contact values more people carry than a household has."""
    shared = ContactPoint.objects.shared().order_by()
    rows = shared.values_list("kind").annotate(Count("pk")).order_by("kind")
    labels = dict(ContactPoint.Kind.choices)
    return [{"kind": kind, "label": labels[kind], "count": count} for kind, count in rows]
