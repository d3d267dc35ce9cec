"""What is derived can be proved and rebuilt from the facts."""

import json

import pytest
from django.core.management import CommandError, call_command

from mdm.models import ContactPoint, GoldenRecord, SourceQuality
from tests.mdm.factories import make_record

pytestmark = pytest.mark.django_db


def test_untouched_derived_data_passes_the_check(capsys):
    make_record(family_name="Roux", email="roux@example.org")

    call_command("rebuild", "--check", "--json")

    found = json.loads(capsys.readouterr().out)
    assert found == {
        "customers": 1,
        "golden_records": 0,
        "shared_contact_points": 0,
        "permission_states": 0,
        "quality_figures": 0,
        "codes": 0,
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
