"""Our blocking, comparison and classification as recordlinkage's own classes.

The toolkit is the frame: its stock indexes, features and classifiers work beside these, on the
same pairs. What is inside differs, because its own index, string features and ECM take fifty
times as long and merge families. Everything here wraps the numpy core and adds nothing to it.
"""

import logging
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import pandas as pd
from rapidfuzz import process
from rapidfuzz.distance import JaroWinkler
from recordlinkage.base import (
    BaseClassifier,
    BaseCompare,
    BaseCompareFeature,
    BaseIndexAlgorithm,
)

from matching.linkage.blocking import CHUNK, Blocks, Claims, Partition
from matching.linkage.chance import learn_classes
from matching.linkage.classes import Classes
from matching.linkage.columns import Codes, Columns, Flags, Floats, Ids
from matching.linkage.comparison import patterns
from matching.linkage.encoding import Encoded, encode
from matching.linkage.engine import Run
from matching.linkage.keys import Rule
from matching.linkage.pairing import Candidates, Scope, Tick, candidates, count_patterns, narrow
from matching.linkage.parts import Counted, Part, Piece, Scored, Work, cut, joined_counts
from matching.linkage.proposals import build_all, propose, taken
from matching.linkage.training import AS_DELIVERED, Fit, Training, fit, score_patterns
from matching.scoring import ScoreModel

# The toolkit logs every step through a handler of its own; a run has its progress instead.
logging.getLogger("recordlinkage").setLevel(logging.WARNING)


def encode_frame(frame: pd.DataFrame, other: pd.DataFrame | None = None) -> Encoded:
    """Return the rows of one frame, or of two below one another, as codes.

    Columns are named after `columns.ATTRIBUTES`; others are left to stock features.
    """
    rows = frame if other is None else pd.concat([frame, other])
    text = rows.astype(object).where(rows.notna(), None)
    values = {str(name): text[name].map(_text).to_numpy(object) for name in text}
    return encode(Columns(np.arange(len(rows), dtype=np.int64), values))


class KeyIndex(BaseIndexAlgorithm):
    """All blocking rules in one pass: no union of indexes, every pair once.

    Linking two frames, only pairs across them are made, as the toolkit expects.
    """

    def __init__(
        self,
        encoded: Encoded,
        rules: Sequence[Rule] | None = None,
        *,
        blocks: Sequence[Blocks] | None = None,
        scope: Scope | None = None,
        partition: Partition | None = None,
        workers: int = 1,
        pieces: Sequence[Piece] | None = None,
        tick: Tick = lambda _done, _total: None,
        **options: Any,
    ) -> None:
        """Take the encoded records, in the order of the frames that `index` gets.

        The blocks are those of the rules, where they are not given.
        """
        super().__init__(**options)
        self.encoded, self.workers, self.scope = encoded, workers, scope
        if blocks is None:
            rules = taken(propose(encoded, workers=workers)) if rules is None else rules
            blocks = build_all(encoded, rules, workers=workers, partition=partition)
        self.blocks, self.pieces, self.tick = blocks, pieces, tick
        self.rules = [one.rule for one in self.blocks]
        self.found = Candidates.joined([])
        """After `index`: the pairs by position, with patterns and the rule that made each."""

    def _dedup_index(self, df_a: pd.DataFrame) -> pd.MultiIndex:
        self.found = candidates(
            self.encoded,
            self.blocks,
            scope=self.scope,
            workers=self.workers,
            pieces=self.pieces,
            tick=self.tick,
        )
        return _index(df_a.index, df_a.index, self.found.left, self.found.right)

    def _link_index(self, df_a: pd.DataFrame, df_b: pd.DataFrame) -> pd.MultiIndex:
        sources = np.repeat(np.array([0, 1], np.int32), [len(df_a), len(df_b)])
        scope = Scope(sources=sources, clean_sources=None)
        self.found = candidates(self.encoded, self.blocks, scope=scope, workers=self.workers)
        right = self.found.right - np.int32(len(df_a))
        return _index(df_a.index, df_b.index, self.found.left, right)


def _index(one: Any, other: Any, left: Codes, right: Codes) -> pd.MultiIndex:
    # pandas-stubs ask for lists; arrays are what keeps millions of pairs small.
    codes: Any = [left, right]
    return pd.MultiIndex(levels=[one, other], codes=codes, verify_integrity=False)


