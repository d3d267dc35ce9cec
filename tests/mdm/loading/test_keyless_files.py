"""Files without a key: a newsletter's list, a sheet typed by hand. Columns make the key."""

import csv
import io
import json
import sqlite3
from io import StringIO
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mdm import jobs
from mdm.loading.row_keys import made_key
from mdm.models import FieldMapping, Job, LoadBatch, MappingDraft, SourceRecord, SourceSystem
from mdm.proposals.keys import propose_key
from tests.examples import histories
from tests.mdm.loading.files import ends, load_bytes
from tests.mdm.loading.test_load_properties import chunks_of
from tests.mdm.loading.test_mapping_pages import NEW, page_of, upload, values_of
from tests.mdm.loading.test_undo import undo_batch
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db

DOCUMENT: dict[str, Any] = {
    "source": {"label": "Lettre", "region": "FR"},
    "key_from": ["email"],
    "column": [
        {"name": "email", "attribute": "email"},
        {"name": "nom", "attribute": "family_name"},
        {"name": "ville", "attribute": "city"},
    ],
}
NAMED = {**DOCUMENT, "key_from": ["nom", "ville"]}
COLUMNS = ("email", "nom", "ville")
ANNE = ("anne@example.org", "LE GOFF", "Brest")
JEAN = ("jean@example.org", "DUPONT", "Lyon")


def sheet(*rows: tuple[str, ...], columns: tuple[str, ...] = COLUMNS) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=";", lineterminator="\r\n").writerows([columns, *rows])
    return text.getvalue().encode()


def load(*rows: tuple[str, ...], document: Any = DOCUMENT, **options: Any) -> LoadBatch:
    return load_bytes(sheet(*rows), document=document, **options)


def people() -> dict[str, str]:
    """Return family name → key of active records."""
    return dict(SourceRecord.objects.active().values_list("family_name", "source_key"))


@pytest.fixture
def steward() -> Client:
    return client_of("steward")


def test_a_list_of_addresses_is_loaded_and_twice_is_once():
    assert ends(load(ANNE, JEAN)) == {"new": 2}
    assert ends(load(ANNE, JEAN)) == {"same": 2}

    again = load(("  ANNE@Example.ORG ", "Le Goff", "Quimper"))

    assert ends(again) == {"changed": 1}
    assert SourceRecord.objects.get(family_name="Le Goff").city == "Quimper"


def test_the_order_of_columns_changes_no_key():
    load(ANNE, JEAN, document=NAMED)
    turned = sheet((*ANNE[::-1],), (*JEAN[::-1],), columns=COLUMNS[::-1])
    other = {**NAMED, "key_from": ["VILLE", "nom"]}

    assert ends(load_bytes(turned, document=other)) == {"same": 2}


def test_a_key_holds_nothing_of_the_person():
    load(ANNE, JEAN)

    keys = people().values()
    assert all(len(key) == 24 and int(key, 16) for key in keys)
    assert made_key(["anne@example.org"]) in keys


def test_values_do_not_run_into_one_another():
    assert made_key(["ab", "c"]) != made_key(["a", "bc"]) != made_key(["abc", ""])
    assert made_key(["a", ""]) != made_key(["", "a"])
    assert made_key(["a\x1fb"]) == made_key(["a b"]) != made_key(["a", "b"])
    assert made_key([" \u200b", "\t"]) == ""


def test_of_two_rows_with_the_same_values_the_later_counts():
    batch = load(ANNE, ("Anne@example.org", "MARTIN", "Nice"), JEAN)

    assert ends(batch) == {"new": 2, "stale": 1}
    assert set(people()) == {"Martin", "Dupont"}


def test_a_changed_part_is_a_new_record_and_a_full_file_deletes_the_old_one():
    many = [(f"p{n}@example.org", "DURAND", "Lyon") for n in range(40)]
    load(ANNE, *many)
    moved = ("anne@new.example.org", *ANNE[1:])

    assert ends(load(moved)) == {"new": 1}
    assert SourceRecord.objects.active().filter(family_name="Le Goff").count() == 2
    assert ends(load(moved, *many, mode="full")) == {"same": 41, "deleted": 1}
    assert SourceRecord.objects.active().get(family_name="Le Goff").email == moved[0]


def test_a_row_without_any_part_is_rejected_corrected_and_loaded(steward):
    batch = load(ANNE, ("", "=PETIT", "Nice"), (" ", "ROUX", "Lille"))

    assert ends(batch) == {"new": 1, "rejected": 2}
    rejected = batch.rejected_rows.first()
    assert (rejected.reason, rejected.column) == ("no_key_parts", "email")
    page = steward.get(reverse("mdm:batch", args=[batch.pk])).text
    assert "Known again by" in page
    assert "The columns that make the key are all blank" in page
    returned = b"".join(
        steward.get(reverse("mdm:batch-rejects", args=[batch.pk])).streaming_content
    ).decode("utf-8-sig")
    head, first, second = returned.splitlines()
    corrected = [head, first.replace(";;'=PETIT", ";eve@example.org;'=PETIT"), second]

    again = load_bytes("\r\n".join(corrected).encode(), document=DOCUMENT)

    assert ends(again) == {"new": 1, "rejected": 1}
    assert SourceRecord.objects.get(email="eve@example.org").raw["nom"] == "=PETIT"


