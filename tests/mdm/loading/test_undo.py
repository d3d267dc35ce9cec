"""A loaded file can be undone as a whole: load A, load B, undo B is the state after A."""

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent.models import PermissionState
from mdm import jobs
from mdm.identity import Link, apply_links
from mdm.loading import undo
from mdm.loading.earlier import kept_from
from mdm.loading.undo import UndoRefused, read_undo_samples, start_preview, start_undo
from mdm.models import (
    ATTRIBUTES,
    Contract,
    Customer,
    GoldenRecord,
    Job,
    LoadBatch,
    RecordContactPoint,
    Sale,
    SourceRecord,
)
from tests.examples import histories
from tests.mdm.loading.files import DOCUMENT, csv_bytes, ends, load, load_bytes, row
from tests.mdm.loading.test_preview import preview
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db

VALUES = (
    "source_key", "status", "raw", "issues", "content_hash", "source_created_at",
    "source_updated_at", "batch_id", "line", "missing_from_id", *ATTRIBUTES,
)  # fmt: skip
PERMISSION = ("customer", "contact_point", "channel", "state", "since", "deciding_event")
SALES: dict[str, Any] = {
    "source": {"label": "CRM"},
    "column": [
        *DOCUMENT["column"],
        {"name": "achat", "attribute": "sale_date"},
        {"name": "debut", "attribute": "contract_start"},
        {"name": "fin", "attribute": "contract_end"},
    ],
}


def undo_batch(batch: LoadBatch) -> dict[str, Any]:
    """Undo a batch in this process and return the counts that are not zero."""
    batch.refresh_from_db()
    job = start_undo(batch, by=None, is_foreground=True)
    jobs.run_now(job)
    counts = job.result or {}
    return {end: counts[end] for end in undo.ENDS if counts[end]}


def state() -> dict[str, Any]:
    """What people see of active records: values, golden records, contact points, sales."""
    active = SourceRecord.objects.active().order_by("pk")
    live = Customer.objects.filter(records__status="active").order_by("pk")
    carried = RecordContactPoint.objects.filter(record__status="active")
    point = "contact_point__"
    contracts = Contract.objects.values_list("record_id", "starts_on", "ends_on")
    return {
        "records": list(active.values_list(*VALUES)),
        "golden": list(GoldenRecord.objects.order_by("pk").values_list("pk", *ATTRIBUTES)),
        "customers": list(live.values_list("pk", "status")),
        "carried": sorted(
            carried.values_list("record_id", "attribute", f"{point}value", f"{point}shared_by")
        ),
        "sales": sorted(Sale.objects.values_list("record_id", "reference")),
        "contracts": sorted(map(str, contracts)),
        "permissions": sorted(map(str, PermissionState.objects.values_list(*PERMISSION))),
    }


def sold(
    key: str, achat: str = "", debut: str = "", fin: str = "", **values: str
) -> dict[str, str]:
    return {**row(key, **values), "achat": achat, "debut": debut, "fin": fin}


def load_sales(*rows: dict[str, str]) -> LoadBatch:
    columns = [column["name"] for column in SALES["column"]]
    return load_bytes(csv_bytes(rows, columns), document=SALES)


def test_changed_records_go_back_and_born_ones_are_deleted():
    load(row("C1", email="old@example.org"), row("C2"))
    before = state()
    batch = load(
        row("C1", email="new@example.org", maj="03/02/2024"), row("C3", email="c@example.org")
    )

    assert undo_batch(batch) == {"restored": 1, "deleted": 1}
    assert state() == before
    born = SourceRecord.objects.get(source_key="C3")
    assert (born.status, born.customer.status) == ("deleted", "inactive")
    newest = born.history.first()
    assert newest.status == "deleted"
    assert str(batch.pk) in newest.history_change_reason


def names() -> list[str]:
    """The names as they stand in the raw values of records, by their keys."""
    raws = SourceRecord.objects.order_by("source_key").values_list("raw", flat=True)
    return [raw["nom"] for raw in raws]


def test_records_that_a_later_file_changed_are_kept_and_listed():
    load(row("C1", nom="A"), row("C2", nom="A"))
    batch = load(row("C1", nom="B", maj="03/02/2024"), row("C2", nom="B", maj="03/02/2024"))
    load(row("C1", nom="C", maj="04/02/2024"))

    job = start_preview(batch, by=None, is_foreground=True)
    jobs.run_now(job)

    assert [kept["key"] for kept in read_undo_samples(job)["kept"]] == ["C1"]
    assert undo_batch(batch) == {"restored": 1, "kept": 1}
    assert names() == ["C", "A"]


