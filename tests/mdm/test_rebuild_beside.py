"""A check whose parts are compared by several processes finds what one process finds."""

import json

import pytest
from django.core.management import CommandError, call_command

from mdm.models import ContactPoint, GoldenRecord
from tests.mdm.factories import make_record

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


def test_two_processes_find_what_one_finds(capsys):
    make_record(family_name="Roux", email="roux@example.org")
    GoldenRecord.objects.update(family_name="Noir")
    ContactPoint.objects.update(shared_by=7)

    told = []
    for processes in (1, 2):
        with pytest.raises(CommandError, match="differs"):
            call_command("rebuild", "--check", "--json", "--processes", str(processes))
        told.append(json.loads(capsys.readouterr().out))

    assert told[0] == told[1]
    assert (told[1]["golden_records"], told[1]["shared_contact_points"]) == (1, 1)


@pytest.mark.parametrize("processes", ["0", "-1", "99", "two"])
def test_how_many_processes_is_a_small_number(processes):
    with pytest.raises(CommandError, match="from 1 to 32"):
        call_command("rebuild", "--check", f"--processes={processes}")


def test_two_processes_mend_what_differs(capsys):
    make_record(family_name="Roux", email="roux@example.org")
    GoldenRecord.objects.update(family_name="Noir")

    call_command("rebuild", "--json", "--processes", "2")

    assert json.loads(capsys.readouterr().out)["golden_records"] == 1
    golden = GoldenRecord.objects.get()
    assert (golden.family_name, golden.version) == ("Roux", 2)
    assert golden.history.latest().history_change_reason == "rebuild"
