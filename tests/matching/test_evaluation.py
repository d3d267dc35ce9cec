"""Precision and recall of a partition, checked by hand."""

import pytest

from matching.evaluation import b_cubed, pair_score, pairwise, true_pair_count

TRUTH = {1: "a", 2: "a", 3: "a", 4: "b", 5: "b", 6: "c"}


def test_a_perfect_partition_scores_one():
    for score in (pairwise(TRUTH, TRUTH), b_cubed(TRUTH, TRUTH)):
        assert (score.precision, score.recall, score.f1) == (1.0, 1.0, 1.0)


def test_pairs_are_counted_by_hand():
    found = {1: 1, 2: 1, 3: 3, 4: 3, 5: 5, 6: 6}

    score = pairwise(found, TRUTH)

    assert true_pair_count(TRUTH) == 4
    assert (score.precision, score.recall) == (0.5, 0.25)
    assert score.f1 == pytest.approx(1 / 3)


def test_records_are_averaged_by_hand():
    found = {1: 1, 2: 1, 3: 3, 4: 3, 5: 5, 6: 6}

    score = b_cubed(found, TRUTH)

    assert score.precision == pytest.approx((1 + 1 + 0.5 + 0.5 + 1 + 1) / 6)
    assert score.recall == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 0.5 + 0.5 + 1) / 6)


def test_pairs_outside_the_truth_do_not_count():
    score = pair_score([(1, 2), (1, 4), (1, 99)], TRUTH)

    assert (score.precision, score.recall) == (0.5, 0.25)


def test_nothing_found_has_no_recall_and_no_error():
    score = pair_score([], TRUTH)

    assert (score.recall, score.f1) == (0.0, 0.0)
