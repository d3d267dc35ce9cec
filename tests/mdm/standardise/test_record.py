"""A whole record, standardised once and again."""

from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mdm.standardise.issues import ISSUES
from mdm.standardise.record import ATTRIBUTES, COMPOSED, StandardRecord, standardise_record
from tests.effort import takes_at_most

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
    """Left out with an issue, never cut silently (A-IMP-06)."""
    record = standardise(**{attribute: "a" * 5000})

    assert getattr(record, attribute) == ""
    assert (attribute, "too_long") in record.issues


WORDS = (
    "M. Mme et née ép. JEAN Sandrine DUPONT dupont de LA Le Goff (VIP) 12 bis AV RUE rue ST Bât B "
    "Appt 3 BP 45 , - / 75001 2A004 98000 PARIS CEDEX 03 France RE 06 39 98 12 34 poste "
    "a@gmial.com <b@example.org> 1980 01/02/1980 SARL & 732 829 320 É œ"
).split()
CELLS = st.one_of(
    st.text(st.characters(exclude_categories=[]), max_size=25),  # Surrogates and NUL too.
    st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join),
)
TEXTS = [name for name in (*ATTRIBUTES, *COMPOSED) if "phone" not in name]
ROWS = st.fixed_dictionaries({}, optional=dict.fromkeys(TEXTS, CELLS))


@given(ROWS, CELLS)
def test_every_issue_has_words_and_every_value_fits(values, phone):
    given_values = dict(values)

    record = standardise(phones=(phone,), **values)

    assert values == given_values
    assert all(code in ISSUES for _, code in record.issues)
    written = [str(value) for value in record[:-1] if value]
    assert all("\x00" not in text and text.encode() for text in written)


@given(ROWS, st.lists(CELLS, max_size=2))
@example({"address_line": "Appt 3 12 rue X, BP 4 BP 5", "address_complement": "Bât B"}, [])
@example({"website": "0 /"}, [])
@example({"postcode": "X®"}, [])
def test_a_standard_record_standardised_again_stays(values, phones):
    once = standardise(phones=tuple(phones), **values)
    again = standardise(
        phones=(once.phone, once.other_phone),
        **{name: str(getattr(once, name) or "") for name in ATTRIBUTES if "phone" not in name},
    )

    assert again[:-1] == once[:-1]


@pytest.mark.parametrize(
    "nonsense",
    ["a" * 100_000, "(" * 100_000, "née " * 25_000, "12 bis " * 14_000, "M. et Mme " * 10_000,
     "\ud800\x00" * 50_000, "a@" * 50_000, "06 " * 33_000, "Bât B, " * 14_000, "1/" * 50_000],
    ids=lambda text: repr(text[:6]),
)  # fmt: skip
def test_a_row_of_nonsense_costs_less_than_a_blink(nonsense):
    """Values made for bad patterns, 100 kB each (A-IMP-14)."""

    def standardise_it_everywhere(number: int) -> None:
        for name in TEXTS:
            standardise(**{name: nonsense[number:]})
        standardise(phones=(nonsense[number:],))

    assert takes_at_most(150, standardise_it_everywhere)