def test_files_undone_from_the_last_to_the_first_leave_nothing():
    batches = [
        load(row("C1", nom=name, maj=f"0{day}/02/2024"), row(f"N{day}"))
        for day, name in enumerate(["A", "B", "C"], start=1)
    ]

    for batch in reversed(batches):
        undo_batch(batch)

    assert not SourceRecord.objects.active().exists()
    assert not GoldenRecord.objects.exists()


def test_what_a_full_file_deleted_comes_back():
    load(*[row(f"C{n}") for n in range(40)])
    before = state()
    batch = load(*[row(f"C{n}") for n in range(1, 40)], mode="full")
    assert ends(batch) == {"same": 39, "deleted": 1}

    assert undo_batch(batch) == {"revived": 1}
    assert state() == before


def test_loading_again_undoes_the_undoing():
    load(row("C1", nom="A"))
    changes = [row("C1", nom="B", maj="03/02/2024"), row("C2", nom="NEW")]
    batch = load(*changes)
    after = {r["source_key"]: r["family_name"] for r in SourceRecord.objects.values()}
    undo_batch(batch)

    again = load(*changes)

    assert ends(again) == {"changed": 2}
    assert {r["source_key"]: r["family_name"] for r in SourceRecord.objects.values()} == after
    assert SourceRecord.objects.active().count() == 2
    assert Customer.objects.count() == 2


def test_a_record_that_only_undone_files_told_of_is_deleted_again():
    undo_batch(load(row("C1", nom="A")))
    batch = load(row("C1", nom="B"))

    assert undo_batch(batch) == {"deleted": 1}
    assert not SourceRecord.objects.active().exists()


def test_links_stay_and_the_golden_record_follows():
    load(row("C1", nom="AAA", email="a@example.org"), row("C2", nom="BBB"))
    one, two = SourceRecord.objects.order_by("pk")
    batch = load(row("C1", nom="ZZZ", email="z@example.org", maj="03/02/2024"))
    links = [Link(one.pk, one.pk, "decision"), Link(two.pk, one.pk, "decision")]
    apply_links(links, user=None, reason="the same")

    undo_batch(batch)

    two.refresh_from_db()
    assert (two.customer_id, two.link_rule) == (one.pk, "decision")
    assert GoldenRecord.objects.get().email == "a@example.org"


def test_sales_and_contracts_of_the_file_are_taken_back():
    load_sales(sold("C1", achat="2024-01-01", debut="2024-01-01"))
    before = state()
    batch = load_sales(
        sold("C1", achat="2024-02-02", debut="2024-01-01", fin="2024-06-30", maj="03/02/2024"),
        sold("C2", achat="2024-03-03", debut="2024-03-03"),
    )
    assert Sale.objects.count() == 3

    undo_batch(batch)

    assert state() == before


def test_a_sale_that_an_earlier_file_told_too_stays():
    load_sales(sold("C1", achat="2024-01-01"))
    batch = load_sales(sold("C1", achat="2024-01-01", nom="OTHER", maj="03/02/2024"))

    undo_batch(batch)

    assert Sale.objects.count() == 1


def test_an_erased_record_is_left_alone():
    batch = load(row("C1"), row("C2"))
    SourceRecord.objects.filter(source_key="C1").update(status="erased", raw={})

    assert undo_batch(batch) == {"deleted": 1}
    assert SourceRecord.objects.get(source_key="C1").status == "erased"


def test_a_file_that_was_only_previewed_cannot_be_undone():
    with pytest.raises(UndoRefused):
        start_undo(preview(row("C1")), by=None)


def test_undoing_twice_is_refused_and_the_page_keeps_telling_of_the_first():
    steward = client_of("steward")
    batch = load(row("C1"))
    undo_batch(batch)
    first = steward.get(reverse("mdm:batch", args=[batch.pk])).content.decode()

    again = steward.post(reverse("mdm:batch-undo-now", args=[batch.pk]), follow=True)

    assert "was undone already" in again.content.decode()
    batch.refresh_from_db()
    with pytest.raises(UndoRefused):
        start_preview(batch, by=None)
    assert "This file was undone on" in first
    assert "This file was undone on" in again.content.decode()
    assert not Job.objects.filter(kind="undo_load", state="queued").exists()


