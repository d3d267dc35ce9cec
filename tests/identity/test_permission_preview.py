"""What a merge or a parting does to permissions is shown beforehand, and is what is done."""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from random import Random

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils.timezone import now

from consent.permission_preview import Mark, PermissionsOf, foresee_permissions
from consent.presentation import permission_matrix
from matching.decisions import Verdict, decide
from matching.models import Decision, ReviewTask
from mdm import identity
from mdm.birth_ids import public_id
from mdm.models import Contract, Customer, Sale, SourceRecord
from tests.consent.factories import email_of, marketing, record_event
from tests.identity.snapshots import snapshot
from tests.matching.factories import make_steward, open_task
from tests.mdm.factories import make_records
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db
ANNOUNCED = "the case is opened with the merge"
Answers = dict[tuple[str, int, int], tuple[object, ...]]


def link(homes: Mapping[int, int]) -> None:
    links = [
        identity.Link(record, home, "birth" if record == home else "decision")
        for record, home in homes.items()
    ]
    with transaction.atomic():
        identity.apply_links(links, user=None, reason="test")


def foreseen(permissions: PermissionsOf) -> Answers:
    return {
        (x.row.channel, x.row.contact_point.pk, c.purpose.pk): _answer(c.after)
        for x in permissions.rows
        if x.row.contact_point
        for c in x.changes
    }


def found(customer: Customer) -> Answers:
    return {
        (row.channel, row.contact_point.pk, cell.purpose.pk): _answer(cell)
        for row in permission_matrix(customer).rows
        if row.contact_point
        for cell in row.cells
    }


def _answer(cell) -> tuple[object, ...]:
    answer = cell.answer
    return (cell.state, cell.families, answer.rule, answer.failed_gates, answer.deciding_event)


def make_people(rng: Random, *, with_facts: bool) -> list[SourceRecord]:
    """Four records, some with an address in common, each with a word or two on permissions."""
    recent = now() - timedelta(days=rng.choice([10, 1500]) if with_facts else 10)
    addresses = ["a@example.com", "b@example.com", "c@example.com"]
    made = make_records(
        [
            {
                "source": f"s{n}",
                "email": rng.choice(addresses),
                "phone": f"+3363998123{n}",
                "source_created_at": recent,
            }
            for n in range(4)
        ]
    )
    for record in made:
        for _word in range(rng.randrange(3)):
            kind = rng.choice(["objection", "confirmed", "confirmed", "refused", "withdrawn"])
            record_event(
                record,
                kind,
                point=None if kind == "objection" else email_of(record),
                channel=rng.choice(["email", "*"]) if kind == "objection" else "email",
                evidence_level=rng.choice([2, 3]),
                occurred_at=now() - timedelta(days=rng.randrange(5, 60)),
            )
    if with_facts:
        one, other = rng.sample(made, 2)
        Contract.objects.create(
            record=one, reference="c", starts_on=date(2026, 1, 1), product_family="tea"
        )
        Sale.objects.create(
            record=other, reference="s", sold_on=date(2026, 5, 1), product_family="shoes",
            contact_point=email_of(other),
        )  # fmt: skip
    return made


@pytest.mark.parametrize("seed", range(3))
def test_what_is_foreseen_of_permissions_is_what_happens(seed: int):
    rng = Random(seed)
    keys = [record.pk for record in make_people(rng, with_facts=True)]
    for _step in range(4):
        homes = {key: keys[rng.randrange(place + 1)] for place, key in enumerate(keys)}
        homes = {key: home if homes[home] == home else key for key, home in homes.items()}
        before = snapshot()
        changes = foresee_permissions(homes)
        assert snapshot() == before

        link(homes)

        live = Customer.objects.filter(merged_into=None).order_by("pk")
        assert [permissions.display_id for permissions in changes] == [c.display_id for c in live]
        for customer, permissions in zip(live, changes, strict=True):
            assert foreseen(permissions) == found(customer)


@pytest.mark.parametrize("seed", range(4))
def test_a_merge_of_what_people_said_never_makes_anything_possible(seed: int):
    """I9, for what is shown: whatever a refusal or a missing consent forbids stays forbidden."""
    keys = [record.pk for record in make_people(Random(seed), with_facts=False)]
    for size in (2, 3, 4):
        homes = {key: keys[0] if place < size else key for place, key in enumerate(keys)}
        for permissions in foresee_permissions(homes):
            assert Mark.RETURNS not in {c.mark for x in permissions.rows for c in x.changes}
        link(homes)


