"""What loaded files say of permissions: claims and refusals, never a way round a refusal."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import RFC_4122

import pytest

from consent.claims import receive_claims, refold_others
from consent.evaluation import may_contact, offer_for
from consent.models import ConsentEvent, PermissionState, Purpose
from consent.projection import project, rebuild
from mdm.models import ContactPoint, Customer, LoadBatch, RecordContactPoint, SourceRecord
from mdm.signals import Births, PermissionClaim, records_loaded, records_settled
from tests.consent.factories import marketing, record_event
from tests.mdm.factories import make_record, make_records
from tests.mdm.loading.files import load as load_rows
from tests.mdm.loading.files import row

pytestmark = pytest.mark.django_db
LAST_YEAR = datetime(2025, 11, 3, 9, tzinfo=UTC)


def load(record: SourceRecord, *claims: dict[str, Any]) -> None:
    """Tell what the loader tells after it wrote a record."""
    defaults = {
        "channel": "email",
        "purpose_code": None,
        "kind": "opt_in",
        "occurred_at": LAST_YEAR,
    }
    births = Births()
    records_loaded.send(
        sender=None,
        batch=LoadBatch.objects.first(),
        record_ids=[record.pk],
        records=[],
        births=births,
        claims=[PermissionClaim(record.pk, 1, **{**defaults, **claim}) for claim in claims],
    )
    records_settled.send(sender=None, record_ids=[record.pk], births=births)


def rule(record: SourceRecord, channel: str = "email", **offer: Any) -> str:
    customer = Customer.objects.get(pk=record.pk)
    return may_contact(
        customer, channel=channel, offer=offer_for(marketing(), **offer)
    ).answer.rule


def test_nobody_contacts_whom_a_remark_says_to_have_died():
    load_rows(
        row(
            "C1",
            email="jean@example.com",
            accord="O",
            prenom="Jean (décédé)",
            tel="06 39 98 12 34",
        ),
        row("C2", email="ada@example.com", accord="O"),
    )

    died, lives = SourceRecord.objects.order_by("source_key")
    assert (rule(died), rule(died, "phone")) == ("G5", "G5")
    assert rule(lives) == "E1"


def test_a_dated_opt_in_is_a_claim_of_its_system_of_origin():
    record = make_record(email="ada@example.com")

    load(record, {})

    event = ConsentEvent.objects.get()
    assert (event.type, event.actor_type, event.evidence_level) == ("given", "import", 1)
    assert (event.occurred_at, event.purpose.code) == (LAST_YEAR, "marketing")
    assert event.contact_point.value == "ada@example.com"
    assert (event.batch, event.line) == (LoadBatch.objects.get(), 1)
    assert PermissionState.objects.get().state == "given"
    assert rule(record) == "E1"


def test_an_undated_opt_in_proves_nothing():
    record = make_record(email="ada@example.com", source_created_at=LAST_YEAR)

    load(record, {"occurred_at": None})

    assert ConsentEvent.objects.get().evidence_level == 0
    assert rule(record) == "E1_proof"


def test_a_double_opt_in_elsewhere_is_kept_as_a_claim_not_as_a_confirmation():
    record = make_record(email="ada@example.com")

    load(record, {"double_opt_in": True, "occurred_at": None})

    event = ConsentEvent.objects.get()
    assert (event.type, event.evidence_level, event.claims_double_opt_in) == ("given", 1, True)


def test_the_same_file_twice_writes_nothing():
    record = make_record(email="ada@example.com", phone="+33639980001")
    claims = [{}, {"kind": "opt_out", "channel": "*"}, {"kind": "refusal", "channel": "phone"}]

    load(record, *claims)
    count, states = ConsentEvent.objects.count(), set(PermissionState.objects.values_list())
    load(record, *claims)

    assert ConsentEvent.objects.count() == count > 2
    assert set(PermissionState.objects.values_list()) == states


@pytest.mark.parametrize("refusal", ["withdrawn", "refused", "objection"])
def test_a_file_never_lifts_a_refusal(refusal: str):
    """However young its opt-in claims to be (A-IMP-08)."""
    record = make_record(email="ada@example.com")
    record_event(record, refusal, point=ContactPoint.objects.get())

    for day in (LAST_YEAR, None, datetime.now(UTC)):
        load(record, {"occurred_at": day, "double_opt_in": True})

        assert rule(record) in {"G5", "G6"}


def test_an_opt_out_follows_the_person_and_the_address():
    one, two, three = make_records(
        [
            {"email": "home@example.com", "phone": "+33639980001"},
            {"source": "shop", "email": "home@example.com"},
            {"source": "shop", "email": "other@example.com", "phone": "+33639980001"},
        ]
    )
    for record in (two, three):
        load(record, {})

    load(one, {"kind": "opt_out", "channel": "email", "occurred_at": None})

    assert rule(one) == "G5"
    assert rule(two) == "G5"  # The same address, another customer.
    assert PermissionState.objects.filter(customer=two.pk, state="objected").exists()
    assert one.email == two.email
    assert rule(three) == "E1"


def test_an_opt_out_of_everything_closes_every_channel():
    record = make_record(email="ada@example.com", phone="+33639980001")
    load(record, {}, {"channel": "phone"})

    load(record, {"kind": "opt_out", "channel": "*"})

    assert {rule(record, channel) for channel in ("email", "sms", "phone")} == {"G5"}


def test_post_is_refused_by_a_person_not_by_a_building():
    one, two = make_records([{}, {"source": "shop"}])
    building = ContactPoint.objects.create(kind="post", value="1 rue", display="1 rue")
    for record in (one, two):
        RecordContactPoint.objects.create(
            record=record, contact_point=building, attribute="address"
        )

    load(one, {"kind": "refusal", "channel": "post"})

    assert ConsentEvent.objects.get().contact_point is None
    assert not PermissionState.objects.filter(customer=two.pk).exists()


def test_a_refusal_without_a_number_waits_for_the_number():
    record = make_record(email="ada@example.com")

    load(record, {"kind": "refusal", "channel": "sms"})

    state = PermissionState.objects.get()
    assert (state.contact_point, state.channel, state.state) == (None, "sms", "refused")


def test_an_opt_in_without_a_contact_point_permits_nothing():
    record = make_record(family_name="Martin")

    load(record, {})

    assert not ConsentEvent.objects.exists()


def test_a_consent_does_not_move_to_a_new_address():
    record = make_record(email="old@example.com")
    load(record, {})
    new = ContactPoint.objects.create(kind="email", value="new@example.com", display="new")
    RecordContactPoint.objects.filter(record=record).update(contact_point=new)

    load(record, {})

    assert ConsentEvent.objects.get().contact_point.value == "old@example.com"
    assert rule(record) == "E1_none"


def test_a_source_that_says_no_goes_on_saying_it_after_it_corrected_the_address():
    record = make_record(email="old@example.com")
    load(record, {"kind": "refusal"})
    new = ContactPoint.objects.create(kind="email", value="new@example.com", display="new")
    RecordContactPoint.objects.filter(record=record).update(contact_point=new)

    project([record.pk])

    assert rule(record) == "G6"
    assert rebuild(check=True).difference_count == 0


def test_a_refusal_said_again_of_a_new_address_is_recorded_for_that_address():
    record = make_record(email="old@example.com")
    load(record, {"kind": "refusal"})
    new = ContactPoint.objects.create(kind="email", value="new@example.com", display="new")
    RecordContactPoint.objects.filter(record=record).update(contact_point=new)

    load(record, {"kind": "refusal"})

    points = ConsentEvent.objects.order_by("pk").values_list("contact_point__value", flat=True)
    assert list(points) == ["old@example.com", "new@example.com"]


def test_a_refusal_that_names_no_purpose_covers_them_all():
    record = make_record(email="ada@example.com")
    load(record, {"purpose_code": "news"})

    load(record, {"kind": "refusal"})

    news = offer_for(Purpose.objects.get(code="news"))
    customer = Customer.objects.get(pk=record.pk)
    assert may_contact(customer, channel="email", offer=news).answer.rule == "G6"


def test_a_refusal_of_an_unknown_purpose_refuses_everything(caplog: pytest.LogCaptureFixture):
    record = make_record(email="ada@example.com")
    load(record, {})

    load(record, {"kind": "refusal", "purpose_code": "astrology"})

    assert rule(record) == "G6"


def test_texts_go_to_mobiles_only():
    record = make_record(phone="+33199000001", other_phone="+33639980001")

    load(record, {"channel": "sms"}, {"channel": "phone"})

    points = ConsentEvent.objects.order_by("channel", "contact_point__value")
    assert list(points.values_list("channel", "contact_point__value")) == [
        ("phone", "+33199000001"),
        ("phone", "+33639980001"),
        ("sms", "+33639980001"),
    ]


def test_a_purpose_nobody_knows_permits_nothing():
    record = make_record(email="ada@example.com")

    load(record, {"purpose_code": "astrology"})

    assert not ConsentEvent.objects.exists()


def test_a_chunk_of_claims_costs_the_same_queries_whatever_its_size(django_assert_max_num_queries):
    records = make_records([{"email": f"p{n}@example.com", "key": str(n)} for n in range(60)])
    claims = [
        PermissionClaim(record.pk, 1, "email", None, "opt_in", LAST_YEAR) for record in records
    ]
    batch = LoadBatch.objects.first()

    for some in (claims[:1], claims):
        births = Births()
        with django_assert_max_num_queries(17):
            receive_claims(batch=batch, births=births, claims=some)
            refold_others(births=births)

    assert ConsentEvent.objects.count() == 60


def test_the_date_of_a_claim_is_a_contact_of_the_person():
    record = make_record(email="ada@example.com")

    load(record, {"occurred_at": datetime.now(UTC) - timedelta(days=4 * 365)})

    assert rule(record) == "G10"


def test_the_names_of_events_begin_with_their_time_so_that_their_index_grows_at_its_end():
    yes = [row(key, email=f"p{key}@example.com", accord="oui") for key in range(30)]
    load_rows(*yes)
    load_rows(*[{**line, "stop": "oui"} for line in yes])  # New records, then known ones.

    events = ConsentEvent.objects.order_by("pk")

    assert len({event.uuid for event in events}) == len(events) == 60
    assert {(event.uuid.version, event.uuid.variant) for event in events} == {(7, RFC_4122)}
    for event in events:
        assert event.uuid.int >> 80 == int(event.recorded_at.timestamp() * 1000)
