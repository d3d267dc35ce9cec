"""Blocking keys: what two records must share to be compared."""

import pytest

from matching.linkage.columns import Columns
from matching.linkage.encoding import encode
from matching.linkage.keys import Rule, record_keys
from matching.linkage.proposals import DEFAULT_RULES

IN_FRENCH = Rule(("family_french", "given_french"))


@pytest.mark.parametrize(
    ("one", "other", "is_met"),
    [
        (("Benoît", "Renault"), ("Benoist", "Reynaud"), True),
        (("Philippe", "Chesneau"), ("Filip", "Cheneaux"), True),
        (("Benoît", "Renault"), ("Benoîte", "Rousseau"), False),
    ],
)
def test_names_that_sound_alike_in_french_are_compared(one, other, is_met):
    people = [{"given_name": given, "family_name": family} for given, family in (one, other)]

    (keys,) = record_keys(encode(Columns.from_rows(enumerate(people, 1))), IN_FRENCH)

    assert keys.all()
    assert bool(keys[0] == keys[1]) is is_met
    assert IN_FRENCH in DEFAULT_RULES
