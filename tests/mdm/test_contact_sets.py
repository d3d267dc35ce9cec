"""All e-mails and phones of a customer: who carries each, which is preferred, found by any."""

import pytest

from mdm.models import SourceRecord
from mdm.pins import pin
from mdm.search import find
from tests.factories import UserFactory
from tests.mdm.factories import make_records
from tests.mdm.pages import client_of
from tests.mdm.test_customer_page import join, page_of

pytestmark = pytest.mark.django_db
FIRST, SECOND, THIRD = "+33639980001", "+33639980002", "+33639980003"


@pytest.fixture
def anne():
    """A customer of three records with two addresses and three numbers between them."""
    rows = [
        {"source": "crm", "key": "1", "email": "anne@example.com", "phone": FIRST},
        {"source": "web", "key": "2", "email": "Anne@example.com", "phone": SECOND},
        {"source": "erp", "key": "3", "email": "roux@example.com", "other_phone": THIRD},
    ]
    records = make_records([{"family_name": "Roux", **row} for row in rows])
    join(*records)
    return records


def sets_of(record: SourceRecord) -> dict[str, list[tuple[str, list[str], bool, bool]]]:
    file = client_of("steward").get(page_of(record)).context["file"]
    return {
        found.kind: [
            (k.value, [c.record.source_key for c in k.carriers], k.is_preferred, k.is_hidden)
            for k in found.values
        ]
        for found in file.contact_sets
    }


def test_every_value_names_the_records_that_carry_it_and_one_is_preferred(anne):
    assert sets_of(anne[0]) == {
        "email": [
            ("anne@example.com", ["1", "2"], True, False),
            ("roux@example.com", ["3"], False, False),
        ],
        "phone": [
            (FIRST, ["1"], True, False),
            (SECOND, ["2"], False, False),
            (THIRD, ["3"], False, False),
        ],
    }


def test_a_steward_prefers_another_value_and_hides_one(anne):
    client, steward = client_of("steward"), UserFactory(role="steward")
    form = {"group": "phone", "record": anne[1].pk, "kind": "prefer"}

    client.post(page_of(anne[0]) + "pin/", {**form, "confirm": "1", "reason": "she called"})
    pin(anne[2].pk, "email", "hide", by=steward, reason="her sister's")

    found = sets_of(anne[0])
    assert found["phone"][0] == (SECOND, ["2"], True, False)
    assert found["email"][-1] == ("roux@example.com", ["3"], False, True)


def test_a_value_of_the_stewards_own_belongs_to_the_set(anne):
    values = {"email": "new@example.com"}
    pin(anne[0].pk, "email", "value", by=UserFactory(), reason="she said so", values=values)

    assert sets_of(anne[0])["email"][0] == ("new@example.com", [], True, False)
    assert len(sets_of(anne[0])["email"]) == 3


def test_a_record_that_is_gone_gives_no_value(anne):
    SourceRecord.objects.filter(pk=anne[2].pk).update(status="deleted")

    assert [value for value, *_ in sets_of(anne[0])["email"]] == ["anne@example.com"]


@pytest.mark.parametrize("text", ["roux@example.com", "06 39 98 00 02", THIRD])
def test_she_is_found_by_any_of_them(anne, text):
    assert [hit.customer_id for hit in find(text)] == [anne[0].pk]
