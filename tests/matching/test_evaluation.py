"""Precision and recall of a partition, checked by hand; and which pairs are wrong, and why."""

import json

import numpy as np
import pytest
from django.core.management import call_command
from django.utils.translation import override

from matching.linkage.blocking import Rule
from matching.linkage.columns import Columns
from matching.linkage.encoding import encode
from matching.linkage.judging import (
    all_true_pairs,
    blocking_recall,
    judge_clusters,
    score_bands,
    true_pairs,
    whole_clusters,
)
from matching.linkage.proposals import build_all
from tests.matching.factories import anne, make_company, make_evidence, run_match, settled
from tests.mdm.factories import make_records

TRUTH = np.array([0, 0, 0, 1, 1, 2])
FOUND = np.array([7, 7, 3, 3, 5, 6])


def test_a_perfect_partition_scores_one():
    for score in (*judge_clusters(TRUTH, TRUTH), whole_clusters(TRUTH, TRUTH)):
        assert (score.precision, score.recall, score.f1) == (1.0, 1.0, 1.0)


def test_pairs_are_counted_by_hand():
    score, _by_record = judge_clusters(FOUND, TRUTH)

    assert true_pairs(TRUTH) == 4
    assert (score.precision, score.recall) == (0.5, 0.25)
    assert score.f1 == pytest.approx(1 / 3)


def test_records_are_averaged_by_hand():
    _by_pair, score = judge_clusters(FOUND, TRUTH)

    assert score.precision == pytest.approx((1 + 1 + 0.5 + 0.5 + 1 + 1) / 6)
    assert score.recall == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 0.5 + 0.5 + 1) / 6)


def test_whole_customers_are_counted_by_hand():
    score = whole_clusters(np.array([1, 1, 1, 2, 3, 3]), TRUTH)

    assert (score.precision, score.recall) == (0.5, 0.5)


def test_every_true_pair_comes_once():
    left, right = all_true_pairs(TRUTH)

    pairs = {tuple(sorted(p)) for p in zip(left.tolist(), right.tolist(), strict=True)}
    assert pairs == {(0, 1), (0, 2), (1, 2), (3, 4)}


def test_nothing_found_has_no_recall_and_no_error():
    score, _by_record = judge_clusters(np.arange(6), TRUTH)

    assert (score.recall, score.f1) == (0.0, 0.0)


def test_scores_promise_what_their_band_holds():
    right, score = np.array([True, False, True]), np.array([-1.0, -1.0, 5.0])

    low, high = score_bands(right, score, (-3.0, 0.0, 3.0))

    assert (low.least, low.pairs, low.precision) == (-3.0, 2, 0.5)
    assert low.expected_precision == pytest.approx(1 / 3)
    assert (high.least, high.pairs, high.precision) == (3.0, 1, 1.0)


def test_a_rule_is_told_what_it_finds_alone_and_with_those_before():
    rows = [("Anne", "Roux"), ("Anne", "Blanc"), ("Anna", "Roux"), ("Luc", "Petit")]
    columns = Columns.from_rows(
        (key, {"given_name": given, "family_name": family})
        for key, (given, family) in enumerate(rows)
    )
    rules = (Rule(("given_name",)), Rule(("family_name",)))
    blocks = build_all(encode(columns), rules)

    first, second = blocking_recall(blocks, np.array([0, 0, 0, 1]))

    assert (first.rule, first.recall, first.cumulative) == ("given_name", *[1 / 3] * 2)
    assert (second.recall, second.cumulative) == (1 / 3, 2 / 3)


def write_truth(path, entities):
    """Write the entity of each record."""
    rows = [f"{r.source.code},{r.source_key},{entity}" for r, entity in entities]
    path.write_text("\n".join(["source,source_key,entity", *rows]), encoding="utf-8")
    return str(path)


@pytest.mark.django_db
def test_the_worst_mistakes_are_named_by_keys_and_in_words(tmp_path, capsys):
    make_company(40)
    hers, again, twin = make_records([anne(), anne("shop"), anne(given_name="Claire")])
    lost = make_records([{"given_name": "Yseult", "family_name": "Kervadec", "phone": ""}])[0]
    run_match()
    truth = write_truth(
        tmp_path / "truth.csv", [(hers, "a"), (again, "b"), (twin, "a"), (lost, "a")]
    )

    with override("en"):
        call_command("evaluate", "--truth", truth)

    told = capsys.readouterr().out
    merged, missed = told.split("One person, and not linked:")
    assert f"{hers} / {again}" in merged.split("Linked, and two people:")[1]
    assert "given name differs" in missed
    assert "it may be a couple or a family" in missed
    assert "No blocking rule brought them together." in told
    assert "Lefebvre" not in told
    assert "anne.lefebvre" not in told


@pytest.mark.django_db
def test_single_pairs_stand_in_the_json_only_when_asked_for(tmp_path, capsys):
    make_company(40)
    hers, again = make_records([anne(), anne("shop")])
    run_match()
    truth = write_truth(tmp_path / "truth.csv", [(hers, "a"), (again, "b")])

    call_command("evaluate", "--truth", truth, "--json")
    figures = json.loads(capsys.readouterr().out)
    call_command("evaluate", "--truth", truth, "--json", "--pairs", "1")
    detailed = json.loads(capsys.readouterr().out)

    assert "false_merges" not in figures
    assert figures["score_bands"][-1]["precision"] == 0.0
    (pair,) = detailed["false_merges"]
    assert (pair["left"], pair["right"]) == (str(hers), str(again))
    assert detailed["misses"] == []


@pytest.mark.django_db
def test_likely_pairs_confirmed_are_what_a_steward_would_have_linked(tmp_path, capsys):
    hers, again = make_records([anne(), anne("shop", given_name="")])
    make_evidence(hers, again, score=1.5, automatic=False)
    settled(hers, again)
    truth = write_truth(tmp_path / "truth.csv", [(hers, "a"), (again, "a")])

    call_command("evaluate", "--truth", truth, "--json")

    figures = json.loads(capsys.readouterr().out)
    assert figures["pairwise"]["recall"] == 0.0
    assert figures["missed"] == {"below_threshold": 1}
    assert figures["at_even_odds"]["pairwise"]["recall"] == 1.0
