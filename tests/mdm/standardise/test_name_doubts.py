"""Names seen together: swapped, both in one cell, repeated, or unlike the civility."""

import pytest

from mdm.standardise.name_doubts import contradicts_sex, suggested_names
from tests.mdm.standardise.test_record import standardise


@pytest.mark.parametrize(
    ("given", "family"), [("Lefèvre", "Sandrine"), ("DUPONT", "Martin"), ("Potteau", "Marie-Lise")]
)
def test_swapped_names_are_told_and_left_where_they_stand(given, family):
    record = standardise(given_name=given, family_name=family)

    assert ("family_name", "swapped") in record.issues
    assert (record.given_name, record.family_name) == (given.capitalize(), family)
    assert suggested_names(record.given_name, record.family_name, "swapped").startswith(family)


@pytest.mark.parametrize(
    ("given", "family"),
    [("Zéphyrin", "Martin"), ("Sandrine", "Lefèvre"), ("Jean", "Pierre"), ("ZORAN", "Petrovic")],
)
def test_names_in_their_place_are_left_in_peace(given, family):
    assert standardise(given_name=given, family_name=family).issues == ()


def test_a_whole_name_in_one_cell_is_taken_apart_when_its_capitals_leave_no_doubt():
    record = standardise(family_name="DUPONT Sandrine")

    assert (record.given_name, record.family_name) == ("Sandrine", "Dupont")
    assert record.issues == (("family_name", "split"),)


def test_a_whole_name_in_one_cell_is_only_told_when_there_is_doubt():
    record = standardise(family_name="dupont sandrine")

    assert (record.given_name, record.family_name) == ("", "Dupont Sandrine")
    assert record.issues == (("family_name", "whole_name"),)
    assert suggested_names("", record.family_name, "whole_name") == "Sandrine Dupont"


def test_a_family_name_of_two_words_is_no_whole_name():
    assert standardise(family_name="Martin Dubois").issues == ()
    assert standardise(family_name="LE GOFF").issues == ()


def test_the_family_name_does_not_stay_in_the_given_name_too():
    record = standardise(given_name="Jean DUPONT", family_name="Dupont")

    assert (record.given_name, record.family_name) == ("Jean", "Dupont")
    assert record.issues == (("family_name", "repeated"),)


def test_civility_sex_and_given_name_are_held_against_each_other():
    assert ("civility", "sex_conflict") in standardise(civility="M.", sex="F").issues
    assert ("civility", "given_name_conflict") in standardise(
        civility="Mme", given_name="Thomas"
    ).issues
    assert standardise(civility="Mme", given_name="Dominique").issues == ()
    assert not contradicts_sex("Zorglub", "m")


def test_the_sex_stays_as_stated():
    assert standardise(civility="M.", sex="F").sex == "f"
