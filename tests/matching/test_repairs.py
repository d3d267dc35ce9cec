"""A steward takes records out, splits, moves, links: as foreseen, at once, and undone exactly."""

from datetime import UTC, datetime

import pytest

from matching import repairs
from matching.decisions import (
    AlreadyRetracted,
    Circumstances,
    ContradictsDecisions,
    Verdict,
    decide,
    foresee_retract,
    retract,
)
from matching.models import Decision, Repair
from matching.repairs import RepairRefused, Wish, repair, undo
from matching.versions import CustomersChanged, versions_of
from mdm.golden_records import outlook
from mdm.identity import refresh
from mdm.models import ATTRIBUTES, Customer, GoldenRecord, Pin, SourceRecord
from tests.consent.factories import record_event
from tests.identity.snapshots import snapshot
from tests.matching.factories import customers_of, make_evidence, make_steward, settled
from tests.mdm.factories import make_records

pytestmark = pytest.mark.django_db


@pytest.fixture
def steward():
    return make_steward()


@pytest.fixture
def people():
    """Five records: a chain of three that evidence joins, and two that stand alone."""
    names = ("Anne", "Anna", "Annie", "Luc", "Ève")
    records = make_records(
        [
            {"given_name": name, "family_name": "Roux", "email": f"{name}@example.com".lower()}
            for name in names
        ]
    )
    for one, other in ((0, 1), (0, 2), (1, 2)):
        make_evidence(records[one], records[other])
    settled(records[0])
    return records


def keys(*records: SourceRecord) -> tuple[int, ...]:
    return tuple(record.pk for record in records)


def assert_foreseen(foresight, decide_it) -> None:
    """Check that customers, members and values turn out as they were foreseen."""
    values = {
        c.customer_id: outlook(c.record_ids).values for c in foresight.customers if not c.is_gone
    }
    decide_it()
    for becoming in foresight.customers:
        members = SourceRecord.objects.filter(customer=becoming.customer_id).order_by("pk")
        assert tuple(members.values_list("pk", flat=True)) == becoming.record_ids
    for customer, foreseen in values.items():
        golden = GoldenRecord.objects.get(pk=customer)
        for name in ATTRIBUTES:
            assert getattr(golden, name) == (foreseen.get(name) or getattr(GoldenRecord(), name))
    in_place = dict(SourceRecord.objects.values_list("pk", "customer_id"))
    assert dict(foresight.names).items() <= in_place.items()


WISHES = [
    lambda p: Wish("unlink", p[0].pk, keys(p[1])),
    lambda p: Wish("unlink", p[0].pk, keys(p[0])),
    lambda p: Wish("split", p[0].pk, keys(p[1], p[2])),
    lambda p: Wish("split", p[0].pk, keys(p[0], p[2])),
    lambda p: Wish("move", p[0].pk, keys(p[2]), other_id=p[3].pk),
    lambda p: Wish("move", p[0].pk, keys(p[0], p[1]), other_id=p[4].pk),
    lambda p: Wish("link", p[0].pk, other_id=p[4].pk),
    lambda p: Wish("link", p[4].pk, other_id=p[3].pk),
    lambda p: Wish("apart", p[0].pk, other_id=p[3].pk),
    lambda p: Wish("confirm", p[0].pk),
]


@pytest.mark.parametrize("wish_of", WISHES)
def test_a_repair_does_what_was_foreseen_and_its_undo_gives_all_back(wish_of, people, steward):
    wish = wish_of(people)
    Pin.objects.create(
        record=people[2],
        attribute="given_name",
        value={"given_name": "Anne-Lise"},
        reason="she said so",
        created_by=steward,
    )
    refresh([people[0].pk])
    for record in people[1:4]:
        record_event(record, "refused", occurred_at=datetime(2026, 2, 12, tzinfo=UTC))
        record_event(
            record, "given", occurred_at=datetime(2026, 3, record.pk % 27 + 1, tzinfo=UTC)
        )
    before = snapshot()
    foresight = repairs.foresee(repairs.prepare(wish))
    assert snapshot() == before
    done = []

    assert_foreseen(
        foresight,
        lambda: done.append(
            repair(wish, by=steward, circumstances=Circumstances(reason="other", note="x"))
        ),
    )
    undo(done[0], by=steward)

    assert snapshot() == before


