"""A steward's word: carried out at once, never against another one, and undone exactly."""

import pytest

from matching.decisions import AlreadyRetracted, ContradictsDecisions, Verdict, decide, retract
from matching.models import Decision, ReviewTask
from mdm.models import Customer, GoldenRecord, SourceRecord
from tests.matching.factories import anne, customers_of, links, make_steward, run_match
from tests.mdm.factories import make_records

pytestmark = pytest.mark.django_db

OTHER = {
    "given_name": "Odile",
    "family_name": "Roux",
    "birth_date": "1950-02-01",
    "email": "odile@example.com",
    "phone": "",
    "street": "",
    "city": "Lyon",
    "postcode": "69001",
}


@pytest.fixture
def steward():
    return make_steward()


@pytest.fixture
def records():
    """Three records that nothing links."""
    return make_records(
        [
            anne(),
            anne("shop", **OTHER),
            anne("web", **{**OTHER, "given_name": "Luc", "email": "luc@example.com"}),
        ]
    )


def snapshot():
    """Return the state that an undo must bring back."""
    customers = Customer.objects.order_by("pk").values_list("pk", "status", "merged_into")
    golden = GoldenRecord.objects.order_by("pk").values_list(
        "pk", "given_name", "email", "record_count", "lineage"
    )
    tasks = ReviewTask.objects.order_by("pk").values_list(
        "left", "right", "state", "kind", "reason"
    )
    return links(), list(customers), list(golden), list(tasks)


def test_same_joins_two_customers_under_the_older_id(records, steward):
    one, other, _ = records

    decide(other.pk, one.pk, Verdict.SAME, by=steward)

    assert customers_of(one, other) == [one.pk, one.pk]
    other.refresh_from_db()
    assert other.link_rule == "decision"
    change = SourceRecord.history.filter(id=other.pk).first()
    assert change.history_user == steward
    assert "Anne" not in change.history_change_reason


def test_different_parts_what_evidence_had_linked(steward):
    one, other = make_records([anne(), anne("shop")])
    run_match()

    decide(one.pk, other.pk, Verdict.DIFFERENT, by=steward)

    assert customers_of(one, other) == [one.pk, other.pk]
    assert Customer.objects.get(pk=other.pk).status == "active"


def test_undo_brings_back_what_was(records, steward):
    one, other, third = records
    decide(other.pk, third.pk, Verdict.SAME, by=steward)
    before = snapshot()

    decision = decide(one.pk, third.pk, Verdict.SAME, by=steward)
    retract(decision, by=steward)

    assert snapshot() == before


def test_undo_of_a_changed_mind_brings_back_the_first_answer(steward):
    one, other = make_records([anne(), anne("shop")])
    run_match()
    decide(one.pk, other.pk, Verdict.DIFFERENT, by=steward)
    before = snapshot()

    second = decide(one.pk, other.pk, Verdict.SAME, by=steward)
    assert customers_of(one, other) == [one.pk, one.pk]
    retract(second, by=steward)

    assert snapshot() == before
    assert Decision.objects.get(retracted_at=None).verdict == "different"


def test_a_decision_is_taken_back_once(records, steward):
    decision = decide(records[0].pk, records[1].pk, Verdict.SAME, by=steward)
    retract(decision, by=steward)

    with pytest.raises(AlreadyRetracted):
        retract(decision, by=steward)


def test_a_contradiction_is_refused_with_the_chain_and_leaves_no_trace(records, steward):
    one, other, third = records
    decide(one.pk, other.pk, Verdict.SAME, by=steward)
    apart = decide(other.pk, third.pk, Verdict.DIFFERENT, by=steward)
    before = snapshot()

    with pytest.raises(ContradictsDecisions) as refusal:
        decide(one.pk, third.pk, Verdict.SAME, by=steward)

    assert [d.verdict for d in refusal.value.decisions] == ["same", "different"]
    assert refusal.value.decisions[1] == apart
    assert "a.petit" in str(refusal.value)
    assert snapshot() == before
    assert Decision.objects.count() == 2


def test_different_inside_a_chain_of_same_is_refused(records, steward):
    one, other, third = records
    decide(one.pk, other.pk, Verdict.SAME, by=steward)
    decide(other.pk, third.pk, Verdict.SAME, by=steward)

    with pytest.raises(ContradictsDecisions):
        decide(one.pk, third.pk, Verdict.DIFFERENT, by=steward)


def test_the_same_key_decides_once(records, steward):
    one, other, _ = records

    first = decide(one.pk, other.pk, Verdict.SAME, by=steward, idempotency_key="k1")
    again = decide(one.pk, other.pk, Verdict.DIFFERENT, by=steward, idempotency_key="k1")

    assert again == first
    assert Decision.objects.count() == 1
    assert customers_of(one, other) == [one.pk, one.pk]


def test_unsure_changes_no_link(records, steward):
    one, other, _ = records

    decide(one.pk, other.pk, Verdict.UNSURE, by=steward)

    assert customers_of(one, other) == [one.pk, other.pk]


def test_settling_one_pair_settles_the_other_tasks_between_the_two_customers(steward):
    rows = [anne(), anne("shop"), anne("web", given_name="Claire", birth_date="1984-11-03")]
    one, other, twin = make_records(rows)
    run_match()
    tasks = ReviewTask.objects.filter(state="open")
    assert [(t.left_id, t.right_id) for t in tasks] in ([(one.pk, twin.pk)], [(other.pk, twin.pk)])
    task = tasks.get()

    decide(task.left_id, task.right_id, Verdict.DIFFERENT, by=steward)

    assert not ReviewTask.objects.filter(state="open").exists()
    task.refresh_from_db()
    assert task.state == "decided"
    run_match()
    assert not ReviewTask.objects.filter(state="open").exists()


def test_the_cost_of_a_decision_does_not_grow_with_the_company(
    records, steward, django_assert_max_num_queries
):
    make_records([anne("web", email=f"p{n}@example.com", given_name=f"P{n}") for n in range(50)])

    with django_assert_max_num_queries(90):
        decide(records[0].pk, records[1].pk, Verdict.SAME, by=steward)
