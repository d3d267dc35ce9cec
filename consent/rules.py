"""The rules the gate answers with: what each says to a reader, and the text it rests on.

A rule id is for ever: answers, lists and downloads store it. Sentences may use `%(since)s` (a
date) and figures of the pack that answered: `%(years)s` of inactivity, `%(days)s` in which calls
are counted, `%(hours)s` of calls.
"""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Kind(StrEnum):
    """Where a rule stands: before the channels, or as a channel's answer."""

    GATE = "gate"
    ALLOW = "allow"
    DENY = "deny"


class Basis(StrEnum):
    """The legal basis of an allowed contact."""

    NONE = ""
    CONSENT = "consent"
    SOFT_OPT_IN = "soft_opt_in"
    RUNNING_CONTRACT = "running_contract"
    LEGITIMATE_INTEREST = "legitimate_interest"
    SERVICE = "service"
    NOT_PERSONAL = "not_personal"
    OPT_OUT_REGIME = "opt_out_regime"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its sentence on the screen, its source in law, the basis it gives."""

    id: str
    kind: Kind
    sentence: str | Promise
    law: str
    basis: Basis = Basis.NONE


def _gate(rule: str, law: str, sentence: Promise) -> Rule:
    return Rule(rule, Kind.GATE, sentence, law)


def _deny(rule: str, law: str, sentence: Promise) -> Rule:
    return Rule(rule, Kind.DENY, sentence, law)


def _allow(rule: str, law: str, basis: Basis, sentence: Promise) -> Rule:
    return Rule(rule, Kind.ALLOW, sentence, law, basis)


_CPCE = "CPCE L34-5"
_CALLS = "C. consom. L223-1"
_INTEREST = "GDPR 6(1)(f)"
_CONSENT = "GDPR 6(1)(a), 7"

_GATES = [
    _gate(
        "G0",
        "GDPR 5(2)",
        _("The purpose, the channel or the audience is unknown: contact is refused."),
    ),
    _gate("G1", "GDPR 17", _("The person is erased or no longer known, or the id was merged.")),
    _gate("G2", "GDPR 18", _("Processing has been restricted since %(since)s.")),
    _gate("G3", "GDPR 5(1)(d)", _("There is no usable contact point for this channel.")),
    _gate("G4", "GDPR 21, 17(3)", _("On the suppression list since %(since)s.")),
    _gate("G5", "GDPR 21(2)-(3)", _("An objection to prospecting holds since %(since)s.")),
    _gate("G6", f"GDPR 7(3), {_CPCE}", _("Consent is refused or withdrawn since %(since)s.")),
    _gate(
        "G7", "GDPR 5(1)(d)", _("A merge on %(since)s left contradictory consents to be decided.")
    ),
    _gate(
        "G12",
        "GDPR 7(1), CNIL SAN-2024-003",
        _(
            "Known only from a broker's file that is not released: "
            "a sample of its proofs must be seen first."
        ),
    ),
    _gate(
        "G8",
        "GDPR 8, loi Informatique et Libertés 45",
        _("The person is a minor and the consent the law asks for is missing."),
    ),
    _gate(
        "G9",
        "C. consom. L223-1, loi 2025-594",
        _("Prospecting is banned in this sector, even with consent."),
    ),
    _gate(
        "G10",
        "CNIL, référentiel gestion commerciale",
        _("No contact from the person is on record for the last %(years)s years."),
    ),
    _gate("G11", "GDPR 21(2)-(3)", _("The person asked for a pause until %(since)s.")),
    _gate(
        "P5",
        "C. consom. D223-9",
        _("The number was already called as often as the law allows in %(days)s days."),
    ),
    _gate("P4", "C. consom. D223-9", _("It is not an hour at which this person may be called.")),
]

_ALLOWED = [
    _allow(
        "S1",
        "GDPR 6(1)(b)-(c)",
        Basis.SERVICE,
        _("Service message: it serves the contract and carries no offer."),
    ),
    _allow(
        "E1",
        f"{_CONSENT}, {_CPCE}",
        Basis.CONSENT,
        _("The person consented on %(since)s to this channel and purpose."),
    ),
    _allow(
        "E2",
        f"{_CPCE} al. 4, {_INTEREST}",
        Basis.SOFT_OPT_IN,
        _("Customer exception: similar purchase on %(since)s, when this address was collected."),
    ),
    _allow(
        "E3",
        f"{_INTEREST}, CNIL",
        Basis.LEGITIMATE_INTEREST,
        _("Professional address, and the offer concerns the profession."),
    ),
    _allow(
        "E4",
        f"{_INTEREST}, CNIL",
        Basis.LEGITIMATE_INTEREST,
        _("Charity message: the person was informed and can object."),
    ),
    _allow(
        "E5", "CNIL", Basis.NOT_PERSONAL, _("The address is an organisation's, not a person's.")
    ),
    _allow(
        "A1",
        f"{_CONSENT}, {_CPCE}",
        Basis.CONSENT,
        _("The person consented on %(since)s to calls by machine."),
    ),
    _allow(
        "P0",
        "C. consom. L223-1 until 10 August 2026",
        Basis.OPT_OUT_REGIME,
        _("Before 11 August 2026 a call was allowed unless the person had objected."),
    ),
    _allow("P1", _CALLS, Basis.CONSENT, _("The person consented on %(since)s to be called.")),
    _allow(
        "P2",
        _CALLS,
        Basis.RUNNING_CONTRACT,
        _("A contract runs since %(since)s and the offer concerns it."),
    ),
    _allow(
        "P3",
        _INTEREST,
        Basis.LEGITIMATE_INTEREST,
        _("Professional line, and the offer concerns the profession."),
    ),
    _allow(
        "P6",
        _INTEREST,
        Basis.LEGITIMATE_INTEREST,
        _("Call for a charity: the person was informed and can object."),
    ),
    _allow(
        "L1",
        f"{_INTEREST}, CNIL",
        Basis.LEGITIMATE_INTEREST,
        _("Post: the person was informed, can object, and did not."),
    ),
    _allow(
        "X1",
        f"{_CONSENT}, CNIL SAN-2025-017",
        Basis.CONSENT,
        _("The person consented on %(since)s to be matched on social networks."),
    ),
]

_MISSING_CONSENT = {
    "none": _("There is no consent for this channel and purpose on this contact point."),
    "proof": _("The consent is a claim without the proof this channel needs."),
    "doi": _("The consent was never confirmed (double opt-in)."),
    "expired": _("The consent has expired."),
    "void": _("The consent does not count: its notice was withdrawn, or its proof was missing."),
    "bought": _(
        "A broker's file claims a consent, in quarantine since %(since)s: "
        "a sample of its proofs must be seen first."
    ),
}
_DENIED = [
    _deny(f"{rule}_{lack}", law, sentence)
    for rule, law in {
        "E1": _CPCE,
        "A1": _CPCE,
        "P1": _CALLS,
        "X1": "CNIL SAN-2025-017",
    }.items()
    for lack, sentence in _MISSING_CONSENT.items()
] + [
    _deny(
        "E2_sale",
        f"{_CPCE} al. 4",
        _("No customer exception: no purchase at which this address was collected."),
    ),
    _deny(
        "E2_old",
        f"{_CPCE} al. 4",
        _("No customer exception: the last purchase, on %(since)s, is too long ago."),
    ),
    _deny(
        "E2_family",
        f"{_CPCE} al. 4",
        _("No customer exception: nothing similar to the offer was bought."),
    ),
    _deny(
        "E2_notice",
        f"{_CPCE} al. 4",
        _("No customer exception: the right to object was not offered at the purchase."),
    ),
    _deny(
        "E3_job",
        f"{_INTEREST}, CNIL",
        _("Professional address, but the offer does not concern the profession."),
    ),
    _deny("E4_notice", "GDPR 13", _("The person was not informed and could not object.")),
    _deny("P2_none", _CALLS, _("There is no running contract that the offer concerns.")),
    _deny(
        "P0_bloctel",
        "C. consom. L223-1 until 10 August 2026",
        _("The number was on the Bloctel list."),
    ),
    _deny(
        "P0_check",
        "C. consom. L223-1 until 10 August 2026",
        _("Bloctel had not been asked in the thirty days before."),
    ),
    _deny(
        "E1_robin",
        "UFMD",
        _("Somebody else's file told of the consent, and the address is on the e-Robinson list."),
    ),
    _deny(
        "P3_job",
        _INTEREST,
        _("Professional line, but the offer does not concern the profession."),
    ),
    _deny("P6_notice", "GDPR 13", _("The person was not informed and could not object.")),
    _deny("L1_notice", "GDPR 13-14", _("The person was not informed and could not object.")),
    _deny("L2", "UFMD", _("A prospect of somebody else's file who is on the Robinson list.")),
]

RULES: dict[str, Rule] = {rule.id: rule for rule in [*_GATES, *_ALLOWED, *_DENIED]}
"""Every answer the gate can give, in the order of the gates."""

OBLIGATIONS: dict[str, str | Promise] = {
    "sender_identity": _("Say who is writing."),
    "unsubscribe_link": _("Give a working unsubscribe link."),
    "list_unsubscribe": _("Send the List-Unsubscribe and List-Unsubscribe-Post headers."),
    "no_open_tracking": _("Do not track who opens the message without a consent to that."),
    "stop_keyword": _("Offer STOP as an answer."),
    "sms_hours": _("Send between 8 am and 8 pm, Monday to Saturday, not on holidays."),
    "call_identity": _("Say who calls and that the call is commercial."),
    "call_window": _("Call on weekdays, %(hours)s in the person's time zone."),
    "call_stop": _("Stop at once when the person objects, and record it."),
    "right_to_object": _("Remind the person of the right to object."),
    "data_source": _("Say where the address comes from, if not from the person."),
    "similar_only": _("Write only about the product family declared."),
    "network_named": _("Match only on the network the person was told about."),
}
"""What an allowed contact still owes the person."""


def law_in_words(rule: str) -> str:
    """Return the text a rule rests on, the GDPR under its name in the reader's language."""
    return localised_law(RULES[rule].law)


def localised_law(law: str | Promise) -> str:
    """Return a text of law with the GDPR under its name in the reader's language."""
    return str(law).replace("GDPR", str(_("GDPR")))
