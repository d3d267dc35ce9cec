"""Small reference tables leave and come as files: for those who may, validated, with history."""

import csv
import io
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from consent.models import Purpose
from mdm.models import SourceSystem, SurvivorshipRule, SurvivorshipRuleSet, ValueMap
from mdm.survivorship import DEFAULT_RULES, GROUPS
from mdm.survivorship_rules import rules_in_force
from tests.mdm.factories import SourceSystemFactory
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db

TABLES = {
    "mdm_sourcesystem": "steward",
    "mdm_valuemap": "steward",
    "mdm_survivorshiprule": "steward",
    "consent_purpose": "dpo",
}
ROLES = ("steward", "dpo", "marketer", "administrator")
SOURCES = "code,label,trust,region,file_mode,one_record_per_person,owner\r\n"


def send(client, table: str, text: str, name: str = "table.csv"):
    """Upload a file to the import page and return the answer, the preview of what it does."""
    file = SimpleUploadedFile(name, text.encode())
    return client.post(
        reverse(f"admin:{table}_import"), {"import_file": file, "format": "0", "resource": ""}
    )


def confirm(client, table: str, shown):
    values = {field.html_name: field.value() for field in shown.context["confirm_form"]}
    return client.post(
        reverse(f"admin:{table}_process_import"),
        {name: "" if value is None else value for name, value in values.items()},
    )


def export(client, table: str, format: str = "0"):
    return client.post(reverse(f"admin:{table}_export"), {"format": format, "resource": ""})


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("table", TABLES)
def test_only_the_right_role_imports_and_exports(table, role):
    client = client_of(role)
    is_right = TABLES[table] == role
    before = SourceSystem.objects.count(), ValueMap.objects.count(), Purpose.objects.count()

    statuses = {
        client.get(reverse(f"admin:{table}_import")).status_code,
        send(client, table, "code,label\r\nx,y\r\n").status_code,
        client.get(reverse(f"admin:{table}_export")).status_code,
    }
    confirmed = client.post(reverse(f"admin:{table}_process_import"), {"import_file_name": "x"})

    assert statuses == ({200} if is_right else {403})
    assert (confirmed.status_code == 403) != is_right
    assert (export(client, table).status_code == 403) != is_right
    after = SourceSystem.objects.count(), ValueMap.objects.count(), Purpose.objects.count()
    assert after == before


def test_a_file_is_previewed_then_imported_with_history():
    client = client_of("steward")
    SourceSystemFactory.create(code="crm", label="CRM", trust=50)

    shown = send(
        client,
        "mdm_sourcesystem",
        f"{SOURCES}crm,CRM,80,FR,full,0,Anne\r\nshop,Shop,60,BE,delta,1,\r\n",
    )
    assert SourceSystem.objects.get().trust == 50
    assert "80" in shown.content.decode()
    confirm(client, "mdm_sourcesystem", shown)

    crm, shop = SourceSystem.objects.order_by("code")
    assert (crm.trust, crm.file_mode, crm.owner) == (80, "full", "Anne")
    assert (shop.region, shop.one_record_per_person) == ("BE", True)
    latest = crm.history.first()
    assert (latest.trust, latest.history_user is not None) == (80, True)


@pytest.mark.parametrize(
    "line",
    [
        "crm,CRM,101,FR,full,0,",
        "crm,CRM,50,ZZ,full,0,",
        "crm,CRM,50,FR,sometimes,0,",
        f"crm,{'x' * 101},50,FR,full,0,",
        "a b,CRM,50,FR,full,0,",
        "crm,CRM,many,FR,full,0,",
    ],
)
def test_a_wrong_row_is_shown_and_nothing_is_imported(line):
    client = client_of("steward")

    shown = send(client, "mdm_sourcesystem", f"{SOURCES}ok,OK,50,FR,full,0,\r\n{line}\r\n")

    assert shown.context.get("confirm_form") is None
    assert shown.context["result"].has_validation_errors() or shown.context["result"].has_errors()
    assert not SourceSystem.objects.exists()


def test_an_export_comes_back_unchanged_and_runs_nowhere():
    client = client_of("steward")
    SourceSystemFactory.create(code="crm", label="=cmd|x", owner="+33")

    text = export(client, "mdm_sourcesystem").content.decode()
    shown = send(client, "mdm_sourcesystem", text)

    [row] = csv.DictReader(io.StringIO(text))
    assert (row["label"], row["owner"]) == ("'=cmd|x", "'+33")
    assert [result.import_type for result in shown.context["result"].rows] == ["skip"]


