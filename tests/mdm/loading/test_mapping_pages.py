"""The columns of an unknown file are mapped on a page: proposed, adjusted, previewed, saved."""

import io
import tomllib
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import Workbook

from consent.models import ConsentEvent
from mdm import jobs
from mdm.load_forms import NEW_SOURCE
from mdm.loading.stored_files import location
from mdm.models import FieldMapping, LoadBatch, MappingDraft, SourceRecord, SourceSystem, ValueMap
from tests.factories import UserFactory
from tests.mdm.loading.files import DOCUMENT, load, row
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db

# Columns no mapping of ours knows, in cp1252 with semicolons.
FILE = (
    "Réf adhérent;Titre;Nom prénom;Courriel;Mobile;Né le;Lettre info;Catégorie;Sexe\r\n"
    "A-1;Mme;Anne LE GOFF;anne@example.org;06 39 98 12 34;05/06/1960;OUI;bleu;F\r\n"
    "A-2;M.;Jean DUPONT;jean@example.org;06 39 98 12 35;01/02/1961;NON;vert;H\r\n"
    "A-3;;Élodie Petit;elodie@example;;;;bleu;\r\n"
).encode("cp1252")


@pytest.fixture
def steward() -> Client:
    return client_of("steward")


def upload(client: Client, content: bytes = FILE, name: str = "adherents.csv", **values: object):
    file = SimpleUploadedFile(name, content)
    sent = {"file": file, "action": "preview", "source": NEW_SOURCE, **values}
    return client.post(reverse("mdm:load-new"), sent)


def page_of(draft: MappingDraft) -> str:
    return reverse("mdm:mapping-draft", args=[draft.pk])


def values_of(response: Any, **changes: str) -> dict[str, Any]:
    """Return what a browser would send from the page, with the changes to columns by name.

    `changes` are `COLUMN__option=value`; other names are sent as they are.
    """
    bench = response.context["bench"]
    sent: dict[str, Any] = {"column": bench.sample.names}
    forms = [bench.file, bench.table.key, *(row.form for row in bench.table.rows)]
    forms += [bench.new_source] if bench.new_source else []
    for form in forms:
        for field in form:
            value = field.value()
            value = (
                field.field.prepare_value(value)
                if hasattr(field.field, "prepare_value")
                else value
            )
            sent[field.html_name] = "" if value is None else value
    places = {row.column.name: row.form.prefix for row in bench.table.rows}
    for name, value in changes.items():
        column, mark, option = name.partition("__")
        sent[f"{places[column.replace('_', ' ')]}-{option}" if mark else name] = value
    return sent


NEW = {"source-code": "club", "source-label": "Club", "source-trust": "60"}


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


def start(client: Client, **values: object) -> tuple[MappingDraft, Any]:
    response = upload(client, **values)
    draft = MappingDraft.objects.get()
    assert response.url.startswith(page_of(draft))
    return draft, client.get(response.url)


def test_the_columns_of_an_unknown_file_are_proposed(steward):
    _draft, page = start(steward)

    rows = page.context["bench"].table.rows
    assert {row.column.name: row.form.shown_attribute for row in rows} == {
        "Réf adhérent": "source_key",
        "Titre": "civility",
        "Nom prénom": "full_name",
        "Courriel": "email",
        "Mobile": "phone",
        "Né le": "birth_date",
        "Lettre info": "",
        "Catégorie": "",
        "Sexe": "sex",
    }
    assert "Windows-1252" in page.content.decode()
    assert page.context["bench"].table.ambiguous == "Né le"
    assert not LoadBatch.objects.exists()
    assert not SourceSystem.objects.exists()


def test_titles_above_the_names_are_shown_and_another_line_can_be_told(steward):
    content = b"Adherents du club\nau;24/11/2026\n\nnumero;nom;ville\n7;ROUX;Lyon\n"
    draft, page = start(steward, content=content, name="titres.csv")
    assert "names of the columns on line 4" in page.text
    assert page.context["bench"].sample.names == ["numero", "nom", "ville"]

    sent = values_of(page, **{"file-header": "2"})
    other = steward.post(page_of(draft), {**sent, "action": "read"})
    again = steward.post(
        page_of(draft), {**values_of(other, **{"file-header": "4", **NEW}), "action": "read"}
    )
    steward.post(page_of(draft), {**values_of(again, **NEW), "action": "save"})

    assert other.context["bench"].sample.names[:2] == ["au", "24/11/2026"]
    batch = LoadBatch.objects.get()
    assert batch.mapping.document["file"] == {"header": 4}
    assert batch.layout["header"] == 4


