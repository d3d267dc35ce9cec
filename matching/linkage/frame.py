"""Our blocking, comparison and classification as recordlinkage's own classes.

The toolkit is the frame: its stock features and classifiers work beside these, on the same
pairs. What is inside differs, because its own index, string features and ECM take fifty times
as long and merge families.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from recordlinkage.base import BaseClassifier, BaseCompare, BaseIndexAlgorithm

from matching.linkage.blocking import CHUNK, Blocks, candidate_pairs
from matching.linkage.columns import Codes, Flags, Floats, Ids
from matching.linkage.comparison import patterns
from matching.linkage.encoding import Encoded
from matching.linkage.training import Classes, Fit, fit, split_patterns
from matching.scoring import ScoreModel, probability

# The toolkit logs every step through a handler of its own; a run has its progress instead.
logging.getLogger("recordlinkage").setLevel(logging.WARNING)

Tick = Callable[[int, int], None]
"""Called with (done, total) after each chunk; may raise to stop the work."""


class KeyIndex(BaseIndexAlgorithm):
    """All blocking rules in one pass: no union of indexes, every pair once."""

    def __init__(self, blocks: Sequence[Blocks], changed: Flags | None, tick: Tick) -> None:
        """Take the rules' blocks, and the records that must be in each pair (None for any)."""
        super().__init__()
        self.blocks, self.changed, self.tick = blocks, changed, tick
        self.rules: Codes = np.zeros(0, np.int32)
        """After `index`: position of the rule that made each pair."""

    def _dedup_index(self, df_a: pd.DataFrame) -> pd.MultiIndex:
        found: list[tuple[int, Codes, Codes]] = []
        total = sum(blocks.pair_count for blocks in self.blocks)
        for rule, left, right in candidate_pairs(self.blocks, self.changed):
            found.append((rule, left, right))
            self.tick(sum(len(one) for _, one, _ in found), total)
        empty = np.zeros(0, np.int32)
        self.rules = np.repeat(
            np.array([rule for rule, _, _ in found], np.int32),
            [len(left) for _, left, _ in found],
        )
        # pandas-stubs ask for lists; arrays are what keeps millions of pairs small.
        levels: Any = [df_a.index, df_a.index]
        codes: Any = [np.concatenate([empty, *(pair[side] for pair in found)]) for side in (1, 2)]
        return pd.MultiIndex(levels=levels, codes=codes, verify_integrity=False)


class LevelCompare(BaseCompare):
    """One pattern of levels per pair, from encoded records."""

    def __init__(self, encoded: Encoded, tick: Tick) -> None:
        """Take the encoded records, in the order of the frame that `compute` gets."""
        super().__init__()
        self.encoded, self.tick = encoded, tick

    def _compute(
        self, pairs: pd.MultiIndex, x: pd.DataFrame, x_link: pd.DataFrame | None = None
    ) -> pd.DataFrame:
        left, right = (np.asarray(codes, np.int32) for codes in pairs.codes)
        found = [np.zeros(0, np.int64)]
        for start in range(0, len(left), CHUNK):
            chunk = slice(start, start + CHUNK)
            found.append(patterns(self.encoded, left[chunk], right[chunk]))
            self.tick(min(start + CHUNK, len(left)), len(left))
        return pd.DataFrame({"pattern": np.concatenate(found)}, index=pairs)


class LatentClassClassifier(BaseClassifier):
    """Latent classes trained by EM; scores in bits by distinct pattern."""

    def __init__(self, classes: Classes | None, model: ScoreModel | None = None) -> None:
        """Take the classes to train, or a model that is trained already."""
        super().__init__()
        self.classes, self.model = classes, model
        self.last_fit: Fit | None = None

    def _fit(self, vectors: Ids, match_index: object = None) -> None:
        if self.classes is None:
            raise ValueError("This classifier was given a trained model; it cannot be fitted.")
        distinct, counts = np.unique(vectors.ravel(), return_counts=True)
        levels = split_patterns(distinct, self.classes.fields)
        self.last_fit = fit(levels, counts.astype(np.float64), self.classes)
        self.model = self.last_fit.model

    def scores(self, vectors: Ids) -> tuple[Ids, Floats, Ids]:
        """Return the distinct patterns, the score of each, and each pair's place among them."""
        if self.model is None:
            raise ValueError("Fit the classifier first.")
        model = self.model
        distinct, places = np.unique(vectors.ravel(), return_inverse=True)
        scores = np.array(
            [model.score(model.levels(pattern)) for pattern in distinct.tolist()], np.float64
        )
        return distinct, scores, places

    def _prob_match(self, vectors: Ids) -> Floats:
        _, scores, places = self.scores(vectors)
        likely = np.array([probability(score) for score in scores.tolist()], np.float64)
        return np.asarray(likely[places], np.float64)

    def _predict(self, vectors: Ids) -> Ids:
        return np.asarray(self._prob_match(vectors) >= 0.5, np.int64)
