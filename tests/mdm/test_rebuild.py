"""What is derived can be proved and rebuilt from the facts."""

import json

import pytest
from django.core.management import CommandError, call_command

from mdm.models import GoldenRecord
from tests.mdm.factories import make_record

pytestmark = pytest.mark.django_db


def test_untouched_derived_data_passes_the_check(capsys):
    make_record(family_name="Roux", email="roux@example.org")

    call_command("rebuild", "--check", "--json")

    found = json.loads(capsys.readouterr().out)
    assert found == {"customers": 1, "golden_records": 0, "permission_states": 0}


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
