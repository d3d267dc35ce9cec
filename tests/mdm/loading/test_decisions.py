"""A previewed file waits for a decision: by its number on the server, by who may decide."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from mdm import jobs
from mdm.models import Job, LoadBatch, SourceRecord
from tests.mdm.loading.files import DOCUMENT, csv_bytes, load, row
from tests.mdm.loading.test_preview import preview
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def steward():
    return client_of("steward")


def send(client, content: bytes, **values: str) -> LoadBatch:
    file = SimpleUploadedFile("crm.csv", content)
    client.post(reverse("mdm:load-new"), {"file": file, "source": "crm", **values})
    return LoadBatch.objects.first()


def test_a_steward_previews_then_applies(steward):
    load(row("C1", email="old@example.org"))
    batch = send(
        steward,
        csv_bytes([row("C1", email="new@example.org", maj="02/02/2024"), row("C2")]),
        action="preview",
    )
    assert batch.is_waiting
    address = reverse("mdm:batch", args=[batch.pk])
    assert b"data-job-state" in steward.get(address).content
    jobs.execute(str(batch.preview_job.pk))

    page = steward.get(address)
    assert "old@example.org" in page.content.decode()
    assert page.context["row_count"] == 2
    assert SourceRecord.objects.count() == 1

    steward.post(reverse("mdm:batch-apply", args=[batch.pk]))
    batch.refresh_from_db()
    jobs.execute(str(batch.job.pk))

    done = steward.get(address)
    assert SourceRecord.objects.get(source_key="C1").email == "new@example.org"
    assert done.context["drift"] == []
    assert "old@example.org" not in done.content.decode()


def test_what_is_applied_is_what_was_previewed_whatever_the_page_sends(steward):
    """A-IMP-11: file, mapping, source and person stand on the server."""
    other = load(row("X1"))
    batch = preview(row("C1"))
    forged = {
        "batch": other.pk,
        "stored_file": "../../etc/passwd",
        "file_name": "other.csv",
        "mapping": "999",
        "source": "other",
        "created_by": "1",
        "job": "x",
    }

    steward.post(reverse("mdm:batch-apply", args=[batch.pk]), forged)
    batch.refresh_from_db()
    jobs.execute(str(batch.job.pk))

    applied = LoadBatch.objects.get(pk=batch.pk)
    assert (applied.file_name, applied.mapping, applied.source) == (
        "crm.csv",
        batch.mapping,
        batch.source,
    )
    assert applied.new_count == 1
    assert applied.created_by is None


@pytest.mark.parametrize("role", ["dpo", "marketer", "administrator"])
@pytest.mark.parametrize("name", ["mdm:batch-apply", "mdm:batch-throw-away"])
def test_a_waiting_file_is_out_of_reach_without_the_permission(role, name):
    batch = preview(row("C1"))
    client = client_of(role)

    assert client.get(reverse("mdm:batch", args=[batch.pk])).status_code == 403
    assert client.post(reverse(name, args=[batch.pk])).status_code == 403

    batch.refresh_from_db()
    assert batch.is_waiting
    assert batch.job is None


def test_a_decision_is_taken_once_and_by_post_only(steward):
    batch = preview(row("C1"))
    apply, throw = (
        reverse(f"mdm:batch-{name}", args=[batch.pk]) for name in ("apply", "throw-away")
    )

    assert steward.get(apply).status_code == 405
    steward.post(apply)
    first = LoadBatch.objects.get(pk=batch.pk).job
    steward.post(apply)
    steward.post(throw)

    again = LoadBatch.objects.get(pk=batch.pk)
    assert again.job == first
    assert again.stored_file


def test_a_file_thrown_away_says_so(steward):
    batch = preview(row("C1"))

    steward.post(reverse("mdm:batch-throw-away", args=[batch.pk]))

    page = steward.get(reverse("mdm:batch", args=[batch.pk]))
    assert "thrown away" in page.content.decode()
    assert reverse("mdm:batch-apply", args=[batch.pk]) not in page.content.decode()
    assert not SourceRecord.objects.exists()


def test_counts_that_differ_from_the_preview_are_said(steward):
    batch = preview(row("C1"), row("C2"))
    load(row("C1"))
    steward.post(reverse("mdm:batch-apply", args=[batch.pk]))
    batch.refresh_from_db()
    jobs.execute(str(batch.job.pk))

    page = steward.get(reverse("mdm:batch", args=[batch.pk]))

    assert [(told, found) for _words, told, found in page.context["drift"]] == [(2, 1), (0, 1)]


def test_a_full_file_that_would_be_refused_cannot_be_applied(steward):
    load(*[row(f"C{n}") for n in range(40)])
    batch = preview(row("C1"), mode="full")

    page = steward.get(reverse("mdm:batch", args=[batch.pk])).content.decode()

    assert reverse("mdm:batch-apply", args=[batch.pk]) not in page
    assert "39 of the 40 active records of CRM are not in this full file" in page


def test_issues_lead_to_the_records_that_have_them(steward):
    batch = load(row("C1", email="no address"), row("C2"))
    page = steward.get(reverse("mdm:batch", args=[batch.pk]))
    [link] = [issue["url"] for issue in page.context["issues"] if issue["value"] == 1][:1]

    records = steward.get(link)

    assert [record.source_key for record, _value, _raw in records.context["rows"]] == ["C1"]
    assert "no address" in records.content.decode()
    assert client_of("marketer").get(link).status_code == 403


def test_rejects_are_filtered_by_reason_corrected_and_loaded_again(steward):
    content = csv_bytes([row("C1", tel="+33639981234"), row("", nom="=cmd")])
    batch = send_first(content + "short;é\r\n".encode("cp1252"))
    address = reverse("mdm:batch", args=[batch.pk])

    filtered = steward.get(address, {"reason": "no_key"})
    assert [r.reason for r, _words in filtered.context["rejects"]] == ["no_key"]
    assert {code for code, _words, _count in filtered.context["reasons"]} == {
        "no_key",
        "too_few_cells",
    }

    response = steward.get(reverse("mdm:batch-rejects", args=[batch.pk]))
    returned = b"".join(response.streaming_content)
    head, first, second = returned.decode("cp1252").splitlines()
    assert head.split(";")[:4] == [
        "orfevre_line",
        "orfevre_column",
        "orfevre_value",
        "orfevre_reason",
    ]
    assert "'=cmd" in first
    assert "é" in second
    columns = head.split(";")
    cells = first.split(";")
    cells[columns.index("id")] = "C7"
    corrected = "\r\n".join([head, ";".join(cells)]) + "\r\n"
    again = load_corrected(corrected.encode("cp1252"))

    record = SourceRecord.objects.get(source_key="C7")
    assert again.new_count == 1
    assert record.raw["nom"] == "=cmd"
    assert not [name for name in record.raw if name.startswith("orfevre")]


def test_corrected_rejects_of_a_full_source_delete_nobody(steward):
    load(*[row(f"C{n}") for n in range(40)], mode="full")
    head = "orfevre_line;orfevre_column;orfevre_value;orfevre_reason;"
    content = csv_bytes([row("C99")]).decode("cp1252")
    first, second = content.splitlines()

    batch = load_corrected(f"{head}{first}\r\n2;;;why;{second}\r\n".encode("cp1252"), mode="full")

    assert (batch.new_count, batch.deleted_count, batch.mode) == (1, 0, "delta")


def send_first(content: bytes) -> LoadBatch:
    from tests.mdm.loading.files import load_bytes

    document = {**DOCUMENT, "file": {"encoding": "cp1252", "delimiter": ";"}}
    return load_bytes(content, document=document)


def load_corrected(content: bytes, mode: str = "") -> LoadBatch:
    from tests.mdm.loading.files import load_bytes

    return load_bytes(content, mode=mode, document=None)


def test_a_steward_undoes_a_file_after_seeing_what_it_does(steward):
    load(row("C1", email="old@example.org"))
    batch = load(row("C1", email="new@example.org", maj="02/02/2024"), row("C2"))
    page = steward.get(reverse("mdm:batch", args=[batch.pk])).content.decode()
    ask = reverse("mdm:batch-ask-undo", args=[batch.pk])
    assert ask in page

    asked = steward.post(ask)
    preview_job = Job.objects.get(kind="preview_undo")
    assert asked.url == reverse("mdm:batch-undo", args=[batch.pk, preview_job.pk])
    assert b"data-job-state" in steward.get(asked.url).content
    jobs.execute(str(preview_job.pk))
    told = steward.get(asked.url)
    assert told.context["record_count"] == 2
    assert "old@example.org" in told.content.decode()
    steward.post(reverse("mdm:batch-undo-now", args=[batch.pk]))
    batch.refresh_from_db()
    jobs.execute(str(batch.undo_job.pk))

    assert SourceRecord.objects.active().get().email == "old@example.org"
    done = steward.get(reverse("mdm:batch", args=[batch.pk])).content.decode()
    assert re.search(r"undone on [^:]*:[^:]*: 1 as before · 1 born with the file, deleted\.", done)


@pytest.mark.parametrize("role", ["dpo", "marketer", "administrator"])
def test_undoing_is_for_stewards(role):
    batch = load(row("C1"))
    client = client_of(role)

    for name in ("mdm:batch-ask-undo", "mdm:batch-undo-now"):
        assert client.post(reverse(name, args=[batch.pk])).status_code == 403
    assert LoadBatch.objects.get().undo_job is None


def test_a_preview_of_another_file_is_no_preview_of_this_one(steward):
    first, second = load(row("C1")), load(row("C2"))
    steward.post(reverse("mdm:batch-ask-undo", args=[first.pk]))
    preview_job = Job.objects.get(kind="preview_undo")

    page = steward.get(reverse("mdm:batch-undo", args=[second.pk, preview_job.pk]))

    assert page.status_code == 404
