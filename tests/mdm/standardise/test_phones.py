"""Telephone numbers: one form for all the ways to write one, and nothing guessed."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm.standardise.phones import Phone, phone_kind, standardise_phones


@pytest.mark.parametrize(
    "cell",
    [
        "06 12 34 56 79",
        "06.12.34.56.79",
        "+33 (0)6 12 34 56 79",
        "0033612345679",
        "33612345679",
        "612345679",
        "tel: 06-12-34-56-79",
        "06/12/34/56/79",
        "+33/6/12/34/56/79",
        "+33 06 12 34 56 79",
    ],
)
def test_a_french_number_has_one_form(cell):
    assert standardise_phones(cell, "FR") == [Phone("+33612345679")]


def test_an_overseas_number_takes_the_country_of_its_postcode():
    assert standardise_phones("0692 12 34 56", "FR", "97400") == [Phone("+262692123456")]
    assert standardise_phones("0692 12 34 56", "FR") == [Phone("+262692123456")]
    assert standardise_phones("06 12 34 56 79", "FR", "97400") == [Phone("+33612345679")]


def test_a_cell_may_hold_several_numbers():
    phones = standardise_phones("06 12 34 56 79 / 01 42 34 56 78 ou 0612345679", "FR")

    assert [phone.value for phone in phones] == ["+33612345679", "+33142345678"]


@pytest.mark.parametrize("between", [" ::: ", " & ", " + ", "/", "; "])
def test_many_signs_part_two_numbers(between):
    phones = standardise_phones(f"06 12 34 56 79{between}+33 1 42 34 56 78", "FR")

    assert [phone.value for phone in phones] == ["+33612345679", "+33142345678"]


@pytest.mark.parametrize("cell", ["0475/12.34.56", "0475/123456", "0475/12/34/56"])
def test_a_belgian_number_keeps_its_slash_to_itself(cell):
    assert standardise_phones(cell, "BE") == [Phone("+32475123456")]


@pytest.mark.parametrize(
    "cell",
    [
        "06-12-34-56-79 (Mme) 01 42 34 56 78 (M.)",
        "port. 06 12 34 56 79 dom. 01 42 34 56 78",
        "06 12 34 56 79 01 42 34 56 78",
    ],
)
def test_words_or_nothing_may_stand_between_two_numbers(cell):
    phones = standardise_phones(cell, "FR")

    assert phones == [Phone("+33612345679"), Phone("+33142345678")]


@pytest.mark.parametrize(
    ("cell", "phone"),
    [
        ("06 00 00 00 00", Phone("0600000000", "fake")),
        ("01 23 45 67 89", Phone("0123456789", "fake")),
        ("01 02 03 04 05", Phone("0102030405", "fake")),
        ("06 07 08 09 10", Phone("0607080910", "fake")),
        ("06 12 12 12 12", Phone("+33612121212", "doubtful")),
        ("06 11 22 33 44", Phone("+33611223344", "doubtful")),
        ("3949", Phone("3949", "not_personal")),
        ("0899 12 34 56", Phone("0899123456", "not_personal")),
        ("33 7 01 53 40 34", Phone("0701534034", "invalid")),
        ("12 34 56 7", Phone("1234567", "invalid")),
    ],
)
def test_a_number_nobody_answers_is_told(cell, phone):
    assert standardise_phones(cell, "FR") == [phone]


@pytest.mark.parametrize("cell", ["0142345678 poste 12", "01 42 34 56 78 x12", "0142345678 p.12"])
def test_an_extension_is_kept_apart(cell):
    assert standardise_phones(cell, "FR") == [Phone("+33142345678", "", "12")]


def test_the_same_number_with_and_without_extension_is_one():
    cell = "01 42 34 56 78 / 01 42 34 56 78 poste 3"

    assert [phone.value for phone in standardise_phones(cell, "FR")] == ["+33142345678"]


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("+33612345679", "mobile"),
        ("+33142345678", "fixed"),
        ("+33970123456", "voip"),
        ("+33899123456", "special"),
        ("+262692123456", "mobile"),
        ("+3227654321", "fixed"),
        ("0612", ""),
        ("", ""),
    ],
)
def test_the_kind_of_a_number_is_known(number, kind):
    assert phone_kind(number) == kind


def test_numbers_reserved_for_fiction_are_good():
    cells = ["0639981234", "0199001234", "+33261911234"]

    assert all(standardise_phones(cell, "FR")[0].is_valid for cell in cells)


def test_other_countries_follow_their_own_plan():
    assert standardise_phones("650-650-6176", "US") == [Phone("+16506506176")]
    assert standardise_phones("+49 30 901820", "FR") == [Phone("+4930901820")]


@given(st.integers(100_000_000, 999_999_999))
def test_a_french_number_is_valid_exactly_when_the_number_plan_says_so(number):
    phone = standardise_phones(f"0{number}", "FR")[0]
    is_in_plan = phonenumbers.is_valid_number_for_region(
        phonenumbers.PhoneNumber(country_code=33, national_number=number), "FR"
    )

    if phone.code in ("invalid", "not_personal"):
        kind = phonenumbers.number_type(phonenumbers.parse(f"+33{number}"))
        assert not is_in_plan or kind not in (
            phonenumbers.PhoneNumberType.MOBILE,
            phonenumbers.PhoneNumberType.FIXED_LINE,
            phonenumbers.PhoneNumberType.VOIP,
        )
    elif phone.value.startswith("+33") and not phone.value.startswith(("+3363998", "+33199")):
        assert is_in_plan


@given(st.one_of(st.text(max_size=40), st.from_regex(r"[+0-9 ./()-]{4,20}", fullmatch=True)))
def test_a_standard_number_stays(cell):
    for phone in standardise_phones(cell, "FR"):
        assert standardise_phones(phone.value, "FR") in ([phone._replace(extension="")], [])


def test_a_flood_of_digits_costs_nothing():
    assert standardise_phones("1" * 100_000, "FR") == [Phone("", "too_long")]


@pytest.mark.parametrize(
    ("cell", "value", "code"),
    [
        ("3,36E+10", "", "rounded"),
        ("3.36123E+10", "", "rounded"),
        ("6.39981234E+08", "+33639981234", ""),
        ("3,3639981234E+10", "+33639981234", ""),
    ],
)
def test_a_number_a_spreadsheet_has_rounded_is_none(cell, value, code):
    [phone] = standardise_phones(cell, "FR")

    assert (phone.value, phone.code) == (value, code)
    assert phone.is_valid == bool(value)
