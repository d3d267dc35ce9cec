"""A file dropped into a watched folder is loaded once, in order, and put away with its reason."""

import os
from pathlib import Path

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils.translation import override

from mdm import jobs
from mdm.models import Job, LoadBatch, SourceRecord, SourceSystem
from tests.mdm.loading.files import csv_bytes, ends, load, row
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def inbox(settings, tmp_path):
    settings.WATCHED_FOLDERS = tmp_path / "inbox"
    settings.WATCH_SETTLE_SECONDS = 0
    return settings.WATCHED_FOLDERS / "tills"


@pytest.fixture
def source(inbox) -> SourceSystem:
    """A source with a mapping and a watched folder that a first look has made."""
    load(row("C0"))
    SourceSystem.objects.update(watched_folder="tills")
    sweep()
    return SourceSystem.objects.get()


def sweep() -> None:
    with override("en"):
        call_command("sweep_jobs")


def work() -> None:
    """Do what a worker would do."""
    for job in Job.objects.filter(state=Job.State.QUEUED):
        jobs.execute(str(job.pk))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def test_a_dropped_file_is_loaded_and_put_away(caplog, source, inbox):
    (inbox / "monday.csv").write_bytes(csv_bytes([row("C1"), row("C2")]))

    with caplog.at_level("INFO"):
        sweep()
    assert "1 files taken" in caplog.text
    assert names(inbox) == []
    assert names(inbox / "loading") == ["monday.csv"]
    work()
    sweep()

    assert ends(LoadBatch.objects.first()) == {"new": 2}
    assert (names(inbox / "loading"), names(inbox / "done")) == ([], ["monday.csv"])


def test_a_file_that_is_still_being_written_is_left_alone(source, inbox, settings):
    settings.WATCH_SETTLE_SECONDS = 10
    (inbox / "copied-with-its-date.csv").write_bytes(csv_bytes([row("C1")]))
    os.utime(inbox / "copied-with-its-date.csv", (1_000_000, 1_000_000))
    sweep()
    settings.WATCH_SETTLE_SECONDS = 0
    for name in (".hidden.csv", "x.csv.part", "x.csv.filepart", "x.csv~"):
        (inbox / name).write_bytes(csv_bytes([row("C1")]))
    (inbox / "folder").mkdir()
    (inbox / "link.csv").symlink_to("/etc/passwd")
    (inbox / "copied-with-its-date.csv").unlink()
    sweep()

    assert LoadBatch.objects.count() == 1
    assert names(inbox / "loading") == names(inbox / "refused") == []


def test_a_bad_file_is_refused_once_with_its_reason_and_without_a_job(source, inbox):
    (inbox / "bad.csv").write_bytes(b"id;nom\n1;2\n")
    (inbox / "good.csv").write_bytes(csv_bytes([row("C1")]))
    os.utime(inbox / "bad.csv", (1_000_000, 1_000_000))

    sweep()
    work()
    sweep()
    sweep()

    assert names(inbox / "refused") == ["bad.csv", "bad.csv.reason.txt"]
    reason = (inbox / "refused" / "bad.csv.reason.txt").read_text()
    assert "prenom" in reason
    assert names(inbox / "done") == ["good.csv"]
    assert Job.objects.filter(kind="load").count() == 2
    (inbox / "refused" / "link.reason.txt").symlink_to("/etc/passwd")
    page = client_of("steward").get(reverse("admin:mdm_sourcesystem_change", args=[source.pk]))
    assert "1 file in refused/" in page.text
    assert ("bad.csv", reason.strip()) in page.context["doors"]["folder"].reasons
    assert "prenom" in page.text
    assert "root:" not in page.text


def test_a_file_whose_load_fails_is_refused_with_the_reason_of_the_job(source, inbox):
    load(*[row(f"C{n}") for n in range(50)])
    SourceSystem.objects.update(file_mode="full")
    (inbox / "short.csv").write_bytes(csv_bytes([row("C1")]))

    sweep()
    work()
    sweep()

    assert names(inbox / "refused") == ["short.csv", "short.csv.reason.txt"]
    assert (inbox / "refused" / "short.csv.reason.txt").read_text().strip()
    assert SourceRecord.objects.active().count() == 50


def test_the_same_file_is_not_loaded_twice(source, inbox):
    content = csv_bytes([row("C1")])
    for name in ("one.csv", "again.csv", "one.csv"):
        (inbox / name).write_bytes(content)
        sweep()
        work()
        sweep()

    assert LoadBatch.objects.count() == 2
    found = names(inbox / "done")
    assert len([name for name in found if name.endswith("one.csv")]) == 2
    assert "again.csv.reason.txt" in found


def test_files_of_a_source_are_loaded_one_by_one_the_oldest_first(source, inbox):
    for age, name, given in ((3, "b.csv", "Bruno"), (2, "c.csv", "Chloé"), (1, "a.csv", "Anne")):
        (inbox / name).write_bytes(csv_bytes([row("C1", prenom=given)]))
        os.utime(inbox / name, (1_000_000 - age, 1_000_000 - age))

    taken = []
    for _round in range(3):
        sweep()
        sweep()
        taken.append(names(inbox / "loading"))
        work()

    assert taken == [["b.csv"], ["c.csv"], ["a.csv"]]
    assert SourceRecord.objects.get(source_key="C1").given_name == "Anne"


def test_a_file_whose_sweeper_died_is_taken_again(source, inbox, monkeypatch):
    (inbox / "loading" / "lost.csv").write_bytes(csv_bytes([row("C1")]))
    monkeypatch.setattr("mdm.loading.watched_folders._LOST_AFTER_SECONDS", 0)

    sweep()
    work()
    sweep()

    assert names(inbox / "done") == ["lost.csv"]


def test_two_sources_do_not_share_a_folder(source):
    other = SourceSystem(code="shop", label="Shop", watched_folder="tills")

    with pytest.raises(Exception, match=r"tills|folder|dossier|unique|contrainte"):
        other.full_clean()


@pytest.mark.parametrize("name", ["../etc", "/etc", "a/b", ".."])
def test_a_folder_lies_below_that_of_the_operator(source, name):
    source.watched_folder = name

    with pytest.raises(Exception, match="watched_folder"):
        source.full_clean()
