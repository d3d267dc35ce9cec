"""The fold of events into states: the precedence, and what holds whatever the events."""

from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.facts import ANY, GRANTED, Actor, EvidenceLevel, Objection, Permission, State
from consent.states import Event, EventType, Key, fold, fold_all, known, permission_lifts
from tests.consent.builders import NOW, days_ago
from tests.consent.strategies import events, instants, keys, ledgers

KEY = Key(1, "email", "marketing")


def event(kind: str, day: int | None, **traits: object) -> Event:
    """Build an event `day` days ago (None: nobody knows), by the person on a form."""
    base = Event(
        event_id=1,
        type=kind,
        key=KEY,
        recorded_at=NOW,
        occurred_at=None if day is None else days_ago(day),
        actor=Actor.PERSON,
        evidence=EvidenceLevel.FORM,
    )
    return base._replace(**traits)  # type: ignore[arg-type]


PRECEDENCE = [
    ("nothing is known", [], State.NONE),
    ("one consent", [event("given", 5)], State.GIVEN),
    ("a confirmed one", [event("confirmed", 5)], State.CONFIRMED),
    ("a refusal after a consent", [event("given", 5), event("refused", 4)], State.REFUSED),
    ("a withdrawal after a consent", [event("given", 5), event("withdrawn", 4)], State.WITHDRAWN),
    ("an objection after a consent", [event("given", 5), event("objection", 4)], State.OBJECTED),
    ("the person came back", [event("refused", 5), event("given", 4)], State.GIVEN),
    ("at the same instant", [event("refused", 5), event("given", 5)], State.REFUSED),
    (
        "a later import",
        [event("refused", 5), event("given", 4, actor=Actor.IMPORT, evidence=4)],
        State.REFUSED,
    ),
    (
        "later staff",
        [event("refused", 5), event("given", 4, actor=Actor.STAFF, evidence=4)],
        State.REFUSED,
    ),
    (
        "later without proof",
        [event("refused", 5, evidence=0), event("given", 4, evidence=1)],
        State.REFUSED,
    ),
    (
        "later with less proof than the refusal",
        [event("refused", 5, evidence=3), event("given", 4, evidence=2)],
        State.REFUSED,
    ),
    (
        "a refusal of unknown date is from now",
        [event("refused", None), event("given", 1)],
        "refused",
    ),
    (
        "a grant of unknown date is the oldest",
        [event("refused", 900), event("given", None)],
        "refused",
    ),
    (
        "a consent dated in the future counts from its recording",
        [event("refused", 1), event("given", -30, recorded_at=days_ago(2))],
        State.REFUSED,
    ),
    (
        "the person's objection to everything",
        [event("given", 5), event("objection", 4, key=Key(None, ANY, ANY))],
        State.OBJECTED,
    ),
    (
        "an objection to another channel",
        [event("given", 5), event("objection", 4, key=Key(None, "phone", ANY))],
        State.GIVEN,
    ),
    (
        "a refusal on another address",
        [event("given", 5), event("refused", 4, key=Key(2, "email", "marketing"))],
        State.GIVEN,
    ),
    (
        "a consent for another address",
        [event("given", 5, key=Key(2, "email", "marketing"))],
        "none",
    ),
    ("a consent for another purpose", [event("given", 5, key=Key(1, "email", "news"))], "none"),
    ("a consent that names no address", [event("given", 5, key=Key(None, "email", ANY))], "none"),
    ("a type nobody knows", [event("given", 5), event("odd", 4)], State.OBJECTED),
]


@pytest.mark.parametrize(
    ("case", "ledger", "state"), PRECEDENCE, ids=[c for c, _, _ in PRECEDENCE]
)
def test_precedence(case: str, ledger: list[Event], state: State):
    numbered = [item._replace(event_id=number) for number, item in enumerate(ledger, 1)]

    assert fold(numbered, KEY).state == state, case


def test_a_later_import_does_not_hide_a_confirmed_opt_in():
    confirmed = event("confirmed", 50, evidence=EvidenceLevel.VERIFIED)
    claimed = event("given", 2, event_id=2, actor=Actor.IMPORT, evidence=EvidenceLevel.ORIGIN)

    assert fold([confirmed, claimed], KEY) == Permission(
        State.CONFIRMED, days_ago(50), None, EvidenceLevel.VERIFIED, Actor.PERSON, event_id=1
    )


def test_the_state_quotes_the_latest_refusal():
    first, second = event("refused", 9), event("withdrawn", 3, event_id=2)

    assert fold([first, second], KEY).event_id == 2
    assert fold([first, second], KEY).since == days_ago(3)