def test_value_maps_travel_as_json_objects():
    client = client_of("steward")
    text = 'code,label,entries\r\noui-non,Oui ou non,"{""O"": ""yes""}"\r\n'

    confirm(client, "mdm_valuemap", send(client, "mdm_valuemap", text))
    broken = send(client, "mdm_valuemap", "code,label,entries\r\nx,X,[1]\r\n")

    assert ValueMap.objects.get().entries == {"O": "yes"}
    assert ValueMap.objects.get().history.count() == 1
    assert broken.context.get("confirm_form") is None
    [row] = json.loads(export(client, "mdm_valuemap", "1").content)
    assert json.loads(row["entries"]) == {"O": "yes"}


def test_a_value_map_is_edited_as_pairs():
    client = client_of("steward")

    client.post(
        reverse("admin:mdm_valuemap_add"),
        {"code": "sexes", "label": "Sexes", "entries": "H = m\nF = f"},
    )

    assert ValueMap.objects.get().entries == {"H": "m", "F": "f"}
    assert client.get(reverse("admin:mdm_valuemap_changelist")).status_code == 200


def test_purposes_are_imported_but_their_nature_stays():
    client = client_of("dpo")
    head = "code,label_fr,label_en,nature,product_families,sector,is_active\r\n"
    known = Purpose.objects.first()
    new = "gifts,Dons,Gifts,charity,a | b,cpf_training,1\r\n"

    confirm(client, "consent_purpose", send(client, "consent_purpose", head + new))
    other = send(client, "consent_purpose", f"{head}{known.code},x,y,tracking,,,1\r\n")

    gifts = Purpose.objects.get(code="gifts")
    assert (gifts.product_families, gifts.sector) == (["a", "b"], "cpf_training")
    assert Purpose.objects.get(code="gifts").history.first().history_user is not None
    assert other.context.get("confirm_form") is None
    assert Purpose.objects.get(pk=known.pk).nature == known.nature


def test_a_large_file_is_no_reference_table():
    shown = send(client_of("steward"), "mdm_sourcesystem", SOURCES + "x" * (1 << 20))

    assert shown.context["form"].errors["import_file"]


RULES = "attribute,strategies,trust\r\n"


def test_rules_from_a_file_are_a_new_draft_and_never_those_in_force():
    client = client_of("steward")
    SourceSystemFactory.create(code="crm")
    table = "mdm_survivorshiprule"
    text = f"{RULES}email,trust | recency,crm = 90\r\ngiven_name,,\r\n"

    shown = send(client, table, text)
    assert not SurvivorshipRuleSet.objects.exists()
    after = confirm(client, table, shown)
    again = send(client, table, text)

    draft = SurvivorshipRuleSet.objects.get()
    assert (draft.status, draft.created_by is not None) == ("draft", True)
    assert after.url == reverse("mdm:survivorship")
    [rule] = draft.rules.all()
    assert (rule.attribute, rule.strategies, rule.trust) == (
        "email", ["trust", "recency"], {"crm": 90}
    )  # fmt: skip
    assert rule.history.first().history_user is not None
    assert again.context.get("confirm_form") is None
    assert "draft is open already" in again.text
    assert "Traceback" not in again.text
    assert rules_in_force() == DEFAULT_RULES


@pytest.mark.parametrize(
    "line",
    ["email,beauty,", "email,trust | trust,", "beauty,trust,", "email,trust,web = 3",
     "email,trust,crm = 101", "email,trust,crm: 3"],
)  # fmt: skip
def test_rules_that_nothing_could_follow_are_refused_with_the_file(line):
    client = client_of("steward")
    SourceSystemFactory.create(code="crm")

    shown = send(client, "mdm_survivorshiprule", f"{RULES}phone,trust,\r\n{line}\r\n")

    assert shown.context.get("confirm_form") is None
    assert not SurvivorshipRuleSet.objects.exists()


def test_the_rules_in_force_leave_whole_and_come_back_as_they_are():
    client = client_of("steward")

    text = export(client, "mdm_survivorshiprule").text
    confirm(client, "mdm_survivorshiprule", send(client, "mdm_survivorshiprule", text))

    rows = {row["attribute"]: row for row in csv.DictReader(io.StringIO(text))}
    assert list(rows) == list(GROUPS)
    assert rows["email"]["strategies"] == "valid | recency | trust | completeness"
    assert not SurvivorshipRule.objects.exists()
    assert SurvivorshipRuleSet.objects.get().status == "draft"
