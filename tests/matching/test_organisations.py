"""Organisations are found among organisations, by number, name and where they are reached."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command

from matching.automatic import held_back
from matching.explanation import explain
from matching.levels import Kind, level_name
from matching.linkage import engine
from matching.linkage.columns import Columns
from matching.linkage.comparison import compare
from matching.linkage.encoding import encode
from matching.models import PairEvidence
from matching.scoring import ScoreModel
from tests.matching.companies import companies

FIRM = {
    "organisation": "Menuiserie Durand SARL",
    "identifier": "732829320",
    "email": "contact@durand.example.com",
    "website": "www.durand.example.com",
    "phone": "+33199001122",
    "street_number": "12",
    "street": "rue du Pré",
    "postcode": "44000",
    "city": "Nantes",
}
CLERK = {**FIRM, "given_name": "Anne", "family_name": "Lefebvre", "identifier": ""}


def levels_of(left, right):
    encoded = encode(Columns.from_rows([(1, left), (2, right), (3, FIRM), (4, CLERK)]))
    found = compare(encoded, np.array([0], np.int32), np.array([1], np.int32))
    return {field: int(level[0]) for field, level in found.items()}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"organisation": "MENUISERIE DURAND", "identifier": "73282932000074"}, None),
        ({"identifier": "FR44732829320", "city": "Rennes", "postcode": "35000"}, None),
        ({"identifier": ""}, None),
        ({"organisation": "Durand Menuiserie"}, None),
        ({"identifier": "552100554"}, "registration_conflict"),
        ({"organisation": "Garage Roux"}, "organisation_unconfirmed"),
        (
            {"identifier": "", "email": "", "website": "", "phone": "", "street": "rue Foch"},
            "organisation_unconfirmed",
        ),
    ],
    ids=[
        "its establishment",
        "its VAT number, after a move",
        "no number, same phone and site",
        "its words in another order",
        "other number",
        "other name, one number",
        "the name and the town only",
    ],
)
def test_what_links_two_organisations(change, reason):
    assert held_back(levels_of(FIRM, {**FIRM, **change})) == reason


def test_the_domain_of_a_mailbox_is_a_site_unless_people_rent_it():
    mailbox = {**FIRM, "website": "", "email": "anne@durand.example.com"}
    rented = {**FIRM, "website": "", "email": "durand@gmail.com"}

    assert level_name("website", levels_of(FIRM, mailbox)["website"]) == "same"
    assert level_name("website", levels_of(FIRM, rented)["website"]) == "unknown"


def linked(rows):
    return engine.link(Columns.from_rows((key, row) for key, (_, _, row) in enumerate(rows, 1)))


def test_a_person_is_never_linked_with_the_organisation_that_she_works_for():
    rows = list(companies(120))
    persons = {key for key, (_, entity, _) in enumerate(rows, 1) if entity.startswith("p")}

    found = linked(rows)

    assert len(persons) > 20
    assert found.counts["automatic"] > 40
    for left, right in zip(found.pairs.left.tolist(), found.pairs.right.tolist(), strict=True):
        assert (left in persons) == (right in persons)


def test_no_evidence_makes_one_of_a_person_and_an_organisation():
    model = ScoreModel.from_state(linked(list(companies(120))).model)
    alike = dict.fromkeys(("organisation", "registration", "website", "email", "phone"), 1)

    assert model.score({**alike, "kind": Kind.ORGANISATIONS}) > 10
    assert model.score({**alike, "kind": Kind.MIXED}) < -100


def test_persons_score_the_same_whether_organisations_are_in_the_file_or_not():
    rows = list(companies(120))
    persons = [("crm", entity, row) for _, entity, row in rows if "family_name" in row]
    twice = [*persons, *persons]
    firms = [row for row in rows if "family_name" not in row[2]]
    rules = (engine.Rule(("family_name",)), engine.Rule(("organisation", "postcode")))

    def scores(listed):
        columns = Columns.from_rows((key, row) for key, (_, _, row) in enumerate(listed, 1))
        pairs = engine.link(columns, engine.Settings(rules=rules)).pairs
        kept = (pairs.left <= len(twice)) & (pairs.right <= len(twice))
        return {
            (left, right): score >= 3
            for left, right, score in zip(
                pairs.left[kept].tolist(), pairs.right[kept].tolist(), pairs.score[kept].tolist(),
                strict=True,
            )
        }  # fmt: skip

    alone, beside = scores(twice), scores([*twice, *firms])

    certain = {pair for pair, is_match in alone.items() if is_match}
    assert certain == {pair for pair, is_match in beside.items() if is_match}


COLUMNS = {
    "code": "source_key", "societe": "organisation", "siren": "identifier", "site": "website",
    "mail": "email", "tel": "phone", "numero": "street_number", "voie": "street",
    "cp": "postcode", "ville": "city", "prenom": "given_name", "nom": "family_name",
}  # fmt: skip


def write_files(folder: Path) -> Path:
    """Write one file per source with its mapping, and the truth."""
    rows = list(companies(120))
    document = {
        "source": {"label": "Firms", "trust": 50, "region": "FR", "file_mode": "delta"},
        "column": [{"name": name, "attribute": ours} for name, ours in COLUMNS.items()],
    }
    truth = ["source,source_key,entity"]
    for source in ("erp", "crm"):
        (folder / f"{source}.json").write_text(json.dumps(document), encoding="utf-8")
        with (folder / f"{source}.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(COLUMNS))
            writer.writeheader()
            for number, (where, entity, values) in enumerate(rows):
                if where == source:
                    said = {name: values.get(ours, "") for name, ours in COLUMNS.items()}
                    writer.writerow({**said, "code": number})
                    truth.append(f"{source},{number},{entity}")
    path = folder / "truth.csv"
    path.write_text("\n".join(truth), encoding="utf-8")
    return path


@pytest.mark.django_db
def test_files_of_organisations_are_loaded_matched_and_evaluated(tmp_path, capsys):
    truth = write_files(tmp_path)
    for source in ("erp", "crm"):
        call_command(
            "load", str(tmp_path / f"{source}.csv"), "--source", source,
            "--mapping", str(tmp_path / f"{source}.json"), "--json",
        )  # fmt: skip
    call_command("match", "--json")
    capsys.readouterr()

    call_command("evaluate", "--truth", str(truth), "--json")

    figures = json.loads(capsys.readouterr().out)
    assert figures["pairwise"]["precision"] == 1.0
    assert figures["pairwise"]["recall"] >= 0.95
    assert figures["blocking_recall"] >= 0.97
    shown = explain(PairEvidence.objects.filter(automatic=True).latest("score"))
    bits = sum(a.bits for a in (*shown.speaks_for, *shown.speaks_against, *shown.silent))
    assert shown.prior + bits == pytest.approx(shown.score, abs=0.1)
    assert {"organisation", "registration"} & {a.field for a in shown.speaks_for}
