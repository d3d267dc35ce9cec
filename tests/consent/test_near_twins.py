"""Two people alike in all but one respect are told apart when very many are asked at once."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.auth.models import User

from consent.cases import years_after
from consent.crowds import Crowd
from consent.evaluation import evaluate, offer_for
from consent.facts import ANY
from consent.models import CallAttempt, ConsentEvent, Pause, PermissionState, Purpose
from consent.policy_packs import FR_2026_11, ConsentValidity
from consent.suppression import Asked, add_list, resident
from mdm.models import (
    ContactPoint,
    Contract,
    Customer,
    LoadBatch,
    RecordContactPoint,
    Sale,
    SourceSystem,
)
from tests.consent.factories import release
from tests.mdm.factories import make_records

pytestmark = pytest.mark.django_db
AT = datetime(2029, 3, 6, 9, tzinfo=UTC)  # After any list that a test adds.
ASKED_ON = date(2026, 11, 20)
LONG_AGO = years_after(AT, -4)
LAST_MONTH = AT - timedelta(days=30)
LIMITED = replace(
    FR_2026_11, consent_validity=(ConsentValidity(ANY, ANY, 24),), soft_opt_in_months=24
)


@dataclass(frozen=True)
class Someone:
    """A grown-up who agreed last month and was in contact yesterday, unless told otherwise."""

    source: str = "crm"
    age: int = 40
    created_at: datetime | None = AT - timedelta(days=1)
    status: str = "active"
    point_status: str = "usable"
    audience: str = "b2c"
    number: str = "+33639980001"
    state: str = "given"
    since: datetime = LAST_MONTH
    renewed_at: datetime | None = None
    evidence_level: int = 4
    actor: str = "person"
    objected_to_all: bool = False
    bought_with: str = ""  # "point": with this contact point; "other": without naming one.
    bought_on: datetime = LAST_MONTH
    contract_of: str = ""
    calls: int = 0
    is_paused: bool = False
    is_listed: bool = False
    is_registered: bool = False
    lives_listed: bool = False


USUAL = Someone()
SILENT = replace(USUAL, state="")
PAIRS = {
    "whose": ("email", USUAL, {"status": "inactive"}),
    "age of adults": ("email", replace(USUAL, actor="import"), {"age": 16}),
    "age of guardians": ("email", replace(USUAL, age=16), {"age": 12}),
    "is_own": (
        "email",
        replace(USUAL, source="released", actor="import", is_registered=True),
        {"source": "crm"},
    ),
    "registered": (
        "email",
        replace(USUAL, source="released", actor="import"),
        {"is_registered": True},
    ),
    "is_checked": ("post", replace(SILENT, source="bought"), {"source": "released"}),
    "is_resident": ("post", replace(SILENT, source="released"), {"lives_listed": True}),
    "contracts": ("email", replace(USUAL, created_at=LONG_AGO, since=LONG_AGO, renewed_at=None),
                  {"contract_of": "tea"}),
    "called": ("phone", USUAL, {"calls": 4}),
    "contact": ("post", SILENT, {"created_at": LONG_AGO}),
    "status": ("email", USUAL, {"point_status": "bounced"}),
    "audience": ("email", SILENT, {"audience": "b2b_generic"}),
    "number": ("sms", USUAL, {"number": "+33199000001"}),
    "state": ("email", USUAL, {"state": "invalidated"}),
    "state that is contested": ("email", USUAL, {"state": "contested"}),
    "evidence_level": ("email", USUAL, {"evidence_level": 0}),
    "actor_type": ("email", replace(USUAL, age=16), {"actor": "import"}),
    "given": ("email", USUAL, {"since": LONG_AGO}),
    "given, renewed": ("email", replace(USUAL, since=LONG_AGO), {"renewed_at": LAST_MONTH}),
    "bought": ("email", replace(SILENT, bought_with="point"), {"bought_with": "other"}),
    "bought, long ago": ("email", replace(SILENT, bought_with="point"), {"bought_on": LONG_AGO}),
    "is_paused": ("email", USUAL, {"is_paused": True}),
    "opposed": ("email", SILENT, {"objected_to_all": True}),
    "opposed by a list": ("email", replace(SILENT, bought_with="point"), {"is_listed": True}),
}  # fmt: skip


@pytest.mark.parametrize("respect", PAIRS)
def test_a_difference_in_one_respect_is_told_apart(monkeypatch, respect):
    """Also the other way round: whoever stands for the two must not matter."""
    for module in ("evaluation", "signatures"):
        monkeypatch.setattr(f"consent.{module}.pack_at", lambda at: LIMITED)
    channel, one, difference = PAIRS[respect]
    other = replace(one, **difference)
    keys = _make([one, other, other, one])
    offer = offer_for(Purpose.objects.get(code="marketing"), families=["tea"])
    question = {"channel": channel, "offer": offer, "at": AT}

    alone = [line.answer.rule for line in evaluate(keys, **question)]

    assert alone[0] == alone[3] != alone[1] == alone[2]
    assert [line.rule for line in Crowd(**question).lines(keys)] == alone
    assert Crowd(**question).rules(keys) == {alone[0]: 2, alone[1]: 2}


def _make(people):
    records = make_records([_row(number, person) for number, person in enumerate(people)])
    SourceSystem.objects.filter(code__in=["bought", "released"]).update(
        broker="Broker", broker_contract="2026"
    )
    for batch in LoadBatch.objects.filter(source__code="released"):
        release(batch)
    for record, person in zip(records, people, strict=True):
        Customer.objects.filter(pk=record.pk).update(status=person.status)
        _contact_points(record, person)
        _activity(record, person)
    _registers([number for number, person in enumerate(people) if person.lives_listed])
    return [record.pk for record in records]


def _row(number, person):
    return {
        "source": person.source,
        "key": str(number),
        "family_name": f"Name{number}",
        "street_number": "1",
        "street": "Rue",
        "postcode": "44000",
        "email": f"p{number}@example.com",
        "phone": person.number[:-1] + str(number),
        "birth_date": years_after(AT, -person.age).date() - timedelta(days=90),
        "source_created_at": person.created_at,
    }


def _registers(numbers):
    """Have every register asked, and these homes found on Robinson's."""
    nobody = {"bloctel": ("phone", "+33639989999"), "erobinson": ("email", "x@example.com")}
    for register, contact in nobody.items():
        add_list(register, [contact], asked=Asked(register, ASKED_ON), by=None)
    homes = [resident(f"Name{number}", "1 Rue", "44000") for number in [*numbers, 99]]
    add_list("Homes", homes, asked=Asked("robinson", ASKED_ON), by=None)


