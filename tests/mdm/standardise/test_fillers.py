"""What stands where nothing is known is no value, and is told once."""

from datetime import date

import pytest

from mdm.standardise.record import standardise_record

TODAY = date(2026, 1, 1)
ATTRIBUTES = ("email", "street", "address_line", "city", "postcode", "birth_date")


@pytest.mark.parametrize("filler", ["n/c", "N/C", "n.c.", "NC", "-", "?", "néant", "Non connu"])
@pytest.mark.parametrize("region", ["FR", "BE"])
def test_a_filler_is_left_out_and_told_once(filler: str, region: str):
    record = standardise_record(
        dict.fromkeys(ATTRIBUTES, filler), phones=[filler, filler], region=region, today=TODAY
    )

    *values, issues = record
    assert not any(values)
    assert sorted(set(issues)) == sorted(issues)
    assert {code for _attribute, code in issues} == {"placeholder"}
    assert ("phone", "placeholder") in issues


def test_a_filler_beside_a_number_says_nothing():
    record = standardise_record({}, phones=["n/c", "0639980001"], region="FR", today=TODAY)

    assert (record.phone, record.issues) == ("+33639980001", ())


def test_words_in_place_of_a_number_are_told_to_be_none():
    record = standardise_record({}, phones=["voir au bureau"], region="FR", today=TODAY)

    assert (record.phone, record.issues) == ("", (("phone", "invalid"),))


@pytest.mark.parametrize("city", ["Y", "Sens", "Nice", "Ars"])
def test_short_names_of_towns_are_towns(city: str):
    assert standardise_record({"city": city}, region="FR", today=TODAY).city == city


def test_a_town_that_tells_its_postcode_makes_the_filler_good():
    record = standardise_record(
        {"postcode": "n/c", "city": "75001 PARIS"}, region="FR", today=TODAY
    )

    assert (record.postcode, record.city, record.issues) == ("75001", "Paris", ())
