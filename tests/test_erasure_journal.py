"""A backup that is brought back forgets again whom somebody erased since (I20, A-ERA-04)."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import translation

from consent.models import Suppression
from consent.sealing import seal_events
from consent.verification import verify
from mdm import erasure_journal
from mdm.erasure import ErasureRefused, erase
from mdm.models import Customer, Erasure, SourceRecord
from tests.consent.factories import record_event
from tests.database_copies import copied_database
from tests.mdm.factories import make_record
from tests.mdm.pages import client_of
from tests.test_erasure import CANARIES, found


@pytest.fixture(autouse=True)
def journal(settings, tmp_path: Path) -> Iterator[Path]:
    settings.LEDGER_FOLDER = tmp_path / "ledger"
    with translation.override("en"):
        yield settings.LEDGER_FOLDER / "erasures.jsonl"


def zyzanie(**values: object) -> SourceRecord:
    traits = {
        "given_name": "Zyzanie", "family_name": "Quenneville", "email": "zyzanie@example.com",
        "phone": "+33639980077", "street": "Canari lane", "key": "Z1",
    }  # fmt: skip
    return make_record(**{**traits, **values})


def forget(record: SourceRecord) -> None:
    erase(Customer.objects.get(pk=record.customer_id), reason="Request of the person", by=None)


def readiness() -> str:
    client = Client(headers={"accept-language": "en"})
    return client.get("/readyz").json()["erasures"]


@pytest.mark.django_db(transaction=True)
def test_a_restored_backup_forgets_her_again(tmp_path: Path, capsys):
    record = zyzanie()
    with transaction.atomic():
        record_event(record, "given")
    other = make_record(email="other@example.com", key="O1")
    seal_events()
    with copied_database("backup", tmp_path) as backup:
        forget(record)
        assert found(CANARIES) == set()
        backup.restore()

    assert "mdm_sourcerecord" in found(CANARIES)
    assert "older than 1 erasure in" in readiness()
    assert "older than 1 erasure in" in client_of("dpo").get(reverse("admin:index")).text
    with pytest.raises(CommandError, match="older"):
        call_command("replay_erasures", check=True)
    for erased in (1, 0):
        call_command("replay_erasures", json=True)
        told = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert told["erased_count"] == erased

    assert found(CANARIES) == set()
    assert readiness() == "ok"
    assert Suppression.objects.count() == 2
    assert Customer.objects.get(pk=other.customer_id).status == "active"
    seal_events()
    assert verify().bad is None
    call_command("rebuild", "--check")


@pytest.mark.django_db
def test_the_journal_holds_fingerprints_alone(journal: Path, settings):
    forget(zyzanie())

    text = journal.read_text()
    assert not [word for word in [*CANARIES, "Z1", "crm"] if word.casefold() in text.casefold()]
    assert journal.stat().st_mode & 0o777 == 0o600
    assert json.loads(text).keys() == {"digest", "key", "erased_at", "records", "suppressed"}
    settings.SUPPRESSION_KEYS = ["another"]
    with pytest.raises(CommandError, match="SUPPRESSION_KEYS"):
        call_command("replay_erasures")


@pytest.mark.django_db
def test_a_row_key_that_was_given_out_anew_names_nobody(journal: Path):
    """In the restored database her number belongs to somebody else."""
    forget(zyzanie())
    SourceRecord.objects.update(status="active", source_key="Someone else")
    Customer.objects.update(status="active")
    Erasure.objects.all().delete()

    call_command("replay_erasures")

    assert SourceRecord.objects.get().status == "active"
    assert readiness() == "ok"


@pytest.mark.django_db
def test_whom_an_older_database_joins_with_another_is_not_erased_along():
    record, other = zyzanie(), make_record(email="other@example.com", key="O1")
    digest = erasure_journal.entry_of([record.pk], {})
    erasure_journal.write(digest)
    SourceRecord.objects.filter(pk=other.pk).update(customer=record.customer)

    with pytest.raises(CommandError, match=Customer.objects.get(pk=record.pk).public_id):
        call_command("replay_erasures")

    assert set(SourceRecord.objects.values_list("status", flat=True)) == {"active"}
    assert readiness() != "ok"


@pytest.mark.django_db
def test_whom_a_later_file_brings_back_is_erased_by_the_next_replay(journal: Path):
    """The backup did not know her yet, so nothing kept the file from making her anew."""
    entry = erasure_journal.entry_of([zyzanie().pk], {"suppressed": [["f" * 64, "k" * 8]]})
    SourceRecord.objects.update(source_key="gone")
    erasure_journal.write(entry)
    call_command("replay_erasures")
    assert Suppression.objects.get().fingerprint == "f" * 64

    SourceRecord.objects.update(source_key="Z1")
    call_command("replay_erasures")

    assert SourceRecord.objects.get().status == "erased"


@pytest.mark.django_db
def test_who_was_erased_before_there_was_a_journal_is_written_down(journal: Path):
    forget(zyzanie())
    before = json.loads(journal.read_text())
    journal.unlink()

    call_command("replay_erasures")
    call_command("replay_erasures")

    (line,) = journal.read_text().splitlines()
    assert json.loads(line)["records"] == before["records"]


@pytest.mark.django_db
def test_nobody_is_erased_when_the_journal_cannot_be_written(settings, tmp_path: Path):
    record = zyzanie()
    settings.LEDGER_FOLDER = tmp_path / "file"
    settings.LEDGER_FOLDER.write_text("no folder")

    with pytest.raises(ErasureRefused, match="journal"):
        forget(record)

    assert SourceRecord.objects.get().email == "zyzanie@example.com"
    assert not Erasure.objects.exists()


@pytest.mark.django_db
def test_a_line_that_was_cut_off_hides_no_other(journal: Path):
    forget(zyzanie())
    with journal.open("a") as file:
        file.write('{"digest": "x", "rec')

    assert len(erasure_journal.entries()) == 1