@pytest.fixture
def pair() -> ReviewTask:
    """Two records in question: one objected, the other consented later."""
    one, other = make_records(
        [{"email": "ada@example.com"}, {"source": "shop", "email": "a.l@example.com"}]
    )
    record_event(one, "objection", occurred_at=now() - timedelta(days=40))
    record_event(other, "confirmed", evidence_level=3)
    return open_task(one, other, score=1.0)


def test_the_review_page_offers_before_and_after_and_fetches_it_apart(pair, monkeypatch):
    monkeypatch.setattr("matching.review.is_blind", lambda _task: False)
    monkeypatch.setattr("config.permission_preview_pages.is_blind", lambda _task: False)
    client, where = client_of("steward"), reverse("mdm:pair-permissions", args=[pair.pk])
    before = snapshot()

    page = client.get(reverse("matching:review", args=[pair.pk]))
    part = client.get(where, headers={"x-requested-with": "fetch"})

    assert f'data-part="{where}"' in page.text
    assert "falls away" not in page.text
    assert ANNOUNCED in page.text
    assert ANNOUNCED in part.text
    assert "1 falls away" in part.text
    assert ">G7<" in part.text
    assert "<html" not in part.text
    assert "refused by CRM" in client.get(where).text
    assert snapshot() == before
    assert client_of("marketer").get(where).status_code == 403
    monkeypatch.setattr("config.permission_preview_pages.is_blind", lambda _task: True)
    assert client.get(where).status_code == 404


def test_a_merge_by_hand_opens_the_case_that_its_page_announced(pair, monkeypatch):
    """G7, also for pairs that no run joins by itself: by the queue and from the customer page."""
    monkeypatch.setattr("matching.review.is_blind", lambda _task: False)
    steward, dpo = client_of("steward"), client_of("dpo")
    cases, review = reverse("consent:conflicts"), reverse("matching:review", args=[pair.pk])
    link = {"kind": "link", "other": public_id(pair.right_id)}
    repair = reverse("mdm:customer-repair", args=[public_id(pair.left_id)])
    assert ANNOUNCED in steward.post(repair, link).text
    versions, key = (
        re.search(rf'name="{name}" value="([^"]*)"', steward.get(review).text)[1]
        for name in ("versions", "key")
    )
    assert dpo.get(cases).context["shown"] == []

    answer = {"versions": versions, "key": key, "verdict": "same"}
    steward.post(reverse("matching:answer", args=[pair.pk]), answer)

    [case] = dpo.get(cases).context["shown"]
    assert len(case.contradictions) == 1
    undo = reverse("mdm:customer-undo", args=[public_id(pair.left_id)])
    decision = Decision.objects.get().pk
    assert ANNOUNCED not in steward.post(undo, {"decision": decision}).text


def test_a_merge_without_contradiction_announces_nothing(monkeypatch):
    monkeypatch.setattr("matching.review.is_blind", lambda _task: False)
    one, other = make_records(
        [{"email": "ada@example.com"}, {"source": "shop", "email": "a.l@example.com"}]
    )
    record_event(one, "confirmed", occurred_at=now() - timedelta(days=40))
    record_event(other, "objection")  # The later word, so nothing is left to decide.
    task = open_task(one, other, score=1.0)

    page = client_of("steward").get(reverse("matching:review", args=[task.pk]))

    assert ANNOUNCED not in page.text


def test_parting_shows_an_objection_made_as_one_on_both_sides(pair):
    one, other = pair.left, pair.right
    decision = decide(one.pk, other.pk, Verdict.SAME, by=make_steward())
    record_event(other, "objection", channel="*", occurred_at=now())
    client = client_of("steward")

    url = reverse("mdm:customer-undo", args=[public_id(one.pk)])
    page = client.post(url, {"decision": decision.pk})

    assert "What becomes of the permissions" in page.text
    for permissions in page.context["changes_of_permissions"]:
        states = {c.after.answer.rule for x in permissions.rows for c in x.changes}
        assert states == {"G5"}
    assert marketing().label_en in page.text
