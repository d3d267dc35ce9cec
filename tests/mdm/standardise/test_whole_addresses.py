"""An address in one cell is taken apart when its form leaves no doubt, else kept together."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm.standardise.record import standardise_record
from mdm.standardise.whole_addresses import split_address


@pytest.mark.parametrize(
    ("cell", "parts"),
    [
        ("7548 Center St, San Diego, CA 92101", ("7548 Center St", "92101", "San Diego", "")),
        (
            "1 Infinite Loop, Cupertino CA 95014-2083, USA",
            ("1 Infinite Loop", "95014-2083", "Cupertino", "USA"),
        ),
        ("12 rue de la Paix, 75002 Paris", ("12 rue de la Paix", "75002", "Paris", "")),
        ("12 rue de la Paix\n75002 PARIS 02", ("12 rue de la Paix", "75002", "PARIS 02", "")),
        ("1200 route d'Arles 13200 Arles", ("1200 route d'Arles", "13200", "Arles", "")),
        (
            "Rue Neuve 3, B-1000 Bruxelles, Belgique",
            ("Rue Neuve 3", "1000", "Bruxelles", "Belgique"),
        ),
        ("7 rue du Port  La Rochelle  17000  FR", ("7 rue du Port", "17000", "La Rochelle", "FR")),
        ("12  rue de la Paix  75002  Paris", ("12 rue de la Paix", "75002", "Paris", "")),
        ("1 Main St  Springfield  IL  62701  US", ("1 Main St", "62701", "Springfield", "US")),
        ("12 High Street, Leeds LS1 4AP", ("12 High Street", "LS1 4AP", "Leeds", "")),
        (
            "10 Downing Street, London, SW1A 2AA, United Kingdom",
            ("10 Downing Street", "SW1A 2AA", "London", "United Kingdom"),
        ),
        (
            "Flat 2, 12 High Street, Headingley, Leeds, West Yorkshire LS6 3AA",
            ("Flat 2, 12 High Street, Headingley", "LS6 3AA", "Leeds", ""),
        ),
        ("1 Mill Lane, Oxfordshire OX1 1AA", ("1 Mill Lane", "OX1 1AA", "Oxfordshire", "")),
        ("3 The Green, Lewes, East Sussex, bn7 1ab", ("3 The Green", "bn7 1ab", "Lewes", "")),
        ("Kerkstraat 12, 1012 AB Amsterdam", ("Kerkstraat 12", "1012 AB", "Amsterdam", "")),
        ("Kerkstraat 12 1012AB AMSTERDAM", ("Kerkstraat 12", "1012AB", "AMSTERDAM", "")),
        ("Rue Neuve 3, 1000 BRUXELLES", ("Rue Neuve 3", "1000", "BRUXELLES", "")),
        ("Leopoldlaan 5, 8420 DE HAAN", ("Leopoldlaan 5", "8420", "DE HAAN", "")),
        ("69003 Lyon", ("", "69003", "Lyon", "")),
    ],
)
def test_a_clear_address_is_taken_apart(cell, parts):
    found = split_address(cell)

    names = ("address_line", "postcode", "city", "country")
    assert tuple(found.values.get(name, "") for name in names) == parts
    assert not found.codes


@pytest.mark.parametrize(
    "cell", ["12 rue de la Paix", "10 Downing Street London", "Leeds LS1 4AP", "?"]
)
def test_a_doubtful_address_stays_together(cell):
    found = split_address(cell)

    assert (found.values["address_line"], found.codes) == (cell, ("not_split",))


@pytest.mark.parametrize("letter", ["A", "B", "F"])
def test_a_letter_at_the_end_may_be_a_staircase_and_is_no_country(letter):
    found = split_address(f"12 rue des Lilas, escalier, {letter}")

    assert found.values == {"address_line": f"12 rue des Lilas, escalier, {letter}", "country": ""}
    assert split_address(f"12 rue des Lilas, 44000 Nantes, {letter}").values["country"] == ""


def test_a_column_of_its_own_wins_over_the_whole_address():
    values = {"full_address": "12 rue de la Paix, 75002 Paris", "city": "Lyon", "postcode": ""}

    record = standardise_record(values, region="FR", today=date(2024, 1, 1))

    assert (record.street_number, record.postcode, record.city) == ("12", "75002", "Lyon")


@given(st.text(max_size=700))
def test_no_text_breaks_the_split(cell):
    split_address(cell)


def test_nonsense_takes_no_time():
    for cell in ("1234 " * 100, "1234, " * 80 + "x", "a" * 500, "AB-" * 160, ", " * 250):
        split_address(cell)
