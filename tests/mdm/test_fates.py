"""What became of an id: asked by command, by the API, and told on the page, for every fate."""

import csv
import json

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from matching.decisions import Verdict, decide
from mdm.birth_ids import display, public_id
from mdm.identity import refresh
from mdm.models import SourceRecord
from tests.matching.factories import make_steward
from tests.mdm.factories import make_records
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def four():
    """Ids of four fates: the first is live with the second merged in; inactive; erased."""
    records = make_records([{"family_name": name} for name in ("Roux", "Rous", "Petit", "Blanc")])
    decide(records[0].pk, records[1].pk, Verdict.SAME, by=make_steward())
    for record, status in ((records[2], "deleted"), (records[3], "erased")):
        SourceRecord.objects.filter(pk=record.pk).update(status=status)
    refresh([record.pk for record in records])
    return [public_id(record.pk) for record in records]


def test_the_command_answers_for_every_fate(four, capsys):
    said = []
    for asked in four:
        call_command("what_became_of", display(asked).lower(), "--json")
        said.append(json.loads(capsys.readouterr().out))

    assert [(s["status"], s["customer_id"], s["customer_status"]) for s in said] == [
        ("active", four[0], "active"),
        ("merged", four[0], "active"),
        ("inactive", four[2], "inactive"),
        ("erased", four[3], "erased"),
    ]
    assert all(s["asked"] == asked and s["since"] for s, asked in zip(said, four, strict=True))


def test_the_command_says_it_in_words(four, capsys):
    call_command("what_became_of", four[1])
    assert f"{display(four[1])} was merged into {display(four[0])} on " in capsys.readouterr().out
    call_command("what_became_of", four[3])
    assert "was erased on" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "nonsense", public_id(2**39)])
def test_an_id_never_issued_is_unknown(text):
    with pytest.raises(CommandError):
        call_command("what_became_of", text)


def test_the_api_says_what_the_command_says_and_no_value(four):
    client = client_of("steward")
    for asked in four:
        answer = client.get(reverse("mdm:api-customer", args=[asked]))
        assert answer.json()["asked"] == asked
        assert "oux" not in answer.text
    unknown = client.get(reverse("mdm:api-customer", args=[public_id(2**39)]))
    assert (unknown.status_code, unknown.json()) == (404, {"error": "unknown"})


def test_the_api_is_closed_to_strangers_and_to_roles_without_customers(four):
    url = reverse("mdm:api-customer", args=[four[0]])

    assert Client().get(url).status_code == 401
    assert client_of("marketer").get(url).status_code == 403


@pytest.mark.parametrize(
    ("place", "words"),
    [(1, "was merged into"), (2, "No source has known the person"), (3, "was erased on")],
)
def test_the_page_says_what_became_of_the_id(four, place, words):
    answer = client_of("steward").get(reverse("mdm:customer", args=[four[place]]), follow=True)

    assert answer.status_code == 200
    assert words in answer.text


def test_crossref_gives_the_merged_ids_on_demand(four, tmp_path, capsys):
    out, merged = tmp_path / "records.csv", tmp_path / "merged.csv"
    call_command("crossref", "--out", str(out), "--merged", str(merged), "--json")

    assert json.loads(capsys.readouterr().out)["merged_ids"] == 1
    rows = list(csv.DictReader(merged.read_text().splitlines()))
    assert rows == [{"merged_id": four[1], "customer_id": four[0], "customer_status": "active"}]