def test_the_format_of_dates_waits_for_whoever_says_that_a_column_holds_dates(steward):
    upload(steward, b"id;jour\n1;31/12/1960\n2;4/3/1961\n")

    response = steward.get(page_of(MappingDraft.objects.get()))
    day = response.context["bench"].table.rows[1].form

    assert (day["attribute"].value(), day["format"].value()) == (None, "%d/%m/%Y")


def test_adjusted_previewed_saved_and_loaded_without_a_program(steward):
    draft, page = start(steward)
    values = values_of(
        page,
        **NEW,
        Lettre_info__attribute="permission",
        Lettre_info__channel="email",
        Lettre_info__yes="OUI",
        Lettre_info__no="NON",
        Né_le__format="%m/%d/%Y",
    )

    shown = steward.post(reverse("mdm:mapping-preview", args=[draft.pk]), values)
    saved = steward.post(page_of(draft), values | {"action": "save"})

    text = shown.content.decode()
    assert "Le Goff" in text
    assert "✔ email" in text
    batch = LoadBatch.objects.get()
    assert saved.url == reverse("mdm:batch", args=[batch.pk])
    assert (batch.source.code, batch.source.trust, batch.is_waiting) == ("club", 60, True)
    assert not MappingDraft.objects.exists()
    jobs.execute(str(batch.preview_job.pk))
    assert b"Le Goff" in steward.get(saved.url).content
    steward.post(reverse("mdm:batch-apply", args=[batch.pk]))
    batch.refresh_from_db()
    jobs.execute(str(batch.job.pk))
    record = SourceRecord.objects.get(source_key="A-1")
    assert (record.civility, record.given_name, record.family_name) == ("mrs", "Anne", "Le Goff")
    assert record.birth_date.isoformat() == "1960-05-06"
    assert record.raw["Catégorie"] == "bleu"
    assert not list((Path(settings.DATA_DIR) / "loads").glob(f"{Path(batch.stored_file).name}*x"))


def test_the_page_works_without_javascript(steward):
    draft, page = start(steward)
    values = values_of(page, **NEW, Catégorie__attribute="city")

    again = steward.post(page_of(draft), values | {"action": "preview"})

    assert again.status_code == 200
    rows = {row.column.name: row.form.shown_attribute for row in again.context["bench"].table.rows}
    assert rows["Catégorie"] == "city"
    assert "City" in again.context["preview"].headings
    assert again.context["bench"].new_source["code"].value() == "club"


def test_the_encoding_and_the_delimiter_can_be_overridden(steward):
    draft, page = start(steward)
    values = values_of(page) | {"file-delimiter": ",", "file-encoding": "cp1252"}

    again = steward.post(page_of(draft), values | {"action": "read"})

    assert len(again.context["bench"].table.rows) == 1
    back = steward.post(page_of(draft), values_of(again) | {"file-delimiter": ";"})
    assert len(back.context["bench"].table.rows) == 9


def test_the_sheet_with_a_table_is_found_behind_a_notice_and_saved_from_the_page(steward):
    book = Workbook()
    book.active.append(["See the next sheet"])
    clients = book.create_sheet("Clients")
    clients.append(["id", "email"])
    clients.append(["1", "a@example.org"])
    content = io.BytesIO()
    book.save(content)
    upload(steward, content.getvalue(), name="a.xlsx")
    draft = MappingDraft.objects.get()
    page = steward.get(page_of(draft))

    saved = steward.post(page_of(draft), {**values_of(page, **NEW), "action": "save"})

    assert page.context["bench"].sample.names == ["id", "email"]
    # What a browser sends that shows a list without a chosen entry.
    assert '<option value="" selected>' in str(page.context["bench"].file["sheet"])
    assert saved.status_code == 302
    assert "file" not in FieldMapping.objects.get().document


def test_another_sheet_of_a_workbook_can_be_chosen(steward, tmp_path):
    book = Workbook()
    book.active.append(["notes"])
    book.create_sheet("Clients").append(["id", "email"])
    book["Clients"].append(["1", "a@example.org"])
    book.save(tmp_path / "x.xlsx")
    draft, page = start(steward, content=(tmp_path / "x.xlsx").read_bytes(), name="x.xlsx")

    again = steward.post(page_of(draft), values_of(page) | {"file-sheet": "Clients"})

    assert [r.form.shown_attribute for r in again.context["bench"].table.rows] == [
        "source_key",
        "email",
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"Réf_adhérent__attribute": "", "key-columns": ""}, "source_key"),
        ({"Catégorie__attribute": "email"}, "Catégorie"),
        ({"Né_le__format": "JJ/MM"}, "%d/%m"),
        ({"Lettre_info__attribute": "permission"}, "“Lettre info”: choose the channel"),
        ({"source-code": ""}, "source"),
        ({"source-code": "&!"}, "source"),
        ({"source-region": "ZZ"}, "source"),
    ],
)
def test_what_cannot_be_a_mapping_is_said_and_nothing_is_kept(steward, changes, words):
    draft, page = start(steward)
    values = values_of(page, **(NEW | changes))

    response = steward.post(page_of(draft), values | {"action": "save"})

    assert response.status_code == 422
    assert words in response.context["refusal"]
    assert not SourceSystem.objects.exists()
    assert MappingDraft.objects.exists()


