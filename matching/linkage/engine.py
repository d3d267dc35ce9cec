"""One call from records to scored pairs."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from matching.automatic import held_back
from matching.linkage.blocking import (
    BLOCK_CAP,
    DEFAULT_RULES,
    Blocks,
    Rule,
    RuleReport,
    applicable_blocks,
    candidate_pairs,
    random_pairs_sharing,
)
from matching.linkage.columns import Codes, Columns, Flags, Floats, Ids
from matching.linkage.comparison import compare
from matching.linkage.encoding import encode
from matching.linkage.frame import KeyIndex, LatentClassClassifier, LevelCompare
from matching.linkage.training import (
    Chance,
    Classes,
    build_classes,
    chance_at_random,
    chance_when_sharing,
    parts_by_field,
)
from matching.scoring import ModelState, ScoreModel

RANDOM_PAIRS = 300_000
FEWEST_RANDOM_PAIRS = 2_000
RULE_SAMPLE = 20_000
SEED = 20_230_717

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total); may raise to stop the work."""


class NothingToCompare(ValueError):
    """The records have no attribute that two of them share, or there are fewer than two."""


@dataclass(frozen=True)
class Settings:
    """What a rule set says: rules, thresholds in bits, and the size of a block at most."""

    rules: tuple[Rule, ...] = DEFAULT_RULES
    review_floor: float = -3.0
    automatic_threshold: float = 3.0
    block_cap: int = BLOCK_CAP


@dataclass(frozen=True)
class Pairs:
    """Pairs at or above the review floor, by falling score, then by ids; left id < right id."""

    left: Ids
    right: Ids
    pattern: Ids
    score: Floats
    automatic: Flags
    rule: Codes
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
    timings: dict[str, float] = field(default_factory=dict)


def link(
    columns: Columns,
    settings: Settings | None = None,
    *,
    model: ModelState | None = None,
    changed: Sequence[int] | None = None,
    progress: Progress = lambda _stage, _done, _total: None,
) -> Result:
    """Return the pairs of records that may be one person, with scores.

    Args:
        columns: the records, in any order: the result does not depend on it.
        settings: rules and thresholds.
        model: a model trained earlier; one is trained when None, or when the fields differ.
        changed: when given, only pairs with at least one of these ids.
        progress: told about each stage; whatever it raises stops the work.

    Raises:
        NothingToCompare: when there are fewer than two records, or no attribute to compare.
    """
    return _Run(columns.sorted(), settings or Settings(), progress).result(model, changed)


def candidate_ids(
    columns: Columns, *, rules: Sequence[Rule] = DEFAULT_RULES, block_cap: int = BLOCK_CAP
) -> Iterator[tuple[int, int]]:
    """Yield the ids of each pair that the blocking rules propose, without comparing them."""
    columns = columns.sorted()
    blocks, _refused = applicable_blocks(encode(columns), rules, block_cap)
    for _position, left, right in candidate_pairs(blocks):
        yield from zip(columns.ids[left].tolist(), columns.ids[right].tolist(), strict=True)


