"""One call from records to scored pairs; numpy only, so that any process may call it."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np

from matching.automatic import UNTOLD
from matching.levels import Kind
from matching.linkage.blocking import (
    BLOCK_CAP,
    Blocks,
    LeftOut,
    RuleReport,
    TooManyPairs,
)
from matching.linkage.chance import learn_classes
from matching.linkage.classes import Classes
from matching.linkage.coded import Folded
from matching.linkage.columns import Bits, Codes, Columns, Flags, Floats, Ids, Levels
from matching.linkage.encoding import Encoded, encode, learn_known
from matching.linkage.keys import Rule
from matching.linkage.known import Known
from matching.linkage.pairing import Candidates, Scope, candidates, count_patterns, look_up
from matching.linkage.proposals import DEFAULT_RULES, Proposal, build_each, propose, taken
from matching.linkage.readings import AS_FOUND, Reading
from matching.linkage.sharing import sharing_of
from matching.linkage.training import (
    AS_DELIVERED,
    Training,
    fit,
    score_patterns,
    split_patterns,
    without,
)
from matching.scoring import ModelState, ScoreModel, is_current
from matching.timings import timed

MOST_PAIRS = 200_000_000
"""Candidate pairs of one run; more would not fit into memory."""

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total); may raise to stop the work."""


class NothingToCompare(ValueError):
    """The records have no attribute that two of them share, or there are fewer than two."""


@dataclass(frozen=True)
class Settings:
    """What a rule set says: rules, thresholds in bits, and the size of a block at most."""

    rules: tuple[Rule, ...] | None = None
    """Blocking rules in the order in which they claim a pair; None to propose them."""
    review_floor: float = -3.0
    automatic_threshold: float = 3.0
    organisation_floor: float | None = None
    organisation_threshold: float | None = None
    """The same of two organisations; None for those of persons."""
    block_cap: int = BLOCK_CAP
    most_pairs: int = MOST_PAIRS
    clean_sources: frozenset[int] | None = frozenset()
    """Sources that hold each person once; None for all of them, which is linking only."""
    reading: Reading = AS_FOUND
    unguarded: tuple[str, ...] = ()
    """Reasons to hold a pair back that these rules do without (see `matching.automatic`)."""
    lifts_guards: bool = True
    """Whether a file may show that its contacts are personal."""
    training: Training = AS_DELIVERED
    learnt_rules: tuple[Rule, ...] | None = None
    """Rules that a model learnt earlier goes with: without them it knows no coincidences."""
    too_common: Bits | None = None
    """Keys above the cap in the whole file, when the records at hand are some of it."""
    workers: int = os.cpu_count() or 1

    @property
    def compares_sources(self) -> bool:
        """Whether it tells something that two records come from one source."""
        return self.clean_sources == frozenset()

    def bounds(self, kinds: Levels) -> tuple[Floats, Floats]:
        """Return floor of review and automatic threshold of pairs of these kinds."""
        organisations = kinds == Kind.ORGANISATIONS

        def by_kind(of_persons: float, own: float | None) -> Floats:
            return np.where(organisations, of_persons if own is None else own, of_persons)

        return (
            by_kind(self.review_floor, self.organisation_floor),
            by_kind(self.automatic_threshold, self.organisation_threshold),
        )

    def are_kept(self, model: ScoreModel, distinct: Ids, scores: Floats) -> Flags:
        """Say of which patterns, with these scores, the pairs are kept."""
        return scores >= self.bounds(_kinds(model, distinct))[0]


@dataclass(frozen=True)
class Pairs:
    """Pairs at or above the review floor, by falling score, then by ids; left id < right id."""

    left: Ids
    right: Ids
    pattern: Ids
    score: Floats
    automatic: Flags
    rule: Levels
    """Position in `Result.rules` of the rule that found the pair."""

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.left)


@dataclass(frozen=True)
class Result:
    """Everything a run stores."""

    pairs: Pairs
    model: ModelState
    rules: tuple[RuleReport, ...]
    counts: dict[str, int]
    expected: dict[str, float]
    """From the model's own probabilities: `precision` of automatic pairs, `matches` among all."""
    known: Known
    """What the records are like as a whole."""
    timings: dict[str, float] = field(default_factory=dict)


def link(
    records: Columns | Folded,
    settings: Settings | None = None,
    *,
    model: ModelState | None = None,
    known: Known | None = None,
    changed: Sequence[int] | None = None,
    progress: Progress = lambda _stage, _done, _total: None,
    run_by: "Callable[[Ids, Codes | None, Settings, Progress], Run] | None" = None,
) -> Result:
    """Return the pairs of records that may be one person, with scores.

    Args:
        records: as columns in any order (the result does not depend on it), or folded already,
            by rising id.
        settings: rules and thresholds.
        model: a model trained earlier; one is trained when None, or when the fields differ.
        known: what that model's run saw of the file as a whole.
        changed: when given, only pairs with at least one of these ids.
        progress: told about each stage; whatever it raises stops the work.
        run_by: what indexes, compares and classifies; the core itself when None.

    Raises:
        NothingToCompare: when there are fewer than two records, or no attribute to compare.
        TooManyPairs: when the rules would make more pairs than allowed.
    """
    records = records.sorted() if isinstance(records, Columns) else records
    settings = settings or Settings()
    run = (run_by or Run)(records.ids, records.sources, settings, progress)
    with run.stage("encode"):
        encoded = encode(
            records,
            known,
            compare_sources=settings.compares_sources,
            reading=settings.reading,
        )
    return run.result(encoded, model, changed)


