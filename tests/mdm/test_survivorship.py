"""Survivorship is total, deterministic and names where each value comes from."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm.models import ATTRIBUTES
from mdm.survivorship import DEFAULT_RULES, Candidate, PinnedValue, defeats, survive

_PHONES = slice(ATTRIBUTES.index("phone"), ATTRIBUTES.index("other_phone") + 1)
EMPTY = {name: None if name == "birth_date" else "" for name in ATTRIBUTES}


def candidate(
    record_id: int,
    *,
    source_id: int = 1,
    trust: int = 50,
    updated_at: float = 0.0,
    faulty: tuple[str, ...] = (),
    **values: object,
) -> Candidate:
    """Build a candidate that says only `values`."""
    return Candidate(
        record_id,
        source_id,
        trust,
        updated_at,
        frozenset(faulty),
        tuple({**EMPTY, **values}.values()),
    )


candidates = st.lists(
    st.builds(
        candidate,
        st.integers(1, 50),
        trust=st.sampled_from([20, 50, 80]),
        updated_at=st.sampled_from([0.0, 10.0, 20.0]),
        family_name=st.sampled_from(["", "Roux", "ROUX", "Le Roux"]),
        email=st.sampled_from(["", "a@example.org", "b@example.org"]),
        street=st.sampled_from(["", "rue Haute", "rue Basse"]),
        city=st.sampled_from(["", "Nantes", "Brest"]),
        birth_date=st.sampled_from([None, date(1980, 1, 2)]),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda c: c.record_id,
)


@given(candidates, st.randoms(use_true_random=False))
def test_the_order_of_records_changes_nothing(members, random):
    shuffled = random.sample(members, len(members))

    assert survive(members) == survive(shuffled)


@given(candidates)
def test_every_value_is_the_present_value_of_the_record_it_names(members):
    by_id = {member.record_id: member for member in members}

    survivors = survive(members)

    for group, (record_id, pin, _) in survivors.lineage.items():
        assert pin is None
        attributes = ("street", "city") if group == "address" else (group,)
        for name in attributes:
            stated = by_id[record_id].values[ATTRIBUTES.index(name)]
            assert survivors.values[name] == stated


pins = st.lists(
    st.builds(
        lambda number, attribute, kind, record: PinnedValue(
            number, attribute, {attribute: "pinned"}, kind, record
        ),
        st.integers(1, 99),
        st.sampled_from(["family_name", "email"]),
        st.sampled_from(["value", "prefer", "hide"]),
        st.integers(1, 50),
    ),
    max_size=4,
    unique_by=lambda pin: pin.pin_id,
)


@given(candidates, pins)
def test_whoever_says_something_else_has_lost_for_a_reason_and_nobody_else_has(members, words):
    survivors = survive(members, words)
    for group in ("family_name", "email"):
        place = ATTRIBUTES.index(group)
        hidden = {w.record_id for w in words if (w.kind, w.attribute) == ("hide", group)}
        stating = {m.record_id: m.values[place] for m in members if m.values[place]}

        lost = defeats(members, group, words, DEFAULT_RULES[group])

        value = survivors.values[group]
        others = {r for r, said in stating.items() if said != value}
        assert {r for r, why in lost.items() if why != "hidden"} == others - hidden
        assert {r for r, why in lost.items() if why == "hidden"} == hidden & stating.keys()


@given(
    st.lists(
        st.builds(
            candidate,
            st.integers(1, 9),
            updated_at=st.sampled_from([0.0, 10.0]),
            phone=st.sampled_from(["", "1", "2"]),
            other_phone=st.sampled_from(["", "1", "2", "3"]),
        ).filter(lambda c: len(set(c.values[_PHONES])) == 2 or not any(c.values[_PHONES])),
        unique_by=lambda c: c.record_id,
    )
)
def test_no_number_stands_twice_and_the_other_phone_is_the_best_of_the_others(members):
    values = survive(members).values
    phone, other = values["phone"], values["other_phone"]

    assert not phone or phone != other
    numbers = {m.values[ATTRIBUTES.index("other_phone")] for m in members} - {"", phone}
    assert bool(other) == bool(numbers)
    lost = defeats(members, "other_phone", (), DEFAULT_RULES["other_phone"], phone=phone)
    named = {m.record_id: m.values[ATTRIBUTES.index("other_phone")] for m in members}
    assert lost.keys() == {key for key, said in named.items() if said not in {"", phone, other}}


@given(candidates)
def test_removing_a_loser_changes_no_value(members):
    survivors = survive(members)
    winners = {record_id for record_id, _, _ in survivors.lineage.values()}

    without_losers = survive([m for m in members if m.record_id in winners])

    # Frequency counts losers too, so only groups that no count decided are compared.
    for group, (_, _, strategy) in survivors.lineage.items():
        asked = DEFAULT_RULES[group].strategies
        before = asked[: asked.index(strategy) + 1] if strategy in asked else ()
        if strategy != "birth" and "frequency" not in before and group != "address":
            assert without_losers.values[group] == survivors.values[group]


def test_names_follow_trust_and_contact_points_the_latest_word():
    careful = candidate(1, trust=90, updated_at=1, family_name="Lefebvre", email="old@example.org")
    recent = candidate(2, trust=10, updated_at=2, family_name="LEFEVRE", email="new@example.org")

    survivors = survive([careful, recent])

    assert survivors.values["family_name"] == "Lefebvre"
    assert survivors.values["email"] == "new@example.org"
    assert survivors.lineage["email"] == [2, None, "recency"]


def test_an_address_survives_whole():
    old = candidate(1, updated_at=1, street="rue Haute", street_number="3", city="Nantes")
    new = candidate(2, updated_at=2, street="rue Basse", city="Brest", country="FR")

    survivors = survive([old, new])

    assert (survivors.values["street"], survivors.values["city"]) == ("rue Basse", "Brest")
    assert survivors.values["street_number"] == ""


@pytest.mark.parametrize("faulty", [(), ("street",)])
def test_a_newer_town_without_a_street_does_not_replace_an_address(faulty):
    old = candidate(1, updated_at=1, street="rue Haute", postcode="44000", faulty=faulty)
    box = candidate(2, updated_at=2, address_complement="BP 12", city="Brest")
    town = candidate(3, updated_at=3, postcode="29200", city="Brest")

    assert survive([old, town]).lineage["address"] == [1, None, "whole"]
    assert survive([box, town]).lineage["address"] == [2, None, "whole"]
    assert defeats([old, town], "address", (), DEFAULT_RULES["address"]) == {3: "whole"}


def test_two_who_agree_on_a_name_outweigh_a_trusted_slip_and_full_names_short_ones():
    slip = candidate(1, trust=90, family_name="Maartin", given_name="Jo")
    others = [candidate(n, trust=50, family_name="Martin", given_name="Josiane") for n in (2, 3)]

    survivors = survive([slip, *others])

    assert survivors.values["family_name"] == "Martin"
    assert survivors.lineage["family_name"][2] == "frequency"
    assert survive([slip, others[0]]).values["given_name"] == "Josiane"


def test_a_country_alone_is_no_address():
    survivors = survive([candidate(1, updated_at=9, country="FR"), candidate(2, city="Brest")])

    assert survivors.values["city"] == "Brest"


def test_a_doubtful_value_loses_to_a_valid_one():
    doubtful = candidate(1, trust=90, email="x@example", faulty=("email",))

    survivors = survive([doubtful, candidate(2, trust=1, email="y@example.org")])

    assert survivors.values["email"] == "y@example.org"
    assert survivors.lineage["email"][2] == "valid"


def test_a_pin_beats_every_record():
    pin = PinnedValue(7, "family_name", {"family_name": "Dupont"})

    survivors = survive([candidate(1, trust=100, family_name="Durand")], [pin])

    assert survivors.values["family_name"] == "Dupont"
    assert survivors.lineage["family_name"] == [None, 7, "pin"]
