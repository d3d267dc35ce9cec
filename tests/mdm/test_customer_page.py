"""The customer page: everything known about one customer, one click from the search box."""

from datetime import UTC, date, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from matching.models import Decision
from mdm.birth_ids import display, public_id
from mdm.identity import Link, apply_links, refresh
from mdm.models import AccessLog, Pin, Sale, SourceRecord
from mdm.pins import pin
from tests.consent.factories import record_event
from tests.factories import UserFactory
from tests.mdm.factories import make_record, make_records
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db


def page_of(record: SourceRecord) -> str:
    return reverse("mdm:customer", args=[public_id(record.pk)])


def join(*records: SourceRecord, rule: str = "auto") -> None:
    oldest = records[0]
    links = [Link(oldest.pk, oldest.pk, "birth")]
    links += [Link(record.pk, oldest.pk, rule, 12.5) for record in records[1:]]
    apply_links(links, user=None, reason="test")


def two_sources() -> list[SourceRecord]:
    rows = [
        {"source": "crm", "key": "88121", "trust": 80, "given_name": "Zoé"},
        {"source": "web", "key": "aa31", "trust": 50, "given_name": "Zoe"},
    ]
    shared = {
        "family_name": "Lefebvre",
        "birth_date": date(1984, 11, 3),
        "raw": {"NOM": "lefebvre "},
    }
    records = make_records([{**shared, **row} for row in rows])
    join(*records)
    return records


def test_the_page_shows_the_golden_values_and_why_they_won():
    first, _second = two_sources()

    answer = client_of("steward").get(page_of(first))

    assert "Zoé Lefebvre" in answer.text
    assert "CRM 88121 is the most trusted source that gives it (80)." in answer.text
    assert "All 2 records that give it agree." in answer.text
    assert "3 November 1984" in answer.text


def test_the_loser_of_a_value_is_named_with_what_it_said():
    first, second = two_sources()

    file = client_of("steward").get(page_of(first)).context["file"]

    given_name = next(value for value in file.values if value.group == "given_name")
    assert [(loser.record, loser.lines) for loser in given_name.losers] == [(second, ("Zoe",))]
    assert given_name.is_disputed


def test_a_pinned_value_says_who_chose_it_and_why():
    record = make_record(given_name="Zoe")
    steward = UserFactory(username="a.petit", first_name="Anne", last_name="Petit")
    Pin.objects.create(
        record=record,
        attribute="given_name",
        value={"given_name": "Zoé"},
        reason="she said so",
        created_by=steward,
    )
    refresh([record.pk])

    answer = client_of("steward").get(page_of(record))

    assert "Pinned by Anne Petit" in answer.text
    assert "a.petit" not in answer.text
    assert "she said so" in answer.text


def test_every_source_record_stands_there_with_the_reason_of_its_link():
    first, _second = two_sources()

    answer = client_of("steward").get(page_of(first))

    assert "88121" in answer.text
    assert "aa31" in answer.text
    assert "12.5 bits" in answer.text
    assert "lefebvre " in answer.text  # As received.


def test_every_loser_is_told_why_it_lost():
    rows = [
        {"source": "crm", "key": "1", "trust": 80, "family_name": "Lefebvre"},
        {"source": "web", "key": "2", "trust": 50, "family_name": "Lefevre"},
        {"source": "erp", "key": "3", "trust": 80, "family_name": "Lefebure"},
    ]
    records = make_records(rows)
    join(*records)
    steward = UserFactory(role="steward")

    def told() -> dict[str, str]:
        [value] = client_of("steward").get(page_of(records[0])).context["file"].values
        return {loser.record.source_key: loser.why for loser in value.losers}

    assert told() == {
        "2": "Lost: WEB is less trusted (50).",
        "3": "Lost: nothing tells them apart, and the record is younger.",
    }
    pin(records[0].pk, "family_name", "hide", by=steward, reason="typo")
    assert told() == {"1": "Hidden by a steward.", "2": "Lost: WEB is less trusted (50)."}
    pin(records[1].pk, "family_name", "prefer", by=steward, reason="her card")
    assert told()["3"] == "Lost: a steward preferred another record."
    values = {"family_name": "Le Febvre"}
    pin(records[2].pk, "family_name", "value", by=steward, reason="she said", values=values)
    assert told()["2"] == "Lost: a steward's own value stands above it."


