"""A merge that brings a consent and a refusal together is decided by the DPO; until then: no."""

from collections.abc import Mapping
from datetime import timedelta
from random import Random

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from consent.conflicts import Homes, Verdict, states_of
from consent.evaluation import may_contact, offer_for
from consent.facts import GRANTED, State
from consent.histories import conflicts_by_customer
from consent.memberships import Membership
from consent.models import ConflictResolution, PermissionState
from consent.projection import project, rebuild
from consent.resolving import Grounds, ResolutionRefused, resolve
from consent.states import Event, fold
from mdm import identity
from mdm.models import Customer, SourceRecord
from tests.consent.builders import days_ago
from tests.consent.factories import email_of, marketing, record_event
from tests.consent.strategies import START, keys, ledgers
from tests.factories import UserFactory
from tests.mdm.factories import make_records
from tests.mdm.pages import client_of

GROUNDS = Grounds("She wrote to us.", "Letter of 3 March, folder C12")
records = st.sampled_from([1, 2, 3])


def told_by(record: int, events: list[Event]) -> list[Event]:
    return [
        event._replace(record_id=record, event_id=event.event_id * 4 + record) for event in events
    ]


@given(ledgers, ledgers, keys)
def test_what_was_never_one_turns_no_refusal_into_a_permission_when_merged(ours, theirs, key):
    homes: Homes = {1: [(START, 1)], 2: [(START, 2)]}
    one, two = told_by(1, ours), told_by(2, theirs)

    merged = states_of([*one, *two], homes, {}).get(key) or fold([*one, *two], key)

    if merged.state in GRANTED:
        apart = [fold(side, key).state for side in (one, two)]
        assert set(apart) <= {*GRANTED, State.NONE, State.INVALIDATED, State.QUARANTINED}
        assert GRANTED & set(apart)


@given(ledgers, records)
def test_one_record_never_contradicts_itself(events, record):
    told = told_by(record, events)

    assert State.CONTESTED not in {state.state for state in states_of(told, {}, {}).values()}


def link(homes: Mapping[SourceRecord, SourceRecord]) -> None:
    """Let each record belong to the customer born with the other."""
    links = [
        identity.Link(record.pk, home.pk, "birth" if record == home else "decision")
        for record, home in homes.items()
    ]
    with transaction.atomic():
        identity.apply_links(links, user=None, reason="test")


def rule(record: SourceRecord, point: SourceRecord | None = None) -> str:
    customer = Customer.objects.get(records=record)
    asked = email_of(point or record).pk
    answer = may_contact(
        customer, channel="email", offer=offer_for(marketing()), contact_point_id=asked
    ).answer
    stored = PermissionState.objects.filter(customer=customer, contact_point=asked)
    assert (answer.rule == "G7") == stored.filter(state="contested").exists()
    return answer.rule


@pytest.fixture
def two() -> list[SourceRecord]:
    """A record that refused everything, and one with a later consent, well proved."""
    refusing, agreeing = make_records(
        [{"email": "ada@example.com"}, {"source": "shop", "email": "a.l@example.com"}]
    )
    record_event(refusing, "objection", occurred_at=now() - timedelta(days=40))
    record_event(agreeing, "confirmed", evidence_level=3)
    return [refusing, agreeing]


@pytest.mark.django_db
def test_a_contradiction_waits_for_the_dpo_and_parting_gives_back_what_was(two):
    refusing, agreeing = two
    apart = (rule(refusing), rule(agreeing))

    link({agreeing: refusing})
    merged = rule(agreeing)
    PermissionState.objects.filter(state="contested").update(state="confirmed")
    assert rebuild(check=True).difference_count == 1
    assert rebuild().difference_count == 1
    link({agreeing: agreeing})

    assert (merged, apart, (rule(refusing), rule(agreeing))) == ("G7", ("G5", "E1"), apart)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("verdict", "decided"), [(Verdict.CONSENT, "E1"), (Verdict.REFUSAL, "G5")]
)
def test_a_decision_holds_for_the_events_it_judged_and_comes_back_with_them(two, verdict, decided):
    refusing, agreeing = two
    link({agreeing: refusing})
    decide(refusing, verdict)
    after = rule(agreeing)
    link({agreeing: agreeing})
    parted = (rule(refusing), rule(agreeing))

    link({agreeing: refusing})

    assert (after, parted, rule(agreeing)) == (decided, ("G5", "E1"), decided)
    assert rebuild(check=True).difference_count == 0


