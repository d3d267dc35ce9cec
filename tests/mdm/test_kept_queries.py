"""Queries that are put together once give what their querysets give, whoever asks, and when."""

import threading
from collections.abc import Collection
from typing import Any

import pytest
from django.db import connection
from django.db.models import Q, QuerySet
from django.db.transaction import TransactionManagementError

from mdm.identity import lock_customers
from mdm.kept_queries import kept, kept_objects
from mdm.key_sets import AnyOf, among
from mdm.models import SourceRecord
from tests.matching.factories import anne
from tests.mdm.factories import make_records

pytestmark = pytest.mark.django_db
_COLUMNS = ("pk", "source__one_record_per_person", "birth_date", "issues", "linked_at", "raw")


def _records(keys: Collection[int], status: str) -> QuerySet[SourceRecord, tuple[Any, ...]]:
    records = SourceRecord.objects.filter(among("pk", keys), status=status)
    return records.order_by("pk").values_list(*_COLUMNS)


@kept
def _kept(keys: Collection[int], *, status: str) -> QuerySet[SourceRecord, tuple[Any, ...]]:
    return _records(keys, status)


@kept
def _two_sets(
    some: Collection[int], others: Collection[int]
) -> QuerySet[SourceRecord, tuple[int, int]]:
    either = Q(AnyOf("pk", some)) | Q(AnyOf("customer", others))
    return SourceRecord.objects.filter(either).order_by("pk").values_list("pk", "customer_id")


def test_rows_are_those_of_the_queryset_with_other_keys_and_other_conditions():
    records = make_records([anne(), anne("shop"), anne("web", birth_date="1980-02-29")])
    SourceRecord.objects.filter(pk=records[2].pk).update(status=SourceRecord.Status.DELETED)
    keys = [record.pk for record in records]

    for asked in (keys, keys[1:], [], {keys[2], 0}, range(keys[0], keys[2])):
        for status in (SourceRecord.Status.ACTIVE, SourceRecord.Status.DELETED):
            assert _kept(asked, status=status) == list(_records(list(asked), status))


def test_a_query_is_put_together_once(django_assert_num_queries):
    [record] = make_records([anne()])
    asked = []

    @kept
    def counted(keys: Collection[int]) -> QuerySet[SourceRecord, tuple[int]]:
        asked.append(keys)
        return SourceRecord.objects.filter(among("pk", keys)).values_list("pk")

    with django_assert_num_queries(3):
        assert [counted([key]) for key in (record.pk, 0, record.pk)] == [
            [(record.pk,)],
            [],
            [(record.pk,)],
        ]
    assert len(asked) == 1


def test_sets_of_keys_do_not_mix():
    one, other, third = make_records([anne(), anne("shop"), anne("web")])

    found = _two_sets([one.pk], [third.customer_id])

    assert found == [(r.pk, r.customer_id) for r in (one, third)]
    assert _two_sets([], [other.customer_id]) == [(other.pk, other.customer_id)]


@pytest.mark.django_db(transaction=True)
def test_customers_are_locked_inside_of_a_transaction_or_not_at_all():
    [record] = make_records([anne()])

    if connection.features.has_select_for_update:
        with pytest.raises(TransactionManagementError):
            lock_customers([record.customer_id])


@pytest.mark.django_db(transaction=True)
def test_threads_share_what_is_kept():
    keys = [record.pk for record in make_records([anne(), anne("shop")])]
    expected = _kept(keys, status=SourceRecord.Status.ACTIVE)
    found = []

    def ask() -> None:
        try:
            found.append(_kept(keys, status=SourceRecord.Status.ACTIVE))
        finally:
            connection.close()

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()

    assert found == [expected]


def test_objects_are_those_of_the_queryset():
    one, _other = make_records([anne(), anne("shop")])

    @kept_objects(SourceRecord)
    def objects(keys: Collection[int]) -> QuerySet[SourceRecord]:
        return SourceRecord.objects.filter(among("pk", keys))

    [found] = objects([one.pk])

    stored = SourceRecord.objects.get(pk=one.pk)
    assert [getattr(found, f.attname) for f in SourceRecord._meta.concrete_fields] == [
        getattr(stored, f.attname) for f in SourceRecord._meta.concrete_fields
    ]
    assert found == stored
    assert (found._state.adding, found._state.db) == (False, stored._state.db)