def test_names_and_date_formats_are_taken_as_people_write_them(steward):
    upload(steward, "id;nom;né le\r\nA-1;Le Goff;31/12/1960\r\n".encode())
    draft = MappingDraft.objects.get()
    page = steward.get(page_of(draft))
    assert '<option value="%d/%m/%Y">31/12/2024</option>' in page.text
    written = {"source-code": "Boutique Été", "né_le__format": "jj/MM/aaaa"}

    steward.post(page_of(draft), values_of(page, **(NEW | written), action="save"))

    assert SourceSystem.objects.get().code == "boutique-ete"
    assert FieldMapping.objects.get().document["column"][2]["format"] == "%d/%m/%Y"


def test_a_draft_is_its_owners_alone(steward):
    draft, _page = start(steward)
    other = client_of("steward")

    for response in (
        other.get(page_of(draft)),
        other.post(page_of(draft), {"action": "save"}),
        other.post(reverse("mdm:mapping-preview", args=[draft.pk])),
    ):
        assert response.status_code == 404


@pytest.mark.parametrize("role", ["dpo", "marketer", "administrator"])
def test_mapping_is_for_stewards(role, steward):
    batch = load(row("C1"))
    draft, _page = start(steward)
    other = client_of(role)

    for address in (
        page_of(draft),
        reverse("mdm:mapping-versions", args=["crm"]),
        reverse("mdm:mapping-download", args=[batch.mapping_id]),
    ):
        assert other.get(address).status_code == 403
    assert other.post(reverse("mdm:mapping-preview", args=[draft.pk])).status_code == 403
    assert other.post(page_of(draft), {"action": "save"}).status_code == 403


def test_a_draft_thrown_away_is_gone_with_its_file(steward):
    draft, _page = start(steward)
    stored = location(draft.stored_file)
    assert stored.exists()

    steward.post(page_of(draft), {"action": "drop"})

    assert not MappingDraft.objects.exists()
    assert not list(stored.parent.glob(f"{stored.name}*"))


def test_only_what_is_mapped_is_taken_and_nothing_is_set_directly(steward):
    """A-IMP-07: columns named like our own fields are only columns."""
    content = (
        b"numero client;id;pk;golden_id;is_superuser;password;status;created_by;email\r\n"
        b"K1;7;7;7;1;x;erased;1;a@example.org\r\n"
    )
    draft, page = start(steward, content=content)
    steward.post(page_of(draft), values_of(page, **NEW) | {"action": "save", "created_by": "1"})
    batch = LoadBatch.objects.get()
    steward.post(reverse("mdm:batch-apply", args=[batch.pk]))
    batch.refresh_from_db()
    jobs.execute(str(batch.job.pk))

    record = SourceRecord.objects.get()
    assert (record.source_key, record.email, record.status) == ("K1", "a@example.org", "active")
    used = {column["name"] for column in batch.mapping.document["column"]}
    assert used == {"numero client", "email"}


def test_the_next_file_starts_from_the_mapping_in_force_and_marks_new_columns(steward):
    load(row("C1"))
    content = b"id;nom;prenom;email;tel;maj;accord;stop;ville\r\nC1;D;J;;;01/02/2024;;;Brest\r\n"

    draft, page = start(steward, content=content, source="crm", action="map")

    rows = {row.column.name: row for row in page.context["bench"].table.rows}
    assert rows["maj"].form["format"].value() == "%d/%m/%Y"
    assert (rows["ville"].is_new, rows["ville"].form.shown_attribute) == (True, "city")
    saved = steward.post(page_of(draft), values_of(page) | {"action": "save"})
    assert saved.status_code == 302
    assert LoadBatch.objects.first().mapping.version == 2


def test_what_a_missing_column_was_is_proposed_for_another_one(steward):
    load(row("C1"))
    content = b"id;nom;Courriel;email\r\nC1;D;jo@example.org;al@example.org\r\n"

    draft, page = start(steward, content=content, source="crm", action="map")
    draft.delete()
    _draft, other = start(
        steward, content=b"id;nom;Courriel\r\nC1;D;jo@example.org\r\n", source="crm", action="map"
    )

    def shown(response):
        rows = response.context["bench"].table.rows
        return {row.column.name: row.form.shown_attribute for row in rows}

    assert (shown(page)["email"], shown(page)["Courriel"]) == ("email", "")
    assert shown(other)["Courriel"] == "email"


