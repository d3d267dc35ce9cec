"""What is derived can be proved and rebuilt from the facts."""

import json

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F

from matching import codes, proving
from matching.models import ReviewTask
from matching.proving import compare
from mdm.models import (
    ContactPoint,
    Customer,
    CustomerEvent,
    GoldenRecord,
    SourceQuality,
    SourceRecord,
)
from tests.matching.factories import (
    customers_of,
    make_company,
    make_evidence,
    run_match,
    settled,
)
from tests.mdm.factories import make_record, make_records

pytestmark = pytest.mark.django_db


def test_untouched_derived_data_passes_the_check(capsys):
    make_record(family_name="Roux", email="roux@example.org")

    call_command("rebuild", "--check", "--json")

    found = json.loads(capsys.readouterr().out)
    assert found == {
        "customers": 1,
        "waiting": 0,
        "links": 0,
        "statuses": 0,
        "tasks": 0,
        "golden_records": 0,
        "shared_contact_points": 0,
        "permission_states": 0,
        "quality_figures": 0,
        "codes": 0,
        "blocking_keys": 0,
        "events": 0,
    }


def test_a_golden_record_changed_behind_our_back_is_found_and_rebuilt():
    record = make_record(family_name="Roux")
    GoldenRecord.objects.update(family_name="Noir")

    with pytest.raises(CommandError, match="differs"):
        call_command("rebuild", "--check")
    call_command("rebuild")

    golden = GoldenRecord.objects.get()
    assert golden.family_name == "Roux"
    assert golden.history.latest("history_date").history_change_reason == "rebuild"
    assert record.history.count() == 1


def test_a_miscounted_contact_point_is_found_and_counted_anew():
    make_record(email="roux@example.org")
    ContactPoint.objects.create(kind="email", value="gone@example.org", display="", shared_by=7)
    ContactPoint.objects.filter(value="roux@example.org").update(shared_by=12)

    with pytest.raises(CommandError, match="differs"):
        call_command("rebuild", "--check")
    call_command("rebuild")

    assert dict(ContactPoint.objects.values_list("value", "shared_by")) == {
        "gone@example.org": 0,
        "roux@example.org": 1,
    }
    call_command("rebuild", "--check")


def test_wrong_figures_of_quality_are_found_and_counted_anew():
    make_record(email="roux@example.org")
    call_command("rebuild")
    SourceQuality.objects.update(record_count=12)

    with pytest.raises(CommandError, match="differs"):
        call_command("rebuild", "--check")
    call_command("rebuild")

    assert SourceQuality.objects.get().record_count == 1
    call_command("rebuild", "--check")


def test_a_link_a_status_and_a_task_made_behind_our_back_are_found_and_mended(capsys):
    linked, apart, doubtful = (make_records([{"given_name": n}] * 2) for n in ("A", "B", "C"))
    make_evidence(*linked)
    make_evidence(*doubtful, 4.0, automatic=False)
    for pair in (linked, doubtful):
        settled(*pair)
    SourceRecord.objects.filter(pk=linked[1].pk).update(customer=linked[1].pk, link_rule="birth")
    Customer.objects.filter(pk=apart[0].pk).update(status="inactive")
    ReviewTask.objects.update(state="withdrawn")

    with pytest.raises(CommandError, match="is not what is so"):
        call_command("rebuild", "--check", "--json")
    found = json.loads(capsys.readouterr().out)
    call_command("rebuild")
    call_command("rebuild", "--check")

    assert (found["links"], found["statuses"], found["tasks"]) == (1, 2, 1)
    assert customers_of(*linked) == [linked[0].pk] * 2
    assert ReviewTask.objects.get().state == "open"


def test_events_that_tell_something_else_are_found():
    record = make_record(given_name="Anne")
    CustomerEvent.objects.filter(customer=record.pk).update(number=2)

    with pytest.raises(CommandError, match="see replay_events"):
        call_command("rebuild", "--check")


def test_records_that_wait_for_the_next_search_are_not_wrong_yet():
    make_company(20)
    run_match()
    [customer] = SourceRecord.objects.exclude(customer=F("pk")).values_list("customer_id")[:1][0]
    members = SourceRecord.objects.filter(customer=customer)
    for number, record in enumerate(members, start=1):
        SourceRecord.objects.filter(pk=record.pk).update(identifier=f"{number}" * 9)
    keys = list(members.values_list("pk", flat=True))

    assert compare().record_ids
    codes.follow_change(record_ids=keys)
    found = compare()

    assert not found.record_ids
    assert found.waiting_count >= len(keys)


@pytest.mark.parametrize("is_mended", [False, True])
def test_links_and_tasks_are_compared_alike_in_chunks_of_any_size(monkeypatch, is_mended):
    make_company(60)
    run_match()
    wrong = SourceRecord.objects.exclude(customer=F("pk")).order_by("pk").values_list("pk")[:6:2]
    SourceRecord.objects.filter(pk__in=[pk for (pk,) in wrong]).update(customer=F("pk"))
    ReviewTask.objects.filter(pk__in=ReviewTask.objects.values("pk")[:3]).delete()
    ReviewTask.objects.filter(pk__in=ReviewTask.objects.values("pk")[:2]).update(state="withdrawn")
    if is_mended:
        proving.mend(compare(), reason="rebuild")

    whole = compare()
    monkeypatch.setattr(proving, "_RECORDS_PER_CHUNK", 1)
    chunks = list(proving._closed_chunks())

    assert compare() == whole
    assert bool(whole.record_ids) is bool(whole.tasks) is not is_mended
    assert len(chunks) > 10
    assert sorted(key for chunk in chunks for key in chunk) == list(
        SourceRecord.objects.order_by("pk").values_list("pk", flat=True)
    )