@pytest.mark.django_db
def test_another_refusal_that_comes_along_is_another_contradiction(two):
    refusing, agreeing = two
    third = make_records([{"source": "web", "email": "x@example.com"}])[0]
    record_event(third, "objection", channel="email", occurred_at=now() - timedelta(days=50))
    link({agreeing: refusing})
    decide(refusing, Verdict.CONSENT)

    link({third: refusing})
    joined = rule(agreeing)
    link({third: third})

    assert (joined, rule(agreeing)) == ("G7", "E1")


def decide(record: SourceRecord, verdict: Verdict, grounds: Grounds = GROUNDS) -> None:
    customer = Customer.objects.get(records=record)
    open_ones = conflicts_by_customer(Membership([customer.pk]))[customer.pk]
    digests = [conflict.digest for conflict in open_ones]
    resolve(customer, digests, verdict=verdict, grounds=grounds, by=UserFactory())


@pytest.mark.django_db
def test_who_comes_back_as_one_customer_contradicts_nobody(two):
    refusing, agreeing = two
    link({agreeing: refusing})

    record_event(agreeing, "confirmed", evidence_level=3, occurred_at=now())
    merged = rule(agreeing)
    link({agreeing: agreeing})
    link({agreeing: refusing})

    assert (merged, rule(agreeing)) == ("E1", "E1")


@pytest.mark.django_db
def test_what_the_rules_decide_alone_is_no_contradiction(two):
    refusing, agreeing = two
    record_event(refusing, "objection", evidence_level=4, occurred_at=now() - timedelta(days=30))

    link({agreeing: refusing})

    assert rule(agreeing) == "G5"


@pytest.mark.django_db
def test_an_objection_made_as_one_customer_stands_on_both_sides_when_they_part(two):
    _refusing, agreeing = two
    third = make_records([{"source": "web", "email": "x@example.com"}])[0]
    record_event(third, "confirmed", evidence_level=3)
    link({third: agreeing})
    record_event(agreeing, "objection", channel="*", occurred_at=now())
    merged = rule(third)

    link({third: third})

    assert (merged, rule(third), rule(agreeing)) == ("G5", "G5", "G5")
    assert rebuild(check=True).difference_count == 0
    record_event(third, "confirmed", evidence_level=3, occurred_at=now())
    assert (rule(third), rule(agreeing)) == ("E1", "G5")


@pytest.mark.django_db
def test_an_objection_stands_where_a_customer_fell_into_more_than_two(two):
    _refusing, rest = two
    first, objecting, later = make_records(
        [{"source": f"s{n}", "email": f"{n}@example.com"} for n in range(3)]
    )
    for record in (first, later):
        record_event(record, "confirmed", evidence_level=3)
    link({first: rest, objecting: rest})
    record_event(objecting, "objection", channel="*", occurred_at=now())

    link({first: first})
    link({objecting: objecting, later: objecting})
    link({later: later})

    assert (rule(first), rule(objecting), rule(rest), rule(later)) == ("G5", "G5", "G5", "E1")
    assert PermissionState.objects.filter(customer=first.pk, state="objected").exists()
    for customer in (first, rest, later):
        project([customer.pk])
    assert rebuild(check=True).difference_count == 0