class LevelCompare(BaseCompare):
    """One pattern of levels per pair, from encoded records."""

    def __init__(self, encoded: Encoded, **options: Any) -> None:
        """Take the encoded records, in the order of the frames that `compute` gets."""
        super().__init__(**options)
        self.encoded = encoded

    def _compute(
        self, pairs: pd.MultiIndex, x: pd.DataFrame, x_link: pd.DataFrame | None = None
    ) -> pd.DataFrame:
        left = _positions(pairs, 0, x)
        right = _positions(pairs, 1, x if x_link is None else x_link)
        right = right if x_link is None else right + np.int32(len(x))
        found = [np.zeros(0, np.int64)]
        for start in range(0, len(left), CHUNK):
            chunk = slice(start, start + CHUNK)
            found.append(patterns(self.encoded, self.encoded.fields, left[chunk], right[chunk]))
        return pd.DataFrame({"pattern": np.concatenate(found)}, index=pairs)


def _positions(pairs: pd.MultiIndex, side: int, frame: pd.DataFrame) -> Codes:
    level, codes = pairs.levels[side], np.asarray(pairs.codes[side])
    if level is frame.index or level.equals(frame.index):
        return codes.astype(np.int32)
    return np.asarray(frame.index.get_indexer(level), np.int32)[codes]


class LatentClassClassifier(BaseClassifier):
    """Latent classes trained by EM; scores in bits by distinct pattern."""

    def __init__(
        self,
        classes: Classes | None,
        model: ScoreModel | None = None,
        training: Training = AS_DELIVERED,
    ) -> None:
        """Take the classes to train, and how, or a model that is trained already."""
        super().__init__()
        self.classes, self.model, self.training = classes, model, training
        self.last_fit: Fit | None = None

    @classmethod
    def suited_to(cls, index: KeyIndex) -> "LatentClassClassifier":
        """Return an untrained classifier for the pairs that an index makes."""
        return cls(learn_classes(index.encoded, index.rules, workers=index.workers))

    def _fit(self, vectors: Ids, match_index: object = None) -> None:
        if self.classes is None:
            raise ValueError("This classifier was given a trained model; it cannot be fitted.")
        distinct, counts = count_patterns(vectors.ravel(), self.classes.fields)
        self.last_fit = fit(distinct, counts.astype(np.float64), self.classes, self.training)
        self.model = self.last_fit.model

    def scores(self, vectors: Ids) -> Floats:
        """Return the score of each pattern in bits."""
        if self.model is None:
            raise ValueError("Fit the classifier first.")
        distinct, places = np.unique(vectors.ravel(), return_inverse=True)
        return np.take(score_patterns(self.model, distinct), places)

    def _prob_match(self, vectors: Ids) -> Floats:
        return np.asarray(1 / (1 + np.exp2(-np.clip(self.scores(vectors), -500, 500))))

    def _predict(self, vectors: Ids) -> Ids:
        return np.asarray(self.scores(vectors) >= 0, np.int64)


class ToolkitRun(Run):
    """A run whose indexing, comparing and classification are recordlinkage's classes.

    The index compares while it makes pairs, so that nothing is gathered twice; what it found is
    the frame of comparison vectors that the classifier is fitted to.
    """

    def compared(self, encoded: Encoded, blocks: Sequence[Blocks], scope: Scope) -> Candidates:
        """Return the pairs of the index."""
        index = KeyIndex(
            encoded, blocks=blocks, scope=scope, workers=self.settings.workers, tick=self.tick
        )
        self.pairs = index.index(pd.DataFrame(index=pd.Index(self.ids)))
        return index.found

    def trained(
        self, found: Candidates, distinct: Ids, counts: Ids, classes: Classes
    ) -> ScoreModel:
        """Return the model of the classifier fitted to the comparison vectors."""
        classifier = LatentClassClassifier(classes, training=self.settings.training)
        classifier.fit(pd.DataFrame({"pattern": found.pattern}, index=self.pairs))
        assert classifier.model is not None  # noqa: S101  (fitted above)
        return classifier.model


def compare_part(work: Work, part: Part, workers: int = 1) -> Candidates:
    """Return the pairs of one part of a run, through the toolkit's index."""
    index = KeyIndex(
        work.encoded, blocks=work.blocks, scope=work.scope, pieces=part, workers=workers
    )
    index.index(pd.DataFrame(index=pd.RangeIndex(work.encoded.size)))
    return index.found


class Crew(Protocol):
    """Workers who do the parts of a run, in any order and on any machine."""

    def count(self, work: Work, parts: Sequence[Part]) -> list[Counted]:
        """Return what each part counts: its patterns and the pairs of each rule."""

    def collect(self, work: Work, parts: Sequence[Part], wanted: Ids) -> list[Candidates]:
        """Return the pairs of each part that have one of these patterns."""

    def score(self, work: Work, parts: Sequence[Part], model: ScoreModel) -> list[Scored]:
        """Return what each part counts, and its pairs that are kept by a model."""


