"""Two records, field by field: every pair of values ends at a level that a person would name."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from matching.explanation import level_in_words
from matching.levels import LEVELS, FamilyName, GivenName, Kinship, level_name
from matching.linkage.closeness import FAR, distances
from matching.linkage.coded import Coded
from matching.linkage.columns import Columns
from matching.linkage.comparison import compare
from matching.linkage.encoding import encode


def levels_of(left: Mapping[str, str | None], right: Mapping[str, str | None]) -> dict[str, str]:
    """Return the level names of two records; both come twice, so that every field is present."""
    encoded = encode(Columns.from_rows([(1, left), (2, right), (3, left), (4, right)]))
    found = compare(encoded, np.array([0], np.int32), np.array([1], np.int32))
    return {field: level_name(field, int(level[0])) for field, level in found.items()}


letters = st.text("abcdeilmnorst", min_size=1, max_size=9)


@given(letters, letters)
def test_the_filter_loses_no_close_pair(one, other):
    words = Coded(np.zeros(0, np.int32), [None, one, other])
    codes = np.array([1], np.int32), np.array([2], np.int32)

    found = distances(words, *codes, 2)[0]

    true = OSA.distance(one, other)
    assert found == (true if true <= 2 else FAR)


@pytest.mark.parametrize(
    ("left", "right", "field", "level"),
    [
        ({"given_name": "Hélène"}, {"given_name": "HELENE"}, "given_name", "same_usual"),
        ({"given_name": "Jean-Pierre"}, {"given_name": "Jean"}, "given_name", "short_form"),
        ({"given_name": "Jean-Pierre"}, {"given_name": "JP"}, "given_name", "short_form"),
        ({"given_name": "Frédéric"}, {"given_name": "Fred"}, "given_name", "short_form"),
        ({"given_name": "Sophie"}, {"given_name": "S."}, "given_name", "short_form"),
        ({"given_name": "S"}, {"given_name": "S."}, "given_name", "short_form"),
        ({"given_name": "Nicolas"}, {"given_name": "Nicloas"}, "given_name", "one_edit"),
        ({"given_name": "Nicolas"}, {"given_name": "Odile"}, "given_name", "differs"),
        ({"given_name": "Nicolas"}, {"given_name": None}, "given_name", "unknown"),
        ({"family_name": "Le Goff"}, {"family_name": "LEGOFF"}, "family_name", "same_usual"),
        ({"family_name": "Petit-Roux"}, {"family_name": "Roux"}, "family_name", "other_name"),
        (
            {"family_name": "Roux", "birth_name": "Petit"},
            {"family_name": "PETIT"},
            "family_name",
            "other_name",
        ),
        ({"birth_date": "1984-11-03"}, {"birth_date": "1984-03-11"}, "birth_date", "rearranged"),
        ({"birth_date": "1984-11-03"}, {"birth_date": "1948-11-03"}, "birth_date", "rearranged"),
        ({"birth_date": "1984-11-03"}, {"birth_date": "1984-01-01"}, "birth_date", "rearranged"),
        ({"birth_date": "1984-11-03"}, {"birth_date": "1984-11-30"}, "birth_date", "rearranged"),
        ({"birth_date": "1984-11-03"}, {"birth_date": "1984-11-17"}, "birth_date", "one_part"),
        ({"birth_date": "1984-11-03"}, {"birth_date": "1984-07-28"}, "birth_date", "same_year"),
        ({"birth_date": "1984-11-03"}, {"birth_date": "1952-07-28"}, "birth_date", "differs"),
        ({"email": "a.b@gmail.com"}, {"email": "AB+x@googlemail.com"}, "email", "same_unnamed"),
        ({"email": "ab@example.com"}, {"email": "ab@example.org"}, "email", "same_local_part"),
        ({"email": "anne@example.com"}, {"email": "ane@example.com"}, "email", "slip_unnamed"),
        ({"email": "anne@example.com"}, {"email": "ane@example.org"}, "email", "near"),
        ({"email": "anne@example.com"}, {"email": "nae@example.com"}, "email", "near"),
        ({"email": "an.ne@example.com"}, {"email": "an-ne@example.com"}, "email", "near"),
        ({"email": "a.roux@a.test"}, {"email": "e.roux@a.test"}, "email", "near"),
        ({"email": "roux.a@a.test"}, {"email": "roux.e@a.test"}, "email", "near"),
        (
            {"email": "simon.roux@a.test", "given_name": "Simon"},
            {"email": "simone.roux@a.test", "given_name": "Simone"},
            "email",
            "slip_of_names",
        ),
        (
            {"email": "simon.roux@a.test", "given_name": "Simon", "family_name": "Roux"},
            {"email": "simom.roux@a.test", "given_name": "Simon", "family_name": "Roux"},
            "email",
            "one_slip",
        ),
        ({"email": "anne1@example.com"}, {"email": "anne2@example.com"}, "email", "differs"),
        ({"phone": "+33199001122"}, {"phone": "0199001122"}, "phone", "same"),
        (
            {"phone": "+33199001122", "other_phone": "+33199334455"},
            {"phone": "+33199334455"},
            "phone",
            "same",
        ),
        ({"phone": "+33199001122"}, {"phone": "+33199001123"}, "phone", "one_digit"),
        ({"phone": "+33199001122"}, {"phone": "+33199001212"}, "phone", "one_digit"),
        ({"phone": "+33199001122"}, {"phone": "+33353018877"}, "phone", "differs"),
        ({"identifier": "12 34-5"}, {"identifier": "12345"}, "identifier", "same"),
        (
            {"organisation": "Dupont SARL"},
            {"organisation": "DUPONT"},
            "organisation",
            "same_usual",
        ),
        ({"birth_date": "1984-11-03"}, {"birth_date": "1985-07-28"}, "birth_date", "near_year"),
        ({"birth_date": "1984"}, {"birth_date": "1984-07-28"}, "birth_date", "only_year_same"),
        ({"birth_date": "1984"}, {"birth_date": "1986"}, "birth_date", "only_year_near"),
        ({"birth_date": "1984"}, {"birth_date": "1987-01-01"}, "birth_date", "only_year_differs"),
        (
            {"birth_date": "1984-01-01"},
            {"birth_date": "1994-01-01"},
            "birth_date",
            "only_year_differs",
        ),
        ({"sex": "f"}, {"sex": "m"}, "sex", "differs"),
    ],
)
def test_values_end_at_the_level_a_person_would_name(left, right, field, level):
    assert levels_of(left, right)[field] == level
    assert levels_of(right, left)[field] == level


@pytest.mark.parametrize(
    ("given_name", "mailbox", "level"),
    [
        (None, "famille.martin", "same_shared"),
        (None, "martinfamily12", "same_shared"),
        ("Jean", "lesmartins", "same_shared"),
        ("Jean", "martin.maison", "same_shared"),
        ("Jean", "jean.et.marie", "same_shared"),
        (None, "lesage.marie", "same_unnamed"),
        (None, "leslie", "same_unnamed"),
        (None, "theos", "same_unnamed"),
        (None, "e.martin", "same_unnamed"),
        ("John", "john.e.smith", "same"),
        (None, "marie.maisonneuve", "same_unnamed"),
        (None, "marie", "same_unnamed"),
        ("Julie", "julie.maison", "same"),
        ("Leslie", "lesliejones", "same"),
        ("Theodoros", "theodoros", "same"),
    ],
)
def test_a_mailbox_that_names_a_household_is_nobodys_own(given_name, mailbox, level):
    here = {"given_name": given_name, "email": f"{mailbox}@example.com"}

    assert levels_of(here, here)["email"] == level


@pytest.mark.parametrize(
    ("change", "level"),
    [
        ({}, "street_same_town_same"),
        ({"street": "RUE DU PRÉ"}, "street_same_town_same"),
        ({"street": "r. du Prés"}, "street_near_town_same"),
        ({"street_number": "14"}, "street_other_number_town_same"),
        ({"street": "avenue Foch"}, "street_differs_town_same"),
        ({"street": None}, "street_unknown_town_same"),
        ({"postcode": "33000"}, "street_same_town_partly"),
        ({"postcode": "33000", "city": "Bordeaux"}, "street_same_town_differs"),
        ({"postcode": None, "city": None}, "street_same_town_unknown"),
    ],
)
def test_an_address_is_one_field(change, level):
    home = {"street_number": "12", "street": "rue du Pré", "postcode": "44000", "city": "Nantes"}

    assert levels_of(home, {**home, **change})["address"] == level


@pytest.mark.parametrize(
    ("mailbox", "level"),
    [("anne.lefebvre7", "same_named"), ("a.lefebvre", "same_named"), ("lefebvrea3", "same_named"),
     ("lefebvre", "same"), ("m.lefebvre", "same"), ("kitten", "same")],
)  # fmt: skip
def test_a_mailbox_named_after_somebody_is_hers(mailbox, level):
    there = {"email": f"{mailbox}@example.com"}
    anne = {"given_name": "Anne", "family_name": "Lefebvre", **there}

    assert levels_of(anne, there)["email"] == level
    assert levels_of(there, there)["email"] == "same_unnamed"


def test_swapped_names_are_judged_by_the_names_and_said_to_be_swapped():
    found = levels_of(
        {"given_name": "Martin", "family_name": "Luc"},
        {"given_name": "Luc", "family_name": "Martin"},
    )

    assert found["given_name"].startswith("same")
    assert found["family_name"] == "swapped"


def test_a_rare_name_is_told_from_a_common_one():
    rows = [(n, {"family_name": "Martin"}) for n in range(1, 60)]
    rows += [(100, {"family_name": "Quatrefages"}), (101, {"family_name": "Quatrefages"})]
    encoded = encode(Columns.from_rows(rows))

    family = compare(encoded, np.array([0, 59], np.int32), np.array([1, 60], np.int32))

    names = [level_name("family_name", int(level)) for level in family["family_name"]]
    assert names == ["same_usual", "same_rare"]


def test_a_name_is_read_out_of_a_mailbox_that_has_none_beside_it():
    found = levels_of(
        {"given_name": "Nicolas", "family_name": "Ferrand"},
        {"email": "nicolas.ferrand12@example.com"},
    )

    assert found["given_name"].startswith("same")
    assert found["family_name"].startswith("same")


def test_every_level_is_told_in_words():
    told = [
        level_in_words(field, level_name(field, level))
        for field, levels in LEVELS.items()
        for level in levels
        if level or field not in {"kind", "kinship"}  # Nothing, or the reason, is told of these.
    ]

    assert all(told)
    assert "missing on one side" not in told


SIMON = {"given_name": "Simon", "family_name": "Roux", "birth_date": "1960-01-15"}


@pytest.mark.parametrize(
    ("other", "sexes", "kinship"),
    [
        ({"given_name": "Simone"}, ("", ""), "other_name"),
        ({"given_name": "Simone"}, ("m", ""), "other_name"),
        ({"given_name": "Simone"}, ("m", "m"), "unknown"),
        ({"given_name": "Simonn"}, ("", ""), "unknown"),
        ({"given_name": "Roux", "family_name": "Simone"}, ("", ""), "unknown"),
        ({"birth_date": "1990-01-15"}, ("", ""), "generation"),
        ({"birth_date": "1970-01-15"}, ("", ""), "unknown"),
        ({"birth_date": "1993-01-15"}, ("", ""), "generation"),
        ({"birth_date": "2010-01-15"}, ("", ""), "unknown"),
        ({"birth_date": "1991-02-16"}, ("", ""), "unknown"),
        ({"given_name": "Simone", "birth_date": "1990-01-15"}, ("", ""), "both"),
    ],
)
def test_what_a_family_would_explain(other, sexes, kinship):
    mine, theirs = ({"sex": sex} if sex else {} for sex in sexes)

    assert levels_of({**SIMON, **mine}, {**SIMON, **other, **theirs})["kinship"] == kinship


def test_two_family_names_that_many_bear_are_no_slips_of_one_another():
    names = ["Girard", "Giraud"] * 40 + [f"Name{number}" for number in range(50)] + ["Girrard"]
    rows = [(number, {"family_name": name}) for number, name in enumerate(names)]
    left, right = np.array([0, 0], np.int32), np.array([1, len(rows) - 1], np.int32)

    found = compare(encode(Columns.from_rows(rows)), left, right)

    assert found["family_name"].tolist() == [FamilyName.TWO_EDITS, FamilyName.ONE_EDIT]


def test_two_names_that_are_common_in_the_file_are_no_slips_of_one_another():
    rows = [(number, {"given_name": name}) for number, name in enumerate(["Ylva", "Ylvo"] * 40)]
    rows += [(100 + number, {"given_name": f"Name{number}"}) for number in range(50)]
    encoded = encode(Columns.from_rows([*rows, (999, {"given_name": "Ylvu"})]))
    left, right = np.array([0, 0], np.int32), np.array([1, encoded.size - 1], np.int32)

    found = compare(encoded, left, right)

    assert found["given_name"].tolist() == [GivenName.TWO_EDITS, GivenName.ONE_EDIT]
    assert found["kinship"].tolist() == [Kinship.OTHER_NAME, Kinship.UNKNOWN]
