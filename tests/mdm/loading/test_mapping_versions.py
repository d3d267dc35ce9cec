"""The mapping of a source that is known: the next file, its versions, value maps."""

import io
import tomllib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from openpyxl import Workbook

from mdm.models import FieldMapping, LoadBatch, ValueMap
from tests.mdm.loading.files import DOCUMENT, load, row
from tests.mdm.loading.mapping_bench import NEW, page_of, start, values_of
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def steward() -> Client:
    return client_of("steward")


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
