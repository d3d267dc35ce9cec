"""Loading changes what a file changes: once, never backwards, and the same in any chunks."""

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.utils.timezone import now

from mdm import jobs
from mdm.loading import work
from mdm.loading.batches import start_load
from mdm.loading.preparation import Preparation
from mdm.loading.writing import Chunk, ChunkWriter
from mdm.models import (
    ContactPoint,
    Customer,
    FieldMapping,
    GoldenRecord,
    Job,
    LoadBatch,
    RecordContactPoint,
    RejectedRow,
    SourceRecord,
    SourceSystem,
)
from mdm.search import find
from tests.mdm.loading.files import DOCUMENT, csv_bytes, ends, load, load_bytes, row
from tests.mdm.waiting_words import pages_of_words_that_wait

pytestmark = pytest.mark.django_db


def set_chunk(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(work, "CHUNK_SIZE", {"sqlite": size, "postgresql": size})


def state() -> dict[str, Any]:
    """Everything a load leaves, but for moments and the batch."""
    values = ("family_name", "given_name", "email", "phone", "status", "raw", "source_updated_at")
    return {
        "records": list(
            SourceRecord.objects.order_by("source_key").values_list("source_key", *values)
        ),
        "carried": sorted(
            RecordContactPoint.objects.values_list(
                "record__source_key", "attribute", "contact_point__value"
            )
        ),
        "points": sorted(ContactPoint.objects.values_list("value", "shared_by")),
        "golden": sorted(
            GoldenRecord.objects.values_list("family_name", "given_name", "email", "phone")
        ),
        "history": SourceRecord.history.count(),
    }


def test_no_search_has_to_read_words_that_a_load_left_waiting():
    load(row("C1", nom="LE GOFF"), row("C2", nom="MARTIN"))

    assert pages_of_words_that_wait() == 0
    [hit] = find("goff")
    assert hit.name.endswith("Le Goff")


def test_a_new_row_becomes_a_record_with_its_customer_and_golden_record():
    batch = load(row("C1", nom="LE GOFF", email="Anne@example.org", tel="06 39 98 12 34"))

    record = SourceRecord.objects.get()
    assert ends(batch) == {"new": 1}
    assert (record.source_key, record.line, record.batch) == ("C1", 2, batch)
    assert record.raw["nom"] == "LE GOFF"
    assert (record.family_name, record.email, record.phone) == (
        "Le Goff",
        "Anne@example.org",
        "+33639981234",
    )
    assert record.customer_id == record.pk
    assert GoldenRecord.objects.get().family_name == "Le Goff"
    assert sorted(record.contact_points.values_list("kind", "value", "display")) == [
        ("email", "anne@example.org", "Anne@example.org"),
        ("phone", "+33639981234", "+33639981234"),
    ]
    [first] = record.history.all()
    assert (first.history_type, str(batch.pk) in first.history_change_reason) == ("+", True)


def test_the_same_file_twice_changes_nothing(claims):
    """No row, no history, no event (A-IMP-09)."""
    rows = [row(f"C{n}", email=f"c{n}@example.org", accord="O") for n in range(7)]
    load(*rows)
    before, heard = state(), len(claims)

    batch = load(*rows)

    assert ends(batch) == {"same": 7}
    assert state() == before
    assert len(claims) == heard
    assert FieldMapping.objects.count() == 1


def test_a_changed_row_overwrites_and_is_kept_in_history():
    load(row("C1", email="old@example.org"), row("C2", email="old@example.org"))

    batch = load(row("C1", email="new@example.org", maj="02/02/2024"))

    record = SourceRecord.objects.get(source_key="C1")
    assert ends(batch) == {"changed": 1}
    assert record.email == "new@example.org"
    assert [entry.email for entry in record.history.all()] == [
        "new@example.org",
        "old@example.org",
    ]
    assert GoldenRecord.objects.get(pk=record.pk).email == "new@example.org"
    assert [point.value for point in record.contact_points.all()] == ["new@example.org"]
    assert ContactPoint.objects.get(value="old@example.org").shared_by == 1


def test_an_older_row_never_overwrites():
    load(row("C1", nom="NEW", maj="02/02/2024"))

    batch = load(row("C1", nom="OLD", maj="01/02/2024"))

    assert ends(batch) == {"stale": 1}
    assert SourceRecord.objects.get().family_name == "New"


def test_a_row_without_a_date_counts_by_the_order_of_files():
    load(row("C1", nom="ONE", maj=""))

    assert ends(load(row("C1", nom="TWO", maj=""))) == {"changed": 1}
    assert SourceRecord.objects.get().family_name == "Two"


@pytest.mark.parametrize("size", [1, 2, 100])
def test_of_a_row_that_stands_twice_the_youngest_counts_in_any_chunks(monkeypatch, size):
    set_chunk(monkeypatch, size)
    rows = [
        row("C1", nom="YOUNG", maj="03/02/2024"),
        row("C2", nom="FIRST"),
        row("C1", nom="OLD", maj="01/02/2024"),
        row("C2", nom="LAST"),
    ]

    batch = load(*rows)

    names = dict(SourceRecord.objects.values_list("source_key", "family_name"))
    assert ends(batch) == {"new": 2, "stale": 2}
    assert names == {"C1": "Young", "C2": "Last"}
    assert SourceRecord.history.count() == 2


def test_any_chunk_size_gives_the_same_state(monkeypatch):
    rows = [
        row(f"C{n % 9}", nom=f"NAME{n}", email=f"c{n % 4}@example.org", tel=f"06 39 98 00 {n:02}")
        for n in range(20)
    ]
    states = []
    for size in (1, 3, 500):
        set_chunk(monkeypatch, size)
        load(*rows)
        states.append(state())
        clear()

    assert states[0] == states[1] == states[2]


def clear() -> None:
    """Forget everything that was loaded."""
    from consent.models import PermissionState

    PermissionState.objects.all().delete()
    for model in (RecordContactPoint, ContactPoint, GoldenRecord):
        model.objects.all().delete()
    with connection.constraint_checks_disabled():
        SourceRecord.objects.all().delete()
        Customer.objects.all().delete()
        SourceRecord.history.all().delete()


def test_an_address_is_one_whether_its_country_is_written_or_not():
    columns = {"rue": "address_line", "cp": "postcode", "ville": "city", "pays": "country"}
    extra = [{"name": name, "attribute": attribute} for name, attribute in columns.items()]
    document = {**DOCUMENT, "column": [*DOCUMENT["column"], *extra]}
    home = {"rue": "10 route des Rodrigues", "cp": "58820", "ville": "Ferrand-Ville"}
    rows = [
        {**row("C1"), **home, "pays": ""},
        {**row("C2"), **home, "ville": "FERRAND VILLE", "pays": "FR"},
    ]

    load_bytes(csv_bytes(rows, list(rows[0])), document=document)

    point = ContactPoint.objects.get(kind="post")
    assert point.carriers.count() == 2


def test_a_contact_point_knows_how_many_customers_share_it():
    load(*[row(f"C{n}", tel="06 39 98 12 34") for n in range(3)])

    assert ContactPoint.objects.get().shared_by == 3

    load(row("C1", tel="06 39 98 12 35", maj="03/03/2024"))

    assert dict(ContactPoint.objects.values_list("value", "shared_by")) == {
        "+33639981234": 2,
        "+33639981235": 1,
    }


def test_bad_rows_are_rejected_with_their_reason_and_the_others_loaded():
    content = csv_bytes([row("C1"), row(""), row("K" * 300), row("C2")])
    content += b"C3;too;few\r\nC4;A\x00B;;;;;;\r\n" + b";".join([b"C5"] * 12) + b"\r\n"

    batch = load_bytes(content)

    assert ends(batch) == {"new": 2, "rejected": 5}
    assert list(RejectedRow.objects.values_list("line", "column", "reason")) == [
        (3, "id", "no_key"),
        (4, "id", "key_too_long"),
        (6, "", "too_few_cells"),
        (7, "nom", "nul"),
        (8, "", "too_many_cells"),
    ]


def test_an_erased_customer_does_not_come_back():
    load(row("C1"))
    SourceRecord.objects.update(status=SourceRecord.Status.ERASED, raw={}, family_name="")

    batch = load(row("C1", nom="AGAIN", maj="03/03/2025"))

    rejected = RejectedRow.objects.get()
    assert ends(batch) == {"rejected": 1}
    assert (rejected.reason, rejected.value, rejected.raw) == ("erased", "", {})
    assert SourceRecord.objects.get().family_name == ""


def test_an_ignored_column_is_neither_kept_nor_compared():
    columns = [*DOCUMENT["column"], {"name": "secret", "attribute": "ignore"}]
    document = {**DOCUMENT, "column": columns}
    names = [column["name"] for column in columns]

    load_bytes(csv_bytes([row("C1", secret="a")], names), document=document)
    batch = load_bytes(csv_bytes([row("C1", secret="b")], names), document=document)

    assert ends(batch) == {"same": 1}
    assert "secret" not in SourceRecord.objects.get().raw


def test_a_chunk_looked_ahead_at_is_stored_as_any_other(monkeypatch):
    """What it foresees holds for new rows alone: in the second file some are known."""
    first = [row(f"C{n}", email=f"c{n // 3}@example.org", tel="06 39 98 12 34") for n in range(9)]
    second = [row(f"C{n}", email=f"C{n // 2}@example.org", maj="02/02/2024") for n in range(14)]
    second[:6:2] = first[:6:2]
    load(*first)
    load(*second)
    expected = state()
    clear()
    set_chunk(monkeypatch, 2)
    foresee, foreseen = Chunk.foresee, []

    def foresee_and_tell(chunk: Chunk) -> None:
        foresee(chunk)
        foreseen.append(chunk.met)

    monkeypatch.setattr(Chunk, "foresee", foresee_and_tell)
    monkeypatch.setattr(Preparation, "is_ready", True)
    monkeypatch.setattr(ChunkWriter, "knows_rows", lambda writer: False)
    load(*first)
    load(*second)

    assert state() == expected
    # SQLite works in this process: there is no time to look ahead in.
    assert len(foreseen) == (10 if connection.vendor == "postgresql" else 0)
    assert all(foreseen)


def test_a_killed_load_goes_on_where_it_was(monkeypatch):
    rows = [row(f"C{n}", email=f"c{n}@example.org") for n in range(10)]
    load(*rows)
    expected = state()
    clear()
    set_chunk(monkeypatch, 2)
    write, calls = ChunkWriter.write, []

    def die_in_the_third(writer: ChunkWriter, chunk: Any, *others: Any) -> Any:
        calls.append(chunk)
        done = write(writer, chunk, *others)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return done

    batch = begin(rows)
    monkeypatch.setattr(ChunkWriter, "write", die_in_the_third)
    with pytest.raises(KeyboardInterrupt):
        jobs.run_now(batch.job)
    assert SourceRecord.objects.count() == 4
    monkeypatch.setattr(ChunkWriter, "write", write)
    Job.objects.update(lease_until=now() - timedelta(seconds=1))

    jobs.sweep()
    jobs.execute(str(batch.job.pk))

    batch.refresh_from_db()
    assert ends(batch) == {"new": 10}
    assert state() == expected


def begin(rows: list[dict[str, str]]) -> LoadBatch:
    return start_load(
        io.BytesIO(csv_bytes(rows)),
        file_name="crm.csv",
        source_code="crm",
        document=DOCUMENT,
        by=None,
        is_foreground=True,
    )


def stored_files() -> list[Path]:
    return list((Path(settings.DATA_DIR) / "loads").glob("*"))


def test_no_copy_of_the_file_stays_behind():
    before = stored_files()

    load(row("C1"))
    with pytest.raises(jobs.JobFailed):
        load(row("C2"), mode="full")

    assert stored_files() == before


def test_the_number_of_queries_does_not_depend_on_the_rows(django_assert_max_num_queries):
    load(row("C0"))

    with django_assert_max_num_queries(100):
        load(*[row(f"D{n}", email=f"d{n}@example.org", accord="O") for n in range(60)])


def test_the_source_is_made_by_the_mapping_and_a_new_mapping_is_a_new_version():
    load(row("C1"))
    source = SourceSystem.objects.get()
    assert (source.code, source.label, source.trust, source.region) == ("crm", "CRM", 80, "FR")

    load(row("C1"), document={**DOCUMENT, "file": {"delimiter": ";"}})

    assert list(FieldMapping.objects.order_by("version").values_list("version", flat=True)) == [
        1,
        2,
    ]
    assert ends(load(row("C1"), document=None)) == {"same": 1}
