"""Customers keep their ids through links and come back when records part."""

from collections.abc import Sequence

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from mdm import identity
from mdm.audit import record_history
from mdm.identity import Link
from mdm.models import ContactPoint, Customer, GoldenRecord, SourceRecord
from mdm.signals import customers_changed
from tests.mdm.factories import make_record

pytestmark = pytest.mark.django_db


def apply(*pairs: tuple[SourceRecord, SourceRecord], rule: str = "auto") -> identity.AppliedLinks:
    """Link each record to the customer of the other."""
    links = [Link(record.pk, home.pk, rule, 9.5) for record, home in pairs]
    with transaction.atomic():
        return identity.apply_links(links, user=None, reason="test")


def state() -> dict[str, Sequence[object]]:
    """Everything that must come back after a merge is undone, but for versions and moments."""
    golden = GoldenRecord.objects.order_by("pk")
    return {
        "customers": list(
            Customer.objects.order_by("pk").values_list("pk", "status", "merged_into")
        ),
        "records": list(SourceRecord.objects.order_by("pk").values_list("pk", "customer_id")),
        "golden": [
            {k: v for k, v in row.items() if k not in {"version", "updated_at"}}
            for row in golden.values()
        ],
        "shared": list(ContactPoint.objects.order_by("pk").values_list("pk", "shared_by")),
    }


def test_a_new_record_is_its_own_customer_with_a_golden_record():
    record = make_record(given_name="Zoé", family_name="Martin", email="zoe@example.org")

    customer = Customer.objects.get()

    assert customer.pk == record.pk == record.customer_id
    assert customer.golden.full_name == "Zoé Martin"
    assert customer.golden.lineage["email"] == [record.pk, None, "only"]
    assert customer.history.count() == customer.golden.history.count() == 1


def test_the_oldest_record_names_the_customer_and_every_id_still_opens_it():
    first = make_record("crm", family_name="Lefebvre", trust=80)
    second = make_record("shop", family_name="Lefevre", given_name="Anne", trust=20)

    applied = apply((first, first), (second, first))

    assert applied.merged_ids == [second.pk]
    assert applied.customer_ids == [first.pk]
    merged = Customer.objects.get(pk=second.pk)
    assert identity.resolve(merged.display_id) == Customer.objects.get(pk=first.pk)
    assert identity.resolve(merged.public_id.lower()).pk == first.pk
    golden = GoldenRecord.objects.get()
    assert (golden.given_name, golden.family_name, golden.record_count) == ("Anne", "Lefebvre", 2)
    assert golden.lineage["family_name"] == [first.pk, None, "trust"]


def test_linking_and_parting_gives_back_the_start():
    first = make_record("crm", family_name="Petit", phone="+33199000001")
    second = make_record("shop", family_name="Petit", phone="+33199000001")
    before = state()
    assert before["shared"][0][1] == 2

    apply((first, first), (second, first))
    assert state()["shared"][0][1] == 1
    applied = apply((first, first), (second, second))

    assert state() == before
    assert applied.revived_ids == [second.pk]


def test_links_that_say_what_is_already_so_write_nothing():
    first, second = make_record("crm"), make_record("shop")
    apply((first, first), (second, first))
    versions = Customer.objects.in_bulk()

    applied = apply((second, first))

    assert applied == identity.AppliedLinks([], [], [], [])
    assert second.history.count() == 2
    assert {k: c.version for k, c in Customer.objects.in_bulk().items()} == {
        k: c.version for k, c in versions.items()
    }


def test_a_customer_without_an_active_record_is_inactive_and_has_no_golden_record():
    record = make_record(family_name="Roux")
    SourceRecord.objects.filter(pk=record.pk).update(status="deleted")

    with transaction.atomic():
        identity.refresh([record.pk], record_ids=[record.pk])

    assert Customer.objects.get().status == Customer.Status.INACTIVE
    assert not GoldenRecord.objects.exists()
    assert GoldenRecord.history.latest("history_date").history_type == "-"


def test_the_apps_above_hear_who_lives_and_who_is_gone():
    first, second = make_record("crm"), make_record("shop")
    heard = []

    def listen(sender: object, customer_ids: list[int], gone_ids: list[int], **_: object) -> None:
        heard.append((customer_ids, gone_ids))

    customers_changed.connect(listen)
    try:
        apply((first, first), (second, first))
    finally:
        customers_changed.disconnect(listen)

    assert heard == [([first.pk], [second.pk])]


def test_moving_on_brings_ids_merged_earlier_along():
    first, second, third = make_record("a"), make_record("b"), make_record("c")
    apply((second, second), (third, second))

    apply((first, first), (second, first), (third, first))

    assert {c.merged_into_id for c in Customer.objects.exclude(pk=first.pk)} == {first.pk}


def test_an_unknown_id_is_refused():
    for text in ("", "G-0000-0000", "no id at all"):
        with pytest.raises(identity.UnknownCustomer):
            identity.resolve(text)


def test_the_number_of_queries_does_not_depend_on_the_number_of_records():
    def queries(records: int) -> int:
        made = [make_record("crm") for _ in range(records + 1)]
        with CaptureQueriesContext(connection) as captured:
            apply(*[(record, made[0]) for record in made])
        return len(captured)

    assert queries(1) <= queries(20) == queries(30) < 50  # Few rows and their history: one.


@pytest.mark.parametrize("places", [(0, 1, 2), (2, 0, 1), (0, 4, 1, 3), (1, 2, 4, 3), (3, 3), ()])
def test_history_is_written_for_the_keys_asked_for_in_any_order(places: tuple[int, ...]):
    records = [make_record("crm") for _ in range(5)]

    record_history(SourceRecord, [records[place].pk for place in places], "~")

    written = SourceRecord.history.filter(history_type="~").values_list("id", flat=True)
    assert sorted(written) == sorted({records[place].pk for place in places})