def test_some_parts_are_enough_for_a_key():
    assert ends(load(("", "PETIT", ""), ("", "", "Nice"), document=NAMED)) == {"new": 2}


def test_such_a_file_is_undone_and_comes_back():
    load(ANNE)
    batch = load(("ANNE@example.org", "MARTIN", "Nice"), JEAN)

    assert undo_batch(batch) == {"restored": 1, "deleted": 1}
    assert set(people()) == {"Le Goff"}
    assert ends(load(JEAN)) == {"changed": 1}


def test_the_command_previews_and_loads_by_a_toml_file(tmp_path):
    (tmp_path / "list.csv").write_bytes(sheet(ANNE, JEAN))
    (tmp_path / "lettre.toml").write_text(
        'key_from = ["E-mail", "nom"]\n[source]\nlabel = "Lettre"\n'
        '[[column]]\nname = "nom"\nattribute = "family_name"\n'
    )
    (tmp_path / "list.csv").write_bytes(sheet(ANNE, JEAN, columns=("E-Mail", "nom", "ville")))

    told = [command(tmp_path / "list.csv", tmp_path / "lettre.toml", preview=True)]
    told += [command(tmp_path / "list.csv", tmp_path / "lettre.toml") for _ in range(2)]

    assert [(figures["new"], figures["same"]) for figures in told] == [(2, 0), (2, 0), (0, 2)]


def command(file: Path, mapping: Path, **options: Any) -> dict[str, Any]:
    out = StringIO()
    call_command(
        "load", file, source="lettre", mapping=str(mapping), json=True, stdout=out, **options
    )
    figures: dict[str, Any] = json.loads(out.getvalue())
    return figures


def test_a_column_of_the_key_that_the_file_lacks_is_named(tmp_path):
    (tmp_path / "list.csv").write_bytes(sheet(ANNE))
    (tmp_path / "m.json").write_text(json.dumps({**DOCUMENT, "key_from": ["email", "naissance"]}))

    with pytest.raises(Exception, match="naissance"):
        command(tmp_path / "list.csv", tmp_path / "m.json")

    assert not SourceSystem.objects.exists()


def test_a_watched_folder_takes_such_files(settings, tmp_path):
    settings.WATCHED_FOLDERS, settings.WATCH_SETTLE_SECONDS = tmp_path, 0
    load(ANNE)
    SourceSystem.objects.update(watched_folder="lettre")
    call_command("sweep_jobs")
    (tmp_path / "lettre" / "monday.csv").write_bytes(sheet(ANNE, JEAN))

    call_command("sweep_jobs")
    for job in Job.objects.filter(state=Job.State.QUEUED):
        jobs.execute(str(job.pk))

    assert ends(LoadBatch.objects.first()) == {"same": 1, "new": 1}


def test_a_database_without_a_number_is_read(tmp_path, monkeypatch):
    path = tmp_path / "lettre.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE people (email TEXT, nom TEXT, ville TEXT)")
        connection.executemany("INSERT INTO people VALUES (?, ?, ?)", [ANNE, JEAN])
    connection.close()
    monkeypatch.setenv("SOURCE_DATABASE_LETTRE", f"sqlite:///{path}")
    named = {
        "database_variable": "SOURCE_DATABASE_LETTRE",
        "database_query": "SELECT * FROM people",
    }
    (tmp_path / "m.json").write_text(
        json.dumps({**DOCUMENT, "source": {**DOCUMENT["source"], **named}})
    )

    def told() -> dict[str, Any]:
        out = StringIO()
        call_command(
            "load", from_database=True, source="lettre", mapping=str(tmp_path / "m.json"),
            json=True, stdout=out,
        )  # fmt: skip
        figures: dict[str, Any] = json.loads(out.getvalue())
        return figures

    assert told()["new"] == 2
    assert told()["same"] == 2


def test_the_page_proposes_what_a_row_is_known_by_and_loads_it(steward):
    content = sheet(ANNE, JEAN, ("ANNE@example.org", "ROUX", "Lille"), ("", "PETIT", ""))
    content += sheet(*[(f"p{n}@example.org", "DURAND", "Lyon") for n in range(60)])[17:]
    response = upload(steward, content)
    draft = MappingDraft.objects.get()
    page = steward.get(response.url)

    assert not page.context["bench"].table.has_own_key
    assert page.context["bench"].document["key_from"] == ["email"]
    assert "This file has no number of its own for customers" in page.text
    assert "Of the first 64 rows 1 has the key of a later one" in page.text
    assert "1 of these rows has no key" in page.text
    sent = values_of(page, **NEW)
    saved = steward.post(page_of(draft), {**sent, "action": "save"})

    batch = LoadBatch.objects.get()
    jobs.execute(str(batch.preview_job.pk))
    preview = steward.get(saved.url).text
    assert "A value changed there makes a new record" in preview
    steward.post(reverse("mdm:batch-apply", args=[batch.pk]))
    batch.refresh_from_db()
    jobs.execute(str(batch.job.pk))
    batch.refresh_from_db()
    assert ends(batch) == {"new": 62, "stale": 1, "rejected": 1}


