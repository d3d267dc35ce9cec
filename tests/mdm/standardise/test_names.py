"""Names come out as people write them, whatever a till or a form made of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm.standardise.names import (
    birth_name,
    civility,
    family_name,
    full_name,
    given_name,
    proper_case,
    sex,
)
from tests.effort import TRIES, takes_at_most

NAMES = st.one_of(
    st.text(max_size=30),
    st.lists(
        st.sampled_from(
            (
                "DUPONT dupont de DE la LA le d'ormesson née épouse NÉE ép. veuve M. Mme MME jean "
                "JEAN Jean-Marc J.-P. JP (VIP) (décédé) NPAI TEST x McDONALD O'BRIEN - , ' Le "
                "Goff œuf É"
            ).split()
        ),
        max_size=6,
    ).map(" ".join),
)


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("DUPONT", "Dupont"),
        ("de la rochefoucauld", "de La Rochefoucauld"),
        ("D'ORMESSON", "d'Ormesson"),
        ("LE GOFF", "Le Goff"),
        ("MCDONALD", "McDonald"),
        ("LeGuillou", "LeGuillou"),
        ("DA SILVA-BEDU", "Da Silva-Bedu"),
        ("LEFÈVRE", "Lefèvre"),
        ("  MAHIEU ", "Mahieu"),
        ("L’HERMITTE", "L'Hermitte"),
        ("dUPONT", "Dupont"),
        ("DUPONT--MARTIN", "Dupont Martin"),
        ("ZUM BUSCH", "zum Busch"),
    ],
)
def test_a_family_name_is_written_in_its_case(typed, written):
    assert family_name(typed).used == written


@pytest.mark.parametrize(
    ("cell", "used", "birth"),
    [
        ("DURAND née PETIT", "Durand", "Petit"),
        ("Durand (née Petit)", "Durand", "Petit"),
        ("PETIT ép. DURAND", "Durand", "Petit"),
        ("Petit veuve Durand", "Durand", "Petit"),
        ("Mme veuve Durand née Petit", "Durand", "Petit"),
        ("née Petit", "Petit", "Petit"),
        ("PETIT vve DURAND", "Durand", "Petit"),
        ("Petit épse Durand", "Durand", "Petit"),
        ("Müller geb. Schmidt", "Müller", "Schmidt"),
        ("ANDRES (ne pas appeler)", "Andres", ""),
    ],
)
def test_birth_and_used_name_part(cell, used, birth):
    name = family_name(cell)

    assert (name.used, name.birth) == (used, birth)


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("BASTIEN (décédé)", "remark_deceased"),
        ("ANDRES (ne pas appeler)", "remark_do_not_contact"),
        ("COLIN (NPAI)", "remark_returned_mail"),
        ("COLAS (VIP)", "remark"),
    ],
)
def test_a_remark_leaves_the_name_and_stays_as_an_issue(cell, code):
    name = family_name(cell)

    assert name.codes == (code,)
    assert "(" not in name.used


@pytest.mark.parametrize(
    "cell", ["M. et Mme MARTIN", "Famille Martin", "Mme et M. famille Martin"]
)
def test_a_household_in_the_column_of_family_names_is_told(cell):
    assert family_name(cell) == ("Martin", "", "", ("household",))


@pytest.mark.parametrize("reader", [civility, sex])
def test_nonsense_in_place_of_a_word_costs_next_to_nothing(reader):
    def nonsense(number: int) -> str:
        """Letters that no try has seen before: each may be looked up once and kept."""
        start = number * 100_000
        return "".join(chr(0x10000 + n * 7919 % 0xFFFFF) for n in range(start, start + 100_000))

    texts = [nonsense(number) for number in range(TRIES)]

    assert takes_at_most(15, lambda number: reader(texts[number]))
    assert reader(texts[0]) == ("", ("unknown_value",))
    assert sex("M" + " " * 300) == ("m", ())


@pytest.mark.parametrize("name", ["Famille", "Succession"])
def test_a_lone_word_for_a_household_stays_a_name(name):
    assert family_name(name) == (name, "", "", ())


@pytest.mark.parametrize(
    "cell", ["TEST", "inconnu", "X", "client divers", "12345", "n/a", "...", "aaaa", "NOM"]
)
def test_a_filler_is_no_name(cell):
    assert family_name(cell) == ("", "", "", ("placeholder",))


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("M. Jean Pierre DUPONT", ("mr", "Jean Pierre", "Dupont", "")),
        ("DUPONT Jean", ("", "Jean", "Dupont", "")),
        ("Dupont, Jean", ("", "Jean", "Dupont", "")),
        ("Mme Durand née Petit", ("mrs", "", "Durand", "Petit")),
        ("jean de la fontaine", ("", "Jean", "de La Fontaine", "")),
        ("Jean de LA TOUR", ("", "Jean", "de La Tour", "")),
        ("JEAN PIERRE DUPONT", ("", "Jean Pierre", "Dupont", "")),
        ("Grace Hopper", ("", "Grace", "Hopper", "")),
        ("dupont sandrine", ("", "Sandrine", "Dupont", "")),
        ("Herr Hans Müller", ("mr", "Hans", "Müller", "")),
        ("Jean Dupont (VIP)", ("", "Jean", "Dupont", "")),
        ("Mme Durand (née Petit)", ("mrs", "", "Durand", "Petit")),
        ("SARL Durand & Fils", ("", "", "Durand & Fils", "")),
        ("Société Durand (M. Petit)", ("", "", "Durand", "")),
    ],
)
def test_a_whole_name_is_taken_apart(cell, expected):
    assert full_name(cell)[:4] == expected


def test_a_couple_is_not_one_person():
    name = full_name("M. et Mme MARTIN")

    assert (name.given, name.family, name.codes) == ("", "Martin", ("household",))
    assert civility("M. et Mme") == ("", ("household",))


@pytest.mark.parametrize(
    "cell",
    [
        "M et Mme MARTIN", "Mme ou M. Martin", "M. Mme Martin", "Mr & Mrs Martin",
        "Dr et Mme Martin", "Herr und Frau Martin", "Famille MARTIN", "Consorts Martin",
        "Indivision Martin",
    ],
)  # fmt: skip
def test_a_household_is_known_in_its_many_forms(cell):
    assert full_name(cell).codes == ("household",)
    assert full_name(cell).given == ""


@pytest.mark.parametrize(
    ("cell", "family"),
    [
        ("Luc et Anne Martin", "Martin"),
        ("MARTIN Luc et Anne", "Martin"),
        ("Martin Luc & Anne", "Martin"),
        ("M. et Mme DUPONT Jean et Marie", "Dupont"),
        ("Jean-Pierre et Marie-Claude LE BIHAN", "Le Bihan"),
    ],
)
def test_two_given_names_before_or_behind_a_name_are_a_household(cell, family):
    assert full_name(cell) == ("", "", family, "", ("household",))
    assert family_name(cell) == (family, "", "", ("household",))


@pytest.mark.parametrize("cell", ["Lefèvre et Thomas", "Durand & Fils", "Pierre Etienne"])
def test_names_joined_otherwise_are_no_two_given_names(cell):
    assert "household" not in family_name(cell).codes


def test_two_given_names_are_two_people():
    assert given_name("Jean et Marie") == ("", "", ("household",))
    assert given_name("Marie & Paul").codes == ("household",)
    assert given_name("Jean-Marie").codes == ()


def test_a_surname_that_looks_like_a_word_is_a_name():
    assert family_name("Blanc").used == "Blanc"
    assert family_name("Bar").used == "Bar"


def test_initials_stay_capitals_and_a_title_leaves_the_given_name():
    assert [given_name(cell).value for cell in ("jp", "J.-P.", "M.", "JEAN-MARC")] == [
        "JP",
        "J.-P.",
        "M.",
        "Jean-Marc",
    ]
    assert given_name("Mme Claire")[:2] == ("Claire", "mrs")


def test_civility_and_sex_are_read_in_their_many_forms():
    assert [civility(cell)[0] for cell in ("M", "M.", "Monsieur", "Mlle", "MME.", "mrs")] == [
        "mr",
        "mr",
        "mr",
        "mrs",
        "mrs",
        "mrs",
    ]
    assert [sex(cell)[0] for cell in ("1", "2", "0", "H", "femme", "")] == [
        "m",
        "f",
        "",
        "m",
        "f",
        "",
    ]
    assert civility("Zorglub") == ("", ("unknown_value",))


@given(NAMES)
def test_writing_a_name_twice_changes_nothing(cell):
    once = proper_case(" ".join(cell.split()))

    assert proper_case(once) == once


@given(NAMES)
def test_a_standard_family_name_stays(cell):
    once = family_name(cell)

    assert family_name(once.used).used == once.used
    assert birth_name(once.birth).value == once.birth


@given(NAMES)
def test_a_standard_given_name_stays(cell):
    once = given_name(cell).value

    assert given_name(once).value == once
