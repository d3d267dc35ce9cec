"""Who shares a household is never linked for that, however personal a mailbox is in most homes."""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from django.core.management import call_command

from matching import key_table
from matching.models import MatchRun, PairEvidence
from matching.resemblance import resembling, standard
from matching.rule_sets import Parameters
from mdm import jobs
from mdm.models import SourceRecord
from tests.matching.people import households

COLUMNS = (
    "source_key given_name family_name birth_date street_number street postcode city phone email"
).split()
AUTOMATIC = Parameters().automatic_threshold
# Family name, then given name and birth date of two of them: twins, fathers and sons, couples,
# twins of near names, sons born on their fathers' birthdays.
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
Urvoy Simon 1986-03-14 Simone 1986-03-14
Vasseur Paul 1992-10-05 Paule 1992-10-05
Wagram Éric 1979-05-27 Érica 1979-05-27
Yvetot Marc 1968-07-21 Marie 1968-07-21
Zeller André 1951-04-16 André 1981-04-16
Abgrall Luc 1946-09-02 Luc 1966-09-02
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


def load_file(folder: Path, rows: Iterable[tuple[str, Mapping[str, str | None]]]) -> None:
    """Load rows of one source."""
    document = {
        "source": {"label": "Cards", "trust": 50, "region": "FR", "file_mode": "delta"},
        "column": [{"name": name, "attribute": name} for name in COLUMNS],
    }
    (folder / "cards.json").write_text(json.dumps(document), encoding="utf-8")
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows({**values, "source_key": key} for key, values in rows)
    (folder / "cards.csv").write_text(text.getvalue(), encoding="utf-8")
    call_command(
        "load", str(folder / "cards.csv"), "--source", "cards",
        "--mapping", str(folder / "cards.json"), "--json",
    )  # fmt: skip


def others() -> list[tuple[str, dict[str, str | None]]]:
    """Return people who have mailboxes of their own."""
    return [(f"{record}", values) for record, _person, values in households(900)]


def assert_that_all_stay_apart() -> None:
    told = dict(families())
    members = defaultdict(set)
    for key, customer in SourceRecord.objects.values_list("source_key", "customer_id"):
        if key in told:
            members[customer].add(key[:-2])
    assert sorted(map(sorted, members.values())) == sorted([key] for key in {k[:-2] for k in told})
    automatic = PairEvidence.objects.filter(automatic=True, left__source_key__in=told)
    pairs = automatic.values_list("left__source_key", "right__source_key")
    assert all(one[:-2] == other[:-2] for one, other in pairs)


@pytest.mark.django_db
def test_in_a_family_nobody_becomes_another_where_mailboxes_are_personal(tmp_path):
    load_file(tmp_path, [*others(), *families()])

    call_command("match", "--json")

    assert MatchRun.objects.get().model["personal"] == ["email"]
    assert_that_all_stay_apart()


@pytest.mark.django_db
def test_who_comes_later_or_is_asked_for_becomes_no_relative(tmp_path):
    first = [(key, values) for key, values in families() if " 0 " in key]
    later = [(key, values) for key, values in families() if " 1 " in key]
    load_file(tmp_path, [*others(), *first])
    call_command("match", "--json")
    jobs.run_now(key_table.prepare())
    relatives = {key[:-4]: SourceRecord.objects.get(source_key=key).customer for key, _ in first}

    for key, values in later:
        described = {name: value for name, value in values.items() if name != "phone"}
        found = resembling(standard(described, phones=[values["phone"]]))
        hits = {hit.customer_id: hit for hit in found}
        hit = hits.get(relatives[key[:-4]].pk)
        assert hit is None or hit.reasons.held_back or hit.score < AUTOMATIC, key
    load_file(tmp_path, later)
    call_command("match", "--scope", "changed", "--json")

    assert_that_all_stay_apart()
