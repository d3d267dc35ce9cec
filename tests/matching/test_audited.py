"""A row written together with its history is what `save` and simple-history would have written."""

import pytest

from matching.models import Repair
from mdm import audited
from mdm.audit import acting_as
from tests.matching.factories import anne, make_steward
from tests.mdm.factories import make_records

pytestmark = pytest.mark.django_db
_OF_ITS_OWN = {"id", "done_at", "history_id", "history_date"}


def told(rows):
    return [
        {name: value for name, value in row.items() if name not in _OF_ITS_OWN}
        for row in rows.values()
    ]


def test_what_is_created_is_what_is_saved():
    steward, [record] = make_steward(), make_records([anne()])
    values = {
        "kind": Repair.Kind.UNLINK,
        "customer_id": record.customer_id,
        "record_ids": [record.pk, 2],
        "done_by": steward,
    }
    with acting_as(steward, "because"):
        saved = Repair.objects.create(**values)
        audited.create(created := Repair(**values))

    one, other = (Repair.objects.filter(pk=made.pk) for made in (saved, created))
    assert created.pk > saved.pk
    assert told(one) == told(other)
    assert created.done_at == other.get().done_at
    history = [Repair.history.filter(id=made.pk) for made in (saved, created)]
    assert [len(rows) for rows in history] == [1, 1]
    assert told(history[0]) == told(history[1])


def test_a_created_object_can_be_saved_again():
    steward, [record] = make_steward(), make_records([anne()])
    made = Repair(kind=Repair.Kind.APART, customer_id=record.customer_id, done_by=steward)
    audited.create(made)

    made.kind = Repair.Kind.CONFIRM
    made.save()

    assert list(Repair.objects.values_list("pk", "kind")) == [(made.pk, Repair.Kind.CONFIRM)]
