"""The gate asked of the database: many and one agree, with the facts the loads left."""

from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent.evaluation import evaluate, may_contact, may_use_contact_point, offer_for
from consent.ledger import NewEvent, record_events
from consent.models import ConsentEvent, PermissionState, Purpose
from consent.projection import project, rebuild
from mdm import identity
from mdm.identity import Link, apply_links
from mdm.models import (
    ContactPoint,
    Contract,
    Customer,
    RecordContactPoint,
    Sale,
    SourceRecord,
)
from tests.consent import factories
from tests.consent.factories import email_of
from tests.examples import histories
from tests.mdm.factories import make_record, make_records

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
record_event = partial(factories.record_event, occurred_at=NOW - timedelta(days=9))


@pytest.fixture
def marketing() -> Purpose:
    return Purpose.objects.get(code="marketing")


def test_a_consent_allows_the_address_it_names_and_no_other(marketing: Purpose):
    one, two = make_records(
        [{"email": "ada@example.com"}, {"source": "shop", "email": "ada@example.org"}]
    )
    identity.apply_links(
        [identity.Link(two.pk, one.pk, "auto", 9.0)], user=None, reason="The same person."
    )
    record_event(two, "given", purpose=marketing, point=email_of(two))
    offer = offer_for(marketing)
    customer = Customer.objects.get(pk=one.pk)

    chosen = may_contact(customer, channel="email", offer=offer)
    other = may_contact(customer, channel="email", offer=offer, contact_point_id=email_of(one).pk)

    assert (chosen.answer.rule, chosen.contact_point_id) == ("E1", email_of(two).pk)
    assert other.answer.rule == "E1_none"


def test_an_objection_follows_the_person_through_a_merge_and_back(marketing: Purpose):
    one, two = make_records(
        [{"email": "ada@example.com"}, {"source": "shop", "email": "ada@example.org"}]
    )
    record_event(two, "given", purpose=marketing, point=email_of(two))
    record_event(one, "objection", point=email_of(one))

    def rule(pk: int) -> str:
        customer = Customer.objects.get(pk=pk)
        return may_contact(customer, channel="email", offer=offer_for(marketing)).answer.rule

    apart = rule(two.pk)
    identity.apply_links([identity.Link(two.pk, one.pk, "auto")], user=None, reason="Merge.")
    merged = rule(one.pk)
    identity.apply_links([identity.Link(two.pk, two.pk, "birth")], user=None, reason="Unmerge.")

    assert (apart, merged, rule(two.pk), rule(one.pk)) == ("E1", "G5", "E1", "G5")


def test_a_refusal_on_a_shared_address_counts_for_everybody_who_carries_it(marketing: Purpose):
    one, two = make_records(
        [{"email": "home@example.com"}, {"source": "shop", "email": "home@example.com"}]
    )
    record_event(two, "given", purpose=marketing, point=email_of(two))

    before = may_use_contact_point(email_of(one), channel="email", offer=offer_for(marketing))
    record_event(one, "withdrawn", point=email_of(one))
    after = may_use_contact_point(email_of(one), channel="email", offer=offer_for(marketing))

    assert before is not None
    assert after is not None
    assert (before.customer_id, before.answer.rule) == (two.pk, "E1")
    assert after.answer.rule == "G6"


def test_a_sale_opens_the_customer_exception_for_the_address_collected(marketing: Purpose):
    record = make_record(email="ada@example.com")
    Sale.objects.create(
        record=record,
        reference="1",
        sold_on=date(2026, 5, 1),
        product_family="shoes",
        contact_point=email_of(record),
    )
    customer = Customer.objects.get(pk=record.pk)

    similar = may_contact(
        customer, channel="email", offer=offer_for(marketing, families=["shoes"]), at=NOW
    )
    other = may_contact(customer, channel="email", offer=offer_for(marketing), at=NOW)

    assert similar.answer.rule == "E2"
    assert similar.answer.deciding_fact.startswith("sale:")
    assert other.answer.failed_gates == ("E1_none", "E2_family")


def test_a_contract_runs_until_its_last_day_is_over(marketing: Purpose):
    record = make_record(phone="+33639980001")
    Contract.objects.create(
        record=record,
        reference="1",
        starts_on=date(2025, 1, 1),
        ends_on=date(2026, 11, 24),
        product_family="energy",
    )
    customer = Customer.objects.get(pk=record.pk)
    offer = offer_for(marketing, families=["energy"])

    def rule(at: datetime) -> str:
        return may_contact(customer, channel="phone", offer=offer, at=at).answer.rule

    assert rule(datetime(2026, 11, 24, 22, 59, tzinfo=UTC)) == "P2"
    assert rule(datetime(2026, 11, 24, 23, 0, tzinfo=UTC)) == "P1_none"
    assert rule(datetime(2026, 8, 10, 12, tzinfo=UTC)) == "P2"


