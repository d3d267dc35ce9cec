"""`load --from-database`: a source's own database read by its query, and nothing else of it."""

import json
import os
import sqlite3
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from mdm import jobs
from mdm.loading.database_jobs import KIND
from mdm.models import Job, LoadBatch, MappingDraft, RejectedRow, SourceRecord, SourceSystem
from tests.mdm.loading.mapping_bench import page_of, values_of
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db

VARIABLE = "SOURCE_DATABASE_CRM"
QUERY = "SELECT id, nom, prenom, ne, maj FROM clients ORDER BY id"
COLUMNS = [
    {"name": "id", "attribute": "source_key"},
    {"name": "nom", "attribute": "family_name"},
    {"name": "prenom", "attribute": "given_name"},
    {"name": "ne", "attribute": "birth_date"},
    {"name": "maj", "attribute": "updated_at"},
]


def document(query: str = QUERY, variable: str = VARIABLE) -> dict[str, Any]:
    source = {"label": "CRM", "database_variable": variable, "database_query": query}
    return {"source": source, "column": COLUMNS}


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A SQLite database of a CRM with two customers, named by the environment."""
    path = tmp_path / "crm été.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE clients (id INTEGER, nom TEXT, prenom, ne, maj)")
        connection.executemany(
            "INSERT INTO clients VALUES (?, ?, ?, ?, ?)",
            [
                (1, "LE GOFF", "Anne", "1980-02-03", "2024-01-01 10:00:00"),
                (2, 'L"ISLE, "de"\nx', None, None, None),
            ],
        )
    connection.close()
    monkeypatch.setenv(VARIABLE, f"sqlite:///{path}")
    return path


def load(folder: Path, mapping: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    if mapping:
        path = folder / "crm.json"
        path.write_text(json.dumps(mapping))
        options["mapping"] = str(path)
    out = StringIO()
    call_command("load", from_database=True, source="crm", json=True, stdout=out, **options)
    return json.loads(out.getvalue())


def test_the_rows_of_a_query_are_loaded_as_those_of_a_file(tmp_path, database):
    first = load(tmp_path, document())
    again = load(tmp_path)

    assert (first["new"], first["file"]) == (2, VARIABLE)
    assert (again["same"], again["changed"]) == (2, 0)
    record = SourceRecord.objects.get(source_key="1")
    assert (record.family_name, record.birth_date) == ("Le Goff", date(1980, 2, 3))
    other = SourceRecord.objects.get(source_key="2")
    assert other.raw["nom"] == 'L"ISLE, "de"\nx'
    source = SourceSystem.objects.get()
    assert (source.database_variable, source.database_query) == (VARIABLE, QUERY)
    assert str(database) not in json.dumps(list(LoadBatch.objects.values_list("file_name")))


def test_a_preview_of_the_database_changes_nothing(tmp_path, database):
    figures = load(tmp_path, document(), preview=True)

    assert figures["new"] == 2
    assert not SourceRecord.objects.exists()


def test_no_row_is_no_change(tmp_path, database):
    assert load(tmp_path, document(QUERY.replace("ORDER", "WHERE id > 9 ORDER")))["rows"] == 0


def test_a_row_that_cannot_be_stored_is_rejected(tmp_path, database):
    query = "SELECT 7 AS id, 'a' || char(0) AS nom, '' AS prenom, '' AS ne, '' AS maj"

    assert load(tmp_path, document(query))["rejected"] == 1
    assert RejectedRow.objects.get().reason == "nul"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"query": ""}, "query|requête"),
        ({"query": "DELETE FROM clients"}, "SELECT"),
        ({"query": "-- note\nUPDATE clients SET nom = ''"}, "SELECT"),
        ({"query": "WITH x AS (SELECT 1) DELETE FROM clients"}, "DatabaseError"),
        ({"query": "SELECT 1; DROP TABLE clients"}, "failed|échoué|at a time"),
        ({"query": "SELECT * FROM nowhere"}, "nowhere"),
        ({"query": "SELECT id FROM clients"}, "nom"),
        ({"query": "SELECT id, id, nom, prenom, ne, maj FROM clients"}, "id"),
        ({"variable": "SOURCE_DATABASE_OTHER"}, "SOURCE_DATABASE_OTHER"),
        ({"variable": "SECRET_KEY"}, "SECRET_KEY"),
        ({"variable": "DATABASE_URL"}, "DATABASE_URL"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(tmp_path, database, change, words):
    before = database.read_bytes()

    with pytest.raises(CommandError, match=words) as refusal:
        load(tmp_path, document(**change))

    assert "\n" not in str(refusal.value)
    assert str(database) not in str(refusal.value)
    assert "LE GOFF" not in str(refusal.value)
    assert not SourceSystem.objects.exists()
    assert database.read_bytes() == before


@pytest.mark.parametrize("url", ["mysql://u:secret@h/d", "sqlite:///nowhere/x", "secret"])
def test_an_address_that_leads_nowhere_is_refused_without_being_told(
    tmp_path, database, monkeypatch, url
):
    monkeypatch.setenv(VARIABLE, url)

    with pytest.raises(CommandError) as refusal:
        load(tmp_path, document())

    assert "secret" not in str(refusal.value)


def test_no_other_database_can_be_attached(tmp_path, database):
    with pytest.raises(CommandError):
        load(tmp_path, document(f"WITH x AS (SELECT 1) ATTACH '{database}' AS y"))


def test_a_file_or_a_database_but_not_both(tmp_path, database):
    with pytest.raises(CommandError):
        call_command("load", str(tmp_path), "--from-database", "--source", "crm")
    with pytest.raises(CommandError):
        call_command("load", "--source", "crm")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """The PostgreSQL server of the tests as a CRM; the query runs in a session of its own."""
    url = os.environ["DATABASE_URL"]
    monkeypatch.setenv(VARIABLE, url)
    with psycopg.connect(url, autocommit=True) as connection:
        # All processes of the suite share this database: one at a time has the table.
        connection.execute("SELECT pg_advisory_lock(hashtext('orfevre_crm'))")
        connection.execute("DROP TABLE IF EXISTS orfevre_crm")
        connection.execute(
            "CREATE TABLE orfevre_crm AS SELECT n AS id, 'NOM' || n AS nom, NULL AS prenom,"
            " DATE '1980-02-03' AS ne, now() AS maj, 1.50::numeric AS prix"
            " FROM generate_series(1, 5000) AS n"
        )
        yield lambda statement: connection.execute(statement).fetchone()
        connection.execute("DROP TABLE IF EXISTS orfevre_crm")


@pytest.mark.postgresql
def test_postgresql_is_read_by_a_server_side_cursor(tmp_path, server):
    query = (
        "SELECT *, (SELECT count(*) FROM pg_cursors WHERE name = 'orfevre') AS c FROM orfevre_crm;"
    )

    assert load(tmp_path, document(query))["new"] == 5000
    record = SourceRecord.objects.get(source_key="42")
    assert (record.birth_date, record.raw["prix"]) == (date(1980, 2, 3), str(Decimal("1.50")))


@pytest.mark.postgresql
@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("WITH x AS (DELETE FROM orfevre_crm RETURNING *) SELECT * FROM x", "."),
        ("SELECT 1; DELETE FROM orfevre_crm", "42601"),
        ("SELECT setval('x', 1)", "42P01"),
        ("SELECT nom::int FROM orfevre_crm", "22P02"),
        ("SELECT zip FROM orfevre_crm", "zip"),
        ("SELECT set_config('transaction_read_only', 'off', false), pg_sleep(0)", "25001"),
    ],
)
def test_postgresql_is_only_read_and_tells_no_value(tmp_path, server, query, words):
    with pytest.raises(CommandError, match=words) as refusal:
        load(tmp_path, document(query))

    assert "NOM" not in str(refusal.value)
    assert server("SELECT count(*) FROM orfevre_crm") == (5000,)


def ask(source: str, action: str) -> Job:
    steward = client_of("steward")
    steward.post(reverse("mdm:source-read", args=[source]), {"action": action})
    return Job.objects.get(kind=KIND)


def test_a_button_reads_the_database_and_previews_or_loads_what_it_holds(tmp_path, database):
    load(tmp_path, document())
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE clients SET prenom = 'Zoé', maj = '2024-02-02' WHERE id = 1")
    connection.close()

    for action, is_loaded in (("preview", False), ("load", True)):
        job = ask("crm", action)
        jobs.run_now(job)
        batch = LoadBatch.objects.get(pk=job.result["batch"])
        assert bool(batch.job) == is_loaded
        jobs.run_now(batch.job or batch.preview_job)
        page = client_of("steward").get(reverse("mdm:job", args=[job.pk]))
        assert reverse("mdm:batch", args=[batch.pk]) in page.text
        assert str(database) not in page.text + json.dumps([job.parameters, job.result])
        job.delete()

    batch.refresh_from_db()
    assert (batch.changed_count, batch.same_count) == (1, 1)
    assert SourceRecord.objects.get(source_key="1").given_name == "Zoé"


def test_the_columns_of_a_query_are_mapped_without_a_file(database):
    steward = client_of("steward")
    source = SourceSystem.objects.create(
        code="crm", label="CRM", database_variable=VARIABLE, database_query=QUERY
    )
    address = reverse("admin:mdm_sourcesystem_change", args=[source.pk])

    page = steward.get(address).text
    assert "Read it and map its columns" in page
    assert "Read it and load" not in page
    steward.post(reverse("mdm:source-read", args=["crm"]), {"action": "map"})
    job = Job.objects.get(kind=KIND)
    jobs.run_now(job)
    Job.objects.filter(pk=job.pk).update(state="queued", result=None)
    job.refresh_from_db()
    jobs.run_now(job)  # Interrupted after its end: one draft.
    draft = MappingDraft.objects.get()
    shown = steward.get(reverse("mdm:job", args=[job.pk])).text
    mapping = steward.get(page_of(draft))
    assert page_of(draft) in shown
    saved = steward.post(page_of(draft), values_of(mapping) | {"action": "save"})
    batch = LoadBatch.objects.get()
    jobs.run_now(batch.preview_job)

    assert saved.url == reverse("mdm:batch", args=[batch.pk])
    assert batch.preview_job.result["new"] == 2
    assert page_of(draft) not in steward.get(reverse("mdm:job", args=[job.pk])).text
    assert "Read it and load" in steward.get(address).text


def test_a_query_that_fails_leaves_no_draft(database):
    steward = client_of("steward")
    SourceSystem.objects.create(
        code="crm", label="CRM", database_variable=VARIABLE, database_query="SELECT gone FROM x"
    )

    steward.post(reverse("mdm:source-read", args=["crm"]), {"action": "map"})
    job = Job.objects.get(kind=KIND)
    with pytest.raises(jobs.JobFailed):
        jobs.run_now(job)
    SourceSystem.objects.update(database_query="")
    refused = steward.post(
        reverse("mdm:source-read", args=["crm"]), {"action": "map"}, follow=True
    )

    assert not MappingDraft.objects.exists()
    assert "names no database" in refused.text


def test_a_reading_that_was_interrupted_opens_its_file_once(tmp_path, database, monkeypatch):
    load(tmp_path, document())
    job = ask("crm", "load")
    jobs.run_now(job)
    first = job.result

    Job.objects.filter(pk=job.pk).update(state="queued", result=None)
    job.refresh_from_db()
    jobs.run_now(job)

    assert job.result == first
    assert LoadBatch.objects.count() == 2


def test_the_page_of_a_source_tells_its_doors_and_what_is_missing(tmp_path, database, monkeypatch):
    load(tmp_path, document())
    source = SourceSystem.objects.get()
    address = reverse("admin:mdm_sourcesystem_change", args=[source.pk])
    monkeypatch.delenv(VARIABLE)

    page = client_of("steward").get(address).text
    job = ask("crm", "preview")
    with pytest.raises(jobs.JobFailed, match=VARIABLE):
        jobs.run_now(job)
    SourceSystem.objects.update(database_query="", watched_folder="tills")
    refused = client_of("steward").post(reverse("mdm:source-read", args=["crm"]), follow=True)

    assert reverse("mdm:source-read", args=["crm"]) in page
    assert "not set where" in page
    assert "names no database" in refused.text
    assert "0 files wait" in refused.text
    assert LoadBatch.objects.count() == 1


@pytest.mark.parametrize("role", ["dpo", "marketer", "administrator"])
def test_only_who_may_load_has_the_database_read(role, tmp_path, database):
    load(tmp_path, document())

    answer = client_of(role).post(reverse("mdm:source-read", args=["crm"]))

    assert answer.status_code == 403
    assert not Job.objects.filter(kind=KIND).exists()
