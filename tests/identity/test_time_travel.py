"""The customer page as it was on a past day, and what happened to her, with who and why."""

import re
from datetime import timedelta

import pytest
from django.db.models import F
from django.test import Client
from django.utils.timezone import localdate, now

from matching.decisions import Circumstances, Verdict, decide
from matching.repairs import Wish, repair
from mdm.birth_ids import display, public_id
from mdm.models import AccessLog, Customer, CustomerEvent, GoldenRecord, SourceRecord
from tests.consent.factories import record_event
from tests.matching.factories import make_steward
from tests.mdm.factories import make_record, make_records
from tests.mdm.loading.files import csv_bytes, load_bytes, row
from tests.mdm.pages import client_of
from tests.mdm.test_customer_page import page_of

pytestmark = pytest.mark.django_db


def days_pass(days: int = 10) -> None:
    """Let everything that happened have happened so many days earlier."""
    earlier = timedelta(days=days)
    for model in (Customer, SourceRecord, GoldenRecord):
        model.history.update(history_date=F("history_date") - earlier)
    CustomerEvent.objects.update(at=F("at") - earlier)


def on(days_ago: int) -> str:
    return f"{localdate() - timedelta(days=days_ago):%Y-%m-%d}"


def then(client: Client, record: SourceRecord, days_ago: int):
    return client.get(page_of(record), {"at": on(days_ago)})


@pytest.fixture
def merged():
    """Two records that were two customers ten days ago and longer, and are one since."""
    records = make_records(
        [
            {"key": "1", "family_name": "Roux", "email": "roux@example.com"},
            {"key": "2", "source": "web", "family_name": "Roux", "given_name": "Anne"},
        ]
    )
    days_pass()
    decide(records[0].pk, records[1].pk, Verdict.SAME, by=make_steward())
    return records


def test_values_and_records_are_those_of_that_day(merged):
    client = client_of("steward")

    past, today = then(client, merged[0], 5), client.get(page_of(merged[0]))

    assert [record.pk for record in past.context["then"].records] == [merged[0].pk]
    assert past.context["then"].golden.given_name == ""
    assert "As it was at the end of" in past.text
    assert "WEB" not in past.text
    assert 'method="post" action="/customers' not in past.text
    assert "Anne" in today.text


def test_a_merged_id_shows_its_own_past_and_leads_on_from_then(merged):
    client = client_of("steward")

    past = then(client, merged[1], 5)
    late = then(client, merged[1], 0)

    assert past.status_code == 200
    assert "Anne Roux" in past.text
    assert late["Location"] == page_of(merged[0])


def test_a_merge_of_the_past_is_told_on_the_page_of_a_later_day(merged):
    days_pass()

    answer = then(client_of("steward"), merged[1], 5)

    assert f"On that day the number led to {display(public_id(merged[0].pk))}." in answer.text


def test_before_her_birth_nobody_knew_her(merged):
    answer = then(client_of("steward"), merged[0], 30)

    assert answer.status_code == 200
    assert "On that day nobody here knew this customer yet." in answer.text
    assert "Roux" not in answer.text
    assert "What she had consented to by then" not in answer.text


def test_before_her_birth_the_dpo_is_led_to_what_her_sources_date_earlier(merged):
    record_event(merged[0], "given", occurred_at=now() - timedelta(days=60))

    answer = then(client_of("dpo"), merged[0], 30)

    address = re.search(r'href="([^"]+)">What she had consented to by then', answer.text)
    assert address
    assert "Permissions" in client_of("dpo").get(address[1]).text


def test_a_value_changed_since_reads_as_it_did():
    load_bytes(csv_bytes([row("1", email="old@example.com")]))
    days_pass()
    load_bytes(csv_bytes([row("1", email="new@example.com", maj="02/02/2026")]))
    record = SourceRecord.objects.get()

    answer = then(client_of("steward"), record, 5)

    assert answer.context["then"].golden.email == "old@example.com"
    assert "old@example.com" in answer.text
    assert [record.email for record in answer.context["then"].records] == ["old@example.com"]


def test_permissions_are_those_of_that_day_and_only_for_who_may_see_them(merged):
    record = make_record(family_name="Petit", email="petit@example.com")
    record_event(record, "given")
    days_pass(3)

    answer = then(client_of("steward"), record, 2)

    assert "Permissions on that day" in answer.text
    assert "By two clocks" in then(client_of("dpo"), record, 2).text
    assert answer.context["then"].matrix.is_past


@pytest.mark.parametrize("day", ["2999-01-01", "yesterday", "<b>"])
def test_a_day_that_is_none_shows_today_and_says_so(day):
    record = make_record(family_name="Petit")

    answer = client_of("steward").get(page_of(record), {"at": day})

    assert "As it was at the end of" not in answer.text
    assert "o-note--conflict" in answer.text


def test_looking_back_is_noted_and_closed_to_others(merged):
    then(client_of("dpo"), merged[0], 5)

    assert AccessLog.objects.filter(action="customer.then").count() == 1
    assert then(client_of("marketer"), merged[0], 5).status_code == 403


def test_the_page_tells_what_happened_who_did_it_and_why(merged):
    one, other = merged
    repair(
        Wish("unlink", one.pk, (other.pk,), leaves_companions=True),
        by=make_steward("b.roux"),
        circumstances=Circumstances("household"),
    )

    told = client_of("steward").get(page_of(one)).context["file"].happenings

    assert [(h.by, h.reason, h.lines) for h in told] == [
        (
            "b.roux",
            "Records taken out",
            (
                f"WEB 2 left, to {display(public_id(other.pk))}",
                f"Split: {display(public_id(other.pk))} with WEB 2",
                "Changed: given name",
            ),
        ),
        (
            "a.petit",
            "Decision: Same person",
            (f"WEB 2 joined, from {display(public_id(other.pk))}", "Changed: given name"),
        ),
        ("", "", ("Created with CRM 1",)),
    ]


def test_the_history_is_narrowed_down(merged):
    client = client_of("steward")

    def kinds(**query: str) -> list[str]:
        told = client.get(page_of(merged[0]), query).context["file"].happenings
        return [line.split()[0] for happening in told for line in happening.lines]

    assert kinds(history="values") == ["Changed:"]
    assert kinds(history="identity") == ["WEB", "Created"]
    assert kinds(history="status") == []
    assert len(kinds(history="nonsense")) == 3


def test_a_past_page_costs_no_more_queries_with_more_records(django_assert_max_num_queries):
    records = make_records([{"family_name": "Roux", "key": f"K{n}"} for n in range(20)])
    for record in records[1:]:
        decide(records[0].pk, record.pk, Verdict.SAME, by=make_steward())
    days_pass(3)
    client = client_of("steward")
    then(client, records[0], 2)

    with django_assert_max_num_queries(50):
        assert "K19" in then(client, records[0], 2).text