def test_a_split_keeps_what_leaves_together_even_without_evidence(people, steward):
    one, *_rest, luc, eve = people
    repair(
        Wish("link", one.pk, other_id=luc.pk), by=steward, circumstances=Circumstances("document")
    )
    repair(
        Wish("link", one.pk, other_id=eve.pk), by=steward, circumstances=Circumstances("document")
    )

    repair(Wish("split", one.pk, keys(luc, eve), leaves_companions=True), by=steward)

    assert customers_of(*people) == [one.pk, one.pk, one.pk, luc.pk, luc.pk]


def test_what_came_by_a_decision_leaves_together_unless_told_otherwise(people, steward):
    anne, _anna, annie, luc, _eve = people
    decide(annie.pk, luc.pk, Verdict.SAME, by=steward)
    wish = Wish("unlink", anne.pk, keys(luc))

    plan = repairs.prepare(wish)
    assert plan.companions == (annie.pk,)
    done = repair(wish, by=steward)
    assert customers_of(*people[:4]) == [anne.pk, anne.pk, annie.pk, annie.pk]

    undo(done, by=steward)
    repair(Wish("unlink", anne.pk, keys(luc), leaves_companions=True), by=steward)
    assert customers_of(*people[:4]) == [anne.pk, anne.pk, anne.pk, luc.pk]


def test_a_decision_taken_back_for_a_repair_comes_back_with_its_undo(people, steward):
    anne, _anna, annie, luc, _eve = people
    first = decide(annie.pk, luc.pk, Verdict.SAME, by=steward)
    done = repair(Wish("unlink", anne.pk, keys(luc), leaves_companions=True), by=steward)
    first.refresh_from_db()
    assert first.retracted_at is not None

    undo(done, by=steward)

    assert list(Decision.objects.in_force()) == [first]
    assert customers_of(annie, luc) == [anne.pk, anne.pk]


def test_a_repair_against_a_decision_is_refused_with_the_chain_and_forced_by_naming_it(
    people, steward
):
    anne, _anna, annie, luc, _eve = people
    apart = decide(annie.pk, luc.pk, Verdict.DIFFERENT, by=steward)
    same = decide(anne.pk, annie.pk, Verdict.SAME, by=steward)
    wish = Wish("link", anne.pk, other_id=luc.pk)
    before = snapshot()

    with pytest.raises(ContradictsDecisions) as refusal:
        repair(wish, by=steward, circumstances=Circumstances("document"))
    assert refusal.value.decisions == [same, apart]
    assert snapshot() == before
    assert not Repair.objects.exists()

    forced = Wish("link", anne.pk, other_id=luc.pk, retracting=(apart.pk,))
    done = repair(forced, by=steward, circumstances=Circumstances("document"))
    assert customers_of(luc) == [anne.pk]
    undo(done, by=steward)
    assert snapshot() == before
    apart.refresh_from_db()
    assert apart.retracted_at is None


def test_a_link_that_a_decision_would_tear_apart_is_refused_until_it_is_taken_back(
    people, steward
):
    anne, anna, annie, *_others = people
    repair(Wish("unlink", anne.pk, keys(anna)), by=steward)
    wish = Wish("link", anne.pk, other_id=anna.pk)
    before = snapshot()

    with pytest.raises(ContradictsDecisions) as refusal:
        repair(wish, by=steward, circumstances=Circumstances("document"))
    (apart,) = refusal.value.decisions
    assert apart.pair == (anna.pk, annie.pk)
    with pytest.raises(ContradictsDecisions):
        repairs.foresee(repairs.prepare(wish))
    assert snapshot() == before

    forced = Wish("link", anne.pk, other_id=anna.pk, retracting=(apart.pk,))
    done = repair(forced, by=steward, circumstances=Circumstances("document"))
    assert customers_of(anne, anna, annie) == [anne.pk] * 3
    undo(done, by=steward)
    assert snapshot() == before


def test_a_link_without_evidence_needs_a_reason(people, steward):
    wish = Wish("link", people[0].pk, other_id=people[3].pk)

    with pytest.raises(RepairRefused):
        repair(wish, by=steward)
    with pytest.raises(RepairRefused):
        repair(wish, by=steward, circumstances=Circumstances(reason="other"))

    assert not Decision.objects.exists()
    make_evidence(people[2], people[3], 0.5, automatic=False)
    repair(wish, by=steward)
    assert customers_of(people[3]) == [people[0].pk]