def test_a_file_of_another_delimiter_than_the_source_declares_is_read_as_it_is(steward):
    load(row("C1"))
    mapping = FieldMapping.objects.get()
    mapping.document["file"] = {"delimiter": ","}
    mapping.save()

    _draft, page = start(steward, source="crm", action="map")

    bench = page.context["bench"]
    assert bench.sample.layout["delimiter"] == ";"
    assert len(bench.sample.names) == 9
    assert "delimiter" not in bench.file_options


def test_how_the_sender_said_the_file_is_written_is_kept_where_its_columns_are_mapped(steward):
    load(row("C1"))
    content = "id|nom;prénom\r\nC1|Zoé;Anne\r\n".encode("cp850")
    told = {"encoding": "cp850", "delimiter": "|"}

    draft, page = start(steward, content=content, source="crm", action="map", **told)

    bench = page.context["bench"]
    assert {name: bench.file[name].value() for name in told} == told
    assert bench.sample.rows == [(2, ["C1", "Zoé;Anne"])]
    steward.post(page_of(draft), values_of(page) | {"action": "save"})
    assert FieldMapping.objects.first().document["file"] == told


def test_a_sheet_that_was_chosen_is_the_one_whose_columns_are_mapped(steward):
    book = Workbook()
    book.active.append(["id", "nom"])
    book.create_sheet("Autres").append(["ref", "ville"])
    content = io.BytesIO()
    book.save(content)

    _draft, page = start(
        steward, content=content.getvalue(), name="a.xlsx", action="map", sheet="Autres"
    )

    assert page.context["bench"].sample.names == ["ref", "ville"]
    assert page.context["bench"].file["sheet"].value() == "Autres"


def test_a_value_map_is_copied_into_the_version(steward):
    kept = ValueMap.objects.create(code="sexes", label="Sexes", entries={"H": "m", "F": "f"})
    draft, page = start(steward)
    values = values_of(page, **NEW, Sexe__value_map="sexes", Titre__values="Mme = mrs\nM. = mr")
    steward.post(page_of(draft), values | {"action": "save"})

    document = FieldMapping.objects.get().document
    columns = {column["name"]: column for column in document["column"]}
    assert columns["Sexe"]["values"] == {"H": "m", "F": "f"}
    assert columns["Titre"]["values"] == {"Mme": "mrs", "M.": "mr"}
    kept.entries = {}
    kept.save()
    assert FieldMapping.objects.get().document == document


def test_versions_tell_what_changed_and_travel_as_toml(steward):
    batch = load(row("C1"))
    address = reverse("mdm:mapping-versions", args=["crm"])
    text = steward.get(reverse("mdm:mapping-download", args=[batch.mapping_id])).content.decode()
    document = tomllib.loads(text)
    assert document == DOCUMENT

    same = steward.post(address, {"mapping": SimpleUploadedFile("m.toml", text.encode())})
    changed = text.replace('attribute = "family_name"', 'attribute = "birth_name"')
    steward.post(address, {"mapping": SimpleUploadedFile("m.toml", changed.encode())})
    broken = steward.post(address, {"mapping": SimpleUploadedFile("m.toml", b"[[column]")})

    assert same.status_code == 302
    assert broken.status_code == 422
    assert [m.version for m in batch.source.mappings.all()] == [2, 1]
    page = steward.get(address).content.decode()
    assert "Family name" in page
    assert "Birth name" in page
    assert "dates such as 31/12/2031" in page
    assert "birth_name" not in page


def test_hostile_names_and_values_are_only_text(steward):
    content = b'id;<img src=x onerror=1>\r\n1;"<script>alert(1)</script>"\r\n'

    _draft, page = start(steward, content=content, name="<b>.csv")

    text = page.content.decode()
    assert "<img src=x" not in text
    assert "<script>alert" not in text
    assert "<b>.csv" not in text


def test_a_file_without_rows_is_no_reason_to_fall(steward):
    draft, page = start(steward, content=b"id;email\r\n")

    assert page.status_code == 200
    shown = steward.post(reverse("mdm:mapping-preview", args=[draft.pk]), values_of(page, **NEW))
    assert shown.status_code == 200


def test_many_columns_cost_no_more_queries(steward, django_assert_max_num_queries):
    names = [f"colonne {n}" for n in range(60)]
    content = (";".join(names) + "\r\n" + ";".join("x" * 60) + "\r\n").encode()
    draft, _page = start(steward, content=content)
    UserFactory()

    with django_assert_max_num_queries(75):
        steward.get(page_of(draft))
