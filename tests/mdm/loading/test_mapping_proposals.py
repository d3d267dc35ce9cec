"""What the mapping page proposes and points out, before anything is saved."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from consent.models import ConsentEvent
from mdm import jobs
from mdm.models import LoadBatch, MappingDraft, SourceRecord
from tests.mdm.loading.mapping_bench import NEW, page_of, start, upload, values_of
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def steward() -> Client:
    return client_of("steward")


def test_one_stranger_among_the_answers_leaves_the_proposal_and_is_counted(steward):
    answers = ["O", "N", "O", "N", "O", "?", "O"]
    rows = "".join(f"A-{n};Roux;{answer}\r\n" for n, answer in enumerate(answers))
    upload(steward, f"id;nom;Optin SMS\r\n{rows}".encode())
    draft = MappingDraft.objects.get()
    page = steward.get(page_of(draft))
    form = page.context["bench"].table.rows[2].form

    assert (form.shown_attribute, form["channel"].value()) == ("permission", "sms")
    assert (form["yes"].value(), form["no"].value()) == ("O", "N")
    told = "1 of the 7 values of Optin SMS in the first rows is neither yes nor no: ?"
    assert told in page.text
    preview = reverse("mdm:mapping-preview", args=[draft.pk])
    assert told not in steward.post(preview, values_of(page, Optin_SMS__no="N, ?")).text


def test_free_texts_that_refuse_are_pointed_out_and_read_so_when_a_person_says(steward):
    notes = ["STOP PUB", "bon client", "désinscrit le 12/03/2024", "Ne plus appeler svp", ""]
    rows = "".join(f"A-{n};Roux;{note}\r\n" for n, note in enumerate(notes))
    upload(steward, f"id;nom;remarques\r\n{rows}".encode())
    draft = MappingDraft.objects.get()
    page = steward.get(page_of(draft))
    place = page.context["bench"].table.rows[2].form.prefix

    assert page.context["bench"].table.rows[2].form.shown_attribute == ""
    assert "3 values look like refusals, such as “STOP PUB”" in page.text
    asked = steward.post(page_of(draft), values_of(page, **NEW) | {"refusals": place})
    assert "choose the channel" in asked.text
    focused = re.findall(r'<(?:select|input)[^>]*name="([^"]+)"[^>]* autofocus', asked.text)
    assert focused == [f"{place}-channel"]
    assert "look like refusals" not in asked.text
    sent = values_of(asked, **NEW, remarques__channel="*") | {"action": "save"}
    steward.post(page_of(draft), sent)
    batch = LoadBatch.objects.get()
    assert batch.mapping.document["column"][-1]["by_words"] is True
    jobs.execute(str(batch.preview_job.pk))
    steward.post(reverse("mdm:batch-apply", args=[batch.pk]))
    batch.refresh_from_db()
    jobs.execute(str(batch.job.pk))

    keys = dict(SourceRecord.objects.values_list("pk", "source_key"))
    refused = ConsentEvent.objects.values_list("source_record", flat=True)
    assert {keys[number] for number in refused} == {"A-0", "A-2", "A-3"}
    told = steward.get(reverse("mdm:mapping-versions", args=["club"])).text
    assert "texts refuse by their words" in told


def test_a_date_format_is_shown_by_a_date_written_so(steward):
    upload(steward, b"id;nom;n\xe9 le;maj\r\n1;ROUX;31/12/1960;1709294400\r\n")
    draft = MappingDraft.objects.get()
    page = steward.get(page_of(draft))

    assert '<span class="o-mono">%d/%m/%Y</span> = 31/12/2024' in page.text
    assert '<span class="o-mono">epoch</span> = seconds since 1970' in page.text
    for half_typed in ("%", "jj", "%d\0%m", "%99999d", 99 * "%d", "%d/%d/%Y", "%d %d %B %Y"):
        sent = values_of(page, né_le__format=half_typed, maj__format="jj") | {"action": "read"}
        answer = steward.post(page_of(draft), sent)
        assert answer.status_code == 200
        if len(half_typed) < 7:
            assert f"{half_typed}</span> =" not in answer.text
    twice = values_of(page, **NEW, né_le__format="jj/jj/aaaa") | {"action": "save"}
    refused = steward.post(page_of(draft), twice)
    assert refused.status_code == 422
    assert "is not a date format" in refused.text


def test_a_cell_that_was_split_stands_where_its_parts_do(steward):
    upload(steward, b"id;nom complet;adresse\r\n1;DUPONT Jean;12 rue Foch\r\n2;Mme Roux Anne;\r\n")
    page = steward.get(page_of(MappingDraft.objects.get()))

    preview = page.context["preview"]
    first, second = (dict(zip(preview.headings, row.cells, strict=True)) for row in preview.rows)
    assert (first["Civility"].value, first["Civility"].raw) == ("", "")
    assert (first["Given name"].value, first["Given name"].raw) == ("Jean", "DUPONT Jean")
    assert (second["Civility"].value, second["Civility"].raw) == ("Mrs", "Mme Roux Anne")
    assert first["Street number"].raw == "12 rue Foch"


def test_lines_that_are_nobody_say_so_among_the_first_rows(steward):
    upload(steward, "id;nom;tel\r\n1;Roux;\r\nNom;Téléphone;Ville\r\nTotal : 1;;\r\n".encode())
    page = steward.get(page_of(MappingDraft.objects.get()))

    assert [bool(row.refusal) for row in page.context["preview"].rows] == [False, True, True]
    assert "another table begins here" in page.text
    assert "The line sums up the table" in page.text


def test_names_in_each_others_column_are_told_and_exchanged_by_one_button(steward):
    names = [("Anne", "Le Goff"), ("Stéphane", "Roux"), ("Chloé", "Petit"), ("Jean", "Martin")]
    names += [("Élodie", "Quéré"), ("Luc", "N'Guyen")]
    rows = "".join(f"A-{n};{given};{family}\r\n" for n, (given, family) in enumerate(names))
    upload(steward, f"id;nom;prenom\r\n{rows}".encode())
    draft = MappingDraft.objects.get()
    page = steward.get(page_of(draft))
    told = "6 of the 6 values of nom are given names, and only 1 of the 6 of prenom"

    assert told in page.text
    changed = steward.post(page_of(draft), values_of(page, **NEW) | {"exchange": "c2 c1"})
    assert "other’s column" not in changed.text
    bare = steward.post(page_of(draft), values_of(page) | {"exchange": "c2 c1"})
    assert "This field is required" not in bare.text
    steward.post(page_of(draft), values_of(changed, **NEW) | {"action": "save"})
    batch = LoadBatch.objects.get()
    jobs.execute(str(batch.preview_job.pk))
    steward.post(reverse("mdm:batch-apply", args=[batch.pk]))
    batch.refresh_from_db()
    jobs.execute(str(batch.job.pk))

    anne = SourceRecord.objects.get(source_key="A-0")
    assert (anne.given_name, anne.family_name) == ("Anne", "Le Goff")


def test_the_rows_stay_while_a_column_is_not_complete(steward):
    draft, page = start(steward)
    preview = reverse("mdm:mapping-preview", args=[draft.pk])

    lacking = steward.post(preview, values_of(page, Lettre_info__attribute="permission")).text
    keyless = values_of(page, Réf_adhérent__attribute="") | {"key-columns": ""}
    hopeless = steward.post(preview, keyless).text

    assert "choose the channel" in lacking
    assert "without the columns that are not complete" in lacking
    assert "Le Goff" in lacking
    assert "Le Goff" not in hopeless
    assert "shown again once this is settled" in hopeless


def test_a_lost_zero_is_put_back_where_one_column_holds_postcode_and_town(steward):
    towns = ["69003 LYON", "1000 BOURG EN BRESSE", *["44000 NANTES"] * 8, "0999 X"]
    rows = "".join(f"A-{n};Roux;{town}\r\n" for n, town in enumerate(towns))
    upload(steward, f"id;nom;CP Ville\r\n{rows}".encode())

    page = steward.get(page_of(MappingDraft.objects.get())).text

    assert "01000" in page
    assert page.count("The leading zero, lost in a spreadsheet, was put back.") == 1


def test_the_country_of_a_new_source_is_proposed_and_can_be_changed(steward):
    upload(steward, b"id,phone,dob\n1,650-650-6176,05/06/1960\n2,(914) 722-3492,01/02/1961\n")
    draft = MappingDraft.objects.get()
    page = steward.get(page_of(draft))

    assert page.context["bench"].new_source["region"].value() == "US"
    assert page.context["bench"].table.rows[2].form["format"].value() == "%m/%d/%Y"
    assert "+16506506176" in page.text
    again = steward.post(page_of(draft), values_of(page, **NEW) | {"source-region": "FR"})
    assert again.context["bench"].region == "FR"


def test_dates_that_their_format_does_not_read_are_counted_before_anything_is_saved(steward):
    days = ["31/12/1960", "30/11/1961", "1962-12-31", "31.12.63", "1964", "n/c"]
    rows = "".join(f"A-{n};Le Goff;{day}\r\n" for n, day in enumerate(days))
    upload(steward, f"id;nom;né le\r\n{rows}".encode())
    draft = MappingDraft.objects.get()
    page = steward.get(page_of(draft))
    row = page.context["bench"].table.rows[2]

    assert (row.form.shown_attribute, row.proposal.format) == ("birth_date", "%d/%m/%Y")
    told = "of the 6 values of né le in the first rows"
    assert f"1 {told} is no date in this format" in page.text
    preview = reverse("mdm:mapping-preview", args=[draft.pk])
    other = steward.post(preview, values_of(page, né_le__format="%d.%m.%y")).text
    assert f"2 {told} are no dates" in other
    unused = steward.post(preview, values_of(page, né_le__attribute="")).text
    assert told not in unused


def test_dates_in_words_and_numbers_are_proposed_confirmed_and_loaded(steward):
    rows = [
        ("A-1", "12 mars 1980", "45352", "1709294400", "x"),
        ("A-2", "1er août 1981", "45000", "1700000000", "y"),
    ]
    lines = ["id;né le;inscrit le;modifié le;nom", *map(";".join, rows)]
    upload(steward, "\r\n".join(lines).encode())
    draft = MappingDraft.objects.get()
    page = steward.get(page_of(draft))
    changes = {"inscrit_le__attribute": "created_at"}
    page = steward.post(page_of(draft), values_of(page, **NEW, **changes))
    changes |= {"inscrit_le__format": "excel", "modifié_le__attribute": "updated_at"}
    page = steward.post(page_of(draft), values_of(page, **NEW, **changes))

    assert "inscrit le holds numbers and is read as dates: days as Excel counts them" in page.text
    assert "modifié le holds numbers and is read as dates: seconds since 1970" in page.text
    assert page.text.count("to be confirmed") == 2
    saved = steward.post(page_of(draft), values_of(page, **NEW, action="save"))
    batch = LoadBatch.objects.get()
    jobs.execute(str(batch.preview_job.pk))
    steward.post(reverse("mdm:batch-apply", args=[batch.pk]))
    batch.refresh_from_db()
    jobs.execute(str(batch.job.pk))

    versions = steward.get(reverse("mdm:mapping-versions", args=["club"])).text
    record = SourceRecord.objects.get(source_key="A-1")
    assert saved.status_code == 302
    assert record.birth_date.isoformat() == "1980-03-12"
    assert record.source_created_at.isoformat() == "2024-02-29T23:00:00+00:00"
    assert record.source_updated_at.isoformat() == "2024-03-01T12:00:00+00:00"
    assert "seconds since 1970" in versions


@pytest.mark.parametrize("header", ["id;email;nom;email", "id;Email;nom;email"])
def test_two_columns_of_one_name_are_told_before_anything_is_saved(steward, header):
    upload(steward, f"{header}\r\n1;a@example.org;ROUX;b@example.org\r\n".encode())
    draft = MappingDraft.objects.get()
    page = steward.get(page_of(draft))
    first, second = page.context["bench"].sample.names[1], page.context["bench"].sample.names[3]
    told = f"The column “{first}” stands twice in the file"
    place = page.context["bench"].table.rows[1].form.prefix

    preview = reverse("mdm:mapping-preview", args=[draft.pk])
    used = values_of(page) | {f"{place}-attribute": "email", "c3-attribute": ""}
    unused = used | {f"{place}-attribute": ""}

    assert told in steward.post(preview, used).text
    assert "stands twice" not in steward.post(preview, unused).text
    assert steward.post(page_of(draft), used | NEW | {"action": "save"}).status_code == 422
    if second == "email (4)":  # Told by its place, the other one can be used.
        other = unused | NEW | {"c3-attribute": "email", "action": "save"}
        assert "stands twice" not in steward.post(preview, other).text
        assert steward.post(page_of(draft), other).status_code == 302


def test_the_page_asks_as_often_for_thirty_columns_as_for_three(steward):
    def queries(columns: int) -> int:
        names = ["id", *(f"c{n}" for n in range(columns))]
        content = ";".join(names) + "\r\n" + ";".join("1" for _ in names) + "\r\n"
        response = upload(steward, content.encode())
        draft = MappingDraft.objects.first()
        sent = values_of(steward.get(response.url))
        with CaptureQueriesContext(connection) as asked:
            steward.get(page_of(draft))
            steward.post(reverse("mdm:mapping-preview", args=[draft.pk]), sent)
        draft.delete()
        return len(asked)

    assert queries(2) == queries(29)


def test_a_refusal_is_shown_once(steward):
    draft, page = start(steward)
    sent = values_of(page, **NEW) | {"key-columns": ""}
    sent["c0-attribute"] = ""

    for action in ("read", "save"):
        answer = steward.post(page_of(draft), sent | {"action": action}).text
        assert answer.count("No column is the key in the source") == 1
        assert "The file has no row" not in answer
