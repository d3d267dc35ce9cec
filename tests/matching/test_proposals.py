"""Which blocking rules are proposed: those that find what others miss, at few pairs."""

import random

import numpy as np
import pytest

from matching.linkage.columns import Columns
from matching.linkage.encoding import encode
from matching.linkage.judging import blocking_recall
from matching.linkage.proposals import build_all, propose, taken
from tests.matching.people import FAMILY, GIVEN

Row = dict[str, str]


def _her_initial(row: Row) -> Row:
    return {**row, "given_name": row["given_name"][0], "street": "", "street_number": ""}


def _names_as_they_sound(row: Row) -> Row:
    def slipped(name: str) -> str:
        return name[:2] + "h" + name[2:]

    names = {name: slipped(row[name]) for name in ("given_name", "family_name")}
    return {**row, **names, "street": "", "street_number": ""}


def _swapped_with_a_slip_at_home(row: Row) -> Row:
    return {**row, "given_name": row["family_name"], "family_name": "X" + row["given_name"]}


@pytest.mark.parametrize(
    "again", [_her_initial, _names_as_they_sound, _swapped_with_a_slip_at_home]
)
def test_what_broad_rules_would_find_is_found_near_home_at_few_pairs(again):
    chance, rows = random.Random(4), []
    for person in range(2_000):
        row = {
            "given_name": chance.choice(GIVEN),
            "family_name": chance.choice(FAMILY) + chance.choice(["", "on", "et", "eau", "in"]),
            "street": f"rue {chance.choice(FAMILY)}",
            "street_number": str(chance.randint(1, 80)),
            "postcode": f"{10_000 + chance.randrange(20)}",
        }
        rows.append((person, row))
        if person % 3 == 0:
            rows.append((person, again(row)))
    encoded = encode(Columns.from_rows((n, row) for n, (_, row) in enumerate(rows, 1)))
    entity = np.array([person for person, _ in rows])

    blocks = build_all(encoded, taken(propose(encoded, budget=1_000)))

    assert blocking_recall(blocks, entity)[-1].cumulative > 0.9
