"""The queue, what the page shows, and what an answer does."""

import pytest
from django.utils import translation

from matching import review
from matching.decisions import ContradictsDecisions, Verdict, decide
from matching.differences import pieces
from matching.explanation import level_in_words, reason_in_words
from matching.foresight import preview_same
from matching.levels import LEVELS
from matching.models import Decision, ReviewTask
from matching.versions import CustomersChanged
from mdm.models import SourceRecord
from tests.matching.factories import (
    anne,
    customers_of,
    make_company,
    make_steward,
    open_task,
    run_match,
)
from tests.mdm.factories import make_records

pytestmark = pytest.mark.django_db


@pytest.fixture
def steward():
    return make_steward()


@pytest.fixture
def twins():
    """Two records that a run leaves to a steward."""
    one, other = make_records([anne(), anne("shop", given_name="Claire", email="")])
    run_match()
    return one, other, ReviewTask.objects.get()


def test_the_queue_starts_with_the_most_certain_pair(steward):
    records = make_records([anne(key=f"A{n}", given_name=f"N{n}") for n in range(4)])
    weak = open_task(records[0], records[1], score=0.5)
    strong = open_task(records[2], records[3], score=4.0)

    assert review.next_task(steward) == strong
    review.skip(strong.pk, by=steward)
    assert review.next_task(steward) == weak
    review.skip(weak.pk, by=steward)
    assert review.next_task(steward) == strong


def test_two_stewards_never_get_one_task(twins, steward):
    task = twins[2]

    assert review.next_task(steward) == task
    assert review.next_task(make_steward(username="j.roux")) is None
    assert review.next_task(steward) == task


def test_an_unsure_pair_goes_to_a_colleague(twins, steward):
    task = twins[2]
    review.answer(task.pk, Verdict.UNSURE, by=steward)

    assert review.next_task(steward) is None
    assert review.next_task(make_steward(username="j.roux")) == task
    assert review.queue_state(steward).mine_count == 0


def test_the_comparison_shows_both_sides_and_marks_the_letters(steward):
    one, other = make_records(
        [
            anne(),
            anne("shop", family_name="Lefevre", birth_date="1984-03-11", email="", city="NANTES"),
        ]
    )
    task = open_task(one, other, reason="birth_date_conflict")

    shown = review.comparison(task)

    rows = {row.attribute: row for row in shown.rows}
    assert rows["family_name"].state == "close"
    assert [(p.text, p.differs) for p in rows["family_name"].left] == [
        ("Lefe", False),
        ("b", True),
        ("vre", False),
    ]
    assert rows["email"].state == "missing"
    assert rows["town"].state == "close"
    assert "organisation" not in rows
    assert rows["given_name"].is_plain
    assert shown.left.source_key == one.source_key
    assert shown.left.display_id.startswith("G-")
    assert shown.reason
    assert shown.score is None


def test_the_score_is_explained_in_words_that_add_up(twins):
    shown = review.comparison(twins[2]).score
    assert shown is not None

    total = shown.prior + sum(
        a.bits for a in (*shown.speaks_for, *shown.speaks_against, *shown.silent)
    )
    assert total == pytest.approx(shown.score, abs=0.05)
    assert "given_name" in {argument.field for argument in shown.speaks_against}
    assert shown.held_back
    assert 0 < shown.probability < 1


def test_same_joins_and_says_so_before(twins, steward):
    one, other, task = twins
    before = review.comparison(task)

    review.answer(task.pk, Verdict.SAME, by=steward, versions=before.versions, seconds=2.5)

    assert customers_of(one, other) == [one.pk, one.pk]
    assert before.left.display_id in before.if_same
    task.refresh_from_db()
    assert task.state == "decided"
    decision = Decision.objects.get()
    assert (decision.score_shown, decision.seconds) == (task.score, 2.5)


