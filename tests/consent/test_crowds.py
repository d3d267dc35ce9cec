"""Very many people asked at once get, each, the answer and the rule of the one-person way."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from django.contrib.auth.models import User
from django.db import connection

from consent.cases import months_after, years_after
from consent.crowds import Crowd
from consent.evaluation import evaluate, offer_for
from consent.facts import ANY, ChannelCode, PersonFacts, PointFacts, Question
from consent.gathering import gather
from consent.memberships import Membership
from consent.models import CallAttempt, ConsentEvent, Pause, PermissionState, Purpose
from consent.policy_packs import FR_2026_11, PARIS, ConsentValidity
from consent.policy_simulation import Comparison, verdict
from consent.suppression import Asked, add_list, resident
from mdm.models import (
    ContactPoint,
    Contract,
    Customer,
    LoadBatch,
    RecordContactPoint,
    Sale,
    SourceRecord,
    SourceSystem,
)
from tests.consent.factories import release
from tests.mdm.factories import make_records

pytestmark = pytest.mark.django_db
CHANNELS = [*ChannelCode, "telex"]
STATES = ["given", "confirmed", "refused", "withdrawn", "objected", "invalidated"]
STATES += ["contested", "quarantined"]
INSTANTS = [
    datetime(2026, 11, 24, 9, tzinfo=UTC),
    datetime(2026, 8, 10, 20, tzinfo=UTC),
    datetime(2027, 2, 28, 11, 59, tzinfo=UTC),
    datetime(2028, 2, 29, 23, 30, tzinfo=UTC),
]


@pytest.mark.parametrize("seed", range(4))
def test_a_crowd_gets_the_answers_of_its_people(monkeypatch, seed):
    chance, at = Random(seed), INSTANTS[seed]
    if seed % 2:
        limited = replace(
            FR_2026_11, consent_validity=(ConsentValidity(ANY, ANY, 24),), soft_opt_in_months=24
        )
        for module in ("evaluation", "signatures"):
            monkeypatch.setattr(f"consent.{module}.pack_at", lambda at: limited)
    keys = _some_people(chance, at)
    purpose = Purpose.objects.get(code="marketing")
    service = Purpose.objects.get(code="service")
    offers = [
        offer_for(purpose, families=["tea"]),
        replace(offer_for(purpose), sector="energy_renovation", is_professional=True),
        replace(offer_for(purpose), nature="charity"),
        offer_for(service),
        None,
    ]

    for number, channel in enumerate(CHANNELS, seed):
        # Most keys from the first to the last, and few of them, are looked up in different ways.
        asked = keys[:60] if number % 2 else [*keys, 999_999]
        _assert_agreement(asked, channel=channel, offer=chance.choice(offers), at=at)


def test_a_simulation_gives_everybody_her_own_verdicts():
    at = INSTANTS[0]
    keys = _some_people(Random(7), at)
    other = replace(
        FR_2026_11,
        consent_validity=(ConsentValidity(ANY, ANY, 24),),
        soft_opt_in_months=24,
        inactive_after_years=2,
        call_attempts_days=7,
        phone_switch=at + timedelta(days=9),
    )
    offer = offer_for(Purpose.objects.get(code="marketing"))
    questions = [Question(channel, offer, at) for channel in ChannelCode]
    found = {}
    for pack in (FR_2026_11, other):
        gathered = gather(Membership(keys), at=at, policy=pack)
        for question in questions:
            for key in keys:
                facts = gathered[key].facts(question.channel, "marketing", at)
                place = found.setdefault((key, f"{question.channel}|marketing"), [])
                place.append(verdict(facts, question, pack))

    simulated = list(Comparison(FR_2026_11, other, at, questions).changes(keys))

    assert {(key, name): told for key, name, *told in simulated} == found
    assert len({tuple(told) for told in found.values()}) > 20


@pytest.mark.parametrize("names_points", [False, True])
def test_asking_about_more_people_costs_no_more_for_each(names_points):
    """On SQLite, whose steps can be counted: a list read anew for each person would show."""
    crowd = Crowd(channel="email", offer=offer_for(Purpose.objects.first()), at=INSTANTS[0])

    def steps(count):
        keys = range(1, count + 1)
        taken = []
        if connection.vendor == "sqlite":
            connection.connection.set_progress_handler(lambda: taken.append(100), 100)
        lines = list(crowd.lines(keys, dict.fromkeys(keys, 1) if names_points else None))
        if connection.vendor == "sqlite":
            connection.connection.set_progress_handler(None, 0)
        assert len(lines) == count
        return sum(taken)

    few, many = steps(500), steps(2_000)

    assert few <= many <= 5 * few


def _assert_agreement(keys, **question):
    alone = list(evaluate(keys, **question))
    many = list(Crowd(**question).lines(keys))

    assert [
        (one.customer_id, one.contact_point_id, one.answer.allowed, one.answer.rule)
        for one in alone
    ] == [(line.customer_id, line.contact_point_id, line.is_allowed, line.rule) for line in many]
    cited = [one.answer.deciding_event if one.answer.allowed else None for one in alone]
    assert cited == [line.event_id for line in many]
    rules = [one.answer.rule for one in alone]
    assert Crowd(**question).rules(keys) == {rule: rules.count(rule) for rule in rules}
    chosen = {one.customer_id: one.contact_point_id or 1 for one in alone}
    again = evaluate(keys, contact_points=chosen, **question)
    lines = Crowd(**question).lines(keys, chosen)
    assert [one.answer.rule for one in again] == [line.rule for line in lines]


def _some_people(chance, at, count=60):
    records = make_records(
        [_record(chance, at, number) for number in range(count)]
        + [_record(chance, at, number, "shop") for number in range(count // 3)]
    )
    for record in records[count:]:
        SourceRecord.objects.filter(pk=record.pk).update(customer=records[chance.randrange(9)].pk)
    SourceSystem.objects.filter(code__in=["bought", "released"]).update(
        broker="Broker", broker_contract="2026"
    )
    release(LoadBatch.objects.get(source__code="released"))
    points = list(ContactPoint.objects.order_by("pk"))
    for point in points:
        point.status = chance.choice(["usable"] * 5 + ["bounced"])
        point.audience = chance.choice(["b2c"] * 5 + ["b2b_named", "b2b_generic"])
    ContactPoint.objects.bulk_update(points, ["status", "audience"])
    for record in records:
        _activity(chance, at, record)
    _permissions(chance, at, records)
    blocked = [("email", p.value) for p in chance.sample(points, 3) if p.kind == "email"]
    add_list("Robinson", [*blocked, ("email", "x@example.com")], channel="email", by=None)
    _registers(points, (at - timedelta(days=3)).date())
    for point in chance.sample(points, 4):
        Pause.objects.create(
            source_record=records[0],
            contact_point=point,
            starts_at=at - timedelta(days=90),
            ends_at=at + timedelta(days=chance.choice([-30, 1])),
        )
    Customer.objects.filter(pk__in=[r.pk for r in chance.sample(records, 3)]).update(
        status="inactive"
    )
    return sorted({record.pk for record in records})


def _registers(points, day):
    """Put every other contact point on a register, and every other home."""
    odd = [(point.kind, point.value) for point in points if point.pk % 2]
    for register, kind in (("bloctel", "phone"), ("erobinson", "email")):
        listed = [contact for contact in odd if contact[0] == kind]
        add_list(register, listed, asked=Asked(register, day), by=None)
    homes = [resident(f"Name{number}", "1 Rue", "44000") for number in range(0, 99, 2)]
    add_list("Homes", homes, asked=Asked("robinson", day), by=None)


def _record(chance, at, number, source="crm"):
    born = years_after(at, -chance.choice([40, 16, 18, 15, 9])).date()
    # Several share a number; capitals outside ASCII are not folded alike by every database.
    bought = source == "crm" and number % 5 == 0
    return {
        "source": chance.choice(["bought", "released"]) if bought else source,
        "key": str(number),
        "family_name": f"Name{number}",
        "street_number": "1",
        "street": "Rue",
        "postcode": "44000",
        "email": chance.choice(["", f"p{number}@example.com", f"É{number}@example.com"]),
        "phone": chance.choice(
            ["", f"+336399800{number % 50:02d}", "+33199000001", "+3904512345"]
        ),
        "birth_date": chance.choice([None, born + timedelta(days=chance.randint(-2, 2))]),
        "source_created_at": _instant(chance, at),
        "source_updated_at": chance.choice([None, at - timedelta(days=chance.randint(0, 3))]),
    }


def _instant(chance, at):
    """Return an instant that is old, fresh, or near to where an answer turns."""
    anchor = chance.choice([at, years_after(at, -3), months_after(at, -24), at])
    minutes = chance.choice([-1, 0, 1, 600, -600, 1500, -1500, 100_000, -100_000])
    return chance.choice([None, anchor + timedelta(minutes=minutes)])


def _day(chance, at):
    return (_instant(chance, at) or at).astimezone(PARIS).date()


def _activity(chance, at, record):
    if chance.random() < 0.5:
        post, _new = ContactPoint.objects.get_or_create(
            kind="post", value=f"{record.pk % 7} rue", defaults={"display": "rue"}
        )
        RecordContactPoint.objects.create(record=record, contact_point=post, attribute="address")
    for number in range(chance.choice([0, 0, 1, 2])):
        Sale.objects.create(
            record=record,
            reference=str(number),
            sold_on=_day(chance, at),
            product_family=chance.choice(["", "tea", "shoes"]),
            contact_point=chance.choice([None, *record.contact_points.all()]),
        )
    if chance.random() < 0.3:
        start = _day(chance, at)
        Contract.objects.create(
            record=record,
            reference="1",
            starts_on=start,
            ends_on=chance.choice([None, max(start, _day(chance, at))]),
            product_family=chance.choice(["tea", "shoes"]),
        )
    phone = record.contact_points.filter(kind="phone").first()
    if phone and chance.random() < 0.3:
        caller, _new = User.objects.get_or_create(username="caller")
        for days in chance.choices([1, 29, 30, 31], k=5):
            CallAttempt.objects.create(
                source_record=record,
                contact_point=phone,
                purpose=Purpose.objects.get(code="marketing"),
                outcome="no_answer",
                called_at=at - timedelta(days=days),
                called_by=caller,
            )


def _permissions(chance, at, records):
    """Give random states, some of them odd: the fold is not what is tested."""
    purpose = Purpose.objects.get(code="marketing")
    for record in records:
        customer = SourceRecord.objects.get(pk=record.pk).customer_id
        points = list(record.contact_points.all())
        for number in range(chance.choice([0, 1, 1, 2, 3])):
            point = chance.choice([*points, *points, None])
            channel = chance.choice(["email", "email", "phone", "sms", "*"])
            wide = chance.random() < 0.3
            event = ConsentEvent.objects.create(
                source_record=record,
                contact_point=point,
                channel=channel,
                purpose=None if wide or not point else purpose,
                type="given" if point and not wide else "objection",
                actor_type=chance.choice(["person", "import", "staff"]),
                occurred_at=_instant(chance, at),
                recorded_at=at,
                source_event_id=f"{record.pk} {number}",
            )
            PermissionState.objects.get_or_create(
                customer_id=customer,
                contact_point=point,
                channel=channel,
                purpose=None if wide else purpose,
                defaults={
                    "state": chance.choice(STATES),
                    "since": _instant(chance, at),
                    "renewed_at": chance.choice([None, _instant(chance, at)]),
                    "evidence_level": chance.randint(0, 4),
                    "deciding_event": event,
                },
            )


def test_every_fact_of_the_gate_is_in_the_texts_or_is_never_gathered():
    """Whoever gathers another fact must put it into `consent.signature_query`, then here."""
    never_gathered = {
        "restricted_since", "is_informed",
    }  # fmt: skip
    in_the_texts = {
        "status", "birth_date", "objections", "sales", "contracts", "last_contact_at", "calls",
        "contact_point_id", "kind", "audience", "is_mobile", "permission", "suppressions",
        "paused_until", "zones", "is_third_party", "is_unchecked", "registrations",
        "bloctel_checked_at",
    }  # fmt: skip

    known = {field.name for kind in (PersonFacts, PointFacts) for field in fields(kind)}

    assert known == never_gathered | in_the_texts
