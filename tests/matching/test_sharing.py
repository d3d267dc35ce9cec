"""Whether the people of a file share homes, phones and mailboxes, as its own pairs tell."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.automatic import Sharing, held_back
from matching.levels import (
    Address,
    BirthDate,
    Email,
    FamilyName,
    GivenName,
    Identifier,
    Kinship,
    Phone,
)
from matching.linkage import engine
from matching.linkage.keys import Rule
from matching.linkage.sharing import sharing_of
from tests.matching.people import columns_of, households

HOME = (Rule(("street", "postcode")),)
HER, ANOTHER = GivenName.SAME_USUAL, GivenName.DIFFERS
HER_BIRTH, OTHER_BIRTH = BirthDate.SAME, BirthDate.DIFFERS


def told(table, rules=HOME):
    """Return what pairs in one home tell: (given name, birth date) -> number of pairs."""
    given_names, births = zip(*table, strict=True)
    size = len(table)
    levels = {
        "given_name": np.array(given_names),
        "family_name": np.full(size, FamilyName.SAME_USUAL),
        "birth_date": np.array(births),
        "address": np.full(size, Address.STREET_SAME_TOWN_SAME),
    }
    return sharing_of(levels, np.array(list(table.values())), rules).personal


def slips(one_person, given_name, birth):
    """Return the pairs of people who live alone, whose two slips come together by chance only."""
    return {
        (HER, HER_BIRTH): one_person,
        (ANOTHER, HER_BIRTH): given_name,
        (HER, OTHER_BIRTH): birth,
        (ANOTHER, OTHER_BIRTH): given_name * birth // one_person,
    }


def test_where_everybody_lives_alone_a_home_is_personal():
    assert told(slips(1000, 100, 60)) == ("address",)


@pytest.mark.parametrize("couples", [30, 100, 1000])
def test_where_couples_live_together_it_is_not(couples):
    table = slips(1000, 20, 10)
    table[ANOTHER, OTHER_BIRTH] += couples

    assert told(table) == ()


def test_a_small_file_cannot_show_that_it_has_no_households():
    assert told(slips(100, 2, 1)) == ()


def test_pairs_found_by_the_given_name_tell_nothing_of_those_who_live_with_her():
    assert told(slips(1000, 100, 60), (Rule(("given_name", "street")),)) == ()


@given(
    one_person=st.integers(200, 5000),
    given_name=st.floats(0, 0.3),
    birth=st.floats(0, 0.3),
    couples=st.floats(0.03, 3),
)
@settings(max_examples=100)
def test_however_many_slips_a_file_has_its_couples_are_seen(
    one_person, given_name, birth, couples
):
    table = slips(one_person, int(given_name * one_person), int(birth * one_person))
    table[ANOTHER, OTHER_BIRTH] += int(couples * one_person) + 1

    assert told(table) == ()


TWINS = {
    "given_name": GivenName.DIFFERS,
    "family_name": FamilyName.SAME_USUAL,
    "birth_date": BirthDate.SAME,
    "address": Address.STREET_SAME_TOWN_SAME,
}


def test_twins_are_held_back_unless_nobody_shares_a_home_in_the_file():
    assert held_back(TWINS) == "given_name_conflict"
    assert held_back(TWINS, Sharing(("address",), has_families=False)) is None


def test_a_contact_that_people_may_share_is_household_evidence_whatever_another_one_is():
    moved = {**TWINS, "address": Address.STREET_DIFFERS_TOWN_DIFFERS}
    homes, both = (
        Sharing(own, has_families=False) for own in (("address",), ("address", "email"))
    )

    assert held_back({**moved, "email": Email.SAME}, homes) == "given_name_conflict"
    assert held_back({**moved, "email": Email.SAME}, both) is None
    assert held_back({**moved, "phone": Phone.SAME}, both) == "given_name_conflict"
    assert held_back({**TWINS, "address": Address.UNKNOWN}, homes) == "given_name_conflict"


COUPLE = {**TWINS, "birth_date": BirthDate.DIFFERS, "email": Email.SAME}
FATHER_AND_SON = {**COUPLE, "given_name": GivenName.SAME_RARE}
NEAR_TWINS = {
    **TWINS,
    "given_name": GivenName.ONE_EDIT,
    "email": Email.SAME,
    "kinship": Kinship.OTHER_NAME,
}
BORN_ON_HIS_BIRTHDAY = {
    **FATHER_AND_SON,
    "birth_date": BirthDate.ONE_PART,
    "kinship": Kinship.GENERATION,
}
NAMELESS = {**COUPLE, "given_name": GivenName.UNKNOWN, "birth_date": BirthDate.UNKNOWN}


@pytest.mark.parametrize(
    ("levels", "reason", "anywhere"),
    [
        ({**TWINS, "email": Email.SAME}, "given_name_conflict", None),
        (NEAR_TWINS, "given_name_conflict", "given_name_conflict"),
        (COUPLE, "birth_date_conflict", "given_name_conflict"),
        ({**COUPLE, "identifier": Identifier.SAME}, "birth_date_conflict", None),
        (FATHER_AND_SON, "birth_date_conflict", None),
        ({**FATHER_AND_SON, "birth_date": BirthDate.CLOSE}, "birth_date_conflict", None),
        (BORN_ON_HIS_BIRTHDAY, "birth_date_conflict", None),
        (NAMELESS, None, None),
    ],
)
def test_a_mailbox_of_ones_own_outweighs_nothing_where_homes_are_shared(levels, reason, anywhere):
    assert held_back(levels, Sharing(("email",), has_families=True)) == reason
    assert held_back(levels, Sharing(("email",), has_families=False)) == anywhere


def test_two_near_names_or_a_round_number_of_years_are_slips_under_two_roofs():
    apart = {"address": Address.STREET_DIFFERS_TOWN_SAME, "email": Email.UNKNOWN}

    assert held_back({**NEAR_TWINS, **apart}) is None
    assert held_back({**BORN_ON_HIS_BIRTHDAY, **apart}) is None


def test_a_search_over_families_finds_nothing_that_is_personal():
    rows = [(record, values) for record, _, values in households(150)]

    assert engine.link(columns_of(rows)).model["personal"] == []
