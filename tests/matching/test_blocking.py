"""Which pairs are compared: those that share a key, each once, whoever makes them."""

import random
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.linkage import engine
from matching.linkage.blocking import Rule, TooManyPairs, build_blocks, candidate_pairs
from matching.linkage.columns import Columns
from matching.linkage.encoding import encode
from matching.linkage.keys import record_keys
from matching.linkage.pairing import Scope, candidates
from matching.linkage.proposals import build_all, propose
from matching.linkage.sorting import sorted_blocks
from matching.linkage.survey import survey
from tests.matching.people import FAMILY, GIVEN

ALL = engine.Settings(review_floor=-60.0)
ANYTHING = ("anna@one.test 111111", "bert@two.test 222222", "carla@one.test 333333")
"""Values of which folding leaves something, as a name, an e-mail or a phone."""


def test_a_block_above_the_cap_makes_no_pairs_and_hides_none():
    rows = [(n, {"family_name": "Martin", "city": f"Ville {n // 2}"}) for n in range(40)]
    encoded = encode(Columns.from_rows(rows))
    names = build_blocks(encoded, Rule(("family_name",)), cap=10)
    towns = build_blocks(encoded, Rule(("family_name", "birth_date")), cap=10)
    cities = build_blocks(encoded, Rule(("city",)), cap=1000)

    assert names is not None
    assert towns is None
    assert cities is not None
    assert (names.pair_count, names.capped_count) == (0, 1)
    found = [len(left) for _rule, left, _right in candidate_pairs([names, cities])]
    assert sum(found) == cities.pair_count


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000))
def test_every_pair_that_shares_a_key_comes_exactly_once(seed):
    chance = random.Random(seed)
    rows = [
        (
            n,
            {
                a: chance.choice([None, *ANYTHING])
                for a in ("family_name", "birth_name", "email", "phone", "other_phone", "city")
            },
        )
        for n in range(12)
    ]
    encoded = encode(Columns.from_rows(rows))
    parts = ("email", "phone", "family_name", "city")
    # More rules than eight, of which some make few pairs, and these mostly first.
    rules = [Rule(one) for count in (4, 3, 2, 1) for one in combinations(parts, count)]
    built = [build_blocks(encoded, rule) for rule in rules[chance.randrange(len(rules)) :]]
    blocks = [one for one in built if one is not None]

    found = [
        (a, b)
        for _rule, left, right in candidate_pairs(blocks)
        for a, b in zip(left.tolist(), right.tolist(), strict=True)
    ]

    assert len(found) == len(set(found))
    expected = {
        (a, b)
        for a in range(12)
        for b in range(a + 1, 12)
        if any(bool(one.joins(np.array([a]), np.array([b]))[0]) for one in blocks)
    }
    assert set(found) == expected


