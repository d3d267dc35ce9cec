"""`check_invariants` passes what the services made, and names what was done behind their back."""

import json
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command

from matching.decisions import Verdict, decide
from matching.models import ReviewTask
from mdm.models import Customer, CustomerEvent, GoldenRecord, SourceRecord
from tests.matching.factories import make_evidence, make_steward, settled
from tests.mdm.factories import make_records

pytestmark = pytest.mark.django_db


@pytest.fixture
def records() -> list[SourceRecord]:
    """Six records: two linked, two decided to be one, two decided to be two."""
    made = make_records([{"given_name": name} for name in ("A", "A", "B", "C", "D", "E")])
    make_evidence(*made[:2])
    settled(made[0])
    decide(made[2].pk, made[3].pk, Verdict.SAME, by=make_steward())
    decide(made[4].pk, made[5].pk, Verdict.DIFFERENT, by=make_steward())
    return made


def test_what_the_services_made_breaks_nothing(records, capsys):
    call_command("check_invariants", "--json")

    rows = json.loads(capsys.readouterr().out)["invariants"]
    assert [row["breaches"] for row in rows] == [0] * len(rows)
    assert {"P1", "P2", "P7", "P9", "P10", "P19", "P25", "P29"} <= {row["number"] for row in rows}


def _put_together(records: list[SourceRecord]) -> None:
    SourceRecord.objects.filter(pk=records[5].pk).update(customer=records[4].pk)


def _take_apart(records: list[SourceRecord]) -> None:
    SourceRecord.objects.filter(pk=records[3].pk).update(customer=records[3].pk)


def _lead_two_steps(records: list[SourceRecord]) -> None:
    Customer.objects.filter(pk=records[0].pk).update(status="merged", merged_into=records[2].pk)


def _name_by_the_younger(records: list[SourceRecord]) -> None:
    members = SourceRecord.objects.filter(pk__in=[record.pk for record in records[:2]])
    members.update(customer=records[1].pk)


def _open_recheck(records: list[SourceRecord]) -> None:
    ReviewTask.objects.create(left=records[2], right=records[3], score=1.0, kind="recheck")


def _half_erase(records: list[SourceRecord]) -> None:
    SourceRecord.objects.filter(pk=records[5].pk).update(status="erased")


@pytest.mark.parametrize(
    ("harm", "numbers"),
    [
        (_put_together, {"P2", "P5, P6", "P7", "P9", "P25"}),
        (_take_apart, {"P10"}),
        (_lead_two_steps, {"P1", "P2"}),
        (_name_by_the_younger, {"P3"}),
        (_open_recheck, {"P13"}),
        (_half_erase, {"P19", "P26"}),
        (lambda _records: GoldenRecord.objects.update(given_name="Z"), {"P7"}),
        (lambda _records: CustomerEvent.objects.filter(kind="left").delete(), {"P25"}),
    ],
)
def test_what_is_done_behind_their_back_is_named(
    records, harm: Callable[[list[SourceRecord]], object], numbers, capsys
):
    harm(records)

    with pytest.raises(CommandError, match="Not everything holds"):
        call_command("check_invariants", "--json")

    rows = json.loads(capsys.readouterr().out)["invariants"]
    assert numbers <= {row["number"] for row in rows if row["breaches"]}