@pytest.mark.django_db
@override("en")
def test_a_decision_needs_grounds_what_is_still_so_and_stays_as_it_is(two):
    refusing, agreeing = two
    link({agreeing: refusing})
    customer = Customer.objects.get(records=refusing)

    with pytest.raises(ResolutionRefused, match="reason"):
        decide(refusing, Verdict.REFUSAL, Grounds(" "))
    with pytest.raises(ResolutionRefused, match="document"):
        decide(refusing, Verdict.CONSENT, Grounds("It is hers."))
    with pytest.raises(ResolutionRefused, match="meanwhile"):
        resolve(customer, ["0" * 64], verdict=Verdict.REFUSAL, grounds=GROUNDS, by=UserFactory())
    decide(refusing, Verdict.REFUSAL)

    with pytest.raises(IntegrityError), transaction.atomic():
        ConflictResolution.objects.update(verdict="consent")


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(3))
def test_permissions_follow_from_who_is_whom_whatever_merges_came_before(seed: int):
    """I8: the same partition, events and decisions give the same permissions."""
    rng = Random(seed)
    made = make_records([{"source": f"s{n}", "email": f"{n}@example.com"} for n in range(4)])
    for record in made:
        kind = rng.choice(["objection", "confirmed", "confirmed", "withdrawn"])
        day = days_ago(rng.choice([30, 60, 90]))
        target = email_of(rng.choice(made)) if kind == "withdrawn" else email_of(record)
        record_event(record, kind, point=target, evidence_level=3, occurred_at=day)
    seen: dict[tuple[int, ...], list[tuple[object, ...]]] = {}
    for _step in range(10):
        homes = {record: made[rng.randrange(place + 1)] for place, record in enumerate(made)}
        homes = {
            record: homes[home] if homes[home] == home else record
            for record, home in homes.items()
        }
        link(homes)
        for customer, found in conflicts_by_customer(Membership([r.pk for r in made])).items():
            verdict = rng.choice(list(Verdict))
            resolve(
                Customer.objects.get(pk=customer),
                [found[0].digest],
                verdict=verdict,
                grounds=GROUNDS,
                by=UserFactory(),
            )
            seen.clear()
        states = sorted(
            PermissionState.objects.values_list(
                "customer", "contact_point", "state", "deciding_event"
            ),
            key=str,
        )
        partition = tuple(homes[record].pk for record in made)
        assert seen.setdefault(partition, states) == states
    assert rebuild(check=True).difference_count == 0


@pytest.fixture
def dpo() -> Client:
    return client_of("dpo")


@pytest.mark.django_db
def test_the_dpo_sees_both_sides_and_decides(dpo: Client, two):
    refusing, agreeing = two
    link({agreeing: refusing})
    customer = Customer.objects.get(records=agreeing)
    page, home = dpo.get(reverse("consent:conflicts")), dpo.get(reverse("admin:index"))

    [found] = page.context["shown"]
    [conflict] = found.contradictions
    assert [str(entry.event.type) for entry in conflict.refusals] == ["objection"]
    assert [str(entry.event.type) for entry in conflict.grants] == ["confirmed"]
    assert "▮▮▮▯" in page.content.decode()
    assert "contradict each other on a consent" in home.content.decode()
    sent = {"conflict": [conflict.digest], "verdict": "consent", "reason": "It is her."}
    where = reverse("consent:conflict-resolve", args=[customer.public_id])
    assert "Name the document" in dpo.post(where, sent, follow=True).content.decode()
    dpo.post(where, {**sent, "reference": "Folder C12"})

    decided = dpo.get(reverse("consent:conflicts"), {"state": "decided"}).content.decode()
    assert rule(agreeing) == "E1"
    assert "It is her." in decided
    assert "Folder C12" in dpo.get(reverse("consent:customer", args=[customer.public_id])).text
    assert "Folder C12" in decided
    assert "Nothing contradicts itself" in dpo.get(reverse("consent:conflicts")).content.decode()
    proof = reverse("consent:proof-pack", args=[customer.public_id])
    [told] = dpo.post(proof, {"format": "jsonld"}).json()["orf:conflictDecisions"]
    assert (told["orf:verdict"], told["orf:reference"]) == ("consent", "Folder C12")
    assert len(told["orf:judged"]) == 2
    assert dpo.post(proof, {"format": "pdf"}).content.startswith(b"%PDF")


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["steward", "marketer", "administrator"])
def test_deciding_is_the_dpos(dpo: Client, two, role: str):
    link({two[1]: two[0]})
    other = client_of(role)
    where = reverse("consent:conflict-resolve", args=[two[0].customer.public_id])

    assert other.get(reverse("consent:conflicts")).status_code == 403
    assert other.post(where, {"verdict": "consent"}).status_code == 403
    assert dpo.get(where).status_code == 405