def _contact_points(record, person):
    post = ContactPoint.objects.create(kind="post", value=f"{record.pk} rue", display="rue")
    RecordContactPoint.objects.create(record=record, contact_point=post, attribute="address")
    record.contact_points.update(status=person.point_status, audience=person.audience)
    email = record.contact_points.get(kind="email")
    if person.is_paused:
        Pause.objects.create(
            source_record=record,
            contact_point=email,
            starts_at=LAST_MONTH,
            ends_at=AT + timedelta(days=30),
        )
    if person.is_listed:
        add_list("Old system", [("email", email.value)], channel="email", by=None)
    if person.is_registered:
        listed = [("email", email.value)]
        add_list("erobinson", listed, asked=Asked("erobinson", ASKED_ON), by=None)


def _activity(record, person):
    purpose = Purpose.objects.get(code="marketing")
    if person.state:
        for kind, channel in (("email", "email"), ("phone", "phone"), ("phone", "sms")):
            _permit(record, person, record.contact_points.get(kind=kind), channel, purpose)
    if person.objected_to_all:
        _object(record)
    if person.bought_with:
        named = person.bought_with == "point"
        Sale.objects.create(
            record=record,
            reference="1",
            sold_on=person.bought_on.date(),
            product_family="tea",
            contact_point=record.contact_points.get(kind="email") if named else None,
        )
    if person.contract_of:
        Contract.objects.create(
            record=record,
            reference="1",
            starts_on=LONG_AGO.date(),
            product_family=person.contract_of,
        )
    _call(record, person.calls, purpose)


def _permit(record, person, point, channel, purpose):
    event = ConsentEvent.objects.create(
        source_record=record,
        contact_point=point,
        channel=channel,
        purpose=purpose,
        type="given",
        actor_type=person.actor,
        occurred_at=person.since,
        recorded_at=person.since,
        source_event_id=f"{record.pk} {channel}",
    )
    PermissionState.objects.create(
        customer_id=record.pk,
        contact_point=point,
        channel=channel,
        purpose=purpose,
        state=person.state,
        since=person.since,
        renewed_at=person.renewed_at,
        evidence_level=person.evidence_level,
        deciding_event=event,
    )


def _object(record):
    event = ConsentEvent.objects.create(
        source_record=record,
        channel="*",
        type="objection",
        actor_type="person",
        occurred_at=LAST_MONTH,
        recorded_at=LAST_MONTH,
        source_event_id=f"{record.pk} objection",
    )
    PermissionState.objects.create(
        customer_id=record.pk,
        channel="*",
        state="objected",
        since=LAST_MONTH,
        evidence_level=4,
        deciding_event=event,
    )


def _call(record, count, purpose):
    caller, _new = User.objects.get_or_create(username="caller")
    for days in range(1, count + 1):
        CallAttempt.objects.create(
            source_record=record,
            contact_point=record.contact_points.get(kind="phone"),
            purpose=purpose,
            outcome="no_answer",
            called_at=AT - timedelta(days=days),
            called_by=caller,
        )