def test_a_merged_id_leads_to_the_customer_and_says_so():
    first, second = two_sources()

    answer = client_of("steward").get(page_of(second), follow=True)

    assert answer.redirect_chain == [(page_of(first), 302)]
    merged = display(public_id(second.pk))
    assert f"{merged} was merged into {display(public_id(first.pk))} on " in answer.text


def test_an_id_written_by_hand_leads_to_the_one_address():
    record = make_record(family_name="Petit")

    answer = client_of("steward").get(f"/customers/{display(public_id(record.pk)).lower()}/")

    assert answer["Location"] == page_of(record)


@pytest.mark.parametrize("unknown", ["ZZZZZZZZ", "nobody", "0"])
def test_an_id_never_issued_is_not_found(unknown):
    assert client_of("steward").get(f"/customers/{unknown}/").status_code == 404


def test_a_decision_that_two_are_different_is_shown_with_its_author():
    ours, other = make_records([{"family_name": "Petit"}, {"family_name": "Petit-Jean"}])
    Decision.objects.create(
        left=ours, right=other, verdict="different", decided_by=UserFactory(username="j.roux")
    )

    answer = client_of("steward").get(page_of(ours))

    assert "Not the same person as" in answer.text
    assert page_of(other) in answer.text
    assert "j.roux" in answer.text


def test_sales_are_summed():
    record = make_record(family_name="Petit")
    for number, amount in enumerate([10, "15.50"]):
        Sale.objects.create(
            record=record, reference=f"S{number}", sold_on=date(2026, 1, 2), amount=amount
        )

    answer = client_of("steward").get(page_of(record))

    assert "2 sales · 25.50 €" in answer.text


def test_the_bar_on_top_answers_for_every_channel():
    record = make_record(family_name="Petit", email="petit@example.com")

    answer = client_of("dpo").get(page_of(record))

    file = answer.context["file"]
    assert {channel.label: channel.state for channel in file.channels} == {
        "e-mail": "no",
        "SMS": "unknown",
        "phone": "unknown",
        "post": "unknown",
    }
    assert "May I contact this person?" in answer.text


def test_a_number_that_is_her_phone_is_not_her_other_phone_too():
    one, other, third = make_records(
        [
            {"family_name": "Petit", "phone": "+33639981234"},
            {"family_name": "Petit", "phone": "+33639981234", "other_phone": "+33639985678"},
            {"family_name": "Petit", "phone": "+33639985678", "other_phone": "+33639981234"},
        ]
    )
    join(one, third)
    twice = client_of("steward").get(page_of(one)).context["file"].values
    join(one, other)
    both = client_of("steward").get(page_of(one)).context["file"].values

    def phones(values):
        return [(v.group, v.lines, len(v.losers)) for v in values if "phone" in v.group]

    assert phones(twice) == [("phone", ("+33639981234",), 1)]
    assert phones(both) == [
        ("phone", ("+33639981234",), 1),
        ("other_phone", ("+33639985678",), 0),
    ]


def test_consent_events_stand_in_the_history():
    record = make_record(family_name="Petit", email="petit@example.com")
    record_event(record, "refused", occurred_at=datetime(2026, 2, 12, tzinfo=UTC))

    answer = client_of("steward").get(page_of(record))

    assert "12 February 2026" in answer.text


def test_a_customer_no_source_knows_any_more_still_has_a_page():
    record = make_record(family_name="Petit")
    SourceRecord.objects.filter(pk=record.pk).update(status="deleted")
    refresh([record.pk])

    answer = client_of("steward").get(page_of(record))

    assert "No source has known the person behind" in answer.text


def test_looking_is_noted_with_the_id_and_nothing_else():
    record = make_record(family_name="Petit")
    client_of("dpo").get(page_of(record))

    (access,) = AccessLog.objects.all()

    assert (access.action, access.reference) == ("customer.view", public_id(record.pk))


