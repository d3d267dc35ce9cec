"""A frozen list is what the gate allows, however the freeze went; a file is never more."""

import csv
from datetime import timedelta
from io import StringIO
from random import Random

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from campaigns import target_lists
from campaigns.audience import offer_of
from campaigns.downloads import DownloadRefused, download
from campaigns.models import TargetListMember
from campaigns.waterfall import measure
from consent.crowds import Crowd
from consent.evaluation import may_contact
from consent.rules import RULES, Kind
from mdm.jobs import run_now
from mdm.models import ContactPoint, Customer
from tests.campaigns.factories import active_person, consenting, frozen_list, make_campaign
from tests.consent.factories import record_event


def members(target_list):
    rows = TargetListMember.objects.filter(target_list=target_list).order_by("customer_id")
    return list(rows.values_list("customer_id", "contact_point_id", "rule", "deciding_event_id"))


def test_a_list_says_why_each_person_is_on_it(marketer):
    record = consenting()

    [(customer, point, rule, event)] = members(frozen_list(make_campaign(marketer)))

    assert (customer, rule) == (record.pk, "E1")
    assert ContactPoint.objects.get(pk=point).value == record.email
    assert record.consent_events.filter(pk=event).exists()


def test_the_counts_of_a_list_add_up(marketer):
    consenting()
    active_person("Silent")
    record_event(consenting("Gone"), "withdrawn")

    target_list = frozen_list(make_campaign(marketer))

    excluded = list(target_list.exclusions.values_list("rule", "count"))
    assert target_list.start_count == 3
    assert target_list.member_count == len(members(target_list)) == 1
    assert sum(count for _rule, count in excluded) == 2
    assert all(RULES[rule].kind != Kind.ALLOW for rule, _count in excluded)


def test_a_freeze_that_was_killed_goes_on_and_ends_the_same(marketer, monkeypatch):
    monkeypatch.setattr("campaigns.audience.CHUNK", 2)
    for _time in range(7):
        consenting()
    active_person("Silent")
    campaign = make_campaign(marketer)
    whole = frozen_list(campaign)
    calls = []
    lines = Crowd.lines

    def killed(*args):
        calls.append(args)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return lines(*args)

    interrupted = target_lists.freeze(campaign, by=marketer)
    with monkeypatch.context() as patch:
        patch.setattr(Crowd, "lines", killed)
        with pytest.raises(KeyboardInterrupt):
            run_now(interrupted.job)
    assert len(members(interrupted)) == 4
    run_now(interrupted.job)

    interrupted.refresh_from_db()
    assert members(interrupted) == members(whole)
    assert interrupted.member_count == whole.member_count == 7
    assert interrupted.start_count == whole.start_count == 8


@pytest.mark.django_db(transaction=True)
def test_a_list_frozen_on_several_connections_is_the_same(marketer, monkeypatch):
    with transaction.atomic():
        for _time in range(5):
            consenting()
        active_person("Silent")
    campaign = make_campaign(marketer)
    whole = frozen_list(campaign)
    monkeypatch.setattr("campaigns.audience.CHUNK", 1)

    parted = frozen_list(campaign)

    assert members(parted) == members(whole)
    assert (parted.start_count, parted.member_count) == (6, 5)
    assert measure(campaign).allowed == 5


@pytest.mark.parametrize("seed", range(4))
def test_a_file_is_exactly_whom_the_gate_allows_one_by_one(marketer, seed):
    """The set-based way and the one-person way are asked apart, before and after the freeze."""
    chance = Random(seed)
    records = [_somebody(chance) for _time in range(12)]
    campaign = make_campaign(marketer)
    target_list = frozen_list(campaign)
    frozen = {customer for customer, *_rest in members(target_list)}
    assert frozen == _allowed(campaign)

    for record in chance.sample(records, 4):
        record_event(record, chance.choice(["withdrawn", "objection"]), occurred_at=now())
    expected = frozen & _allowed(campaign)

    assert _downloaded(target_list, marketer) == expected


def _somebody(chance):
    record = active_person(
        "Person", source_created_at=now() - timedelta(days=chance.choice([9, 2000]))
    )
    for kind in chance.choices(["given", "refused", "withdrawn", "objection"], [6, 1, 1, 1], k=2):
        days = chance.randint(1, 600)
        record_event(record, kind, occurred_at=now() - timedelta(days=days))
    return record


def _allowed(campaign):
    return {
        customer.pk
        for customer in Customer.objects.all()
        if may_contact(customer, channel="email", offer=offer_of(campaign)).answer.allowed
    }


def _downloaded(target_list, user):
    try:
        made = download(target_list, format="csv", reason="Test", by=user)
    except DownloadRefused:
        return set()
    with made.file as file:
        text = file.read().decode("utf-8-sig")
    lines = list(csv.reader(StringIO(text, newline=""), delimiter=";"))[1:]
    found = Customer.objects.in_bulk()
    shown = {customer.display_id: key for key, customer in found.items()}
    return {shown[line[-2]] for line in lines}


@pytest.mark.parametrize("channel", ["email", "post"])
def test_a_file_of_more_people_takes_no_more_queries(marketer, channel):
    taken = []
    for _time in range(2):
        for _person in range(3):
            record = consenting()
            home = ContactPoint.objects.create(kind="post", value=f"home of {record.pk}")
            record.carried.create(contact_point=home, attribute="address")
        target_list = frozen_list(make_campaign(marketer, channel=channel))
        with CaptureQueriesContext(connection) as queries:
            made = download(target_list, format="csv", reason="Sending", by=marketer)
        made.file.close()
        taken.append((made.entry.row_count, len(queries)))

    assert taken == [(3, taken[0][1]), (6, taken[0][1])]