@pytest.mark.parametrize(
    "wish_of",
    [
        lambda p: Wish("unlink", p[0].pk),
        lambda p: Wish("unlink", p[0].pk, keys(p[3])),
        lambda p: Wish("split", p[0].pk, keys(*p[:3])),
        lambda p: Wish("move", p[0].pk, keys(p[1])),
        lambda p: Wish("move", p[0].pk, keys(p[1]), other_id=p[0].pk),
        lambda p: Wish("move", p[0].pk, keys(p[1]), other_id=p[1].pk),
        lambda p: Wish("link", p[0].pk, other_id=p[0].pk),
        lambda p: Wish("apart", p[0].pk),
        lambda p: Wish("confirm", p[3].pk),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(wish_of, people, steward):
    with pytest.raises(RepairRefused) as refusal:
        repair(wish_of(people), by=steward, circumstances=Circumstances("document"))

    assert str(refusal.value)
    assert not Repair.objects.exists()


def test_the_same_key_has_one_effect(people, steward):
    wish = Wish("unlink", people[0].pk, keys(people[1]))

    first = repair(wish, by=steward, idempotency_key="k")
    again = repair(wish, by=steward, idempotency_key="k")

    assert again == first
    assert Repair.objects.count() == 1


def test_a_customer_that_changed_since_is_refused_with_who_did_what(people, steward):
    seen = versions_of([Customer.objects.get(pk=people[0].pk)])
    repair(Wish("unlink", people[0].pk, keys(people[1])), by=make_steward("j.roux"))

    with pytest.raises(CustomersChanged) as refusal:
        repair(Wish("unlink", people[0].pk, keys(people[2])), by=steward, versions=seen)

    (told,) = refusal.value.changes
    assert "j.roux" in told
    assert str(Repair.Kind.UNLINK.label) in told
    assert Repair.objects.count() == 1


def test_a_repair_is_undone_once(people, steward):
    done = repair(Wish("unlink", people[0].pk, keys(people[1])), by=steward)
    undo(done, by=steward)

    with pytest.raises(AlreadyRetracted):
        undo(done, by=steward)


def test_undo_leaves_what_was_decided_since_on_the_same_pair(people, steward):
    anne, anna, *_rest = people
    done = repair(Wish("unlink", anne.pk, keys(anna)), by=steward)
    later = decide(anne.pk, anna.pk, Verdict.SAME, by=steward, retracting=_in_force_on(anna))
    assert customers_of(anna) == [anne.pk]

    undo(done, by=steward)
    assert customers_of(anna) == [anne.pk]
    assert list(Decision.objects.in_force()) == [later]

    retract(later, by=steward)
    assert not Decision.objects.in_force().exists()


def _in_force_on(record: SourceRecord) -> list[int]:
    return [d.pk for d in Decision.objects.in_force() if record.pk in d.pair]


def test_undo_of_a_merge_of_eight_gives_all_eight_back(steward):
    records = make_records(
        [{"given_name": f"N{n}", "email": f"n{n}@example.com"} for n in range(8)]
    )
    for number, record in enumerate(records):
        record_event(record, "given" if number % 2 else "refused")
    before = snapshot()
    decisions = [
        decide(records[0].pk, other.pk, Verdict.SAME, by=steward) for other in records[1:]
    ]
    assert len(set(customers_of(*records))) == 1

    for decision in decisions[::2] + decisions[1::2]:
        foresight = foresee_retract(decision)
        assert_foreseen(foresight, lambda d=decision: retract(d, by=steward))

    assert snapshot() == before


def test_facts_that_came_after_a_merge_stay_with_their_record(people, steward):
    anne, *_rest, eve = people
    merged = decide(anne.pk, eve.pk, Verdict.SAME, by=steward)
    record_event(eve, "refused")
    pin = Pin.objects.create(
        record=eve,
        attribute="family_name",
        value={"family_name": "Noir"},
        reason="married",
        created_by=steward,
    )
    refresh([anne.pk])

    retract(merged, by=steward)

    assert GoldenRecord.objects.get(pk=eve.pk).family_name == "Noir"
    assert GoldenRecord.objects.get(pk=anne.pk).family_name == "Roux"
    assert GoldenRecord.objects.get(pk=eve.pk).lineage["family_name"] == [None, pin.pk, "pin"]
    assert Customer.objects.get(pk=eve.pk).permission_states.count() == 1
    # What she refuses as a person, told as one customer, is refused on both sides.
    assert Customer.objects.get(pk=anne.pk).permission_states.get().state == "refused"
