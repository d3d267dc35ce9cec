"""Addresses in full words, postcodes with their zero, towns as they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm.standardise.addresses import country, street_line, street_number, town

WORDS = st.lists(
    st.sampled_from(
        "12 12BIS bis ter AV av. BD R. RUE rue DE de L' L D St STE ÉGLISE église 8 MAI 1945 Les "
        "LILAS , - XIV gal Mal. ZA lot PL 75001 CEDEX PARIS 15E sur n° Foch a B".split()
    ),
    max_size=7,
).map(" ".join)


@pytest.mark.parametrize(
    ("line", "number", "street"),
    [
        ("12BIS AV DE L EGLISE", "12 bis", "avenue de l'Eglise"),
        ("121, RUE DES ACACIAS", "121", "rue des Acacias"),
        ("31 bis rue Sainte-Catherine", "31 bis", "rue Sainte-Catherine"),
        ("R. DU 8 MAI 1945", "", "rue du 8 Mai 1945"),
        ("53 résidence Le Clos Fleuri", "53", "résidence Le Clos Fleuri"),
        ("7 BD ST MICHEL", "7", "boulevard Saint Michel"),
        ("4 r du mal foch", "4", "rue du Maréchal Foch"),
        ("PL LOUIS XIV", "", "place Louis XIV"),
        ("12-14 rte de Paris", "12-14", "route de Paris"),
        ("5 B CHE DES VIGNES", "5 B", "chemin des Vignes"),
        ("3 Les Lilas", "3", "Les Lilas"),
    ],
)
def test_a_street_line_is_taken_apart_and_written_in_full(line, number, street):
    found = street_line(line, "FR")

    assert (found.number, found.name) == (number, street)


def test_abbreviations_of_france_are_not_read_elsewhere():
    assert street_line("7548 Center St", "US")[:2] == ("7548", "Center St")


@pytest.mark.parametrize(
    ("postcode", "city", "expected"),
    [
        ("1000", "BOURG EN BRESSE", ("01000", "Bourg en Bresse", ("restored_zero",))),
        ("", "75001 PARIS", ("75001", "Paris", ())),
        ("", "1000 BOURG", ("01000", "Bourg", ("restored_zero",))),
        ("01000", "1000 BOURG", ("01000", "Bourg", ())),
        ("", "0999 BOURG", ("", "0999 Bourg", ())),
        ("97427", "L ETANG SALE", ("97427", "L'Etang Sale", ())),
        ("69003 CEDEX 03", "LYON", ("69003", "Lyon", ("cedex",))),
        ("69003 Cedex 3", "LYON CEDEX 03", ("69003", "Lyon Cedex 03", ("cedex",))),
        ("69003", "LYON CEDEX 03", ("69003", "Lyon Cedex 03", ("cedex",))),
        ("75015", "Paris 15E", ("75015", "Paris 15e", ())),
        ("F-93200", "st denis", ("93200", "Saint Denis", ())),
        ("99999", "Nulle Part", ("99999", "Nulle Part", ("invalid",))),
    ],
)
def test_postcode_and_town_mend_each_other(postcode, city, expected):
    assert town(postcode, city, "FR")[:3] == expected


def test_a_postcode_of_four_digits_is_sound_in_belgium():
    assert town("1000", "Bruxelles", "BE")[:2] == ("1000", "Bruxelles")
    for written in ("B-1000", "BE 1000", "'1000"):
        assert town(written, "Bruxelles", "BE").postcode == "1000"
    assert town("B1 1AA", "Birmingham", "GB").postcode == "B1 1AA"


def test_countries_are_known_by_many_names():
    names = ("France", "FR", "fra", "F", "D", "Pays-Bas", "RÉUNION")
    assert [country(name)[0] for name in names] == ["FR", "FR", "FR", "FR", "DE", "NL", "RE"]
    assert country("Atlantide") == ("", ("unknown_value",))


@given(st.one_of(WORDS, st.text(max_size=30)))
def test_a_standard_street_stays(line):
    once = street_line(line, "FR")

    assert street_number(once.number) == once.number
    if not once.number:
        assert street_line(once.name, "FR").name == once.name


def test_a_dash_behind_a_postcode_is_no_town():
    for cell in ("75001 -", "75001 ,", "75001 inconnu"):
        assert town("", cell, "FR") == ("75001", "", (), ("placeholder",))


@given(st.sampled_from(["", "1000", "75001", "F-75001", "x"]), WORDS)
def test_a_standard_town_stays(postcode, city):
    once = town(postcode, city, "FR")

    assert town(once.postcode, once.city, "FR")[:2] == once[:2]
