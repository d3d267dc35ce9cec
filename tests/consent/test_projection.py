"""Stored permission states follow the events, whoever writes at the same time."""

import threading

import pytest
from django.db import connection, transaction

from consent.ledger import NewEvent, record_events
from consent.models import ConsentEvent, PermissionState
from consent.projection import project, rebuild
from mdm import identity
from mdm.models import SourceRecord
from tests.consent.factories import email_of, marketing, record_event
from tests.mdm.factories import make_record, make_records


@pytest.fixture
def record() -> SourceRecord:
    return make_record(email="ada@example.com")


@pytest.mark.django_db
def test_a_merge_moves_no_event_and_parting_gives_back_what_was():
    one, two = make_records(
        [{"email": "a@example.com"}, {"source": "shop", "email": "b@example.com"}]
    )
    record_event(one, "given")
    record_event(two, "refused", purpose=marketing())
    events = list(ConsentEvent.objects.values_list("pk", "source_record", "contact_point"))
    states = sorted(PermissionState.objects.values_list("customer", "state", "since"))

    identity.apply_links([identity.Link(two.pk, one.pk, "auto")], user=None, reason="Merge.")
    merged = set(PermissionState.objects.values_list("customer", "state"))
    identity.apply_links([identity.Link(two.pk, two.pk, "birth")], user=None, reason="Part.")

    assert merged == {(one.pk, "refused")}
    assert sorted(PermissionState.objects.values_list("customer", "state", "since")) == states
    assert list(ConsentEvent.objects.values_list("pk", "source_record", "contact_point")) == events


@pytest.mark.django_db
def test_a_rebuild_finds_and_mends_what_differs(record: SourceRecord):
    record_event(record, "given")
    PermissionState.objects.update(state="refused")
    record_event_without_projection(record)

    found = rebuild(check=True)
    mended = rebuild()

    assert (found.difference_count, mended.difference_count) == (2, 2)
    assert rebuild(check=True).difference_count == 0
    assert found.customer_count == 1


def record_event_without_projection(record: SourceRecord, channel: str = "phone") -> None:
    event = NewEvent(record.pk, "objection", channel, None, None, "person", fact=(record, channel))
    record_events([event])


@pytest.fixture
def withdrawing(record: SourceRecord) -> threading.Thread:
    """Another connection that withdraws everything and folds, as a click on a link does."""

    def withdraw() -> None:
        try:
            with transaction.atomic():
                record_event_without_projection(record, "*")
                project([record.customer_id])
        finally:
            connection.close()

    return threading.Thread(target=withdraw)


@pytest.mark.django_db(transaction=True)
def test_an_objection_recorded_while_a_load_folds_is_not_lost(
    record: SourceRecord, withdrawing: threading.Thread
):
    with transaction.atomic():
        claim = NewEvent(
            record.pk, "given", "email", marketing().pk, email_of(record).pk, "import", fact=(1,)
        )
        record_events([claim])
        project([record.customer_id])
        withdrawing.start()
        withdrawing.join(timeout=1)  # It waits for this transaction.
    withdrawing.join()

    states = PermissionState.objects.values_list("channel", "state")
    assert set(states) == {("email", "objected"), ("*", "objected")}
    assert rebuild(check=True).difference_count == 0
