"""The pages of loading, by request: who may, what they show, what they refuse."""

import csv
import io
import json
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import F
from django.urls import reverse

from mdm import jobs
from mdm.load_forms import NEW_SOURCE
from mdm.loading.one_row import store_row
from mdm.loading.undo import start_undo
from mdm.models import AccessLog, Job, LoadBatch, SourceSystem
from tests.factories import UserFactory
from tests.mdm.factories import LoadBatchFactory
from tests.mdm.loading.files import DOCUMENT, csv_bytes, load, load_bytes, row
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def steward(client):
    """A client logged in as a steward."""
    client.force_login(UserFactory(username="anne", role="steward"))
    return client


def upload(client, content: bytes = b"", **values: object):
    file = SimpleUploadedFile("crm.csv", content or csv_bytes([row("C1"), row("C2")]))
    return client.post(reverse("mdm:load-new"), {"file": file, **values})


def mapping_file(document: object = DOCUMENT) -> SimpleUploadedFile:
    return SimpleUploadedFile("crm.json", json.dumps(document).encode())


def test_a_steward_sends_a_file_for_a_new_source_and_follows_it(steward):
    response = upload(steward, new_code="crm", mapping=mapping_file())

    batch = LoadBatch.objects.get()
    assert response.url == reverse("mdm:batch", args=[batch.pk])
    assert batch.created_by.username == "anne"
    waiting = steward.get(response.url).content.decode()
    assert reverse("mdm:job-state", args=[batch.job.pk]) in waiting

    jobs.execute(str(batch.job.pk))

    done = steward.get(response.url)
    assert done.context["row_count"] == 2
    assert "data-job-state" not in done.content.decode()


def test_the_known_source_is_offered_and_its_mapping_used(steward):
    load(row("C1"))

    response = upload(steward, source="crm")

    jobs.execute(str(LoadBatch.objects.first().job.pk))
    batch = LoadBatch.objects.get(pk=int(response.url.rstrip("/").rpartition("/")[2]))
    assert (batch.new_count, batch.same_count) == (1, 1)


def test_among_several_sources_none_is_chosen_but_the_one_asked_for(steward):
    def chosen(address: str = reverse("mdm:load-new")) -> str:
        return steward.get(address).context["form"]["source"].value()

    nowhere = chosen()
    load(row("C1"))
    alone = chosen()
    form = {**DOCUMENT, "source": {**DOCUMENT.get("source", {}), "label": "Form"}}
    store_row(row("F1"), source_code="form", document=form, reason="sign-up")

    assert (nowhere, alone, chosen()) == (NEW_SOURCE, "crm", "")
    assert chosen(reverse("mdm:load-new") + "?source=crm") == "crm"
    refused = upload(steward, action="load", source="")
    assert refused.status_code == 422
    assert list(refused.context["form"].errors) == ["source"]


def test_a_row_with_nothing_but_its_key_is_kept_and_told():
    steward = client_of("steward")
    batch = load(row("C1"), {**dict.fromkeys(row("C2"), ""), "id": "C2"})

    page = steward.get(reverse("mdm:batch", args=[batch.pk])).text
    issue = steward.get(reverse("mdm:batch-issue", args=[batch.pk, "source_key", "empty"]))

    assert batch.new_count == 2
    assert "The row says nothing but its key" in page
    assert [record.source_key for record, _value, _raw in issue.context["rows"]] == ["C2"]


