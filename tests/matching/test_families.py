"""Who shares a household is never linked for that, however personal a mailbox is in most homes."""

import csv
import io
import json
from collections import defaultdict
from pathlib import Path

import pytest
from django.core.management import call_command

from matching.models import MatchRun, PairEvidence
from mdm.models import SourceRecord
from tests.matching.people import households

COLUMNS = (
    "source_key given_name family_name birth_date street_number street postcode city phone email"
).split()
# Family name, then given name and birth date of two of them: twins, fathers and sons, couples.
FAMILIES = """
Aubertin Léa 1995-06-15 Lou 1995-06-15
Beaufils Jean-Paul 1962-02-20 Jean-Pierre 1962-02-20
Chastaing Albert 1977-07-07 Marie 1977-07-07
Delatour Rose 2001-04-03 Zoé 2001-04-03
Estienne Hugo 1988-08-30 Nora 1988-08-30
Ferrandi Tom 1990-12-01 Iris 1990-12-01
Gaillard Pierre 1950-03-12 Pierre 1978-07-04
Hennebel Jean 1945-01-09 Jean 1972-11-23
Imbertin Louis 1940-05-02 Louis 1968-09-17
Jacquard Michel 1951-11-11 Michel 1981-12-11
Kermadec Yves 1944-02-28 Yves 1979-10-05
Lartigue Camille 1969-03-21 Camille 1998-08-14
Montfort René 1938-07-19 René 1966-02-03
Noirtier Paul 1955-10-30 Paul 1983-04-18
Orsenne Luc 1949-12-24 Luc 1977-05-06
Perceval Simon 1960-01-15 Simon 1991-06-27
Quillien Alain 1957-04-08 Alain 1986-11-02
Ravignan Denis 1953-09-13 Denis 1980-03-29
Saugnier Michel 1955-02-01 Michèle 1957-09-05
Trevoux Jean 1948-01-18 Marie 1950-05-22
"""


def families():
    """Yield (key, values): each person twice, under one roof with one phone and one mailbox."""
    for number, line in enumerate(FAMILIES.split("\n")[1:-1]):
        name, *people = line.split()
        home = {
            "family_name": name,
            "street_number": f"{number + 1}",
            "street": "rue des Acacias",
            "postcode": f"{35000 + number}",
            "city": "Rennes",
            "phone": f"+332991122{number:02}",
            "email": f"{name.lower()}@example.com",
        }
        for place in (0, 1):
            given_name, born = people[2 * place : 2 * place + 2]
            for copy in "ab":
                person = {**home, "given_name": given_name, "birth_date": born}
                yield f"{name} {place} {copy}", person


def load_file(folder: Path) -> None:
    """Load people who have mailboxes of their own, and the families."""
    people = [(f"{record}", values) for record, _person, values in households(900)]
    document = {
        "source": {"label": "Cards", "trust": 50, "region": "FR", "file_mode": "delta"},
        "column": [{"name": name, "attribute": name} for name in COLUMNS],
    }
    (folder / "cards.json").write_text(json.dumps(document), encoding="utf-8")
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows({**values, "source_key": key} for key, values in [*people, *families()])
    (folder / "cards.csv").write_text(text.getvalue(), encoding="utf-8")
    call_command(
        "load", str(folder / "cards.csv"), "--source", "cards",
        "--mapping", str(folder / "cards.json"), "--json",
    )  # fmt: skip


@pytest.mark.django_db
def test_of_twenty_families_nobody_becomes_another_where_mailboxes_are_personal(tmp_path):
    load_file(tmp_path)

    call_command("match", "--json")

    assert MatchRun.objects.get().model["personal"] == ["email"]
    told = dict(families())
    members = defaultdict(set)
    for key, customer in SourceRecord.objects.values_list("source_key", "customer_id"):
        if key in told:
            members[customer].add(key[:-2])
    assert sorted(map(sorted, members.values())) == sorted([key] for key in {k[:-2] for k in told})
    automatic = PairEvidence.objects.filter(automatic=True, left__source_key__in=told)
    pairs = automatic.values_list("left__source_key", "right__source_key")
    assert all(one[:-2] == other[:-2] for one, other in pairs)