def test_the_preview_is_the_effect(twins, steward):
    one, other, task = twins

    outcome = preview_same(one.pk, other.pk)
    assert outcome is not None
    review.answer(task.pk, Verdict.SAME, by=steward)

    assert (outcome.customer_id, outcome.record_count, outcome.joining_count) == (one.pk, 2, 1)
    assert SourceRecord.objects.filter(customer=outcome.customer_id).count() == 2


def test_a_refused_answer_is_announced(twins, steward):
    one, other, task = twins
    third = make_records([anne("web", given_name="Odile", email="o@example.com", phone="")])[0]
    decide(one.pk, third.pk, Verdict.SAME, by=steward)
    decide(other.pk, third.pk, Verdict.DIFFERENT, by=steward)
    ReviewTask.objects.update(state="open")

    assert preview_same(one.pk, other.pk) is None
    assert review.comparison(task).if_same
    with pytest.raises(ContradictsDecisions):
        review.answer(task.pk, Verdict.SAME, by=steward)


def test_an_answer_to_an_old_page_is_refused_without_effect(twins, steward):
    one, _other, task = twins
    versions = review.comparison(task).versions
    third = make_records([anne("web", given_name="Odile", email="o@example.com", phone="")])[0]
    decide(one.pk, third.pk, Verdict.SAME, by=steward)

    with pytest.raises(CustomersChanged):
        review.answer(task.pk, Verdict.SAME, by=steward, versions=versions)

    assert Decision.objects.count() == 1


def test_a_task_is_answered_once_and_the_same_key_replays(twins, steward):
    task = twins[2]
    first = review.answer(task.pk, Verdict.DIFFERENT, by=steward, idempotency_key="key-1")

    assert review.answer(task.pk, Verdict.SAME, by=steward, idempotency_key="key-1") == first
    with pytest.raises(review.TaskGone):
        review.answer(task.pk, Verdict.SAME, by=steward, idempotency_key="key-2")
    with pytest.raises(review.TaskGone):
        review.skip(task.pk, by=steward)


def test_undo_takes_back_the_last_answer_and_reopens_the_task(twins, steward):
    one, other, task = twins
    review.answer(task.pk, Verdict.SAME, by=steward)

    undone = review.undo_last(steward)

    assert customers_of(one, other) == [one.pk, other.pk]
    assert review.task_of(undone) == task
    task.refresh_from_db()
    assert task.state == "open"
    assert review.next_task(steward) == task
    with pytest.raises(review.NothingToUndo):
        review.undo_last(steward)


def test_undo_is_for_ones_own_answers(twins, steward):
    review.answer(twins[2].pk, Verdict.SAME, by=steward)

    with pytest.raises(review.NothingToUndo):
        review.undo_last(make_steward(username="j.roux"))


@pytest.mark.parametrize("homes", [4, 40])
def test_the_review_page_costs_the_same_number_of_queries_at_any_size(
    homes, steward, django_assert_max_num_queries
):
    make_company(homes)
    family = "lefebvre@example.com"
    one, other = make_records([anne(email=family), {"source": "shop", "email": family}])
    run_match()
    open_pair = ReviewTask.objects.get(left=one, right=other)

    with django_assert_max_num_queries(30):
        task = review.next_task(steward, task_id=open_pair.pk)
        review.comparison(task or open_pair)
        review.queue_state(steward)


def test_pieces_joined_again_are_the_values():
    left, right = pieces("12 rue du Pré", "12 RUE du Prés")

    assert "".join(p.text for p in left) == "12 rue du Pré"
    assert "".join(p.text for p in right) == "12 RUE du Prés"
    assert [p.text for p in right if p.differs] == ["s"]


@pytest.mark.parametrize("field", sorted(LEVELS))
def test_every_level_has_words(field):
    with translation.override("en"):
        for level in LEVELS[field]:
            words = level_in_words(field, level.name.lower())
            assert words
            assert "_" not in words


def test_every_reason_has_words():
    from matching.automatic import GUARDS
    from matching.clustering import Reason

    for reason in (*GUARDS, *Reason):
        assert reason_in_words(reason) != reason
