"""The one table of given names: sex, short forms, and what may be a family name too."""

from mdm.folding import fold
from mdm.standardise import given_names


def test_the_table_is_folded_and_holds_each_name_once_for_each_sex():
    rows = given_names.table()
    keys = [(name, sex) for name, sex, _forms in rows]

    assert len(keys) == len(set(keys))
    assert len([form for row in rows for form in row.forms]) > 300
    assert {sex for _name, sex in keys} == {"m", "f"}
    assert all(fold(text) == text for name, _, forms in rows for text in (name, *forms))


def test_a_form_stands_for_names_of_either_sex():
    assert {"alexandre", "alexandra"} <= given_names.names_behind("alex")
    assert given_names.names_behind("babeth") == {"elisabeth"}
    assert given_names.names_behind("zorglub") == frozenset()


def test_short_forms_are_given_by_name():
    assert "seb" in given_names.short_forms()["sebastien"]


def test_the_sex_of_a_name_is_known_by_its_first_part():
    assert given_names.sexes("marie claire") == {"f"}
    assert given_names.sexes("jean-foo") == {"m"}
    assert given_names.sexes("dominique") == {"m", "f"}
    assert not given_names.is_given_name("zorglub")


def test_a_given_name_that_is_a_usual_family_name_proves_nothing():
    assert given_names.is_also_family_name("martin")
    assert not given_names.is_also_family_name("sandrine")