@given(st.lists(st.integers(0, 1 << 62), min_size=1), st.lists(st.integers(0, 3), max_size=40))
def test_records_of_one_key_stand_together_in_their_order(keys, choices):
    """Also keys that differ in their last bits only, where positions stand meanwhile."""
    column = np.array([1 + keys[choice % len(keys)] // 4 * 4 + choice for choice in choices])

    found = sorted_blocks([column.astype(np.uint64)])

    records = [n for n, key in enumerate(column) if (column == key).sum() > 1]
    assert found.records.tolist() == sorted(records, key=lambda record: (column[record], record))
    assert found.keys.tolist() == sorted(column[records].tolist())


def random_people(seed: int, count: int = 40) -> Columns:
    """Return records that share values by chance, some with two phones or a birth name."""
    chance = random.Random(seed)
    attributes = ("given_name", "family_name", "birth_name", "email", "phone", "other_phone")
    values = (*ANYTHING, "dora@two.test 444444", None, None)
    return Columns.from_rows(
        (n, {name: chance.choice(values) for name in attributes}) for n in range(count)
    )


RULES = tuple(Rule(parts) for parts in (("email",), ("phone",), ("family_name", "given_name")))


def pairs_of(encoded, *, partition=None, changed=None) -> list[tuple[int, int, int]]:
    """Return (left, right, pattern) of each candidate pair."""
    blocks = build_all(encoded, RULES, partition=partition)
    found = candidates(encoded, blocks, scope=Scope(changed=changed))
    return list(
        zip(found.left.tolist(), found.right.tolist(), found.pattern.tolist(), strict=True)
    )


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10_000), st.sampled_from([1, 2, 4]))
def test_the_shares_of_all_workers_are_the_whole(seed, workers):
    encoded = encode(random_people(seed))

    shares = [pairs_of(encoded, partition=(w, workers)) for w in range(workers)]

    assert sorted(pair for share in shares for pair in share) == sorted(pairs_of(encoded))


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10_000), st.integers(0, 39))
def test_stored_keys_lead_a_record_to_the_pairs_of_a_full_run(seed, record):
    people = random_people(seed)
    encoded = encode(people)
    stored = [record_keys(encoded, rule) for rule in RULES]
    alone = Columns(
        people.ids[[record]], {name: column[[record]] for name, column in people.values.items()}
    )

    found = set()
    for rule, columns in zip(RULES, stored, strict=True):
        mine = {int(key[0]) for key in record_keys(encode(alone), rule)} - {0}
        found |= {n for column in columns for n in np.flatnonzero(np.isin(column, list(mine)))}

    full = pairs_of(encoded, changed=np.arange(40) == record)
    assert found - {record} == {other for pair in full for other in pair[:2]} - {record}


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10_000))
def test_a_survey_of_a_small_file_counts_the_pairs_that_rules_make(seed):
    chance = random.Random(seed)
    names = ("family_name", "given_name", "street", "city")
    rules = [Rule(("city",)), Rule(("street",)), Rule(("family_name", "given_name"))]
    rows = ((n, {name: chance.choice([None, *"abcde"]) for name in names}) for n in range(40))
    encoded = encode(Columns.from_rows(rows))
    blocks = build_all(encoded, rules, cap := 6)

    found = survey(encoded, rules, cap)

    made = sum(len(left) for _rule, left, _right in candidate_pairs(blocks))
    assert found.weights().sum() == pytest.approx(made)
    for one in blocks:
        row = [cost.rule for cost in found.costs].index(one.rule)
        assert (found.shared[row] == one.joins(found.left, found.right)).all()


def full_names(row: dict[str, str | None]) -> set[tuple[str, str]]:
    """Return the names by which the rule of full names looks for somebody."""
    given = row["given_name"]
    return {(given, last) for last in (row["family_name"], row["birth_name"]) if given and last}


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000))
def test_a_mailbox_that_spells_a_name_meets_those_who_bear_it_and_nobody_else(seed):
    chance, rule = random.Random(seed), Rule(("name_in_email",))
    also = [Rule(("family_name", "given_name")), Rule(("email",))]
    drawn = dict.fromkeys(("given_name", "family_name", "birth_name"), (None, "Anna", "Bert", "A"))
    drawn["email"] = (None, "anna.bert@a.test", "bertanna7@b.test", "a.bert@a.test")
    rows = [{name: chance.choice(of) for name, of in drawn.items()} for _ in range(30)]
    encoded = encode(Columns.from_rows(enumerate(rows)))
    changed = np.arange(30) < 5

    def made(**only) -> list[tuple[int, int]]:
        rules = [rule, *only.get("also", ())]
        blocks = build_all(encoded, rules, partition=only.get("partition"))
        found = candidates(encoded, blocks, scope=Scope(only.get("changed")))
        return sorted(zip(found.left.tolist(), found.right.tolist(), strict=True))

    spelt = ["".join(filter(str.isalpha, (row["email"] or "").split("@")[0])) for row in rows]
    wanted = []
    for one, other in permutations(range(30), 2):
        given_name = rows[other]["given_name"] or ""
        family = rows[other]["family_name"] or rows[other]["birth_name"] or ""
        bears = {(given_name + family).lower(), (family + given_name).lower()}
        is_whole = len(given_name) > 1 and len(family) > 1
        if spelt[one] in bears and not rows[one]["given_name"] and is_whole:
            wanted.append((min(one, other), max(one, other)))
    alike = {
        (one, other)
        for one, other in combinations(range(30), 2)
        if full_names(rows[one]) & full_names(rows[other])
        or rows[one]["email"] == rows[other]["email"] is not None
    }
    assert made() == sorted(wanted)
    assert made(also=also) == sorted({*wanted, *alike})
    assert sorted(made(partition=(0, 2)) + made(partition=(1, 2))) == sorted(wanted)
    assert made(changed=changed) == sorted(pair for pair in wanted if min(pair) < 5)
    assert survey(encoded, [rule], 1000).weights().sum() == pytest.approx(len(wanted))


