"""Organisations: names to compare by, and numbers whose check digits are checked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm.standardise.organisations import (
    business_number,
    is_siren,
    is_siret,
    is_vat_number,
    organisation,
    organisation_key,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("S.A.R.L. Dupont & Fils", "Dupont et fils"),
        ("DUPONT ET FILS SAS", "Sté Dupont & Fils"),
        ("Müller GmbH", "MUELLER".replace("UE", "U")),
        ("Ets Petit", "PETIT (SARL)"),
    ],
)
def test_one_company_has_one_key_whatever_its_legal_form(one, other):
    assert organisation_key(one) == organisation_key(other)


def test_a_name_made_of_a_legal_form_stays():
    assert organisation_key("SARL") == "sarl"
    assert organisation_key("SA Voix") == "voix"


def test_the_name_stays_as_given_and_what_says_none_is_left_out():
    assert organisation("Dupont & Fils SARL") == ("Dupont & Fils SARL", ())
    assert organisation("particulier") == ("", ("placeholder",))
    assert organisation("--") == ("", ("placeholder",))
    assert organisation("Jean Petit EI") == ("Jean Petit EI", ("sole_trader",))


@pytest.mark.parametrize(
    ("number", "is_right"),
    [("732829320", True), ("732829321", False), ("000000000", False), ("73282932", False)],
)
def test_a_siren_has_its_check_digit(number, is_right):
    assert is_siren(number) is is_right


@pytest.mark.parametrize(
    ("number", "is_right"),
    [
        ("73282932000074", True),
        ("73282932000075", False),
        ("35600000009075", True),  # An office of La Poste, whose sum is what counts.
        ("35600000009076", False),
    ],
)
def test_a_siret_has_its_check_digit_or_is_an_office_of_la_poste(number, is_right):
    assert is_siret(number) is is_right


@pytest.mark.parametrize(
    ("number", "is_right"),
    [
        ("FR44732829320", True),
        ("FR45732829320", False),
        ("DE136695976", True),
        ("DE13669597", False),
        ("BE0123456789", True),
        ("XX123", False),
    ],
)
def test_a_vat_number_has_the_shape_of_its_country_and_in_france_the_key(number, is_right):
    assert is_vat_number(number) is is_right


def test_a_number_is_written_without_blanks_only_when_it_is_right():
    assert business_number("732 829 320", is_expected=True) == ("732829320", ())
    assert business_number("fr 44 732 829 320", is_expected=False) == ("FR44732829320", ())
    assert business_number("732 829 321", is_expected=True) == ("732 829 321", ("checksum",))
    assert business_number("732 829 321", is_expected=False) == ("732 829 321", ())
    assert business_number("C-1002", is_expected=True) == ("C-1002", ())


@given(st.integers(0, 99_999_999).map(lambda number: f"{number:08}"))
def test_exactly_one_digit_completes_a_siren(start):
    found = [digit for digit in "0123456789" if is_siren(start + digit)]

    assert len(found) == (1 if start.strip("0") else 0)


@given(st.text(st.characters(exclude_categories=[]), max_size=30))
def test_a_standard_name_and_number_stay(text):
    name, _codes = organisation(text)
    number, _codes = business_number(text, is_expected=True)

    assert organisation(name)[0] == name
    assert organisation_key(organisation_key(text)) == organisation_key(text)
    assert business_number(number, is_expected=True)[0] == number
