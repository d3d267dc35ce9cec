"""Postal labels: six lines of thirty-eight capitals, seven abroad, shortened only to fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm.standardise.labels import LINES, LINES_ABROAD, WIDTH, label_line, label_lines
from tests.effort import takes_at_most

PARTS = ("name", "complement", "street", "postcode", "city")
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=[]), max_size=60),
    st.lists(
        st.sampled_from(
            "Monsieur Appartement 12, Bâtiment B Escalier C BP 45 chez 128 bis boulevard du "
            "Général de Gaulle et des Martyrs l'Église Saint-Étienne lieu-dit 12-14 CEDEX".split()
        ),
        max_size=10,
    ).map(" ".join),
)
ADDRESSES = st.fixed_dictionaries(dict.fromkeys(PARTS, TEXTS))


@given(ADDRESSES, st.sampled_from(["", "FR", "RE", "MC", "DE", "GB", "XX"]))
def test_a_label_has_few_short_lines_of_capitals(address, country):
    lines = label_lines(**address, country=country)

    assert len(lines) <= (LINES_ABROAD if country in {"DE", "GB", "XX"} else LINES)
    assert all(0 < len(line) <= WIDTH and line.isascii() for line in lines)
    assert all(line == line.upper() == label_line(line) for line in lines)


def test_every_part_of_an_address_has_its_line():
    lines = label_lines(
        name="Mme Zoé L'Héritier",
        complement="Appt 12, Bât B, BP 45",
        street="12 bis rue de l'Église",
        postcode="44000",
        city="Nantes Cedex 1",
        country="FR",
    )

    assert lines == [
        "MME ZOE L'HERITIER",
        "APPT 12",
        "BAT B",
        "12 BIS RUE DE L EGLISE",
        "BP 45",
        "44000 NANTES CEDEX 1",
    ]


@pytest.mark.parametrize(
    ("street", "line"),
    [
        ("3 avenue Foch", "3 AVENUE FOCH"),
        ("128 boulevard du Général de Gaulle", "128 BOULEVARD DU GENERAL DE GAULLE"),
        (
            "128 bis boulevard du Général de Gaulle et des Martyrs",
            "128 BIS BD GAL GAULLE ET DES MARTYRS",
        ),
        ("12-14 rue Saint-Étienne", "12-14 RUE SAINT ETIENNE"),
    ],
)
def test_a_street_is_shortened_only_when_too_long_for_its_line(street, line):
    assert label_lines(name="", street=street) == [line]


def test_the_country_is_written_only_when_the_mail_leaves_france():
    def last(**address: str) -> list[str]:
        return label_lines(name="Petit", street="5 rue X", **address)[2:]

    assert last(postcode="97400", city="Saint-Denis", country="RE") == ["97400 SAINT DENIS"]
    assert last(postcode="10115", city="Berlin", country="DE") == ["10115 BERLIN", "ALLEMAGNE"]
    assert last(postcode="SW1A 1AA", city="London", country="GB") == [
        "LONDON SW1A 1AA",
        "ROYAUME UNI",
    ]


@pytest.mark.parametrize("nonsense", ["boulevard " * 10_000, "é" * 100_000, "Bât B, " * 14_000])
def test_nonsense_costs_less_than_a_blink(nonsense):
    assert takes_at_most(10, lambda number: label_line(nonsense[number:]))
