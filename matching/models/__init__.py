"""The models of this app, by subject."""

from matching.models.decisions import (
    Decision,
    DecisionQuerySet,
    Repair,
    ReviewTask,
    to_ruling,
)
from matching.models.runs import (
    BlockingKey,
    CodedPage,
    FormerEvidence,
    MatchPart,
    MatchRun,
    PairEvidence,
    RuleSet,
    WholeFile,
)

__all__ = [
    "BlockingKey",
    "CodedPage",
    "Decision",
    "DecisionQuerySet",
    "FormerEvidence",
    "MatchPart",
    "MatchRun",
    "PairEvidence",
    "Repair",
    "ReviewTask",
    "RuleSet",
    "WholeFile",
    "to_ruling",
]
