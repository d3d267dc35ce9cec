"""A preview says what a load would do, writes nothing, and what it says is what happens."""

import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mdm import jobs
from mdm.loading.batches import apply_preview, start_load, throw_away
from mdm.loading.preview import read_samples
from mdm.loading.stored_files import LoadRefused, location
from mdm.models import (
    ATTRIBUTES,
    Customer,
    FieldMapping,
    GoldenRecord,
    Job,
    LoadBatch,
    RejectedRow,
    SourceRecord,
    SourceSystem,
)
from tests.examples import histories
from tests.mdm.loading.files import DOCUMENT, csv_bytes, ends, load, row, write_mapping

pytestmark = pytest.mark.django_db

COUNTS = ("new", "changed", "same", "stale", "rejected", "deleted")


def preview(*rows: dict[str, str], mode: str = "", content: bytes = b"") -> LoadBatch:
    """Preview rows for the source `crm` and return the batch that waits."""
    batch = start_load(
        io.BytesIO(content or csv_bytes(rows)),
        file_name="crm.csv",
        source_code="crm",
        document=DOCUMENT,
        mode=mode,
        by=None,
        is_foreground=True,
        is_preview=True,
    )
    jobs.run_now(batch.preview_job)
    batch.refresh_from_db()
    return batch


def told(batch: LoadBatch) -> dict[str, int]:
    assert batch.preview_job is not None
    counts = batch.preview_job.result or {}
    return {name: counts[name] for name in COUNTS if counts[name]}


def customers() -> dict[str, Any]:
    """Everything a load would write about people."""
    return {
        "records": list(SourceRecord.objects.order_by("pk").values()),
        "history": SourceRecord.history.count(),
        "golden": list(GoldenRecord.objects.order_by("pk").values("pk", "version", "email")),
        "customers": Customer.objects.count(),
        "rejects": RejectedRow.objects.count(),
    }


def test_each_end_is_counted_and_nothing_is_written():
    load(row("C1"), row("C2"), row("C3"), row("C4", maj="01/03/2024"))
    before = customers()
    content = csv_bytes(
        [row("C1"), row("C2", nom="MARTIN"), row("C4", nom="X", maj="01/02/2024"), row("C9")]
    )

    batch = preview(content=content + b"short\r\n")

    assert told(batch) == {"new": 1, "changed": 1, "same": 1, "stale": 1, "rejected": 1}
    assert customers() == before
    assert (batch.job, batch.is_waiting) == (None, True)


def test_the_samples_show_values_before_and_after_and_stay_out_of_the_job():
    load(row("C1", email="old@example.org"))

    batch = preview(row("C1", email="new@example.org", maj="02/02/2024"), row("C2", nom="PETIT"))

    samples = read_samples(batch)
    [changed] = samples["changed"]
    assert changed["differences"] == [["email", "old@example.org", "new@example.org"]]
    assert ["family_name", "", "Petit"] in samples["new"][0]["differences"]
    assert samples["golden"][0]["differences"] == changed["differences"]
    assert "example.org" not in json.dumps(batch.preview_job.result)
    assert location(batch.stored_file + ".samples").stat().st_mode & 0o077 == 0


def test_the_golden_records_to_be_follow_the_rules_of_survivorship():
    load(row("C1", email="old@example.org"), row("C2"))
    first, second = SourceRecord.objects.order_by("pk")
    from mdm.identity import Link, apply_links

    apply_links(
        [Link(first.pk, first.pk, "decision"), Link(second.pk, first.pk, "decision")],
        user=None,
        reason="same",
    )

    batch = preview(row("C2", prenom="", nom="", maj="02/02/2024"), row("C3"))

    # C2 says less than before, C1 still says it: the golden record stays.
    assert batch.preview_job.result["golden_changed"] == 0
    assert batch.preview_job.result["golden_new"] == 1