def queries_to_show(record: SourceRecord, client: Client) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(page_of(record)).status_code == 200
    return len(queries)


def test_thirty_records_cost_no_more_queries_than_one():
    alone = make_record(family_name="Seul", email="seul@example.com", phone="+33639980001")
    many = make_records(
        [
            {"family_name": "Petit", "email": f"p{n}@example.com", "phone": f"+3363998{n:04}"}
            for n in range(30)
        ]
    )
    join(*many)
    for record in [alone, *many]:
        Sale.objects.create(record=record, reference="S", sold_on=date(2026, 1, 2), amount=1)
        record_event(record, "refused", occurred_at=datetime(2026, 2, 12, tzinfo=UTC))
    client = client_of("steward")
    queries_to_show(alone, client)  # Warms the caches that every page shares.

    assert queries_to_show(many[0], client) == queries_to_show(alone, client) <= 42


@pytest.mark.parametrize("role", ["marketer", "administrator"])
def test_who_may_not_see_customers_is_refused(role):
    record = make_record(family_name="Petit")

    answer = client_of(role).get(page_of(record))

    assert answer.status_code == 403
    assert "Petit" not in answer.text


def test_the_anonymous_are_sent_to_the_login():
    record = make_record(family_name="Petit")

    answer = Client().get(page_of(record))

    assert answer["Location"].startswith(reverse("admin:login"))


def test_values_from_files_are_escaped():
    record = make_record(family_name="<b>Petit</b>", raw={"<i>": "<script>alert(1)</script>"})

    answer = client_of("steward").get(page_of(record))

    assert "<b>Petit</b>" not in answer.text
    assert "<script>alert(1)" not in answer.text


def test_the_register_of_accesses_says_in_words_who_looked():
    record = make_record(family_name="Petit")
    client = client_of("dpo")
    client.get(page_of(record))

    register = client.get(reverse("admin:mdm_accesslog_changelist")).text

    assert "opened the page of a customer" in register
    assert public_id(record.pk) in register
    assert "Petit" not in register


def test_what_is_doubtful_in_a_record_is_told_in_words_and_what_was_mended_is_no_doubt():
    doubtful = make_record(issues=[["postcode", "restored_zero"], ["email", "invalid"]])
    mended = make_record(issues=[["postcode", "restored_zero"]])
    client = client_of("steward")

    page = client.get(page_of(doubtful)).text
    other = client.get(page_of(mended)).text

    assert "1 doubt<" in page
    assert "E-mail – The value is not valid and cannot be used." in page
    assert "doubt<" not in other
    assert "1 remark<" in other


def test_the_page_lists_what_to_mend_with_what_was_probably_meant():
    record = make_record(
        given_name="Zoé",
        family_name="Petit",
        email="zoe@gmial.com",
        issues=[["email", "domain_typo"]],
    )

    answer = client_of("steward").get(page_of(record))

    quality = answer.context["file"].quality
    assert dict(quality.dimensions)["Plausibility"] == 60
    assert ("E-mail", "zoe@gmail.com") in [(x.label, x.suggestion) for x in quality.to_mend]
    assert "Perhaps zoe@gmail.com?" in answer.text
    assert "No source gives it." in answer.text


def test_the_address_stands_there_as_on_an_envelope():
    record = make_record(
        given_name="Zoé",
        family_name="Petit",
        street_number="12 bis",
        street="rue de l'Église",
        postcode="44000",
        city="Nantes",
    )

    answer = client_of("steward").get(page_of(record))

    assert answer.context["file"].label == ["ZOE PETIT", "12 BIS RUE DE L EGLISE", "44000 NANTES"]
    assert "12 BIS RUE DE L EGLISE" in answer.text


def test_another_spelling_of_a_value_is_nothing_to_mend():
    records = make_records(
        [
            {"source": "crm", "key": "1", "given_name": "Alexandre", "family_name": "Petit"},
            {"source": "web", "key": "2", "given_name": "Alex", "family_name": "Grand"},
        ]
    )
    join(*records)

    file = client_of("steward").get(page_of(records[0])).context["file"]

    said = {line.label for line in file.quality.to_mend if "different things" in line.sentence}
    assert said == {"Family name"}
