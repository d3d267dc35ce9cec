"""A whole record, standardised once and again."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm.standardise.issues import WORDS
from mdm.standardise.record import ATTRIBUTES, StandardRecord, standardise_record

TODAY = date(2026, 11, 24)


def standardise(region: str = "FR", phones: tuple[str, ...] = (), **values: str) -> StandardRecord:
    return standardise_record(
        values, phones=phones, region=region, today=TODAY, birth_date_format="%d/%m/%Y"
    )


def test_a_dirty_row_becomes_a_clean_record():
    record = standardise(
        civility="MME",
        family_name="LE GOFF née PETIT (VIP)",
        given_name="marie-line",
        birth_date="03/02/1971",
        email="Marie@Example.ORG",
        address_line="12 BIS AV DU GAL LECLERC",
        postcode="1000",
        city="BOURG EN BRESSE",
        country="France",
        phones=("0600000000", "06 39 98 12 34"),
    )

    assert record == StandardRecord(
        civility="mrs",
        sex="f",
        given_name="Marie-Line",
        family_name="Le Goff",
        birth_name="Petit",
        birth_date=date(1971, 2, 3),
        email="Marie@example.org",
        phone="+33639981234",
        other_phone="0600000000",
        street_number="12 bis",
        street="avenue du Général Leclerc",
        postcode="01000",
        city="Bourg en Bresse",
        country="FR",
        issues=(
            ("family_name", "remark"),
            ("postcode", "restored_zero"),
            ("other_phone", "fake"),
        ),
    )


def test_a_column_of_its_own_wins_over_the_whole_name():
    record = standardise(full_name="DUPONT Jean", given_name="Jean-Paul")

    assert (record.given_name, record.family_name) == ("Jean-Paul", "Dupont")


@pytest.mark.parametrize(
    "attribute", ["given_name", "organisation", "email", "city", "identifier"]
)
def test_a_value_too_long_to_store_is_left_out_and_told(attribute):
    record = standardise(**{attribute: "a" * 5000})

    assert getattr(record, attribute) == ""
    assert (attribute, "too_long") in record.issues


CELLS = st.text(max_size=25)


@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(
            ("family_name", "given_name", "email", "address_line", "city", "country"), CELLS
        ),
    ),
    CELLS,
)
def test_every_issue_has_words_and_every_value_fits(values, phone):
    record = standardise(phones=(phone,), **values)

    assert all(code in WORDS for _, code in record.issues)
    assert all(
        "\x00" not in (getattr(record, name) or "") for name in ATTRIBUTES if name != "birth_date"
    )