def test_another_key_can_be_chosen_and_what_it_changes_is_told(steward):
    load(ANNE)
    response = upload(steward, sheet(ANNE, JEAN), source="crm", action="map")
    draft = MappingDraft.objects.get()
    page = steward.get(response.url)
    assert page.context["bench"].table.key.chosen() == ["email"]

    other = steward.post(
        reverse("mdm:mapping-preview", args=[draft.pk]),
        values_of(page) | {"key-columns": ["ville", "nom", "no such column"]},
    ).text
    own = steward.post(page_of(draft), values_of(page, ville__attribute="source_key"))

    assert "So far rows are known again by email." in other
    assert made_key(["le goff", "brest"]) in other
    assert own.context["bench"].table.has_own_key
    assert "key_from" not in own.context["bench"].document
    assert "Brest" in own.context["preview"].rows[0].key


def test_versions_tell_what_rows_were_known_by_and_toml_brings_it_back(steward):
    load(ANNE)
    load(ANNE, document=NAMED)
    latest = FieldMapping.objects.first()

    page = steward.get(reverse("mdm:mapping-versions", args=["crm"])).text
    toml = steward.get(reverse("mdm:mapping-download", args=[latest.pk])).content.decode()

    assert "Known again by" in page
    assert toml.startswith('key_from = ["nom", "ville"]\n')


@pytest.mark.parametrize(
    ("attributes", "rows", "key"),
    [
        ("email city", ["a@x.org|Lyon", "b@x.org|Lyon"], "email"),
        # Half of them have an address: names and birth dates tell more of them apart.
        (
            "email family_name given_name birth_date",
            ["a@x.org|Roux|Eve|1960", "|Roux|Eve|1961"],
            "family_name given_name birth_date",
        ),
        ("full_name phone city", ["Eve Roux|06|Lyon", "Eve Roux|07|Lyon"], "full_name phone"),
        (
            "family_name given_name phone street city",
            ["Roux|Eve||rue A|Lyon", "Roux|Eve||rue B|Lyon"],
            "family_name given_name street city",
        ),
        ("organisation city", ["ACME|Lyon", "ACME|Nice"], "organisation city"),
        # An address book: notes change while the person stays the same.
        (
            "email full_name phone ",
            ["a@x.org|Eve||n", "|Luc Roux|06|m", "|Ana||o"],
            "email full_name phone",
        ),
        # Nothing tells these apart but the whole row, without what passes.
        ("given_name city updated_at permission", ["Eve|Lyon|1|O", "Eve|Nice|2|N"],
         "given_name city"),
        ("city ", ["Lyon|a", "Lyon|b"], "city "),
    ],
)  # fmt: skip
def test_the_proposed_key_is_the_least_that_tells_rows_apart(attributes, rows, key):
    names = attributes.split(" ")

    found = propose_key(names, names, [row.split("|") for row in rows])

    assert set(found) == set(key.split(" "))


def test_remarks_that_happen_to_differ_are_no_number(steward):
    response = upload(
        steward,
        sheet(
            ("ROUX", "vient le lundi"), ("PETIT", "aime le thé vert"), columns=("nom", "remarques")
        ),
    )

    assert not steward.get(response.url).context["bench"].table.has_own_key


PEOPLE = st.lists(
    st.tuples(
        st.sampled_from(["", "a@x.org", "B@x.org", "c@x.org "]),
        st.sampled_from(["", "Roux", "PETIT", "petit"]),
        st.sampled_from(["", "Lyon", "Évry"]),
    ),
    min_size=1,
    max_size=10,
)


@given(rows=PEOPLE, seed=st.integers(0, 99), sizes=st.tuples(*[st.sampled_from([1, 2, 500])] * 2))
@settings(
    max_examples=histories(12, long=25),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_whatever_order_and_chunks_the_records_are_the_same_and_twice_is_nothing(
    rows, seed, sizes
):
    mixed = [*rows]
    Random(seed).shuffle(mixed)
    before = set(SourceRecord.objects.values_list("source_key", flat=True))
    with chunks_of(sizes[0]):
        load(*rows, document=NAMED)
    once = set(SourceRecord.objects.values_list("source_key", flat=True))

    with chunks_of(sizes[1]):
        again, other = load(*rows, document=NAMED), load(*mixed, document=NAMED)

    told = {made_key([nom, ville]) for _email, nom, ville in rows} - {""}
    assert once == before | told
    assert set(ends(again)) <= {"same", "stale", "rejected"}
    assert not other.new_count
    assert set(SourceRecord.objects.values_list("source_key", flat=True)) == once
