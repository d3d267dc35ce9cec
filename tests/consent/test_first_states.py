"""First states are folded once for each pattern, and are those of everybody's own fold."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from consent.first_states import states_told_alone
from consent.ledger import NewEvent, numbered
from consent.states import fold_all
from consent.told_events import assemble
from mdm.signals import CarriedPoint

MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)
CODES = {None: None, 1: "marketing", 2: "newsletter"}
IDS = {"*": None, "marketing": 1, "newsletter": 2}
POINTS = [
    CarriedPoint("email", 70, "email", "zoe@example.com"),
    CarriedPoint("other_phone", 90, "phone", "+33639985555"),
    CarriedPoint("phone", 90, "phone", "+33639985555"),
    CarriedPoint("address", 80, "post", "1 rue basse"),
]
dates = st.none() | st.sampled_from([MOMENT + timedelta(days=n) for n in (-9, -8, -1, 0, 1, 2)])
told = st.tuples(
    st.sampled_from(["given", "refused", "objection"]),
    st.sampled_from(["email", "phone", "sms", "post", "*"]),
    st.sampled_from([None, 1, 2]),
    st.sampled_from([None, 70, 80, 90]),
    dates,
    st.sampled_from(["import", "broker"]),
    st.integers(0, 1),
)


@given(
    st.lists(st.lists(told, min_size=1, max_size=5), min_size=1, max_size=4),
    st.sets(st.sampled_from(POINTS)),
)
def test_states_by_pattern_are_those_of_each_fold(people, others):
    carried = {
        record: [p for p in POINTS if p in others or any(one[3] == p[1] for one in said)]
        for record, said in enumerate(people, start=11)
    }
    first = numbered(
        range(500, 600),
        (
            NewEvent(record, kind, channel, purpose, point, actor, (record, n), evidence, date)
            for record, said in enumerate(people, start=11)
            for n, (kind, channel, purpose, point, date, actor, evidence) in enumerate(said)
        ),
    )
    alone = {record: [one for one in first if one.event.record_id == record] for record in carried}

    found = sorted(states_told_alone(alone, carried, MOMENT), key=repr)

    own = [
        (e.record_id, e.record_id, e.contact_point_id, (
            key, e.type, e.channel, CODES[e.purpose_id], MOMENT,
            e.occurred_at, e.actor_type, e.evidence_level, None,
        ))
        for key, _digest, e in first
    ]  # fmt: skip
    kinds = {pk: [(p.contact_point_id, p.kind) for p in points] for pk, points in carried.items()}
    folded = {pk: fold_all(events) for pk, events in assemble(own, kinds, ()).items()}
    assert found == sorted(
        (
            (
                (pk, key.contact_point_id, key.channel, IDS[key.purpose]),
                (str(is_.state), is_.since, is_.evidence, is_.event_id, is_.renewed_at),
            )
            for pk, states in folded.items()
            for key, is_ in states.items()
        ),
        key=repr,
    )