def test_two_clocks_give_two_answers(marketing: Purpose):
    record = make_record(email="ada@example.com")
    record_event(record, "given", purpose=marketing, point=email_of(record))
    customer = Customer.objects.get(pk=record.pk)
    given = ConsentEvent.objects.get()
    at = given.occurred_at

    today = may_contact(customer, channel="email", offer=offer_for(marketing), at=at)
    then = may_contact(customer, channel="email", offer=offer_for(marketing), at=at, known_at=at)

    assert today.answer.deciding_event == given.pk
    assert then.answer.rule == "E1_none"


def test_a_refusal_is_no_contact_that_keeps_a_person_reachable(marketing: Purpose):
    record = make_record(email="ada@example.com", source_created_at=NOW - timedelta(days=4 * 365))
    post = ContactPoint.objects.create(kind="post", value="1 rue", display="1 rue")
    RecordContactPoint.objects.create(record=record, contact_point=post, attribute="address")
    record_event(record, "objection", channel="email")

    outcome = may_contact(
        Customer.objects.get(pk=record.pk), channel="post", offer=offer_for(marketing)
    )

    assert outcome.answer.failed_gates == ("G10",)


def test_a_purpose_switched_off_is_unknown(marketing: Purpose):
    marketing.is_active = False
    record = make_record(email="ada@example.com")

    answer = may_contact(
        Customer.objects.get(pk=record.pk), channel="email", offer=offer_for(marketing)
    ).answer

    assert answer.rule == "G0"


def test_a_customer_that_is_gone_or_never_was_is_refused(marketing: Purpose):
    one, two = make_records([{"email": "a@example.com"}, {"source": "shop"}])
    identity.apply_links([identity.Link(two.pk, one.pk, "auto")], user=None, reason="Merge.")

    outcomes = evaluate([two.pk, 99], channel="email", offer=offer_for(marketing), at=NOW)

    assert [outcome.answer.rule for outcome in outcomes] == ["G1", "G1"]


def test_a_recheck_refuses_a_contact_point_no_longer_carried(marketing: Purpose):
    one, two = make_records(
        [{"email": "a@example.com"}, {"source": "shop", "email": "b@example.com"}]
    )

    outcome = next(
        evaluate(
            [one.pk],
            channel="email",
            offer=offer_for(marketing),
            contact_points={one.pk: email_of(two).pk},
        )
    )

    assert not outcome.answer.allowed
    assert "G3" in outcome.answer.failed_gates


def test_the_number_of_queries_does_not_grow_with_customers(
    marketing: Purpose, django_assert_num_queries: object
):
    records = make_records([{"email": f"p{n}@example.com", "key": str(n)} for n in range(30)])
    for record in records:
        record_event(record, "given", purpose=marketing, point=email_of(record))
    offer = offer_for(marketing)

    for count in (1, 30):
        with django_assert_num_queries(2):  # type: ignore[operator]
            list(evaluate([r.pk for r in records[:count]], channel="email", offer=offer))


def test_a_question_about_one_reads_no_table_from_end_to_end(marketing: Purpose):
    """On SQLite, which makes a filter out of all of a table when it expects many look-ups."""
    records = make_records([{"email": f"p{n}@example.com", "key": str(n)} for n in range(9)])
    for record in records:
        record_event(record, "given", purpose=marketing, point=email_of(record))
    project(record.pk for record in records)
    with connection.cursor() as cursor, CaptureQueriesContext(connection) as told:
        cursor.execute("ANALYZE")
        may_contact(records[0].customer, channel="phone", offer=offer_for(marketing))
    (statement,) = [query["sql"] for query in told.captured_queries if "asked" in query["sql"]]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN QUERY PLAN " + statement)
            plan = [detail for *_place, detail in cursor.fetchall()]
        assert not [step for step in plan if step.startswith(("BLOOM", "SCAN mdm", "SCAN event"))]


def event_tuples(*kinds: str) -> st.SearchStrategy[tuple[object, ...]]:
    return st.tuples(
        st.integers(0, 3),
        st.sampled_from(kinds),
        st.sampled_from(["email", "sms", "phone", "post", "*"]),
        st.booleans(),
        st.booleans(),
        st.sampled_from(["person", "import", "staff"]),
        st.integers(0, 4),
        st.none() | st.integers(1, 1500),
    )


EVENTS = st.lists(
    event_tuples("given", "refused", "withdrawn", "objection", "confirmed"), max_size=12
)
REFUSALS = event_tuples("refused", "withdrawn", "objection")


