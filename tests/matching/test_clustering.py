"""Identity is a pure function of facts: its properties, whatever the facts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.clustering import Evidence, Guards, Partition, Reason, clusters, is_typo
from matching.rulings import Contradiction, Ruling, contradiction
from matching.weak_spots import weak_spots

RECORDS = range(1, 11)
pairs = st.tuples(st.sampled_from(RECORDS), st.sampled_from(RECORDS)).filter(
    lambda pair: pair[0] < pair[1]
)
evidence_lists = st.dictionaries(
    pairs, st.tuples(st.integers(-3, 9), st.booleans()), max_size=20
).map(lambda d: [Evidence(*pair, float(score), auto) for pair, (score, auto) in d.items()])
ruling_lists = st.dictionaries(pairs, st.booleans(), max_size=6).map(
    lambda d: [Ruling(*pair, same) for pair, same in d.items()]
)
guard_sets = st.builds(
    Guards,
    max_size=st.integers(2, 6),
    least_support=st.sampled_from([0.0, 0.3, 0.6]),
    exclusive=st.dictionaries(st.sampled_from(RECORDS), st.sampled_from(["111111", "222222"])),
    unique_source=st.dictionaries(st.sampled_from(RECORDS), st.sampled_from(["crm", "shop"])),
    called=st.dictionaries(
        st.sampled_from(RECORDS), st.sampled_from(["J.", "Jacques", "Jacqes", "Jules", ""])
    ),
)


def build(evidence, rulings, guards) -> Partition | None:
    try:
        return clusters(RECORDS, evidence, rulings, guards)
    except Contradiction:
        return None


@given(evidence_lists, ruling_lists, guard_sets, st.randoms(use_true_random=False))
def test_the_order_of_the_facts_changes_nothing(evidence, rulings, guards, random):
    before = build(evidence, rulings, guards)

    for facts in (evidence, rulings):
        random.shuffle(facts)
    shuffled = list(RECORDS)
    random.shuffle(shuffled)

    if before is None:
        with pytest.raises(Contradiction):
            clusters(shuffled, evidence, rulings, guards)
    else:
        assert clusters(shuffled, evidence, rulings, guards) == before


@given(evidence_lists, ruling_lists, guard_sets)
def test_decisions_always_hold(evidence, rulings, guards):
    partition = build(evidence, rulings, guards)

    for ruling in rulings:
        if partition is None:
            return
        together = partition.names[ruling.left] == partition.names[ruling.right]
        assert together == ruling.is_same


@given(evidence_lists, ruling_lists, guard_sets)
def test_a_cluster_is_named_after_its_oldest_record(evidence, rulings, guards):
    partition = build(evidence, rulings, guards)

    for name, members in (partition.groups() if partition else {}).items():
        assert name == min(members)


@given(evidence_lists, ruling_lists, guard_sets, st.sets(st.sampled_from(RECORDS), min_size=1))
def test_a_neighbourhood_alone_gives_what_the_whole_gives(evidence, rulings, guards, seeds):
    whole = build(evidence, rulings, guards)
    if whole is None:
        return
    near = set(seeds)
    edges = [p[:2] for p in evidence if p.automatic] + [r[:2] for r in rulings if r.is_same]
    while grown := {x for edge in edges if near & set(edge) for x in edge} - near:
        near |= grown

    alone = clusters(near, evidence, rulings, guards)

    assert alone.names == {record: whole.names[record] for record in near}
    assert set(alone.refusals) == {r for r in whole.refusals if {r.left, r.right} <= near}


@given(evidence_lists, ruling_lists)
def test_guards_bind_automatic_links_only(evidence, rulings):
    guards = Guards(
        max_size=3, least_support=0.0, exclusive={n: f"{n}{n}{n}00000" for n in RECORDS}
    )
    partition = build(evidence, rulings, guards)

    decided = build([], rulings, guards)
    assert (partition and partition.names) == (decided and decided.names)


@given(ruling_lists, pairs, st.booleans())
def test_a_contradiction_is_refused_with_its_chain(rulings, pair, is_same):
    rulings = [r for r in rulings if r[:2] != pair]
    if build([], rulings, Guards()) is None:
        return
    new = Ruling(pair[0], pair[1], is_same)

    chain = contradiction(rulings, new)

    assert bool(chain) == (build([], [*rulings, new], Guards()) is None)
    assert set(chain) <= set(rulings)
    if chain:
        assert build([], [*chain, new], Guards()) is None


@given(evidence_lists, ruling_lists, guard_sets)
def test_no_automatic_link_breaks_a_guard(evidence, rulings, guards):
    partition = build(evidence, rulings, guards)
    if partition is None:
        return
    decided = build([], rulings, guards)

    for members in partition.groups().values():
        cores = {decided.names[record] for record in members}
        if len(cores) == 1:
            continue  # Made by people, who may do what a rule may not.
        assert len(members) <= guards.max_size
        assert sum(len(decided.groups()[core]) > 1 for core in cores) <= 1
        for table in (guards.exclusive, guards.unique_source):
            said = {
                core: {table.get(r) for r in decided.groups()[core]} - {None} for core in cores
            }
            for one in cores:
                for other in cores - {one}:
                    shared = said[one] & said[other]
                    if table is guards.unique_source:
                        assert not shared
                    else:
                        assert said[one] | said[other] == shared or not (said[one] and said[other])


@given(evidence_lists, ruling_lists, guard_sets)
def test_every_link_that_is_not_made_is_one_refusal(evidence, rulings, guards):
    partition = build(evidence, rulings, guards)
    if partition is None:
        return
    names = partition.names
    questions = [
        frozenset((names[r.left], names[r.right]))
        for r in partition.refusals
        if r.reason != Reason.AMBIGUOUS
    ]
    unclear = {
        name
        for r in partition.refusals
        if r.reason == Reason.AMBIGUOUS
        for name in (names[r.left], names[r.right])
    }

    assert len(questions) == len(set(questions))
    for pair in evidence:
        between = frozenset((names[pair.left], names[pair.right]))
        if pair.automatic and pair.score >= 0 and len(between) == 2:
            assert between in questions or between & unclear


def test_the_strongest_link_comes_first():
    evidence = [Evidence(1, 2, 5.0, True), Evidence(2, 3, 9.0, True)]

    partition = clusters([1, 2, 3], evidence, [], Guards(max_size=2))

    assert partition.groups() == {1: [1], 2: [2, 3]}
    assert [r.reason for r in partition.refusals] == [Reason.TOO_LARGE]


@pytest.mark.parametrize(
    ("rulings", "guards"),
    [
        ([Ruling(1, 3, False)], Guards()),
        ([], Guards(exclusive={1: "7412083", 3: "9930112"})),
        ([], Guards(unique_source={1: "crm", 3: "crm"})),
        ([Ruling(1, 4, True), Ruling(3, 5, True)], Guards(least_support=0.0)),
    ],
)
def test_what_fits_two_customers_that_may_not_be_joined_joins_neither(rulings, guards):
    evidence = [Evidence(1, 2, 5.0, True), Evidence(2, 3, 9.0, True)]
    records = sorted({1, 2, 3} | {record for ruling in rulings for record in ruling[:2]})

    partition = clusters(records, evidence, rulings, guards)

    assert partition.groups()[2] == [2]
    (refusal,) = partition.refusals
    assert (refusal.left, refusal.right, refusal.rival) == (2, 3, 1)
    assert refusal.reason == Reason.AMBIGUOUS


def test_a_decision_binds_those_who_joined_one_of_its_records_before():
    evidence = [Evidence(2, 3, 9.0, True), Evidence(2, 4, 8.0, True), Evidence(1, 4, 5.0, True)]

    partition = clusters(range(1, 5), evidence, [Ruling(1, 3, False)], Guards(least_support=0.0))

    assert partition.groups() == {1: [1], 2: [2, 3], 4: [4]}


def test_a_weak_spot_names_the_link_and_the_parts_it_alone_holds_together():
    circle = [Evidence(1, 2, 9.0, True), Evidence(2, 3, 8.0, True), Evidence(1, 3, 7.0, True)]
    bridge = Evidence(3, 4, 3.5, True)
    resemblance = Evidence(2, 4, 1.0, False)

    found = weak_spots([1, 2, 3, 4, 5], [*circle, bridge, resemblance], [Ruling(4, 5, True)])

    assert [(spot.left, spot.right, spot.score, spot.parts) for spot in found] == [
        (3, 4, 3.5, ((1, 2, 3), (4, 5))),
        (4, 5, None, ((1, 2, 3, 4), (5,))),
    ]


@given(evidence_lists, ruling_lists)
def test_cutting_a_weak_spot_leaves_exactly_its_parts(evidence, rulings):
    held_by = {e[:2] for e in evidence if e.automatic} | {r[:2] for r in rulings if r.is_same}

    def parts_of(members, pairs):
        links = [Evidence(*pair, 9.0, True) for pair in pairs]
        groups = clusters(members, links, [], Guards(len(RECORDS), 0.0)).groups()
        return tuple(tuple(part) for part in groups.values())

    for members in parts_of(RECORDS, held_by):
        found = {(s.left, s.right): s.parts for s in weak_spots(members, evidence, rulings)}
        for pair in held_by:
            assert found.get(pair, (members,)) == parts_of(members, held_by - {pair})


def test_one_link_does_not_join_two_groups_that_otherwise_differ():
    inside = [
        Evidence(a, b, 9.0, True) for a, b in ((1, 2), (1, 3), (2, 3), (4, 5), (4, 6), (5, 6))
    ]

    partition = clusters(range(1, 7), [*inside, Evidence(3, 4, 4.0, True)], [])

    assert partition.groups() == {1: [1, 2, 3], 4: [4, 5, 6]}
    assert partition.refusals[0].reason == Reason.THIN_LINK


def test_a_decision_never_makes_a_link_too_thin():
    evidence = [Evidence(1, 2, 9.0, True), Evidence(2, 3, 4.5, True)]
    before = clusters([1, 2, 3, 4], evidence, []).groups()

    after = clusters([1, 2, 3, 4], evidence, [Ruling(3, 4, True)]).groups()

    assert before == {1: [1, 2, 3], 4: [4]}
    assert after == {1: [1, 2, 3, 4]}


@pytest.mark.parametrize(
    ("guards", "reason"),
    [
        (Guards(max_size=1), Reason.TOO_LARGE),
        (Guards(exclusive={1: "7412083", 2: "9930112"}), Reason.EXCLUSIVE_IDENTIFIER),
        (Guards(unique_source={1: "crm", 2: "crm"}), Reason.SAME_SOURCE),
    ],
)
def test_a_guard_refuses_an_automatic_link_with_its_reason(guards, reason):
    partition = clusters([1, 2], [Evidence(1, 2, 9.0, True)], [], guards)

    assert partition.groups() == {1: [1], 2: [2]}
    assert [(r.left, r.right, r.reason) for r in partition.refusals] == [(1, 2, reason)]


def test_decisions_that_cannot_both_hold_are_named():
    rulings = [Ruling(1, 2, True), Ruling(2, 3, True), Ruling(1, 3, False)]

    with pytest.raises(Contradiction) as refusal:
        clusters([1, 2, 3], [], rulings)

    assert set(refusal.value.chain) == set(rulings)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("1234567", "1234567", True),
        ("1234567", "1234667", True),
        ("1234567", "1243567", True),
        ("1234567", "123456", True),
        ("1234567", "12345678", True),
        ("1234567", "1234657", True),
        ("1234567", "2134576", False),
        ("1234567", "9876543", False),
        ("", "1", True),
    ],
)
def test_a_slip_of_the_hand_is_not_a_second_number(one, other, expected):
    assert is_typo(one, other) is expected
    assert is_typo(other, one) is expected
