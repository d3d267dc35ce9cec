"""Names that stand in each other's place are put right where the file tells which is which."""

import json
import random
from collections.abc import Mapping

import numpy as np

from matching.linkage.columns import Columns
from matching.linkage.comparison import compare
from matching.linkage.encoding import Encoded, encode, learn_known
from matching.linkage.keys import Rule, record_keys
from matching.linkage.known import Known
from tests.matching.people import FAMILY, GIVEN

Row = Mapping[str, str | None]


def people(count: int = 3_000, *, every: int = 40) -> list[Row]:
    """Return people, one in so many with names in the other order."""
    chance, rows = random.Random(8), []
    for number in range(count):
        names = [f"{chance.choice(GIVEN)}ab", f"{chance.choice(FAMILY)}xy"]
        given, family = reversed(names) if number % every == 0 else names
        rows.append({"given_name": given, "family_name": family})
    return rows


def encoded_of(rows: list[Row], known: Known | None = None) -> Encoded:
    return encode(Columns.from_rows(enumerate(rows, 1)), known)


def turned(encoded: Encoded) -> list[int]:
    return np.flatnonzero(encoded.names.is_turned).tolist()


def test_names_in_the_other_order_are_compared_as_if_they_stood_right():
    rows = people()
    rows += [{"given_name": rows[0]["family_name"], "family_name": rows[0]["given_name"]}]
    encoded = encoded_of(rows)

    found = compare(encoded, np.array([0], np.int32), np.array([len(rows) - 1], np.int32))

    assert turned(encoded) == [*range(0, 3_000, 40)]
    bands = {field: encoded.bands[field][-1:] for field in ("given_name", "family_name")}
    assert {field: found[field].tolist() for field in bands} == {
        field: band.tolist() for field, band in bands.items()
    }


def test_where_nobody_writes_names_in_the_other_order_none_is_turned():
    assert turned(encoded_of(people(every=10_000)[1:])) == []


def test_names_that_are_given_and_family_names_stay_as_they_are():
    chance = random.Random(8)
    both = [f"{name}ab" for name in GIVEN]
    rows = [
        {"given_name": chance.choice(both), "family_name": chance.choice(both)}
        for _ in range(3_000)
    ]

    assert turned(encoded_of(rows)) == []


def test_keys_are_of_the_names_as_written_whatever_the_file_is_like():
    rows = people()
    whole, alone = encoded_of(rows), encoded_of(rows[:1])

    for parts in ("given_name", "family_sound", "full_name", "family_name given_initial"):
        rule = Rule(tuple(parts.split()))
        of_whole, of_one = record_keys(whole, rule), record_keys(alone, rule)
        assert [keys[0] for keys in of_whole] == [keys[0] for keys in of_one]


def test_a_few_records_are_read_as_the_whole_file_was():
    rows = people()
    encoded = encoded_of(rows)
    known = Known.from_state(json.loads(json.dumps(learn_known(encoded).to_state())))

    few = encoded_of(rows[:50], known)

    assert turned(few) == [0, 40]
    for field, borne in few.borne.items():
        codes = {"given_name": few.names.given, "family_name": few.names.family}[field]
        of_whole = {"given_name": encoded.names.given, "family_name": encoded.names.family}[field]
        assert borne[codes].tolist() == encoded.borne[field][of_whole[:50]].tolist()
        assert borne[codes].any()


def test_what_an_older_search_knew_puts_nothing_right():
    state = learn_known(encoded_of(people())).to_state()
    del state["order"], state["borne"]

    few = encoded_of(people()[:50], Known.from_state(state))

    assert turned(few) == []
    assert not any(borne.any() for borne in few.borne.values())
