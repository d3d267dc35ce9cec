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


SLIPS = [
    ("anne.martin7@a.test", "annne.martin7@a.test", True),
    ("anne.martin7@a.test", "anne.mratin7@a.test", True),
    ("anne.martin7@a.test", "annemartin7@a.test", True),
    ("anne.martin7@a.test", "anne.martin8@a.test", False),
    ("anne.martin7@a.test", "anne.martin7@b.test", False),
    ("anne.martin7@a.test", "anne.morel7@a.test", False),
]


@pytest.mark.parametrize(("one", "other", "is_met"), SLIPS)
def test_mailboxes_with_a_slip_that_is_not_heard_are_compared(one, other, is_met):
    encoded = encode(Columns.from_rows(enumerate([{"email": one}, {"email": other}], 1)))

    (keys,) = record_keys(encoded, Rule(("email_sound",)))

    assert keys.all()
    assert bool(keys[0] == keys[1]) is is_met


@pytest.mark.parametrize(
    ("one", "other", "is_met"),
    [
        ("patrick.goncalves@a.test", "patrick.gomcalves@a.test", True),
        ("patrick.goncalves@a.test", "patrik.goncalves@a.test", True),
        ("patrick.goncalves@a.test", "patrick.goncalvet@a.test", False),
    ],
)
def test_mailboxes_that_begin_and_end_alike_are_compared(one, other, is_met):
    encoded = encode(Columns.from_rows(enumerate([{"email": one}, {"email": other}], 1)))

    (keys,) = record_keys(encoded, Rule(("email_ends",)))

    assert bool(keys[0] == keys[1]) is is_met
