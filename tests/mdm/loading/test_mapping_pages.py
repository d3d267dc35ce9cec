"""The columns of an unknown file are mapped on a page: proposed, adjusted, previewed, saved."""

import io
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from openpyxl import Workbook

from mdm import jobs
from mdm.loading.stored_files import location
from mdm.models import FieldMapping, LoadBatch, MappingDraft, SourceRecord, SourceSystem
from tests.factories import UserFactory
from tests.mdm.factories import SourceSystemFactory
from tests.mdm.loading.files import load, row
from tests.mdm.loading.mapping_bench import NEW, page_of, start, upload, values_of
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def steward() -> Client:
    return client_of("steward")


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
    assert "✔ e-mail" in text
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


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", {"Name", "Trust", "Country", "What its files hold"}),
        ("fr", {"Nom", "Confiance", "Pays", "Ce que contiennent ses fichiers"}),
    ],
)
def test_a_source_is_asked_for_in_the_words_of_its_own_page(language, words):
    steward = client_of("steward", language=language)
    _draft, made_here = start(steward)
    own = steward.get(reverse("admin:mdm_sourcesystem_change", args=[SourceSystemFactory().pk]))

    asked = {str(field.label) for field in made_here.context["bench"].new_source}
    named = {str(field.label) for field in own.context["adminform"].form}
    assert words <= asked & named


def test_many_columns_cost_no_more_queries(steward, django_assert_max_num_queries):
    names = [f"colonne {n}" for n in range(60)]
    content = (";".join(names) + "\r\n" + ";".join("x" * 60) + "\r\n").encode()
    draft, _page = start(steward, content=content)
    UserFactory()

    with django_assert_max_num_queries(75):
        steward.get(page_of(draft))
