from anyascii import anyascii
from hypothesis import given
from hypothesis import strategies as st

from mdm import folding
from mdm.standardise.text import _INVISIBLE, clean


def test_what_is_invisible_is_no_part_of_a_value():
    invisible = filter(_INVISIBLE.match, map(chr, range(0x10000)))

    assert {clean(f"L`É{one}té") for one in invisible} == {"L'Été"}


@given(st.text())
def test_cleaning_twice_changes_nothing(text: str):
    assert clean(clean(text)) == clean(text)


@given(st.text())
def test_letters_are_folded_as_anyascii_folds_words(text: str):
    assert folding.fold(text) == " ".join(anyascii(text).lower().split())
