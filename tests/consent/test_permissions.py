"""Each rule of the gate answers where the law says so, and nowhere else."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.utils import translation

from consent.facts import (
    ANY,
    Actor,
    ContractFact,
    EvidenceLevel,
    Facts,
    Objection,
    Offer,
    Permission,
    PersonFacts,
    Question,
    Registration,
    State,
)
from consent.permissions import decide
from consent.policy_packs import FR_2026_11, ConsentValidity, paris_midnight
from consent.rules import OBLIGATIONS, RULES, Basis, Kind
from tests.consent.builders import NOW, ask, days_ago, permission, sale

VOID_CONSENT = {"permission": permission(state=State.INVALIDATED)}
BOUGHT_CONSENT = {"permission": permission(state=State.QUARANTINED)}
NO_CONSENT = {"permission": Permission()}
BEFORE_THE_SWITCH = paris_midnight(date(2026, 8, 11)) - timedelta(seconds=1)
AT_THE_SWITCH = paris_midnight(date(2026, 8, 11))
ASKED = {"bloctel_checked_at": BEFORE_THE_SWITCH - timedelta(days=30)}
ASKED_TOO_EARLY = {"bloctel_checked_at": BEFORE_THE_SWITCH - timedelta(days=30, seconds=1)}
TOLD = permission(actor=Actor.IMPORT)
CONTRACT = ContractFact(1, days_ago(400), None, "shoes")
PROFESSIONAL = {"audience": "b2b_named", **NO_CONSENT}


SHORT_FOR_OTHERS = (
    ConsentValidity("sms", ANY, 1),
    ConsentValidity(ANY, "news", 1),
    ConsentValidity("email", ANY, 1),
    ConsentValidity("email", "marketing", 24),
)
SHORT_HERE = (ConsentValidity(ANY, ANY, 24), ConsentValidity(ANY, "marketing", 3))


def objection(**traits: Any) -> Objection:
    return Objection(**{"since": days_ago(10), "event_id": 9, **traits})


def test_a_consenting_customer_may_be_written_to():
    answer = ask()

    assert (answer.allowed, answer.rule, answer.basis) == (True, "E1", Basis.CONSENT)
    assert answer.deciding_event == 7
    assert "list_unsubscribe" in answer.obligations
    assert answer.failed_gates == ()


def on(register: str, consent: Permission | None = None) -> dict[str, Any]:
    """Put the contact point on a register; `consent` is what stands on it."""
    listed = Registration(register, days_ago(300), "November list")
    return {"permission": consent or Permission(), "registrations": (listed,)}


GATES = [
    ("G0", "email", {"offer": {"nature": "astrology"}}),
    ("G0", "telepathy", {}),
    ("G0", "email", {"point": {"audience": "unknown"}}),
    ("G0", "email", {"offer": {"channels": frozenset({"post"})}}),
    ("G1", "email", {"person": {"status": "erased"}}),
    ("G1", "email", {"person": {"status": "merged"}}),
    ("G2", "email", {"person": {"restricted_since": NOW}}),
    ("G3", "email", {"point": {"status": "bounced"}}),
    ("G3", "email", {"point": {"kind": "phone"}}),
    ("G3", "sms", {"point": {"is_mobile": False}}),
    ("G4", "email", {"point": {"suppressions": (objection(),)}}),
    ("G5", "email", {"person": {"objections": (objection(),)}}),
    ("G5", "email", {"point": {"objections": (objection(channel="email"),)}}),
    ("G5", "email", {"point": {"permission": permission(state=State.OBJECTED)}}),
    ("G6", "email", {"point": {"permission": permission(state=State.REFUSED)}}),
    ("G6", "email", {"point": {"permission": permission(state=State.WITHDRAWN)}}),
    ("G6", "email", {"person": {"objections": (objection(state=State.REFUSED),)}}),
    ("G7", "email", {"point": {"permission": permission(state=State.CONTESTED)}}),
    ("G12", "email", {"person": {"is_unchecked": True}, "point": BOUGHT_CONSENT}),
    ("G12", "post", {"person": {"is_unchecked": True}, "point": BOUGHT_CONSENT}),
    ("G8", "email", {"person": {"birth_date": date(2012, 1, 1)}}),
    ("G8", "social_audience", {"person": {"birth_date": date(2008, 11, 25)}}),
    ("G9", "phone", {"offer": {"sector": "energy_renovation"}}),
    ("G9", "email", {"offer": {"sector": "home_adaptation"}}),
    ("G10", "email", {"person": {"last_contact_at": days_ago(3 * 365 + 2)}}),
    ("G10", "email", {"person": {"last_contact_at": None}}),
    ("G10", "email", {"person": {"last_contact_at": NOW + timedelta(days=1)}}),
    ("G11", "email", {"point": {"paused_until": days_ago(-30)}}),
    ("P5", "phone", {"person": {"calls": (days_ago(1),) * 4}}),
]


@pytest.mark.parametrize(("rule", "channel", "traits"), GATES)
def test_a_gate_refuses_whatever_the_consent(rule: str, channel: str, traits: dict[str, Any]):
    answer = ask(channel, **traits)

    assert not answer.allowed
    assert rule in answer.failed_gates
    assert answer.rule == rule
    assert answer.obligations == ()
    assert answer.basis == Basis.NONE


OPEN_GATES = [
    ("email", {"person": {"objections": (objection(channel="phone"),)}}),
    ("email", {"person": {"objections": (objection(purpose="news"),)}}),
    ("email", {"person": {"is_unchecked": True}}),
    ("email", {"person": {"objections": (objection(since=days_ago(101)),)}}),
    ("email", {"point": {"suppressions": (objection(since=days_ago(101)),)}}),
    ("email", {"person": {"birth_date": date(2008, 11, 24)}}),
    ("email", {"person": {"birth_date": date(2010, 1, 1)}}),
    ("email", {"offer": {"sector": "energy_renovation"}, "at": days_ago(600)}),
    ("email", {"offer": {"sector": "cpf_training"}, "person": {"contracts": (CONTRACT,)}}),
    ("email", {"person": {"last_contact_at": datetime(2023, 11, 24, 9, tzinfo=UTC)}}),
    ("email", {"person": {"last_contact_at": None, "contracts": (CONTRACT,)}}),
    ("phone", {"person": {"calls": (days_ago(1),) * 3 + (days_ago(30),)}}),
    ("sms", {"point": {"is_mobile": True}}),
]


@pytest.mark.parametrize(("channel", "traits"), OPEN_GATES)
def test_a_gate_lets_through_what_it_does_not_concern(channel: str, traits: dict[str, Any]):
    old = {"permission": permission(since=days_ago(100))}
    if "at" in traits:
        old = {"permission": permission(since=days_ago(700))}
        traits = {**traits, "person": {"last_contact_at": days_ago(650)}}

    answer = ask(channel, **{"point": old, **traits})

    assert answer.allowed, answer.failed_gates


DECISIONS = [
    (
        "S1",
        "email",
        {"offer": {"nature": "service", "families": frozenset()}, "point": NO_CONSENT},
    ),
    ("E1", "email", {}),
    ("E1", "sms", {}),
    ("E1", "social_message", {}),
    ("E1", "post", {"offer": {"nature": "transfer"}}),
    ("E1_none", "email", {"point": NO_CONSENT}),
    ("E1_void", "email", {"point": VOID_CONSENT}),
    ("E1_bought", "email", {"point": BOUGHT_CONSENT}),
    ("A1_void", "autocall", {"point": VOID_CONSENT}),
    ("P1_void", "phone", {"point": VOID_CONSENT}),
    ("X1_void", "social_audience", {"point": VOID_CONSENT}),
    ("E1_none", "email", {"point": {"permission": permission(since=NOW + timedelta(days=1))}}),
    ("E1_proof", "email", {"point": {"permission": permission(evidence=0)}}),
    ("E1", "email", {"point": {"permission": permission(evidence=1)}}),
    ("E1_proof", "sms", {"point": {"permission": permission(evidence=1)}}),
    ("E1_expired", "email", {"point": {"permission": permission(expires_at=NOW)}}),
    ("E1_expired", "email", {"policy": {"consent_validity": (ConsentValidity(ANY, ANY, 3),)}}),
    ("E1", "email", {"policy": {"consent_validity": (ConsentValidity(ANY, ANY, 4),)}}),
    ("E1", "email", {"policy": {"consent_validity": SHORT_FOR_OTHERS}}),
    ("E1_expired", "email", {"policy": {"consent_validity": SHORT_HERE}}),
    (
        "E1_expired",
        "email",
        {
            "point": {"permission": permission(since=None)},
            "policy": {"consent_validity": (ConsentValidity(ANY, ANY, 240),)},
        },
    ),
    (
        "E2",
        "email",
        {
            "point": NO_CONSENT,
            "person": {"sales": (sale(),)},
            "policy": {"soft_opt_in_months": 2},
        },
    ),
    ("E1_doi", "email", {"policy": {"confirmation_required": frozenset({"email"})}}),
    ("E2", "email", {"point": NO_CONSENT, "person": {"sales": (sale(),)}}),
    ("E2", "sms", {"point": NO_CONSENT, "person": {"sales": (sale(),)}}),
    ("E1_none", "social_message", {"point": NO_CONSENT, "person": {"sales": (sale(),)}}),
    ("E1_none", "email", {"point": NO_CONSENT, "offer": {"nature": "tracking"}}),
    ("E3", "email", {"point": PROFESSIONAL, "offer": {"is_professional": True}}),
    ("E4", "email", {"point": NO_CONSENT, "offer": {"nature": "charity"}}),
    ("E5", "email", {"point": {"audience": "b2b_generic", **NO_CONSENT}}),
    ("A1", "autocall", {}),
    ("A1_none", "autocall", {"point": NO_CONSENT, "person": {"contracts": (CONTRACT,)}}),
    ("A1_proof", "autocall", {"point": {"permission": permission(evidence=1)}}),
    ("P0", "phone", {"point": NO_CONSENT, "at": BEFORE_THE_SWITCH, "person": ASKED}),
    ("P1", "phone", {}),
    ("P1_none", "phone", {"point": NO_CONSENT, "at": AT_THE_SWITCH}),
    ("P1_proof", "phone", {"point": {"permission": permission(evidence=1)}}),
    ("P2", "phone", {"point": NO_CONSENT, "person": {"contracts": (CONTRACT,)}}),
    ("P3", "phone", {"point": PROFESSIONAL, "offer": {"is_professional": True}}),
    ("P6", "phone", {"point": NO_CONSENT, "offer": {"nature": "charity"}}),
    ("L1", "post", {"point": NO_CONSENT}),
    ("L1", "post", {"point": on("robinson")}),
    ("X1", "social_audience", {}),
    ("X1_none", "social_audience", {"point": NO_CONSENT, "person": {"sales": (sale(),)}}),
]


@pytest.mark.parametrize(("rule", "channel", "traits"), DECISIONS)
def test_the_decision_table_of_the_channels(rule: str, channel: str, traits: dict[str, Any]):
    at = traits.get("at", NOW)
    person = {"last_contact_at": at - timedelta(days=30), **traits.get("person", {})}

    answer = ask(channel, **{**traits, "person": person})

    assert answer.rule == rule
    assert answer.allowed == (RULES[rule].kind == Kind.ALLOW)
    assert answer.basis == RULES[rule].basis


LACKS = [
    ("E2_sale", "email", {"person": {"sales": (sale(contact_point_id=2),)}}),
    ("E2_sale", "email", {"person": {"sales": (sale(contact_point_id=None),)}}),
    ("E2_sale", "email", {"person": {"sales": (sale(brand="another"),)}}),
    ("E2_sale", "email", {"person": {"sales": (sale(kind="account_only"),)}}),
    ("E2_sale", "email", {"person": {"sales": (sale(at=NOW + timedelta(days=1)),)}}),
    ("E2_old", "email", {"person": {"sales": (sale(),)}, "policy": {"soft_opt_in_months": 1}}),
    ("E2_family", "email", {"person": {"sales": (sale(family="books"),)}}),
    ("E2_family", "email", {"person": {"sales": (sale(family=""),)}}),
    ("E2_notice", "email", {"person": {"sales": (sale(),), "is_informed": False}}),
    ("E3_job", "email", {"point": PROFESSIONAL}),
    ("E4_notice", "sms", {"offer": {"nature": "charity"}, "person": {"is_informed": False}}),
    ("P0_bloctel", "phone", {"at": BEFORE_THE_SWITCH, "person": ASKED, "point": on("bloctel")}),
    ("P0_check", "phone", {"at": BEFORE_THE_SWITCH}),
    ("P0_check", "phone", {"at": BEFORE_THE_SWITCH, "person": ASKED_TOO_EARLY}),
    ("P2_none", "phone", {}),
    ("P2_none", "phone", {"person": {"contracts": (ContractFact(1, NOW, NOW, "shoes"),)}}),
    ("P2_none", "phone", {"person": {"contracts": (ContractFact(1, NOW, None, "tea"),)}}),
    ("P3_job", "phone", {"point": PROFESSIONAL}),
    ("P6_notice", "phone", {"offer": {"nature": "charity"}, "person": {"is_informed": False}}),
    ("L1_notice", "post", {"person": {"is_informed": False}}),
    ("L1_notice", "post", {"policy": {"information_is_attested": False}}),
    ("L2", "post", {"person": {"is_third_party": True}, "point": on("robinson")}),
    ("E1_robin", "email", {"person": {"is_third_party": True}, "point": on("erobinson", TOLD)}),
]


@pytest.mark.parametrize(("rule", "channel", "traits"), LACKS)
def test_a_refusal_names_every_exception_that_was_missed(
    rule: str, channel: str, traits: dict[str, Any]
):
    answer = ask(channel, **{"point": NO_CONSENT, **traits})

    assert not answer.allowed
    assert rule in answer.failed_gates


def test_the_fall_of_an_expired_consent_for_every_channel_that_needs_one():
    expired = {"permission": permission(expires_at=NOW)}

    rules = [ask(channel, point=expired).rule for channel in ("autocall", "phone")]
    rules.append(ask("social_audience", point=expired).rule)

    assert rules == ["A1_expired", "P1_expired", "X1_expired"]


def test_every_failed_gate_is_listed_the_first_decides():
    answer = ask(
        point={"status": "bounced", "permission": permission(state=State.WITHDRAWN)},
        person={"restricted_since": days_ago(2), "last_contact_at": None},
    )

    assert answer.rule == "G2"
    assert answer.failed_gates == ("G2", "G3", "G6", "G10", "E1_none", "E2_sale")


def test_without_a_contact_point_nothing_can_be_sent():
    facts = Facts(PersonFacts(last_contact_at=NOW), None)
    offer = Offer("marketing", "commercial")

    assert decide(facts, Question("email", offer, NOW), FR_2026_11).rule == "G3"
    assert decide(facts, Question("email", None, NOW), FR_2026_11).rule == "G0"


def test_an_objection_does_not_stop_a_service_message_but_erasure_does():
    service = {"nature": "service", "families": frozenset()}
    refused = {"objections": (objection(),)}

    assert ask(offer=service, person=refused).rule == "S1"
    assert ask(offer=service, person={"status": "erased"}).rule == "G1"


def test_a_service_message_that_carries_an_offer_is_prospecting():
    answer = ask(offer={"nature": "service"}, point=NO_CONSENT)

    assert answer.rule == "E1_none"


def test_a_child_needs_the_parents_a_teenager_her_own_consent():
    child, teenager = {"birth_date": date(2012, 1, 1)}, {"birth_date": date(2010, 1, 1)}
    by_parents = {"permission": permission(actor=Actor.GUARDIAN)}
    by_import = {"permission": permission(actor=Actor.IMPORT)}
    bought = {"sales": (sale(),)}

    assert ask(person=child, point=by_parents).rule == "E1"
    assert ask(person=teenager, point=by_import).rule == "G8"
    assert ask(person=teenager | bought, point=NO_CONSENT).rule == "G8"


def test_an_import_never_lifts_an_objection_and_a_person_does_with_proof():
    objected = {"objections": (objection(since=days_ago(200), evidence=EvidenceLevel.VERIFIED),)}

    def rule(**traits: Any) -> str:
        return ask(person=objected, point={"permission": permission(**traits)}).rule

    assert rule(evidence=EvidenceLevel.VERIFIED) == "E1"
    assert rule(evidence=EvidenceLevel.FORM) == "G5"
    assert rule(evidence=EvidenceLevel.SIGNED, actor=Actor.IMPORT) == "G5"
    assert rule(evidence=EvidenceLevel.SIGNED, actor=Actor.STAFF) == "G5"
    assert rule(evidence=EvidenceLevel.SIGNED, since=days_ago(200)) == "G5"
    assert rule(evidence=EvidenceLevel.SIGNED, since=None) == "G5"
    assert rule(evidence=EvidenceLevel.SIGNED, expires_at=NOW) == "G5"


def test_a_consent_of_later_does_not_count_yet_a_refusal_does():
    """A refusal that comes while a list is made must not hide the one before it."""
    tomorrow = NOW + timedelta(days=1)
    objected = {"objections": (objection(),)}
    later = {"objections": (objection(since=tomorrow),)}

    assert ask(person=objected, point={"permission": permission(since=tomorrow)}).rule == "G5"
    assert ask(point={"permission": permission(state=State.REFUSED, since=tomorrow)}).rule == "G6"
    assert ask(person=later).rule == "G5"
    assert ask(person={"restricted_since": tomorrow}).rule == "G2"


def test_an_answer_says_until_when_it_holds():
    contact = datetime(2024, 2, 29, 12, tzinfo=UTC)

    answer = ask(person={"last_contact_at": contact, "birth_date": date(1990, 5, 5)})

    assert answer.valid_until == datetime(2027, 2, 28, 12, tzinfo=UTC)


def test_an_error_inside_the_gate_is_a_refusal(caplog: pytest.LogCaptureFixture):
    answer = ask(at=datetime(2026, 11, 24))  # noqa: DTZ001

    assert (answer.allowed, answer.rule) == (False, "G0")
    assert "refused" in caplog.text


def test_every_rule_and_obligation_has_a_sentence_and_a_source():
    for rule in RULES.values():
        assert len(rule.id) <= 10  # Lists and downloads store it.
        assert str(rule.sentence).endswith(".")
        assert rule.law
        assert (rule.kind == Kind.ALLOW) == bool(rule.basis)
    assert all(str(sentence).endswith(".") for sentence in OBLIGATIONS.values())


def test_the_reason_is_a_sentence_with_its_date():
    with translation.override("en"):
        assert ask().reason.startswith("The person consented on ")
        assert "2026" in ask().reason
        assert "3 years" in ask(person={"last_contact_at": None}).reason
        assert "an unknown date" in ask(point={"permission": permission(since=None)}).reason


def test_the_tables_above_produce_every_rule():
    produced = {row[0] for row in [*GATES, *DECISIONS, *LACKS]}
    produced |= {"A1_expired", "P1_expired", "X1_expired"}
    # The same function serves four channels; one of each lack is enough. P4 is tested beside.
    shared = {"P4", "A1_doi", "P1_doi", "X1_doi", "X1_proof"}
    shared |= {"A1_bought", "P1_bought", "X1_bought"}

    assert produced | shared == set(RULES)
