"""`restandardise` from a shell: what loading every raw row again would give, and nothing more."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from mdm import restandardising
from mdm.models import (
    ATTRIBUTES,
    GoldenRecord,
    Job,
    PostcodeTown,
    RecordContactPoint,
    SourceRecord,
)
from mdm.standardise import VERSION
from tests.mdm.loading.files import DOCUMENT, csv_bytes, load_bytes, row

pytestmark = pytest.mark.django_db

ADDRESSED = {
    "source": DOCUMENT["source"],
    "column": [
        *DOCUMENT["column"],
        {"name": "cp", "attribute": "postcode"},
        {"name": "ville", "attribute": "city"},
    ],
}


def run(**options: Any) -> dict[str, Any]:
    out = StringIO()
    call_command("restandardise", json=True, stdout=out, **options)
    return json.loads(out.getvalue())


def stored() -> list[tuple[Any, ...]]:
    columns = ("source_key", "issues", "content_hash", "standardiser_version", *ATTRIBUTES)
    return list(SourceRecord.objects.order_by("pk").values_list(*columns))


def carried() -> set[tuple[str, str, str]]:
    return set(
        RecordContactPoint.objects.values_list(
            "record__source_key", "attribute", "contact_point__value"
        )
    )


def make_old(key: str, **values: str) -> SourceRecord:
    """Store what an earlier version of the rules might have made of a row."""
    SourceRecord.objects.filter(source_key=key).update(
        standardiser_version=VERSION - 1, content_hash="0" * 64, **values
    )
    return SourceRecord.objects.get(source_key=key)


@pytest.fixture
def loaded():
    rows = [row(f"C{n}", prenom="marie-line", email=f"c{n}@example.org") for n in range(5)]
    load_bytes(csv_bytes(rows))
    return rows


def test_old_values_become_what_a_load_would_make_of_them(loaded):
    fresh = (stored(), carried())
    record = make_old("C2", given_name="MARIE-LINE", email="")
    RecordContactPoint.objects.filter(record=record).delete()

    figures = run()

    assert (figures["records"], figures["changed"]) == (5, 1)
    assert (stored(), carried()) == fresh
    golden = GoldenRecord.objects.get(pk=record.customer_id)
    assert (golden.given_name, golden.email) == ("Marie-Line", "c2@example.org")
    assert load_bytes(csv_bytes(loaded)).same_count == 5


def test_only_what_differs_is_written_into_the_history(loaded):
    make_old("C1", given_name="X")
    make_old("C3")  # The values are already right: only the version is old.
    before = SourceRecord.history.count()

    run()

    assert SourceRecord.history.count() == before + 1
    [newest] = SourceRecord.history.order_by("-history_id")[:1]
    assert (newest.source_key, newest.given_name) == ("C1", "Marie-Line")
    assert str(VERSION) in newest.history_change_reason
    assert set(SourceRecord.objects.values_list("standardiser_version", flat=True)) == {VERSION}


def test_a_second_run_changes_nothing(loaded):
    make_old("C1", given_name="X")
    run()
    before = (stored(), SourceRecord.history.count())

    assert run()["changed"] == 0
    assert (stored(), SourceRecord.history.count()) == before


def test_a_killed_run_goes_on_where_it_stopped(loaded, monkeypatch):
    fresh = stored()
    for key in ("C0", "C1", "C2", "C3", "C4"):
        make_old(key, given_name="X")
    monkeypatch.setattr(
        restandardising, "_CHUNK_SIZE", dict.fromkeys(restandardising._CHUNK_SIZE, 2)
    )
    write, written = restandardising._write, []

    def die_in_the_second_chunk(chunk):
        write(chunk)
        written.append(chunk.keys)
        if len(written) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(restandardising, "_write", die_in_the_second_chunk)
    with pytest.raises(KeyboardInterrupt):
        run()
    job = Job.objects.get(kind="restandardise")
    assert (job.state, job.cursor["records"]) == (Job.State.RUNNING, 2)
    assert SourceRecord.objects.filter(given_name="X").count() == 3  # The second chunk is undone.

    figures = run()

    assert (figures["records"], figures["changed"]) == (5, 5)
    assert [len(keys) for keys in written] == [2, 2, 2, 1]
    assert written[0] != written[2]
    assert stored() == fresh
    assert Job.objects.filter(kind="restandardise").count() == 1


def test_a_record_that_a_load_changed_meanwhile_is_left_to_it(loaded, monkeypatch):
    make_old("C1", given_name="X")
    write = restandardising._write

    def load_first(chunk):
        SourceRecord.objects.filter(source_key="C1").update(
            content_hash="f" * 64, given_name="Loaded"
        )
        write(chunk)

    monkeypatch.setattr(restandardising, "_write", load_first)
    run()

    assert SourceRecord.objects.get(source_key="C1").given_name == "Loaded"


def test_an_erased_record_is_left_alone(loaded):
    record = make_old("C1", given_name="", status=SourceRecord.Status.ERASED)

    assert run()["records"] == 4
    record.refresh_from_db()
    assert record.given_name == ""


def test_one_source_can_be_asked_for_and_must_be_known(loaded):
    make_old("C1", given_name="X")

    assert run(source="crm")["changed"] == 1
    with pytest.raises(CommandError, match="erp"):
        run(source="erp")


def test_the_work_can_be_left_to_a_worker(loaded):
    make_old("C1", given_name="X")

    job = Job.objects.get(pk=run(queue=True)["job"])

    assert job.kind == "restandardise"


def test_a_table_of_postcodes_makes_towns_checked(tmp_path: Path):
    rows = [
        row("C1") | {"cp": "44000", "ville": "NANTES CEDEX 1"},
        row("C2") | {"cp": "44000", "ville": "Rennes"},
        row("C3") | {"cp": "44999", "ville": "Nantes"},
        row("C4") | {"cp": "01000", "ville": "st denis les bourg"},
    ]
    columns = (*(column["name"] for column in DOCUMENT["column"]), "cp", "ville")
    content = csv_bytes(rows, columns)
    load_bytes(content, document=ADDRESSED)
    file = tmp_path / "laposte.csv"
    file.write_text(
        "#Code_commune_INSEE;Nom_de_la_commune;Code_postal;Libellé_d_acheminement;Ligne_5\n"
        "44109;NANTES;44000;NANTES;\n35238;RENNES;35000;RENNES;\n"
        "01344;ST DENIS LES BOURG;1000;SAINT DENIS LES BOURG;\n",
        encoding="utf-8",
    )

    call_command("load_postcodes", file, stdout=StringIO())
    run()

    issues = dict(SourceRecord.objects.values_list("source_key", "issues"))
    assert issues["C2"] == [["city", "wrong_town"]]
    assert issues["C3"] == [["postcode", "unknown_postcode"]]
    assert issues["C4"] == []
    assert load_bytes(content, document=ADDRESSED).same_count == 4


def test_the_table_of_postcodes_is_replaced_or_stays_whole(tmp_path: Path):
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("code_postal,nom\n44000,Nantes\n44000,Nantes\n99999,Nowhere\n")
    bad.write_text("code_postal,population\n44000,300000\n")

    out = StringIO()
    call_command("load_postcodes", good, json=True, stdout=out)
    with pytest.raises(CommandError, match="code_postal"):
        call_command("load_postcodes", bad)

    assert json.loads(out.getvalue()) == {"towns": 1}
    assert [str(town) for town in PostcodeTown.objects.all()] == ["44000 Nantes"]
