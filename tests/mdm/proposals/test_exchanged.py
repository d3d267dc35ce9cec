"""Given and family names in each other's column are noticed by the whole columns."""

from mdm.proposals.exchanged import Exchanged, exchanged

GIVEN = ["Anne", "Jean-Pierre", "ÉLODIE", "Stéphane", "Chloé", "Xiulan"]
FAMILY = ["Le Goff", "MARTIN", "Müller", "Bernard", "N'Guyen", "Roux"]


def test_the_columns_are_told_apart_by_the_given_names_in_each():
    assert exchanged(GIVEN, FAMILY) is None
    assert exchanged(FAMILY, GIVEN) == Exchanged(2, 6, 5, 6)


def test_few_values_and_names_nobody_knows_say_nothing():
    assert exchanged(FAMILY[:2], GIVEN[:2]) is None
    assert exchanged(["n/c", *FAMILY[:4]], ["Anne"] * 5) is None
    assert exchanged(["Xiulan"] * 9, ["Okonkwo"] * 9) is None
    assert exchanged(["Martin"] * 9, ["Martin"] * 9) is None
