"""Values that say the same thing in other words, and values that do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm.standardise.keys import name_key, says_the_same


@pytest.mark.parametrize(
    ("attribute", "one", "other"),
    [
        ("given_name", "Alex", "Alexandre"),
        ("given_name", "J.", "Jean"),
        ("given_name", "Jean-Marc", "Jean"),
        ("family_name", "de La Tour", "LATOUR"[2:]),
        ("family_name", "Le Goff", "Goff"),
        ("email", "j.petit@gmail.com", "jpetit@googlemail.com"),
        ("organisation", "Dupont & Fils SARL", "Dupont et Fils"),
        ("city", "Saint-Étienne", "SAINT ETIENNE"),
    ],
)
def test_another_spelling_says_the_same(attribute, one, other):
    assert says_the_same(attribute, one, other)
    assert says_the_same(attribute, other, one)


@pytest.mark.parametrize(
    ("attribute", "one", "other"),
    [
        ("given_name", "Alexandre", "Anne"),
        ("given_name", "Jean", "Jeanne"),
        ("family_name", "Petit", "Petitjean"),
        ("email", "j.petit@example.org", "jpetit@example.org"),
        ("organisation", "Dupont SARL", "Durand SARL"),
        ("phone", "+33612345679", "+33612345678"),
    ],
)
def test_another_value_does_not(attribute, one, other):
    assert not says_the_same(attribute, one, other)


def test_the_key_of_a_name_leaves_its_particles_out():
    assert name_key("de La Tour") == "tour"
    assert name_key("Le") == "le"


@given(
    st.sampled_from(["given_name", "family_name", "email", "organisation", "city"]),
    st.text(max_size=20),
    st.text(max_size=20),
)
def test_saying_the_same_is_mutual(attribute, one, other):
    assert says_the_same(attribute, one, one)
    assert says_the_same(attribute, one, other) == says_the_same(attribute, other, one)