@settings(
    max_examples=histories(12, long=25),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(EVENTS, REFUSALS, st.lists(st.integers(0, 3), min_size=4, max_size=4))
def test_one_and_many_agree_on_every_person(
    marketing: Purpose,
    events: list[tuple[object, ...]],
    refusal: tuple[object, ...],
    homes: list[int],
):
    """Stored states, folded events, one customer or all: the same answers (I2, I3, I7)."""
    with transaction.atomic():
        records = make_records(
            [
                {"source": f"s{n}", "key": "k", "email": f"p{n % 3}@example.com",
                 "phone": f"+3363998000{n % 2}",
                 "source_created_at": NOW - timedelta(days=300 * n)}
                for n in range(4)
            ]
        )  # fmt: skip
        _record(records, events, marketing)
        links = [
            identity.Link(record.pk, records[min(home, n)].pk, "auto")
            for n, (record, home) in enumerate(zip(records, homes, strict=True))
        ]
        identity.apply_links(
            [link for link in links if _is_root(link, links)], user=None, reason="Test."
        )
        before = _assert_agreement(marketing)
        assert rebuild(check=True).difference_count == 0
        _record(records, [refusal], marketing, first=len(events))
        assert _assert_agreement(marketing) <= before  # A refusal only takes away.
        transaction.set_rollback(True)


def _is_root(link: identity.Link, links: list[identity.Link]) -> bool:
    # A record may only join one that stays at home: a cluster is named after its oldest.
    homes = {other.record_id: other.customer_id for other in links}
    return homes.get(link.customer_id) == link.customer_id


def _record(
    records: list[SourceRecord],
    events: list[tuple[object, ...]],
    marketing: Purpose,
    *,
    first: int = 0,
) -> None:
    new = []
    for number, (who, kind, channel, with_point, wide, actor, evidence, days) in enumerate(
        events, first
    ):
        record = records[who]  # type: ignore[call-overload]
        grant = kind in {"given", "confirmed"}
        if grant and channel == "*":
            continue
        wanted = "email" if channel in {"email", "*"} else "phone"
        point = record.contact_points.get(kind=wanted) if with_point or grant else None
        new.append(
            NewEvent(
                record.pk, str(kind), str(channel),
                None if wide and not grant else marketing.pk,
                point.pk if point else None, str(actor), (number, record.pk),
                evidence_level=int(evidence),  # type: ignore[call-overload]
                occurred_at=None if days is None else NOW - timedelta(days=int(days)),  # type: ignore[call-overload]
            )
        )  # fmt: skip
    record_events(new)
    project(Customer.objects.values_list("pk", flat=True))


def _assert_agreement(marketing: Purpose) -> set[tuple[int, str]]:
    """Ask about everybody in both ways; return who may be reached on what."""
    allowed = set()
    customers = list(Customer.objects.filter(merged_into=None).order_by("pk"))
    offer = offer_for(marketing)
    for channel in ("email", "sms", "phone", "post"):
        many = evaluate([c.pk for c in customers], channel=channel, offer=offer, at=None)
        for customer, outcome in zip(customers, many, strict=True):
            alone = may_contact(customer, channel=channel, offer=offer)
            folded = may_contact(customer, channel=channel, offer=offer, at=now())
            for one in (alone, folded):
                assert (one.contact_point_id, one.answer.failed_gates, one.answer.rule) == (
                    outcome.contact_point_id, outcome.answer.failed_gates, outcome.answer.rule,
                )  # fmt: skip
                assert one.answer.deciding_event == outcome.answer.deciding_event
            if alone.answer.allowed:
                allowed.add((customer.pk, channel))
    return allowed


def test_states_are_written_once_and_have_a_history(marketing: Purpose):
    record = make_record(email="ada@example.com")
    record_event(record, "given", purpose=marketing, point=email_of(record))
    state = PermissionState.objects.get()

    again = project([record.pk])

    assert again == 0
    assert PermissionState.objects.get().pk == state.pk
    assert [row.history_type for row in PermissionState.history.all()] == ["+"]


def test_a_state_that_goes_leaves_exactly_one_line_in_its_history(marketing: Purpose):
    one, two = make_record(email="ada@example.com"), make_record("shop", email="b@example.com")
    record_event(two, "given", purpose=marketing, point=email_of(two))

    apply_links([Link(two.pk, one.pk, "decision")], user=None, reason="The same person")

    lines = PermissionState.history.order_by("history_id")
    kinds = [(row.customer_id, row.history_type) for row in lines]
    assert sorted(kinds) == [(one.pk, "+"), (two.pk, "+"), (two.pk, "-")]
