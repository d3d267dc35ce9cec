"""What holds of the gate whatever the facts: it always answers, refusals only ever add up."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import assume, example, given
from hypothesis import strategies as st

from consent.facts import (
    Facts,
    Objection,
    Offer,
    Permission,
    PersonFacts,
    PointFacts,
    Question,
    State,
)
from consent.permissions import decide
from consent.policy_packs import FR_2026_11
from consent.rules import OBLIGATIONS, RULES, Kind
from consent.states import Event, Key, fold
from tests.consent.strategies import (
    START,
    events,
    facts,
    instants,
    ledgers,
    nonsense_facts,
    nonsense_questions,
    objections,
    offers,
    questions,
)


@given(facts, questions)
def test_the_gate_always_answers_with_a_known_rule(known: Facts, question: Question):
    answer = decide(known, question, FR_2026_11)

    assert answer.allowed == (RULES[answer.rule].kind == Kind.ALLOW)
    assert answer.allowed == (answer.failed_gates == ())
    assert answer.rule == (answer.failed_gates or (answer.rule,))[0]
    assert answer.allowed == bool(answer.basis)
    assert set(answer.obligations) <= set(OBLIGATIONS)
    assert answer.reason


@given(nonsense_facts, nonsense_questions)
def test_nonsense_is_refused_and_never_raises(known: Facts, question: Question):
    assert not decide(known, question, FR_2026_11).allowed


@given(facts, questions, objections)
def test_an_objection_never_opens_the_gate(known: Facts, question: Question, new: Objection):
    person = replace(known.person, objections=(*known.person.objections, new))

    before = decide(known, question, FR_2026_11)
    after = decide(replace(known, person=person), question, FR_2026_11)

    assert before.allowed or not after.allowed
    assert set(before.failed_gates) <= set(after.failed_gates)


@given(facts, questions, objections)
def test_a_suppression_never_opens_the_gate(known: Facts, question: Question, new: Objection):
    assume(known.point is not None)
    assert known.point is not None
    point = replace(known.point, suppressions=(*known.point.suppressions, new))

    before = decide(known, question, FR_2026_11)
    after = decide(replace(known, point=point), question, FR_2026_11)

    assert before.allowed or not after.allowed


@given(facts, questions, instants)
def test_a_pause_never_opens_the_gate_and_ends_by_itself(
    known: Facts, question: Question, until: datetime
):
    assume(known.point is not None)
    assert known.point is not None
    without = replace(known, point=replace(known.point, paused_until=None))
    paused = replace(known, point=replace(known.point, paused_until=until))

    before = decide(without, question, FR_2026_11)
    after = decide(paused, question, FR_2026_11)

    assert before.allowed or not after.allowed
    if until <= question.at:
        assert after == before
    elif before.allowed and not after.allowed:
        assert after.rule == "G11"
        assert after.valid_until is not None
        assert after.valid_until <= until


@given(ledgers, events(restrictive=True), questions)
@example(
    # Found by hypothesis: a refusal of after the question hid the one of before it.
    [Event(2, "refused", Key(1, "phone", "marketing"), START, START - timedelta(days=30))],
    Event(1, "refused", Key(None, "*", "*"), START),
    Question("phone", Offer("marketing", "commercial"), START - timedelta(days=30)),
)
def test_a_restrictive_event_only_shrinks_audiences(
    ledger: list[Event], refusal: Event, question: Question
):
    """From the ledger to the answer: events, fold, facts, gate."""
    before = decide(_facts(ledger, question), question, FR_2026_11)
    more = [*ledger, refusal._replace(event_id=10**7)]
    after = decide(_facts(more, question), question, FR_2026_11)

    assert before.allowed or not after.allowed


@given(facts, questions, instants)
def test_the_answer_stands_until_it_says(known: Facts, question: Question, later: datetime):
    answer = decide(known, question, FR_2026_11)
    assume(later >= question.at)
    assume(answer.valid_until is None or later < answer.valid_until)

    again = decide(known, replace(question, at=later), FR_2026_11)

    assert (again.allowed, again.rule) == (answer.allowed, answer.rule)


@given(facts, offers, instants, st.sampled_from(["autocall", "social_audience"]))
def test_machines_and_networks_need_consent(
    known: Facts, offer: object, at: datetime, channel: str
):
    assume(known.point is not None)
    assert known.point is not None
    silent = replace(known, point=replace(known.point, permission=Permission()))

    answer = decide(silent, Question(channel, offer, at), FR_2026_11)  # type: ignore[arg-type]

    assert not answer.allowed or answer.rule == "S1"


def _facts(ledger: list[Event], question: Question) -> Facts:
    purpose = question.offer.purpose if question.offer else ""
    key = Key(1, question.channel, purpose)
    permission = fold(ledger, key)
    kind = {"email": "email", "post": "post"}.get(question.channel, "phone")
    person = PersonFacts(last_contact_at=question.at)
    if permission.state == State.NONE:
        permission = Permission()
    return Facts(person, PointFacts(1, kind, permission=permission))