def test_the_preview_says_into_which_source_the_file_goes():
    load(row("C1"))
    steward = client_of("steward")

    page = steward.get(upload(steward, source="crm", action="preview").url).content.decode()

    assert "This file goes into the source <b>CRM</b>" in page


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, "source"),
        ({"mapping": "good"}, "source"),
        ({"source": NEW_SOURCE, "mapping": "good"}, "new_code"),
        ({"new_code": "crm", "mapping": "broken"}, "mapping"),
        ({"new_code": "a b", "mapping": "good"}, "new_code"),
        ({"new_code": "crm", "mapping": "good", "content": b"id;nom\n1;2\n"}, "file"),
        ({"new_code": "crm", "mapping": "good", "content": b"\x89PNG\r\n\x1a\n"}, "file"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_nothing_is_kept(steward, values, field):
    kinds = {"good": DOCUMENT, "broken": {"column": [{"name": "x", "attribute": "y"}]}}
    if "mapping" in values:
        values = {**values, "mapping": mapping_file(kinds[values["mapping"]])}

    response = upload(steward, **values)

    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert not LoadBatch.objects.exists()
    assert not SourceSystem.objects.exists()


def test_a_file_written_otherwise_than_its_source_is_told_so_for_once(steward):
    declared = {**DOCUMENT, "file": {"encoding": "cp1252", "delimiter": ";"}}
    load(row("C1"), document=declared)
    content = csv_bytes([row("C2", nom="ZOÉ")]).decode("cp1252").replace(";", ",").encode()

    refused = upload(steward, content, source="crm")
    upload(steward, content, source="crm", encoding="utf-8", delimiter=",")
    wrong = upload(steward, content, source="crm", header="1000")

    assert list(refused.context["form"].errors) == ["file"]
    batch = LoadBatch.objects.latest("pk")
    assert (batch.layout["encoding"], batch.layout["delimiter"]) == ("utf-8-sig", ",")
    assert batch.mapping.document == declared
    assert list(wrong.context["form"].errors) == ["header"]
    assert '<details class="o-more" open>' in wrong.text


def test_a_file_beyond_the_limit_is_refused(steward, settings):
    settings.UPLOAD_MAX_MEGABYTES = 0

    response = upload(steward, new_code="crm", mapping=mapping_file())

    assert list(response.context["form"].errors) == ["file"]


def test_rejected_rows_are_shown_and_leave_as_harmless_csv(steward):
    content = csv_bytes([row("C1")]) + b"=1+1;+2;-3;@x\r\n"
    batch = load_bytes(content)

    page = steward.get(reverse("mdm:batch", args=[batch.pk])).content.decode()
    response = steward.get(reverse("mdm:batch-rejects", args=[batch.pk]))

    assert "=1+1" in page
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    _header, line = csv.reader(io.StringIO(text), delimiter=";")
    assert line[0] == "3"
    assert line[4:] == ["'=1+1", "'+2", "'-3", "'@x"]
    assert AccessLog.objects.get().reference == f"batch {batch.pk}"


def test_a_hostile_file_name_is_only_text(steward):
    batch = LoadBatchFactory(file_name="<img onerror=alert(1)>.csv")

    page = steward.get(reverse("mdm:batch", args=[batch.pk])).content.decode()

    assert "<img onerror" not in page


def test_a_failed_load_says_why(steward):
    load(*[row(f"C{n}") for n in range(40)])
    with pytest.raises(jobs.JobFailed):
        load(row("C1"), mode="full")
    batch = LoadBatch.objects.first()

    page = steward.get(reverse("mdm:batch", args=[batch.pk])).content.decode()

    assert batch.job.error.split(".")[0][:30] in page


ADDRESSES = ["mdm:load-new", "admin:mdm_loadbatch_changelist", "admin:mdm_sourcesystem_changelist"]


@pytest.mark.parametrize("role", ["dpo", "marketer", "administrator"])
def test_loading_is_for_stewards(client, role):
    batch = load(row("C1"))
    client.force_login(UserFactory(role=role))

    for address in (
        reverse("mdm:load-new"),
        reverse("mdm:batch", args=[batch.pk]),
        reverse("mdm:batch-rejects", args=[batch.pk]),
        reverse("admin:mdm_fieldmapping_changelist"),
    ):
        assert client.get(address).status_code == 403
    assert upload(client, source="crm").status_code == 403


def test_nobody_comes_in_without_login(client):
    batch = load(row("C1"))

    for address in (reverse("mdm:load-new"), reverse("mdm:batch", args=[batch.pk])):
        assert "login" in client.get(address).url


def test_lists_and_forms_of_the_admin_open(steward):
    batch = load(row("C1"))
    pages = [reverse(name) for name in ADDRESSES]
    pages += [
        reverse("admin:mdm_sourcesystem_change", args=[batch.source_id]),
        reverse("admin:mdm_sourcesystem_history", args=[batch.source_id]),
        reverse("admin:mdm_fieldmapping_change", args=[batch.mapping_id]),
        reverse("admin:mdm_fieldmapping_add"),
    ]

    assert [steward.get(page).status_code for page in pages] == [200] * len(pages)
    link = reverse("admin:mdm_loadbatch_change", args=[batch.pk])
    assert steward.get(link).url == reverse("mdm:batch", args=[batch.pk])


def test_a_new_version_of_a_mapping_is_checked(steward):
    batch = load(row("C1"))
    page = reverse("admin:mdm_fieldmapping_add")

    wrong = steward.post(page, {"source": batch.source_id, "document": '{"column": []}'})
    right = {**DOCUMENT, "file": {"delimiter": ";"}}
    good = steward.post(page, {"source": batch.source_id, "document": json.dumps(right)})

    assert wrong.status_code == 200
    assert good.status_code == 302
    latest = batch.source.mappings.first()
    assert (latest.version, latest.created_by.username) == (2, "anne")


def test_a_changed_source_keeps_its_history(steward):
    batch = load(row("C1"))
    page = reverse("admin:mdm_sourcesystem_change", args=[batch.source_id])
    values = {"label": "Tills", "trust": 60, "region": "FR", "file_mode": "full", "owner": ""}
    values |= {"mappings-TOTAL_FORMS": 0, "mappings-INITIAL_FORMS": 0}

    assert steward.post(page, values).status_code == 302

    latest = batch.source.history.first()
    assert (latest.trust, latest.history_user.username) == (60, "anne")


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_list_costs_the_same_for_many_rows(steward, name, django_assert_max_num_queries):
    for number in range(12):
        LoadBatchFactory(source__code=f"s{number}")
    steward.get(reverse(name))

    with django_assert_max_num_queries(14):
        steward.get(reverse(name))


def test_files_tell_how_far_they_came_and_what_comes_next(steward):
    batch = load(row("C1"))
    page = reverse("mdm:batch", args=[batch.pk])
    listed = reverse("admin:mdm_loadbatch_changelist")
    assert reverse("matching:home") in steward.get(page).text.partition("o-head__actions")[2]
    assert "<title> Fichiers chargés | Orfèvre</title>" in steward.get(listed).text
    assert re.search(r">\s*chargé\s*<", steward.get(listed).text)

    start_undo(batch, by=None, is_foreground=True)
    jobs.execute(str(LoadBatch.objects.get().undo_job.pk))

    assert "↶ annulé" in steward.get(page).text
    assert "Chercher les doublons" not in steward.get(page).text
    assert re.search(r">\s*annulé\s*<", steward.get(listed).text)


def test_a_load_that_was_stopped_says_that_the_rest_is_not_stored():
    steward = client_of("steward")
    batch = load(row("C1"))
    assert batch.job is not None
    address = reverse("mdm:batch", args=[batch.pk])
    whole = steward.get(address).content.decode()
    Job.objects.filter(pk=batch.job.pk).update(state=Job.State.CANCELLED)

    page = steward.get(address).content.decode()

    assert "stopped before its end" in page
    assert "stopped before its end" not in whole


def test_a_preview_tells_how_many_permissions_the_file_says():
    steward = client_of("steward")
    load(row("C1", accord="O"))
    rows = [row("C1", accord="O"), row("C2", accord="O"), row("C3", accord="O", stop="X")]
    rows += [row("C4", accord="N"), row("C5", accord="?")]
    source = {"source": "crm", "action": "preview"}
    response = upload(steward, csv_bytes(rows), **source)
    batch = LoadBatch.objects.latest("pk")
    jobs.execute(str(batch.preview_job.pk))

    page = steward.get(response.url)

    told = {"e-mail": "2 opt-ins, 1 refusal", "all channels": "1 opt-out"}
    assert dict(page.context["permissions"]) == told
    assert "only what was not said before" in page.text
    (new,) = (end["rows"] for end in page.context["samples"] if end["code"] == "new")
    said = {sample["key"]: sample["permissions"] for sample in new}
    assert said["C3"] == "✔ e-mail, ✘ all channels (opt-out)"
    assert (said["C4"], said["C5"]) == ("✘ e-mail", "")


def test_a_file_without_rejected_rows_says_so_when_it_was_read():
    steward = client_of("steward")
    batch = load(row("C1"))
    refused = LoadBatchFactory(job=Job.objects.create(kind="load", state=Job.State.FAILED))

    page = steward.get(reverse("mdm:batch", args=[batch.pk])).text
    assert "Every line of the file could be read." in page
    page = steward.get(reverse("mdm:batch", args=[refused.pk])).text
    assert "Every line of the file could be read." not in page


def test_the_records_with_a_doubt_show_the_cell_that_was_split(steward):
    columns = [
        {"name": "id", "attribute": "source_key"},
        {"name": "nom", "attribute": "full_name"},
        {"name": "prenom", "attribute": "address_line"},
        {"name": "email", "attribute": "city"},
    ]
    batch = load(
        row("C1", nom="M. et Mme ROUX", prenom="BP 42", email="1000 BOURG"),
        document={**DOCUMENT, "column": columns},
    )

    def shown(attribute: str) -> set[tuple[str, str]]:
        issues = {code for name, code in batch_issues if name == attribute}
        address = (reverse("mdm:batch-issue", args=[batch.pk, attribute, c]) for c in issues)
        rows = [line for a in address for line in steward.get(a).context["rows"]]
        return {(raw, value) for _record, value, raw in rows}

    batch_issues = [tuple(issue) for issue in batch.records.get().issues]
    assert shown("full_name") == {("M. et Mme ROUX", "Roux")}
    assert {raw for raw, _value in shown("address_line")} == {"BP 42"}
    assert shown("postcode") == {("1000 BOURG", "01000")}


def test_whoever_follows_a_load_reads_what_it_says_of_permissions_at_its_end():
    steward = client_of("steward")
    response = upload(
        steward,
        csv_bytes([row("C1", accord="O", email="zoe@example.org")]),
        new_code="crm",
        mapping=mapping_file(),
    )
    batch = LoadBatch.objects.get()

    assert "says of permissions" not in steward.get(response.url).text
    jobs.execute(str(batch.job.pk))

    assert "What the file says of permissions" in steward.get(response.url).text


def test_a_file_sent_for_the_wrong_source_is_told_whose_columns_it_has():
    steward = client_of("steward")
    load(row("C1"))
    columns = [
        {"name": name, "attribute": attribute}
        for name, attribute in (("Num", "source_key"), ("NOM", "family_name"), ("Mél", "email"))
    ]
    tills = {"source": {"label": "Tills"}, "column": columns}
    till_file = "num;nom;mél;point\r\n1;ROUX;a@example.org;3\r\n".encode()
    upload(steward, till_file, new_code="tills", mapping=mapping_file(tills))

    wrong = upload(steward, till_file, source="crm", action="preview")
    unknown = upload(steward, b"a;b;c\r\n1;2;3\r\n", source="crm", action="preview")

    assert "Columns of the mapping are not in the file" in wrong.text
    assert "These are the columns of the source “Tills”" in wrong.text
    assert "These are the columns" not in unknown.text
    assert LoadBatch.objects.count() == 2


def test_a_draft_is_listed_with_its_source_and_a_short_load_took_less_than_a_second():
    steward = client_of("steward")
    batch = load(row("C1"))
    Job.objects.filter(pk=batch.job.pk).update(finished_at=F("started_at"))

    upload(steward, source="crm", action="map")
    waiting = steward.get(reverse("mdm:load-new")).text.partition("Waiting for you")[2]

    assert "CRM · " in waiting.partition("to be mapped")[0]
    assert "less than 1 s" in steward.get(reverse("mdm:batch", args=[batch.pk])).text