def test_what_a_full_file_deletes_is_told_with_its_golden_records():
    load(*[row(f"C{n}") for n in range(40)])

    batch = preview(*[row(f"C{n}") for n in range(1, 40)], mode="full")

    assert told(batch) == {"same": 39, "deleted": 1}
    assert batch.preview_job.result["golden_gone"] == 1
    assert read_samples(batch)["deleted"][0]["key"] == "C0"


def test_a_full_file_that_lacks_too_much_is_told_before_it_is_refused():
    load(*[row(f"C{n}") for n in range(40)])

    batch = preview(row("C1"), mode="full")

    assert "39" in batch.preview_job.result["refusal"]
    assert SourceRecord.objects.active().count() == 40


def test_applying_loads_what_was_previewed():
    load(row("C1"))
    batch = preview(row("C1", nom="MARTIN", maj="02/02/2024"), row("C2"))

    applied = apply_preview(batch, by=None, is_foreground=True)
    jobs.run_now(applied.job)
    applied.refresh_from_db()

    assert ends(applied) == told(batch)
    assert not applied.stored_file
    assert read_samples(batch) == {}
    with pytest.raises(LoadRefused):
        apply_preview(batch, by=None)


def test_what_changed_meanwhile_is_compared_anew():
    batch = preview(row("C1"), row("C2"))
    load(row("C1"))

    applied = apply_preview(batch, by=None, is_foreground=True)
    jobs.run_now(applied.job)
    applied.refresh_from_db()

    assert (told(batch), ends(applied)) == ({"new": 2}, {"new": 1, "same": 1})


def test_a_file_thrown_away_is_gone():
    batch = preview(row("C1"))
    stored = location(batch.stored_file)

    throw_away(batch)

    batch.refresh_from_db()
    assert (batch.is_waiting, batch.stored_file) == (False, "")
    with pytest.raises(LoadRefused):
        apply_preview(batch, by=None)
    assert SourceRecord.objects.count() == 0
    assert stored.parent.exists()


_KEYS = st.sampled_from(["C1", "C2", "C3", "C4"])
_ROWS = st.dictionaries(
    _KEYS,
    st.tuples(
        st.sampled_from(["DUPONT", "MARTIN", ""]),
        st.sampled_from(["01/02/2024", "05/02/2024", ""]),
    ),
    max_size=4,
)


@settings(
    max_examples=histories(12, long=25),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(known=_ROWS, sent=_ROWS)
def test_a_preview_counts_what_the_load_then_counts(known, sent):
    def rows(values):
        return [row(key, nom=name, maj=day) for key, (name, day) in values.items()]

    with transaction.atomic():
        load(*rows(known))
        batch = preview(*rows(sent))
        before = golden_values()

        applied = apply_preview(batch, by=None, is_foreground=True)
        jobs.run_now(applied.job)
        applied.refresh_from_db()

        after, result = golden_values(), batch.preview_job.result
        assert ends(applied) == told(batch)
        assert result["golden_new"] == len(after.keys() - before.keys())
        assert result["golden_changed"] == sum(after[key] != before[key] for key in before)
        transaction.set_rollback(True)


def golden_values() -> dict[int, tuple[Any, ...]]:
    return {key: values for key, *values in GoldenRecord.objects.values_list("pk", *ATTRIBUTES)}


def test_the_command_tells_it_and_leaves_no_trace(tmp_path, capsys):
    path = tmp_path / "crm.csv"
    path.write_bytes(csv_bytes([row("C1", email="a@example.org")]))
    mapping = str(write_mapping(tmp_path))

    call_command("load", path, source="crm", mapping=mapping, preview=True, json=True)
    figures = json.loads(capsys.readouterr().out)
    call_command("load", path, source="crm", mapping=mapping, preview=True)

    assert (figures["new"], figures["golden_new"]) == (1, 1)
    assert figures["samples"]["new"][0]["key"] == "C1"
    assert "a@example.org" in capsys.readouterr().out
    for model in (SourceSystem, FieldMapping, LoadBatch, SourceRecord, Job):
        assert not model.objects.exists()
