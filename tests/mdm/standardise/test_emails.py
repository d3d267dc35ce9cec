"""E-mail addresses: kept as given, valid or left out."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm.standardise.emails import Email, standardise_email


@pytest.mark.parametrize(
    ("cell", "email"),
    [
        ("Jean.Petit@Example.ORG", Email("Jean.Petit@example.org")),
        ("Jean Petit <jean@example.org>", Email("jean@example.org")),
        ("mailto:jean@example.org", Email("jean@example.org")),
        (" jean @ example.org ", Email("jean@example.org")),
        ("jean@example.test", Email("jean@example.test")),
        ("jean+news@example.com", Email("jean+news@example.com")),
        ("é@société.fr", Email("é@société.fr")),
        ("a@example.com; b@example.com", Email("a@example.com", ("several",))),
        ("x@gmial.com", Email("x@gmial.com", ("domain_typo",))),
        ("info@example.com", Email("info@example.com", ("role_address",))),
    ],
)
def test_an_address_is_kept_as_given(cell, email):
    assert standardise_email(cell) == email


@pytest.mark.parametrize(
    "cell", ["jean", "jean@", "@example.org", "jean..p@example.org", "j@a b", "j@-x.org", "j@x..y"]
)
def test_what_is_no_address_is_left_out(cell):
    assert standardise_email(cell) == Email("", ("invalid",))


@given(st.one_of(st.emails(), st.text(max_size=30)))
def test_a_standard_address_stays(cell):
    once = standardise_email(cell).value

    assert standardise_email(once).value == once


def test_a_hostile_value_costs_less_than_a_blink():
    start = time.perf_counter()

    for cell in ("a@" * 10_000, "a" * 50_000 + "!", "a." * 120 + "@example.org"):
        standardise_email(cell)

    assert time.perf_counter() - start < 0.5