class SpreadRun(ToolkitRun):
    """A run in two phases: parts count their patterns; then, scored, they give the pairs kept.

    The classifier is fitted once, to all patterns together. By a model learnt earlier one phase
    does: parts score at once. A run of few pairs is not cut.
    """

    def __init__(self, *arguments: Any, crew: Crew, spread_from: int, part_size: int) -> None:
        """Take who does the parts, from how many pairs on, and the pairs of a part at most."""
        super().__init__(*arguments)
        self.crew, self.spread_from, self.part_size = crew, spread_from, part_size
        self.counts: list[Counted] = []

    def compared(self, encoded: Encoded, blocks: Sequence[Blocks], scope: Scope) -> Candidates:
        """Return no pair yet when they are many: the parts have counted theirs.

        By a model learnt earlier, they have scored them, too: then the pairs that are kept.
        """
        if scope.changed is not None or self._is_small(blocks):
            return super().compared(encoded, blocks, scope)
        self.work = Work(encoded, Claims(blocks), scope)
        self.parts = cut(blocks, self.part_size)
        if self.learnt is None:
            self.counts = self.crew.count(self.work, self.parts)
            return Candidates.joined([])
        scored = self.crew.score(self.work, self.parts, self.learnt)
        self.counts = [one.counted for one in scored]
        return Candidates.joined(one.kept for one in scored)

    def counted(self, found: Candidates, fields: Sequence[str]) -> tuple[Ids, Ids]:
        """Return the patterns of all parts."""
        return joined_counts(self.counts) if self.counts else super().counted(found, fields)

    def new_pairs(self, found: Candidates, rule_count: int) -> Ids:
        """Return the pairs of each rule, over all parts."""
        if not self.counts:
            return super().new_pairs(found, rule_count)
        return np.asarray(np.sum([one.by_rule for one in self.counts], axis=0), np.int64)

    def trained(
        self, found: Candidates, distinct: Ids, counts: Ids, classes: Classes
    ) -> ScoreModel:
        """Return the model of the classifier fitted to the vectors that all parts counted."""
        if not self.counts:
            return super().trained(found, distinct, counts, classes)
        vectors = np.repeat(narrow(distinct, self.work.encoded.fields), counts)
        classifier = LatentClassClassifier(classes, training=self.settings.training)
        classifier.fit(pd.DataFrame({"pattern": vectors}))
        assert classifier.model is not None  # noqa: S101  (fitted above)
        return classifier.model

    def wanted(
        self, found: Candidates, distinct: Ids, wanted: Flags, model: ScoreModel
    ) -> Candidates:
        """Return the pairs of all parts whose pattern is wanted."""
        if not self.counts:
            return super().wanted(found, distinct, wanted, model)
        if self.learnt:
            return found
        return Candidates.joined(self.crew.collect(self.work, self.parts, distinct[wanted]))

    def _is_small(self, blocks: Sequence[Blocks]) -> bool:
        return sum(one.pair_count for one in blocks) < self.spread_from


class _Scorer(Protocol):
    def __call__(self, one: str, other: str, /, *, score_cutoff: float | None = None) -> float: ...


class TextSimilarity(BaseCompareFeature):
    """Similarity of any two text columns by rapidfuzz: six times as fast as the stock `String`.

    For fields without levels of their own. A missing or blank value on either side gives
    `missing_value`, never a similarity.
    """

    name = "text_similarity"

    def __init__(
        self,
        left_on: str,
        right_on: str,
        *,
        scorer: _Scorer = JaroWinkler.similarity,
        threshold: float | None = None,
        missing_value: float = 0.0,
        label: str | None = None,
    ) -> None:
        """Take the columns; with a threshold the feature is 1 at or above it, else 0."""
        super().__init__(left_on, right_on, label=label)
        self.scorer, self.threshold, self.missing_value = scorer, threshold, missing_value

    def _compute_vectorized(self, left: "pd.Series[Any]", right: "pd.Series[Any]") -> Floats:
        one, other = _texts(left), _texts(right)
        known = np.array([bool(a and b) for a, b in zip(one, other, strict=True)], np.bool_)
        rows = np.flatnonzero(known).tolist()
        found = np.full(len(one), self.missing_value)
        similar = process.cpdist(
            [one[row] for row in rows],
            [other[row] for row in rows],
            scorer=self.scorer,
            score_cutoff=self.threshold or 0.0,
            dtype=np.float64,
        )
        found[rows] = similar if self.threshold is None else similar >= self.threshold
        return found


def _texts(values: "pd.Series[Any]") -> list[str]:
    return [value.strip() if isinstance(value, str) else "" for value in values.tolist()]


def _text(value: object) -> str | None:
    return None if value is None or not str(value).strip() else str(value)
