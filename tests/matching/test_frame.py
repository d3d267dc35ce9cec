"""The engine as classes of recordlinkage, beside those that the toolkit brings along."""

import numpy as np
import pandas as pd
import pytest
import recordlinkage
from recordlinkage.index import Block

from matching.linkage import engine
from matching.linkage.columns import Columns
from matching.linkage.frame import (
    KeyIndex,
    LatentClassClassifier,
    LevelCompare,
    TextSimilarity,
    ToolkitRun,
    encode_frame,
)
from matching.linkage.keys import Rule
from tests.matching.people import households

RULES = tuple(Rule(parts) for parts in (("email",), ("phone",), ("family_name", "given_name")))


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    rows = list(households(200))
    return pd.DataFrame([values for _, _, values in rows], index=[f"r{key}" for key, _, _ in rows])


def test_index_compare_and_classifier_give_what_the_engine_gives(people):
    columns = {name: people[name].to_numpy(object) for name in people}
    settings = engine.Settings(rules=RULES, review_floor=0.0)
    expected = engine.link(Columns(np.arange(len(people)), columns), settings).pairs
    index = KeyIndex(encode_frame(people), RULES)

    pairs = index.index(people)
    vectors = LevelCompare(index.encoded).compute(pairs, people)
    classifier = LatentClassClassifier.suited_to(index)
    classifier.fit(vectors)
    links = classifier.predict(vectors)

    positions = {(f"{people.index[a]}", f"{people.index[b]}") for a, b in zip(
        expected.left, expected.right, strict=True)}  # fmt: skip
    assert set(links) == positions
    assert (vectors["pattern"].to_numpy() == index.found.pattern).all()
    assert classifier.prob(vectors).between(0, 1).all()


def test_linking_two_frames_makes_pairs_across_them_only(people):
    left, right = people.iloc[:300], people.iloc[300:]
    index = KeyIndex(encode_frame(left, right), RULES)

    pairs = index.index(left, right)
    vectors = LevelCompare(index.encoded).compute(pairs, left, right)

    assert len(pairs)
    assert set(pairs.get_level_values(0)) <= set(left.index)
    assert set(pairs.get_level_values(1)) <= set(right.index)
    assert (vectors["pattern"].to_numpy() == index.found.pattern).all()


def test_stock_indexes_and_features_work_beside_ours(people):
    pairs = recordlinkage.Index([Block("postcode")]).index(people)
    compare = recordlinkage.Compare([TextSimilarity("city", "city", label="city")])
    compare.exact("family_name", "family_name", label="family")

    vectors = compare.compute(pairs, people)
    patterns = LevelCompare(encode_frame(people)).compute(pairs, people)

    assert list(vectors.columns) == ["city", "family"]
    assert len(patterns) == len(vectors)


def test_a_missing_or_blank_text_is_similar_to_nothing():
    frame = pd.DataFrame({"name": ["anna", None, " ", "anna", "anne"]})
    pairs = pd.MultiIndex.from_tuples([(0, 1), (1, 2), (0, 3), (0, 4)])

    found = recordlinkage.Compare([TextSimilarity("name", "name")]).compute(pairs, frame)[0]

    assert found.tolist()[:3] == [0.0, 0.0, 1.0]
    assert 0.8 < found.tolist()[3] < 1.0


@pytest.mark.parametrize("options", [{}, {"changed": [3, 40, 41]}])
@pytest.mark.parametrize("clean_sources", [frozenset(), None])
def test_a_run_through_the_toolkit_is_the_run_of_the_core(people, options, clean_sources):
    columns = {name: people[name].to_numpy(object) for name in people}
    sources = np.arange(len(people), dtype=np.int32) % 2
    records = Columns(np.arange(len(people)) + 10, columns, sources)
    settings = engine.Settings(rules=RULES, clean_sources=clean_sources)

    core = engine.link(records, settings, **options)
    toolkit = engine.link(records, settings, run_by=ToolkitRun, **options)

    assert toolkit.model == core.model
    assert toolkit.counts == core.counts
    for name in ("left", "right", "pattern", "score", "automatic", "rule"):
        assert (getattr(toolkit.pairs, name) == getattr(core.pairs, name)).all()
    assert len(core.pairs)