class _Run:
    """One run's records and clock."""

    def __init__(self, columns: Columns, settings: Settings, progress: Progress) -> None:
        self.columns, self.settings, self.progress = columns, settings, progress
        self.timings: dict[str, float] = {}
        self.ids = columns.ids
        with self.stage("encode"):
            self.encoded = encode(columns)
        if len(columns) < 2 or not self.encoded.fields:
            raise NothingToCompare("There are no two records with a common attribute.")

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage and announce it."""
        self.progress(name, 0, 0)
        started = time.perf_counter()
        yield
        self.timings[name] = round(time.perf_counter() - started, 3)

    def result(self, state: ModelState | None, changed: Sequence[int] | None) -> Result:
        """Return the scored pairs."""
        frame = pd.DataFrame(index=pd.Index(self.ids))
        with self.stage("block"):
            blocks, refused = applicable_blocks(
                self.encoded, self.settings.rules, self.settings.block_cap
            )
            flags = None if changed is None else np.isin(self.ids, np.array(changed, np.int64))
            index = KeyIndex(blocks, flags, self._tick("block"))
            found = index.index(frame)
        with self.stage("compare"):
            vectors = LevelCompare(self.encoded, self._tick("compare")).compute(found, frame)
        with self.stage("train"):
            is_known = state is not None and tuple(state["fields"]) == self.encoded.fields
            classifier = self._classifier(blocks, vectors, state if is_known else None)
        with self.stage("score"):
            pairs, expected = self._scored(classifier, vectors, found, index.rules)
        if classifier.model is None:
            raise NothingToCompare("There is no model to score with.")
        return Result(
            pairs=pairs,
            model=classifier.model.to_state(),
            rules=(*_reports(blocks, index.rules), *refused),
            counts=self._counts(vectors, pairs, blocks),
            expected=expected,
            timings=self.timings,
        )

    def _tick(self, stage: str) -> Callable[[int, int], None]:
        return lambda done, total: self.progress(stage, done, total)

    def _classifier(
        self, blocks: Sequence[Blocks], vectors: pd.DataFrame, state: ModelState | None
    ) -> LatentClassClassifier:
        """Return a classifier with the given model, or one trained on these pairs."""
        if state is not None:
            return LatentClassClassifier(None, ScoreModel.from_state(state))
        classifier = LatentClassClassifier(self._classes(blocks))
        classifier.fit(vectors)
        return classifier

    def _classes(self, blocks: Sequence[Blocks]) -> Classes:
        at_random = self._at_random()
        shared: dict[tuple[str, tuple[str, ...]], Floats] = {}
        under_rule = []
        for one in blocks:
            parts = parts_by_field(one.rule, self.encoded.fields)
            for key in parts.items():
                if key not in shared:
                    shared[key] = self._when_sharing(*key, at_random)
            under_rule.append({field: shared[field, parts[field]] for field in parts})
        return build_classes(
            self.encoded.fields,
            [one.rule for one in blocks],
            Chance(at_random, under_rule),
            with_homes=self.encoded.street.is_present,
        )

    def _at_random(self) -> dict[str, Floats]:
        generator = np.random.default_rng(SEED)
        pair_count = self.encoded.size * (self.encoded.size - 1) // 2
        drawn = (2, min(RANDOM_PAIRS, max(FEWEST_RANDOM_PAIRS, pair_count)))
        left, right = generator.integers(0, self.encoded.size, drawn).astype(np.int32)
        apart = left != right
        levels = compare(self.encoded, left[apart], right[apart])
        return chance_at_random(levels, pair_count)

    def _when_sharing(
        self, field: str, parts: tuple[str, ...], at_random: dict[str, Floats]
    ) -> Floats:
        generator = np.random.default_rng(SEED)
        left, right = random_pairs_sharing(self.encoded, parts, RULE_SAMPLE, generator)
        return chance_when_sharing(field, compare(self.encoded, left, right), at_random[field])

    def _scored(
        self,
        classifier: LatentClassClassifier,
        vectors: pd.DataFrame,
        found: pd.MultiIndex,
        rules: Codes,
    ) -> tuple[Pairs, dict[str, float]]:
        patterns = vectors["pattern"].to_numpy()
        distinct, scores, places = classifier.scores(patterns)
        automatic = self._automatic(classifier, distinct, scores)
        kept = np.flatnonzero(scores[places] >= self.settings.review_floor)
        left, right = (self.ids[np.asarray(codes)[kept]] for codes in found.codes)
        order = np.lexsort((right, left, -scores[places[kept]]))
        kept = kept[order]
        pairs = Pairs(
            left=left[order],
            right=right[order],
            pattern=patterns[kept],
            score=scores[places[kept]],
            automatic=automatic[places[kept]],
            rule=rules[kept],
        )
        return pairs, _expected(pairs, scores[places])

    def _automatic(
        self, classifier: LatentClassClassifier, distinct: Ids, scores: Floats
    ) -> Flags:
        """Return which distinct patterns link by themselves."""
        model = classifier.model
        if model is None:
            return np.zeros(len(distinct), np.bool_)
        strong = scores >= self.settings.automatic_threshold
        strong[strong] = [
            held_back(model.levels(pattern)) is None for pattern in distinct[strong].tolist()
        ]
        return np.asarray(strong, np.bool_)

    def _counts(
        self, vectors: pd.DataFrame, pairs: Pairs, blocks: Sequence[Blocks]
    ) -> dict[str, int]:
        return {
            "records": len(self.ids),
            "candidate_pairs": len(vectors),
            "blocking_rules": len(blocks),
            "evidence": len(pairs),
            "automatic": int(pairs.automatic.sum()),
        }


def _expected(pairs: Pairs, all_scores: Floats) -> dict[str, float]:
    """Return what the model's own probabilities promise."""
    likely = 1 / (1 + np.exp2(-np.clip(pairs.score, -500, 500)))
    automatic = likely[pairs.automatic]
    return {
        "matches": round(float((1 / (1 + np.exp2(-np.clip(all_scores, -500, 500)))).sum()), 1),
        "precision": round(float(automatic.mean()), 5) if len(automatic) else 1.0,
    }


def _reports(blocks: Sequence[Blocks], rules: Codes) -> list[RuleReport]:
    new = np.bincount(rules, minlength=len(blocks))
    return [
        RuleReport(one.rule.name, one.pair_count, int(new[position]), one.capped_count, used=True)
        for position, one in enumerate(blocks)
    ]
