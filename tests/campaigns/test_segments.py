from datetime import date, timedelta

import pytest

from campaigns import segments
from campaigns.segments import InvalidSegment
from mdm.models import Contract, GoldenRecord, Sale
from tests.mdm.factories import make_record

TODAY = date(2026, 11, 24)


def found(*rows):
    conditions = segments.check(
        [dict(zip(("field", "operator", "value"), row, strict=True)) for row in rows]
    )
    golden = GoldenRecord.objects.filter(segments.condition(conditions, today=TODAY))
    return set(golden.values_list("family_name", flat=True))


@pytest.fixture
def people(db):
    make_record(family_name="A", city="Orléans", postcode="45000", sex="f", email="a@example.com")
    make_record(
        family_name="B", city="Saint-Nazaire", postcode="44600", sex="m",
        birth_date=date(1990, 11, 25), source="shop",
    )  # fmt: skip
    make_record(
        family_name="C", postcode="20137", birth_date=date(1950, 1, 1), phone="+33639980001"
    )


@pytest.mark.parametrize(
    ("row", "names"),
    [
        (("city", "is", "orleans, SAINT NAZAIRE"), {"A", "B"}),
        (("city", "is_not", "Orléans"), {"B", "C"}),
        (("postcode", "starts_with", "44, 2A"), {"B", "C"}),
        (("postcode", "is", "45000"), {"A"}),
        (("sex", "is", "f"), {"A"}),
        (("age", "at_least", "35"), {"B", "C"}),
        (("age", "at_most", "35"), {"B"}),
        (("birth_year", "at_most", "1990"), {"B", "C"}),
        (("birth_year", "is", "1990"), {"B"}),
        (("has_email", "is", "yes"), {"A"}),
        (("has_phone", "is", "no"), {"A", "B"}),
        (("has_address", "is", "yes"), {"A", "B", "C"}),
        (("source", "is", "shop"), {"B"}),
        (("source", "is_not", "shop"), {"A", "C"}),
    ],
)
def test_each_field_finds_whom_it_says(people, row, names):
    assert found(row) == names


def test_conditions_must_all_hold(people):
    assert found(("city", "is", "Orléans"), ("sex", "is", "m")) == set()


def test_no_condition_is_everybody(people):
    assert found() == {"A", "B", "C"}


def test_purchases_and_contracts(db):
    buyer = make_record(family_name="Buyer")
    lapsed = make_record(family_name="Lapsed")
    make_record(family_name="Nobody")
    for record, days, family in [
        (buyer, 10, "garden"),
        (buyer, 900, "wine"),
        (lapsed, 800, "wine"),
    ]:
        Sale.objects.create(
            record=record, reference=family, sold_on=TODAY - timedelta(days=days),
            product_family=family,
        )  # fmt: skip
    Contract.objects.create(record=lapsed, reference="1", starts_on=date(2020, 1, 1))

    assert found(("last_purchase", "since", "2026-01-01")) == {"Buyer"}
    assert found(("last_purchase", "before", "2026-01-01")) == {"Lapsed"}
    assert found(("product_family", "is", "wine")) == {"Buyer", "Lapsed"}
    assert found(("product_family", "is_not", "garden")) == {"Lapsed", "Nobody"}
    assert found(("running_contract", "is", "yes")) == {"Lapsed"}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"field": "password", "operator": "is", "value": "x"}, "password"),
        ({"field": "email__regex", "operator": "is", "value": "(a+)+$"}, "email__regex"),
        ({"field": "city", "operator": "regex", "value": "x"}, "regex"),
        ({"field": "age", "operator": "at_least", "value": "old"}, "old"),
        ({"field": "age", "operator": "at_least", "value": "-1"}, "-1"),
        ({"field": "birth_year", "operator": "is", "value": "99999999999"}, "9999"),
        ({"field": "last_purchase", "operator": "since", "value": "31/03/2026"}, "31/03/2026"),
        ({"field": "sex", "operator": "is", "value": "x"}, "x"),
        ({"field": "source", "operator": "is", "value": "nowhere"}, "nowhere"),
        ({"field": "city", "operator": "is", "value": " , "}, "1"),
        ({"field": "city", "operator": "is", "value": "x" * 201}, "200"),
        ({"field": "city", "operator": "is", "value": "a\x00b"}, "1"),
        ({"field": "city", "operator": "is", "value": ",".join("abcdefghij" * 6)}, "50"),
        ({}, "1"),
    ],
)
def test_a_condition_that_cannot_be_understood_is_named(db, row, words):
    with pytest.raises(InvalidSegment, match="1") as refusal:
        segments.check([row])

    assert words in str(refusal.value)


def test_a_segment_has_a_limit(db):
    row = {"field": "age", "operator": "at_least", "value": "18"}

    with pytest.raises(InvalidSegment, match="12"):
        segments.check([row] * 13)


def test_the_birthday_counts(db):
    make_record(family_name="Tomorrow", birth_date=date(2008, 11, 25))
    make_record(family_name="Today", birth_date=date(2008, 11, 24))
    make_record(family_name="Leap", birth_date=date(2004, 2, 29))

    assert found(("age", "at_least", "18")) == {"Today", "Leap"}


def test_a_choice_may_be_typed_in_words(people):
    assert segments.check([{"field": "source", "operator": "is", "value": "SHOP"}]) == [
        {"field": "source", "operator": "is", "value": "shop"}
    ]
