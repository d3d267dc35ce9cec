"""A full file says what its source does not know any more."""

import io

import pytest

from mdm import jobs
from mdm.loading.batches import preview_once
from mdm.models import (
    Customer,
    GoldenRecord,
    LoadBatch,
    SourceRecord,
)
from tests.mdm.loading.files import csv_bytes, ends, load, load_bytes, row

pytestmark = pytest.mark.django_db


def full(keys: range, **values: str) -> LoadBatch:
    return load(*[row(f"C{n}", **values) for n in keys], mode="full")


def test_a_full_file_deletes_what_it_lacks_and_a_delta_does_not():
    full(range(40))
    assert ends(load(row("C0"))) == {"same": 1}

    batch = full(range(1, 40))

    gone = SourceRecord.objects.get(source_key="C0")
    assert ends(batch) == {"same": 39, "deleted": 1}
    assert gone.status == SourceRecord.Status.DELETED
    assert Customer.objects.get(pk=gone.pk).status == Customer.Status.INACTIVE
    assert not GoldenRecord.objects.filter(pk=gone.pk).exists()


def test_a_record_that_comes_back_is_the_same_customer():
    full(range(40))
    full(range(1, 40))

    batch = full(range(40))

    back = SourceRecord.objects.get(source_key="C0")
    assert ends(batch) == {"changed": 1, "same": 39}
    assert (back.status, back.customer_id) == (SourceRecord.Status.ACTIVE, back.pk)
    assert Customer.objects.get(pk=back.pk).status == Customer.Status.ACTIVE
    assert GoldenRecord.objects.filter(pk=back.pk).exists()


def test_a_full_file_that_lacks_too_much_is_refused_before_any_change():
    full(range(40))

    with pytest.raises(jobs.JobFailed, match="40"):
        full(range(10), nom="OTHER")

    assert SourceRecord.objects.active().count() == 40
    assert not SourceRecord.objects.filter(family_name="Other").exists()


@pytest.mark.parametrize("preview", [False, True])
def test_a_line_that_is_surely_nobody_keeps_no_deletion_back(preview):
    full(range(40))
    rows = [row(f"C{n}") for n in range(1, 40)]
    content = csv_bytes([*rows, {"id": "Total : 39"}])

    if preview:
        figures, _samples = preview_once(
            io.BytesIO(content), file_name="crm.csv", source_code="crm", mode="full"
        )
        assert (figures["deleted"], figures["deletions_withheld"]) == (1, False)
    else:
        assert ends(load_bytes(content, mode="full")) == {"same": 39, "rejected": 1, "deleted": 1}


def test_a_full_file_with_rejected_rows_deletes_nothing():
    full(range(40))
    content = csv_bytes([row(f"C{n}") for n in range(1, 40)]) + b"C0;cut off\r\n"

    batch = load_bytes(content, mode="full")

    assert ends(batch) == {"same": 39, "rejected": 1}
    assert batch.job is not None
    assert batch.job.result["deletions_withheld"] is True
    assert SourceRecord.objects.active().count() == 40