def test_an_interrupted_undoing_goes_on(monkeypatch):
    load(*[row(f"C{n}", nom="A") for n in range(5)])
    before = state()
    batch = load(*[row(f"C{n}", nom="B", maj="03/02/2024") for n in range(5)])
    monkeypatch.setattr(undo, "CHUNK_SIZE", {"sqlite": 2, "postgresql": 2})
    calls = []

    def fall(chunk: Any) -> None:
        calls.append(len(chunk))
        if len(calls) == 2:
            raise RuntimeError
        derive(chunk)

    derive = undo._derive
    monkeypatch.setattr(undo, "_derive", fall)
    job = start_undo(batch, by=None, is_foreground=True)
    with pytest.raises(jobs.JobFailed):
        jobs.run_now(job)
    assert names().count("A") == 2
    type(job).objects.filter(pk=job.pk).update(state="queued")
    job.refresh_from_db()
    jobs.run_now(job)

    assert job.result["restored"] == 5
    assert state() == before


def test_a_preview_of_the_undoing_writes_nothing_and_tells_what_happens():
    load(row("C1", email="old@example.org"))
    batch = load(row("C1", email="new@example.org", maj="03/02/2024"), row("C2"))
    before = state()

    job = start_preview(batch, by=None, is_foreground=True)
    jobs.run_now(job)

    assert state() == before
    told = {end: job.result[end] for end in undo.ENDS if job.result[end]}
    assert (job.result["golden_changed"], job.result["golden_gone"]) == (1, 1)
    samples = read_undo_samples(job)
    assert samples["restored"][0]["differences"] == [
        ["email", "new@example.org", "old@example.org"]
    ]
    assert "example.org" not in json.dumps(job.result)
    assert undo_batch(batch) == told
    assert read_undo_samples(job) == {}


_NAMES = st.sampled_from(["A", "B", ""])
_ROW = st.tuples(
    _NAMES,
    st.sampled_from(["", "x@example.org", "y@example.org"]),
    st.sampled_from(["01/02/2024", "05/02/2024", ""]),
    st.sampled_from(["", "2024-01-01", "2024-02-02"]),
    st.sampled_from(["", "O"]),
)
_FILE = st.dictionaries(st.sampled_from(["C1", "C2", "C3", "C4"]), _ROW, min_size=1, max_size=4)


@settings(
    max_examples=histories(12, long=25),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(files=st.lists(_FILE, min_size=1, max_size=3), last=_FILE, chunk=st.integers(1, 3))
def test_undoing_the_last_file_is_the_state_before_it(files, last, chunk):
    def send(file: Any) -> LoadBatch:
        return load_sales(
            *[
                sold(key, nom=nom, email=email, maj=day, achat=achat, accord=accord)
                for key, (nom, email, day, achat, accord) in file.items()
            ]
        )

    with pytest.MonkeyPatch.context() as patch, transaction.atomic():
        patch.setattr(undo, "CHUNK_SIZE", {"sqlite": chunk, "postgresql": chunk})
        for file in files:
            send(file)
        before = state()
        undo_batch(send(last))

        assert state() == before
        transaction.set_rollback(True)


def test_the_command_undoes_a_file(capsys):
    load(row("C1"))
    batch = load(row("C2"))

    call_command("undo_load", batch.pk, preview=True, json=True)
    told = json.loads(capsys.readouterr().out)
    call_command("undo_load", batch.pk, json=True)
    done = json.loads(capsys.readouterr().out)
    with pytest.raises(CommandError, match="undone already"):
        call_command("undo_load", batch.pk)
    another = load(row("C3"))
    call_command("undo_load", another.pk)

    assert (told["deleted"], done["deleted"]) == (1, 1)
    assert told["samples"]["deleted"][0]["key"] == "C2"
    assert SourceRecord.objects.active().get().source_key == "C1"
    assert str(another.pk) in capsys.readouterr().out


def test_the_command_refuses_what_is_not_there():
    with pytest.raises(CommandError, match="999"):
        call_command("undo_load", 999)
    with pytest.raises(CommandError):
        call_command("undo_load", preview(row("C1")).pk)


def test_what_a_file_wrote_is_found_in_its_stretch_of_history_or_in_all_of_it():
    load(row("C1", nom="A"))
    batch = load(row("C1", nom="B", maj="03/02/2024"), row("C2"))
    load(row("C2", nom="C", maj="04/02/2024"))
    batch.refresh_from_db()
    keys = SourceRecord.history.filter(batch=batch).values_list("history_id", flat=True)

    assert batch.history_after < min(keys) <= max(keys) <= batch.history_until
    found = [list(kept_from(batch).values_list("source_key", flat=True))]
    LoadBatch.objects.update(history_after=None, history_until=None)  # As loaded before.
    found.append(list(kept_from(batch).values_list("source_key", flat=True)))

    assert found == [["C2"], ["C2"]]
