"""Uploaded files and rejected rows go when their time is over, and not before."""

import io
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as configured
from django.core.management import call_command
from django.utils.timezone import now

from mdm import heartbeats, jobs
from mdm.loading import retention
from mdm.loading.batches import start_load
from mdm.loading.stored_files import location
from mdm.models import Heartbeat, Job, LoadBatch, RejectedRow
from tests.mdm.loading.files import DOCUMENT, csv_bytes, load_bytes, row

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def data_folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "uploads"
    settings.WATCHED_FOLDERS = tmp_path / "inbox"
    settings.FILE_UPLOAD_TEMP_DIR.mkdir()


def upload(**options: object) -> LoadBatch:
    return start_load(
        io.BytesIO(csv_bytes([row("C1")])),
        file_name="crm.csv",
        source_code="crm",
        document=DOCUMENT,
        by=None,
        is_foreground=True,
        **options,
    )


def age(batch: LoadBatch, **time: int) -> None:
    LoadBatch.objects.filter(pk=batch.pk).update(created_at=now() - timedelta(**time))


def is_kept(batch: LoadBatch) -> bool:
    batch.refresh_from_db()
    return bool(batch.stored_file) and location(batch.stored_file).exists()


def test_a_stored_file_is_nobodys_but_ours_and_gone_after_its_load():
    """Mode 0600, deleted when the load has ended (A-IMP-13)."""
    batch = upload()

    path = location(batch.stored_file)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert "crm" not in path.name
    jobs.run_now(batch.job)

    assert not [file for file in (configured.DATA_DIR / "loads").iterdir() if file.is_file()]


def test_the_file_of_a_job_that_was_stopped_while_it_waited_goes():
    batch = upload()
    jobs.request_cancel(batch.job)

    assert retention.purge()["files"] == 1
    assert not is_kept(batch)


def test_a_waiting_load_keeps_its_file_however_long():
    batch = upload()
    age(batch, days=99)

    retention.purge()

    assert is_kept(batch)


@pytest.mark.parametrize(("days", "kept"), [(6, True), (8, False)])
def test_a_preview_nobody_came_back_to_goes_after_its_days(days, kept):
    batch = upload(is_preview=True)
    jobs.run_now(batch.preview_job)
    age(batch, days=days)

    retention.purge()

    assert is_kept(batch) is kept


@pytest.mark.parametrize(("days", "kept"), [(6, True), (8, False)])
def test_a_failed_load_may_be_started_again_for_some_days(days, kept):
    batch = upload()
    Job.objects.filter(pk=batch.job_id).update(state=Job.State.FAILED)
    age(batch, days=days)

    retention.purge()

    assert is_kept(batch) is kept


@pytest.mark.parametrize(("days", "count"), [(29, 1), (31, 0)])
def test_rejected_rows_go_after_their_days(days, count):
    batch = load_bytes(csv_bytes([row("")]))
    age(batch, days=days)

    retention.purge()

    assert RejectedRow.objects.count() == count
    assert batch.rejected_count == 1


def test_leftovers_go_and_young_or_known_files_stay(monkeypatch):
    """What broke off leaves nothing for long (A-IMP-13)."""
    batch = upload()
    orphan = Path(configured.DATA_DIR) / "loads" / "0123abcd.staged"
    broken_off = Path(configured.FILE_UPLOAD_TEMP_DIR) / "tmp.upload"
    for path in (orphan, broken_off):
        path.write_text("Anne")
    retention.purge()
    assert orphan.exists()
    assert broken_off.exists()
    monkeypatch.setattr(retention, "_YOUNG_SECONDS", -1)

    assert retention.purge()["leftovers"] == 2
    assert not orphan.exists()
    assert not broken_off.exists()
    assert is_kept(batch)


def test_what_a_watched_folder_put_away_goes_after_its_days(monkeypatch, settings):
    batch = upload()
    batch.source.watched_folder = "tills"
    batch.source.save()
    done = Path(settings.WATCHED_FOLDERS) / "tills" / "done"
    done.mkdir(parents=True)
    (done / "old.csv").write_text("Anne")
    retention.purge()
    assert (done / "old.csv").exists()
    settings.UPLOAD_KEEP_DAYS = 0
    monkeypatch.setattr(retention, "now", lambda: now() + timedelta(seconds=5))

    retention.purge()

    assert not (done / "old.csv").exists()


def test_the_sweeper_purges_once_an_hour():
    first = upload()
    jobs.request_cancel(first.job)
    call_command("sweep_jobs")
    assert not is_kept(first)
    second = upload()
    jobs.request_cancel(second.job)
    call_command("sweep_jobs")
    assert is_kept(second)
    Heartbeat.objects.filter(name="retention").update(beat_at=now() - timedelta(hours=2))

    call_command("sweep_jobs")

    assert not is_kept(second)
    assert heartbeats.silence("retention") < timedelta(minutes=1)
