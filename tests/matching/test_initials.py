"""An initial that fits two people of one home joins neither by itself."""

import pytest

from matching.decisions import decide
from matching.initials import is_initials
from matching.models import Decision, ReviewTask
from tests.matching.factories import customers_of, make_company, make_steward, run_match
from tests.mdm.factories import make_records

pytestmark = pytest.mark.django_db

HOME = {
    "family_name": "Estrangin",
    "phone": "+33199445566",
    "street_number": "4",
    "street": "rue des Lices",
    "postcode": "84000",
    "city": "Avignon",
}


def at_home(*people):
    """Store records of one home, each with its source, given name and what else is told."""
    make_company()
    rows = [
        {**HOME, "source": source, "given_name": name, **more} for source, name, more in people
    ]
    return make_records(rows)


def test_an_initial_of_one_home_with_two_such_names_waits_for_a_steward():
    father, son, initial = at_home(
        ("crm", "Jacques", {}), ("crm", "Jules", {}), ("shop", "J.", {})
    )

    run_match()

    assert len(set(customers_of(father, son, initial))) == 3
    task = ReviewTask.objects.get(reason="ambiguous")
    assert initial.pk in (task.left_id, task.right_id)


def test_what_a_steward_says_of_the_initial_holds_and_moves_nobody_else():
    father, son, initial = at_home(
        ("crm", "Jacques", {}), ("crm", "Jules", {}), ("shop", "J.", {})
    )
    run_match()

    decide(father.pk, initial.pk, Decision.Verdict.SAME, by=make_steward())
    run_match()

    homes = customers_of(father, son, initial)
    assert homes[0] == homes[2] != homes[1]


def test_an_initial_joins_the_only_one_whom_it_fits_however_she_is_spelt():
    records = at_home(("crm", "Jacques", {}), ("crm", "Jacqques", {}), ("shop", "J.", {}))

    run_match()

    assert len(set(customers_of(*records))) == 1


def test_an_initial_joins_the_one_of_two_whom_its_birth_date_names():
    born = {"birth_date": "1951-05-04"}
    father, son, initial = at_home(
        ("crm", "Jacques", born), ("crm", "Jules", {}), ("shop", "J.", born)
    )

    run_match()

    homes = customers_of(father, son, initial)
    assert homes[0] == homes[2] != homes[1]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("J.", True), ("j", True), ("J.-P.", True), ("J P", True), ("Jo", False), ("", False),
     ("J. Pierre", False), ("李", False)],
)  # fmt: skip
def test_what_initials_are(name, expected):
    assert is_initials(name) == expected
