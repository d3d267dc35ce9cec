"""E-mail addresses: kept as given, valid or left out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm.standardise.email_domains import suggested_domain
from mdm.standardise.emails import (
    Email,
    ascii_form,
    email_key,
    standardise_email,
    suggested_address,
)
from tests.effort import takes_at_most


@pytest.mark.parametrize(
    ("cell", "email"),
    [
        ("Jean.Petit@Example.ORG", Email("Jean.Petit@example.org")),
        ("Jean Petit <jean@example.org>", Email("jean@example.org", ("unwrapped",))),
        ("mailto:jean@example.org", Email("jean@example.org", ("unwrapped",))),
        (" jean @ example.org ", Email("jean@example.org", ("unwrapped",))),
        ("jean@example.test", Email("jean@example.test")),
        ("jean+news@example.com", Email("jean+news@example.com")),
        ("é@société.fr", Email("é@société.fr")),
        ("a@example.com; b@example.com", Email("a@example.com", ("several",))),
        ("Jean <a@example.com>; b@example.com", Email("a@example.com", ("several", "unwrapped"))),
        ("jean@; b@example.com", Email("b@example.com", ("several",))),
        ("JEAN@EXAMPLE.ORG.", Email("JEAN@example.org")),
        ("x@gmial.com", Email("x@gmial.com", ("domain_typo",))),
        ("info@example.com", Email("info@example.com", ("role_address",))),
        ("jean@YOPMAIL.com", Email("jean@yopmail.com", ("disposable_address",))),
        ("jean@xn--socit-esab.fr", Email("jean@société.fr")),
        ("<jean@example.org>.", Email("", ("invalid",))),
        ("a@example.com\nb@example.com", Email("a@example.com", ("several",))),
        ("a@example.com ::: b@example.com", Email("a@example.com", ("several",))),
        ("a@example.com - b@example.com", Email("a@example.com", ("several",))),
        ("jean@example.org (perso)", Email("jean@example.org", ("unwrapped",))),
        ("Jean Petit (jean@example.org)", Email("jean@example.org", ("unwrapped",))),
        ("e-mail : jean@example.org", Email("jean@example.org", ("unwrapped",))),
        ("mailto:jean@example.org?subject=Bonjour", Email("jean@example.org", ("unwrapped",))),
        ("jean(2)@example.org", Email("", ("invalid",))),
        # Whoever has the second half of it is somebody else.
        ("jean petit@example.org", Email("", ("invalid",))),
        ("jean - petit@example.org", Email("", ("invalid",))),
        ("pasdemail@example.org", Email("", ("placeholder",))),
        ("Aucun@aucun.example", Email("", ("placeholder",))),
    ],
)
def test_an_address_is_kept_as_given(cell, email):
    assert standardise_email(cell) == email


@pytest.mark.parametrize(
    "cell", ["jean", "jean@", "@example.org", "jean..p@example.org", "j@a b", "j@-x.org", "j@x..y"]
)
def test_what_is_no_address_is_left_out(cell):
    assert standardise_email(cell) == Email("", ("invalid",))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("gmial.com", "gmail.com"),
        ("orange.f", "orange.fr"),
        ("gmaik.com", "gmail.com"),
        ("hotmali.fr", "hotmail.fr"),
        ("laposte.fr", "laposte.net"),
        ("gmail.con", "gmail.com"),
    ],
)
def test_a_mistyped_domain_is_suggested_and_never_changed(typed, meant):
    email = standardise_email(f"jean@{typed}")

    assert email == Email(f"jean@{typed}", ("domain_typo",))
    assert suggested_address(email.value) == f"jean@{meant}"


@pytest.mark.parametrize(
    "domain",
    ["gmail.com", "ymail.com", "mail.com", "gmx.fr", "orange.fr", "free.fr", "example.org"],
)
def test_a_domain_that_exists_is_left_in_peace(domain):
    assert suggested_domain(domain) == ""


def test_one_mailbox_has_one_key_and_is_still_written_to_as_given():
    spellings = ["Jean.Petit@gmail.com", "jeanpetit+news@googlemail.com", "JEANPETIT@GMAIL.COM"]

    assert {email_key(spelling) for spelling in spellings} == {"jeanpetit@gmail.com"}
    assert email_key("jean.petit+news@example.org") == "jean.petit+news@example.org"
    assert standardise_email(spellings[0]).value == spellings[0]


def test_an_international_domain_has_two_forms():
    assert ascii_form("jean@société.fr") == "jean@xn--socit-esab.fr"
    assert ascii_form("jean@example.org") == "jean@example.org"


@given(st.one_of(st.emails(), st.text(max_size=30)))
def test_a_key_has_no_other_key(cell):
    assert email_key(email_key(cell)) == email_key(cell)


@given(st.one_of(st.emails(), st.text(max_size=30)))
def test_a_standard_address_stays(cell):
    once = standardise_email(cell).value

    assert standardise_email(once).value == once


@pytest.mark.parametrize("cell", ["a@" * 10_000, "a" * 50_000 + "!", "a." * 120 + "@example.org"])
def test_a_hostile_value_costs_less_than_a_blink(cell):
    assert takes_at_most(10, lambda number: standardise_email(cell[number:]))