def test_what_was_known_then_and_what_is_known_now():
    letter = event("withdrawn", 10, recorded_at=days_ago(5))
    consent = event("given", 90, event_id=2, recorded_at=days_ago(90))
    day = days_ago(8)

    as_known_today = fold(known([letter, consent], at=day, known_at=NOW), KEY)
    as_known_then = fold(known([letter, consent], at=day, known_at=day), KEY)

    assert as_known_today.state == State.WITHDRAWN
    assert as_known_then.state == State.GIVEN


@given(ledgers, st.randoms(use_true_random=False))
def test_the_order_of_events_does_not_matter(ledger: list[Event], random: Random):
    shuffled = list(ledger)
    random.shuffle(shuffled)

    assert fold_all(shuffled) == fold_all(ledger)


@given(ledgers, keys, events(restrictive=True))
def test_a_restrictive_event_never_grants(ledger: list[Event], key: Key, refusal: Event):
    with_refusal = fold([*ledger, refusal._replace(event_id=10**7)], key)

    assert with_refusal.state not in GRANTED or fold(ledger, key).state in GRANTED


@given(ledgers, keys, events())
def test_an_import_never_lifts_a_refusal(ledger: list[Event], key: Key, claim: Event):
    claim = claim._replace(event_id=10**7, actor=Actor.IMPORT, evidence=EvidenceLevel.SIGNED)
    before, after = fold(ledger, key), fold([*ledger, claim], key)

    # A consent on a bad notice is void, and a broker's claim waits: no refusals, so a new claim
    # may be made.
    no_refusals = {State.NONE, State.INVALIDATED, State.QUARANTINED}
    is_refusal = before.state not in GRANTED | no_refusals
    assert not is_refusal or after.state not in GRANTED


@given(ledgers, keys)
def test_a_wide_state_covers_what_no_event_names(ledger: list[Event], key: Key):
    """The stored states answer for every key: the exact one, else the latest that covers it."""
    states = fold_all(ledger)
    covering = [
        state
        for wide, state in states.items()
        if wide.contact_point_id in {None, key.contact_point_id}
        and wide.channel in {ANY, key.channel}
        and wide.purpose in {ANY, key.purpose}
    ]

    answer = fold(ledger, key)

    assert (answer == states.get(key)) or (
        key not in states and answer in [*covering, Permission()]
    )
    assert answer.state == State.NONE or covering


@given(ledgers, instants, st.integers(0, 400))
def test_knowing_less_is_a_part_of_knowing_more(ledger: list[Event], at: object, days: int):
    later = NOW + timedelta(days=days)

    assert set(known(ledger, at=NOW, known_at=NOW)) <= set(known(ledger, at=later, known_at=later))


def test_a_consent_that_names_no_contact_point_is_no_state():
    wide = event("given", 5, key=Key(None, "email", "marketing"))

    assert fold_all([wide]) == {}


def test_what_happens_later_does_not_count_yet():
    later = event("withdrawn", 2, recorded_at=days_ago(2))
    consent = event("given", 90, event_id=2, recorded_at=days_ago(90))

    states = [
        fold(known([later, consent], at=days_ago(day), known_at=NOW), KEY).state for day in (3, 2)
    ]

    assert states == [State.GIVEN, State.WITHDRAWN]


def test_a_refused_permission_lifts_nothing():
    refused = Permission(State.REFUSED, NOW, evidence=4, actor=Actor.PERSON)

    assert not permission_lifts(refused, Objection(days_ago(9)))
    assert permission_lifts(refused._replace(state=State.GIVEN), Objection(days_ago(9)))
    assert EventType.GIVEN == "given"


@given(ledgers, ledgers, keys)
def test_a_merge_never_turns_a_refusal_into_a_permission(
    one: list[Event], other: list[Event], key: Key
):
    # Ids are the ledger's: two people's events never share one.
    other = [
        event._replace(event_id=event.event_id + 10**7, annuls=None)
        for event in other
        if event.annuls is None
    ]
    before = [fold(one, key), fold(other, key)]

    merged = fold([*one, *other], key)

    assert merged.state not in GRANTED or any(state.state in GRANTED for state in before)


@given(ledgers, keys, events().filter(lambda event: event.type in {"given", "confirmed"}))
def test_a_consent_for_one_contact_point_never_authorises_another(
    ledger: list[Event], key: Key, grant: Event
):
    elsewhere = grant._replace(
        event_id=10**7, key=grant.key._replace(contact_point_id=99), annuls=None
    )

    assert fold([*ledger, elsewhere], key) == fold(ledger, key)