class Run:
    """One run's records and clock."""

    def __init__(
        self, ids: Ids, sources: Codes | None, settings: Settings, progress: Progress
    ) -> None:
        self.ids, self.sources = ids, sources
        self.settings, self.progress = settings, progress
        self.timings: dict[str, float] = {}
        self.learnt: ScoreModel | None = None
        """What was learnt earlier and goes for these records; None to learn from them."""

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage and announce it."""
        self.progress(name, 0, 0)
        with timed(self.timings, name):
            yield

    def result(
        self, encoded: Encoded, state: ModelState | None, changed: Sequence[int] | None
    ) -> Result:
        """Return the scored pairs."""
        if encoded.known is None and (len(self.ids) < 2 or not encoded.fields):
            raise NothingToCompare("There are no two records with a common attribute.")
        state = state if state and _knows(state, encoded.fields) else None
        if state:
            self.learnt = ScoreModel.from_state(state)
            if self.settings.learnt_rules:
                self.settings = replace(self.settings, rules=self.settings.learnt_rules)
        with self.stage("propose"):
            proposals, rules = self._rules(encoded)
        with self.stage("block"):
            built = self._built(encoded, rules)
            blocks = self._affordable(built, encoded.size)
        with self.stage("compare"):
            found = self.compared(encoded, blocks, self._scope(changed))
        with self.stage("train"):
            distinct, counts = self.counted(found, encoded.fields)
            if state is None:
                used = [one.rule for one in blocks]
                classes = learn_classes(encoded, used, workers=self.settings.workers)
                levels = split_patterns(distinct, encoded.fields)
                sharing = (
                    sharing_of(levels, counts, used) if self.settings.lifts_guards else UNTOLD
                )
                trained = self.trained(found, distinct, counts, classes)
                unguarded = self.settings.unguarded
                state = replace(trained, sharing=sharing, unguarded=unguarded).to_state()
            model = self.learnt or ScoreModel.from_state(state)
        with self.stage("score"):
            pairs, expected = self._scored(model, found, distinct, counts)
        return Result(
            pairs=pairs,
            model=state,
            rules=self._reports(proposals, built, self.new_pairs(found, len(blocks))),
            counts=self._counts(int(counts.sum()), pairs, blocks),
            expected=expected,
            known=encoded.known or learn_known(encoded),
            timings=self.timings,
        )

    def compared(self, encoded: Encoded, blocks: Sequence[Blocks], scope: Scope) -> Candidates:
        """Return the pairs of the blocks with their patterns."""
        return candidates(
            encoded, blocks, scope=scope, workers=self.settings.workers, tick=self.tick
        )

    def counted(self, found: Candidates, fields: Sequence[str]) -> tuple[Ids, Ids]:
        """Return the distinct patterns and how many pairs have each."""
        return count_patterns(found.pattern, fields)

    def new_pairs(self, found: Candidates, rule_count: int) -> Ids:
        """Return how many pairs each rule was the first to make."""
        return np.bincount(found.rule, minlength=rule_count)

    def wanted(
        self, found: Candidates, distinct: Ids, wanted: Flags, model: ScoreModel
    ) -> Candidates:
        """Return the pairs whose pattern is wanted."""
        return found.chosen(np.flatnonzero(look_up(found.pattern, distinct, wanted, model.fields)))

    def trained(
        self, found: Candidates, distinct: Ids, counts: Ids, classes: Classes
    ) -> ScoreModel:
        """Return the classes fitted to the patterns found, which have been counted."""
        return fit(distinct, counts.astype(np.float64), classes, self.settings.training).model

    def tick(self, done: int, total: int) -> None:
        """Say how far the comparison is."""
        self.progress("compare", done, total)

    def _scope(self, changed: Sequence[int] | None) -> Scope:
        flags = None if changed is None else np.isin(self.ids, np.array(changed, np.int64))
        return Scope(flags, self.sources, self.settings.clean_sources)

    def _rules(self, encoded: Encoded) -> tuple[list[Proposal], tuple[Rule, ...]]:
        settings = self.settings
        if settings.rules is not None:
            return [], settings.rules
        proposals = propose(encoded, cap=settings.block_cap, workers=settings.workers)
        return proposals, taken(proposals)

    def _built(self, encoded: Encoded, rules: Sequence[Rule]) -> list[Blocks]:
        settings = self.settings
        return build_each(
            encoded,
            rules,
            settings.block_cap,
            workers=settings.workers,
            too_common=settings.too_common,
        )

    def _affordable(self, built: Sequence[Blocks], size: int) -> list[Blocks]:
        """Return the blocks of the rules within their budgets."""
        blocks = [one for one in built if one.is_within_budget(size)]
        total = sum(one.pair_count for one in blocks)
        if total > self.settings.most_pairs:
            largest = max(blocks, key=lambda one: one.pair_count)
            raise TooManyPairs(total, largest.rule.name, largest.pair_count, largest.largest)
        return blocks

    def _reports(
        self, proposals: Sequence[Proposal], built: Sequence[Blocks], new: Ids
    ) -> tuple[RuleReport, ...]:
        """Return a report on each rule, those used first, in the order in which they were."""
        size, left = len(self.ids), iter(new.tolist())
        used = [_of_blocks(one, next(left), None) for one in built if one.is_within_budget(size)]
        over = [
            _of_blocks(one, 0, LeftOut.OVER_BUDGET)
            for one in built
            if not one.is_within_budget(size)
        ]
        told = [*used, *over, *(_of_proposal(one) for one in proposals if not one.is_taken)]
        names = {report.rule for report in told}
        asked = DEFAULT_RULES if self.settings.rules is None else self.settings.rules
        silent = [rule.name for rule in asked if rule.name not in names]
        return (*told, *(RuleReport(name, left_out=LeftOut.FINDS_NOTHING) for name in silent))

    def _scored(
        self, model: ScoreModel, found: Candidates, distinct: Ids, counts: Ids
    ) -> tuple[Pairs, dict[str, float]]:
        scores = score_patterns(model, distinct)
        automatic = self._automatic(model, distinct, scores)
        wanted = self.settings.are_kept(model, distinct, scores)
        kept = self.wanted(found, distinct, wanted, model)
        # Patterns are few: their ranks are narrow, and narrow numbers are sorted by counting them.
        ranks = np.unique(-scores, return_inverse=True)[1].astype(np.min_scalar_type(len(scores)))
        order = np.argsort(kept.left.astype(np.int64) * len(self.ids) + kept.right)
        kept = kept.chosen(order)
        rank = look_up(kept.pattern, distinct, ranks, model.fields)
        kept = kept.chosen(np.argsort(rank, kind="stable"))
        pairs = Pairs(
            left=self.ids[kept.left],
            right=self.ids[kept.right],
            pattern=kept.pattern.astype(np.int64),
            score=look_up(kept.pattern, distinct, scores, model.fields),
            automatic=look_up(kept.pattern, distinct, automatic, model.fields),
            rule=kept.rule,
        )
        return pairs, _expected(scores, counts, automatic)

    def _automatic(self, model: ScoreModel, distinct: Ids, scores: Floats) -> Flags:
        """Return which distinct patterns link by themselves.

        Two sources make two records one person's the sooner, but that is true of all strangers in
        them: what links must be sure enough without it.
        """
        unsourced = score_patterns(model, without("source", distinct, model.fields))
        threshold = self.settings.bounds(_kinds(model, distinct))[1]
        strong = np.minimum(scores, unsourced) >= threshold
        strong[strong] = [
            model.held_back(model.levels(pattern)) is None for pattern in distinct[strong].tolist()
        ]
        return np.asarray(strong, np.bool_)

    def _counts(self, count: int, pairs: Pairs, blocks: Sequence[Blocks]) -> dict[str, int]:
        return {
            "records": len(self.ids),
            "candidate_pairs": count,
            "blocking_rules": len(blocks),
            "evidence": len(pairs),
            "automatic": int(pairs.automatic.sum()),
        }


def _knows(state: ModelState, fields: tuple[str, ...]) -> bool:
    """Say whether a model learnt earlier is of these very fields and their levels of today."""
    return tuple(state["fields"]) == fields and is_current(state)


def _kinds(model: ScoreModel, distinct: Ids) -> Levels:
    """Return of which kind the two records of each pattern are."""
    return split_patterns(distinct, model.fields).get("kind", np.zeros(1, np.uint8))


def _expected(scores: Floats, counts: Ids, automatic: Flags) -> dict[str, float]:
    """Return what the model's own probabilities promise."""
    likely = counts / (1 + np.exp2(-np.clip(scores, -500, 500)))
    linked = counts[automatic].sum()
    return {
        "matches": round(float(likely.sum()), 1),
        "precision": round(float(likely[automatic].sum() / linked), 5) if linked else 1.0,
    }


def _of_blocks(one: Blocks, new: int, left_out: LeftOut | None) -> RuleReport:
    return RuleReport(one.rule.name, one.pair_count, new, one.capped_count, one.largest, left_out)


def _of_proposal(one: Proposal) -> RuleReport:
    return RuleReport(
        one.rule.name, one.pairs, 0, one.capped_blocks, one.largest_block, one.left_out
    )
