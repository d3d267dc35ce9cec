"""`seed_demo`: the demo company goes in by the same door as anybody's files, once."""

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from consent.models import ConsentEvent
from matching.models import MatchRun
from mdm.models import Contract, LoadBatch, Sale, SourceRecord, SourceSystem

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def scratch_data_dir(settings, tmp_path):
    settings.DATA_DIR = tmp_path


def test_every_line_of_the_three_files_becomes_a_record():
    call_command("seed_demo", rows=300, match=False)

    assert SourceRecord.objects.count() == 300
    assert set(SourceSystem.objects.values_list("code", flat=True)) == {
        "crm",
        "shop",
        "newsletter",
    }
    assert not LoadBatch.objects.filter(rejected_count__gt=0).exists()


def test_the_company_brings_sales_contracts_and_answers_about_consent():
    call_command("seed_demo", rows=300, match=False)

    assert Sale.objects.exists()
    assert Contract.objects.exists()
    assert ConsentEvent.objects.exists()


def test_a_second_call_goes_on_with_the_company_that_is_there(capsys):
    call_command("seed_demo", rows=200, match=False)

    call_command("seed_demo", match=False)

    assert SourceRecord.objects.count() == 200
    assert "200" in capsys.readouterr().out


def test_another_company_is_refused_in_one_sentence():
    call_command("seed_demo", rows=200, match=False)

    with pytest.raises(CommandError, match="demo-reset"):
        call_command("seed_demo", rows=300, match=False)

    assert SourceRecord.objects.count() == 200


def test_matching_is_part_of_it_unless_left_out():
    call_command("seed_demo", rows=300, match=False)
    assert not MatchRun.objects.exists()

    call_command("seed_demo")

    assert MatchRun.objects.count() == 1


def test_no_rows_is_refused():
    with pytest.raises(CommandError, match="--rows"):
        call_command("seed_demo", rows=0)
