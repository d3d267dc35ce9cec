"""Which pairs the links have wrong, and why: those of two people, and those of one left apart."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from matching.automatic import held_back
from matching.learnt import rules_of
from matching.linkage.columns import Codes, Flags, Ids
from matching.linkage.comparison import compare
from matching.linkage.encoding import encode
from matching.linkage.judging import Band, all_true_pairs, score_bands
from matching.linkage.proposals import build_all, propose, taken
from matching.models import MatchRun, PairEvidence
from matching.records import read_columns
from matching.rule_sets import Parameters
from matching.scoring import ModelState, ScoreModel, is_current
from matching.searching import reading_of
from mdm.models import SourceRecord

if TYPE_CHECKING:
    from matching.linkage.columns import Levels

NOT_COMPARED, BELOW_FLOOR, BELOW_THRESHOLD = "not_compared", "below_floor", "below_threshold"
REFUSED = "link_refused"
"""Why a true pair is not linked, beside the reasons for which a pair is held back."""


@dataclass(frozen=True)
class Truth:
    """The active records by rising id, where they are and where they belong."""

    ids: Ids
    customer: Ids
    entity: Ids
    """Numbered from 0; a record of which the truth says nothing has one of its own."""
    known: Flags
    references: Sequence[str]


@dataclass(frozen=True, slots=True)
class WrongPair:
    """Two records by their references, their score if any is stored, and how they agree."""

    left: str
    right: str
    score: float | None
    levels: dict[str, int]
    """Field -> level, those that are known."""
    reason: str = ""
    """Why the two are not linked."""


class Compared:
    """The records as the last search saw them: its blocks, its model, and its evidence."""

    def __init__(self, truth: Truth, run: MatchRun | None) -> None:
        """Block the records again, as the run did, and read its evidence."""
        self.truth = truth
        self.parameters = Parameters.read(run.rule_set.parameters) if run else Parameters()
        self.encoded = encode(
            read_columns(lambda _done, _total: None), reading=reading_of(self.parameters)
        )
        cap = self.parameters.block_cap
        rules = rules_of(run) if run else taken(propose(self.encoded, cap=cap))
        self.blocks = build_all(self.encoded, rules, cap)
        state = cast("ModelState", run.model) if run and run.model else None
        current = state if state and is_current(state) else None
        self.model = ScoreModel.from_state(current) if current else None
        self._read_evidence()

    def _read_evidence(self) -> None:
        rows = PairEvidence.objects.filter(
            left__status=SourceRecord.Status.ACTIVE, right__status=SourceRecord.Status.ACTIVE
        ).order_by("left", "right")
        columns = rows.values_list("left", "right", "score", "automatic")
        listed = list(columns.iterator(chunk_size=10_000))
        left, right = (np.array([row[side] for row in listed], np.int64) for side in (0, 1))
        self.left, self.right = (np.searchsorted(self.truth.ids, one) for one in (left, right))
        self.score = np.array([row[2] for row in listed], np.float64)
        self.automatic = np.array([row[3] for row in listed], np.bool_)

    @property
    def _is_known(self) -> Flags:
        found: Flags = self.truth.known[self.left] & self.truth.known[self.right]
        return found

    @property
    def _is_true(self) -> Flags:
        found: Flags = self.truth.entity[self.left] == self.truth.entity[self.right]
        return found

    def bands(self, edges: Sequence[float]) -> list[Band]:
        """Return promised and true precision of the pairs that the truth knows, by score."""
        known = self._is_known
        return score_bands(self._is_true[known], self.score[known], edges)

    def false_merges(self, most: int) -> tuple[WrongPair, ...]:
        """Return the surest of the pairs that are linked and are two people."""
        together = self.truth.customer[self.left] == self.truth.customer[self.right]
        wrong = np.flatnonzero(self._is_known & together & ~self._is_true)
        rows = wrong[np.argsort(-self.score[wrong], kind="stable")[:most]]
        left, right = self.left[rows], self.right[rows]
        levels = self._levels(left, right)
        return tuple(
            self._pair(left[n], right[n], float(self.score[row]), _known_levels(levels, n))
            for n, row in enumerate(rows.tolist())
        )

    def misses(self, most: int) -> tuple[dict[str, int], tuple[WrongPair, ...]]:
        """Return how many true pairs are not linked for each reason, and the surest of them."""
        one, other = all_true_pairs(self.truth.entity)
        left, right = np.minimum(one, other), np.maximum(one, other)
        apart = self.truth.customer[left] != self.truth.customer[right]
        left, right = left[apart], right[apart]
        rows, levels = self._evidence_rows(left, right), self._levels(left, right)
        known = [_known_levels(levels, n) for n in range(len(left))]
        joined = self._are_joined(left, right)
        reasons = [
            self._reason(row, known[n], is_compared=bool(joined[n]))
            for n, row in enumerate(rows.tolist())
        ]
        score = np.where(rows >= 0, self.score[rows] if len(self.score) else 0.0, -np.inf)
        worst = np.argsort(-score, kind="stable")[:most].tolist()
        pairs = tuple(
            self._pair(
                left[n], right[n], float(score[n]) if rows[n] >= 0 else None, known[n], reasons[n]
            )
            for n in worst
        )
        return dict(Counter(reasons).most_common()), pairs

    def _are_joined(self, left: Codes, right: Codes) -> Flags:
        joined = np.zeros(len(left), np.bool_)
        for one in self.blocks:
            joined |= one.joins(left, right)
        return joined

    def _evidence_rows(self, left: Codes, right: Codes) -> Ids:
        """Return the row of evidence of each pair, -1 where there is none."""
        size = np.int64(len(self.truth.ids))
        stored, wanted = self.left * size + self.right, left * size + right
        if not len(stored):
            return np.full(len(left), -1, np.int64)
        place = np.minimum(np.searchsorted(stored, wanted), len(stored) - 1)
        return np.where(stored[place] == wanted, place, -1)

    def _reason(self, row: int, levels: dict[str, int], *, is_compared: bool) -> str:
        if row < 0:
            return BELOW_FLOOR if is_compared else NOT_COMPARED
        if self.automatic[row]:
            return REFUSED
        if self.score[row] < self.parameters.bounds(levels)[1]:
            return BELOW_THRESHOLD
        reason = self.model.held_back(levels) if self.model else held_back(levels)
        return reason or BELOW_THRESHOLD

    def _levels(self, left: Ids, right: Ids) -> "dict[str, Levels]":
        return compare(self.encoded, left.astype(np.int32), right.astype(np.int32))

    def _pair(
        self, left: int, right: int, score: float | None, levels: dict[str, int], reason: str = ""
    ) -> WrongPair:
        references = self.truth.references
        return WrongPair(references[left], references[right], score, levels, reason)


def _known_levels(levels: "dict[str, Levels]", row: int) -> dict[str, int]:
    return {field: int(column[row]) for field, column in levels.items() if column[row]}