def test_people_of_one_name_are_not_taken_for_one_because_their_mailboxes_are_alike():
    chance, rows = random.Random(3), []
    for person in range(3_000):
        given, family = chance.choice(GIVEN[:12]), chance.choice(FAMILY[:20])
        values = {
            "given_name": given,
            "family_name": family,
            "postcode": str(chance.randint(10_000, 10_300)),
        }
        for _ in range(2 if person < 300 else 1):
            number = chance.randint(1, 9_999)
            email = f"{given}.{family}{number}@example.com".lower()
            rows.append((person, {**values, "email": email}))
    entity = np.array([person for person, _ in rows])

    proposed = propose(encode(Columns.from_rows(enumerate([row for _, row in rows], 1))))

    expected = {one.rule.name: one.expected_matches for one in proposed if one.is_taken}
    assert sum(expected.values()) < 2 * (len(entity) - len(set(entity.tolist())))


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10_000), st.integers(3, 12))
def test_the_pairs_counted_from_the_blocks_are_those_that_are_built(seed, cap):
    chance = random.Random(seed)
    rules = [Rule(("city",)), Rule(("street",)), Rule(("family_name", "given_name"))]
    names = ("family_name", "given_name", "street", "city")
    rows = ((n, {name: chance.choice([None, *"abcde"]) for name in names}) for n in range(40))
    blocks = build_all(encode(Columns.from_rows(rows)), rules, cap)

    for one in blocks:  # Each alone: a pair that two rules make is built once.
        assert one.pair_count == sum(len(left) for _rule, left, _right in candidate_pairs([one]))


def test_pairs_are_counted_before_they_are_built(monkeypatch):
    monkeypatch.setattr(engine, "candidates", None)  # Nothing is built of too much.
    rows = [(n, {"email": "one@example.com"}) for n in range(100)]

    with pytest.raises(TooManyPairs) as refusal:
        engine.link(
            Columns.from_rows(rows),
            engine.Settings(rules=(Rule(("email",), 99),), most_pairs=1000),
        )

    assert (refusal.value.rule, refusal.value.largest_block) == ("email", 100)


def test_a_source_that_holds_a_person_once_makes_no_pairs_of_its_own():
    people = Columns.from_rows((n, {"email": "one@example.com"}) for n in range(4))
    people = Columns(people.ids, people.values, np.array([0, 0, 1, 1], np.int32))
    encoded = encode(people)
    blocks = build_all(encoded, RULES)

    def pairs(clean_sources):
        scope = Scope(sources=people.sources, clean_sources=clean_sources)
        found = candidates(encoded, blocks, scope=scope)
        return list(zip(found.left.tolist(), found.right.tolist(), strict=True))

    assert len(pairs(frozenset())) == 6
    assert (0, 1) not in pairs(frozenset({0}))
    assert (2, 3) in pairs(frozenset({0}))
    assert pairs(None) == [(0, 2), (0, 3), (1, 2), (1, 3)]
