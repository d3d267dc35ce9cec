"""What each channel asks of a contact that passed the gates: the decision table of the law.

Each rule returns the finding that allows, or the one that says what is missing. A regime is the
list of rules that may allow one channel; the first that allows decides.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from consent.cases import OWN_CONSENT, Case, Finding, months_after
from consent.facts import (
    GRANTED,
    Audience,
    ChannelCode,
    Nature,
    Permission,
    Registration,
    State,
)
from consent.policy_packs import SINCE_EVER, PolicyPack
from consent.rules import RULES, Kind

Rule = Callable[[Case], Finding]

BLOCTEL_DAYS = 30
"""Bloctel had to be asked once a month at least (C. consom. L223-1 until 10 August 2026)."""

_OBLIGATIONS: dict[str, tuple[str, ...]] = {
    ChannelCode.EMAIL: (
        "sender_identity",
        "unsubscribe_link",
        "list_unsubscribe",
        "no_open_tracking",
    ),
    ChannelCode.SMS: ("sender_identity", "stop_keyword", "sms_hours"),
    ChannelCode.SOCIAL_MESSAGE: ("sender_identity", "unsubscribe_link"),
    ChannelCode.PHONE: ("call_identity", "call_window", "call_stop"),
    ChannelCode.AUTOCALL: ("call_identity", "call_window", "call_stop"),
    ChannelCode.POST: ("data_source", "right_to_object"),
    ChannelCode.SOCIAL_AUDIENCE: ("network_named",),
}


def is_allowing(finding: Finding) -> bool:
    """Tell whether a finding permits the contact."""
    return RULES[finding.rule].kind == Kind.ALLOW


def channel_findings(case: Case) -> list[Finding]:
    """Return one allowing finding, or everything that is missing."""
    missing = []
    for rule in _regime(case):
        finding = rule(case)
        if is_allowing(finding):
            return [finding]
        missing.append(finding)
    return missing


def obligations(case: Case, rule: str) -> tuple[str, ...]:
    """Return what the allowed contact still owes the person, as keys of `rules.OBLIGATIONS`."""
    if rule == "S1":
        return ("sender_identity",)
    soft = ("right_to_object", "similar_only") if rule == "E2" else ()
    return _OBLIGATIONS[case.channel] + soft


def ends_of_consent(case: Case) -> list[datetime]:
    """Return when the consent ends: by its own date, or by the age the pack allows."""
    months = case.policy.consent_months(case.channel, case.offer.purpose)
    return _ends(case.permission, months, case.at)


def end_of_consent(
    permission: Permission, channel: str, purpose: str, *, at: datetime, policy: PolicyPack
) -> datetime | None:
    """Return when a consent that stands runs out; None when it does not, or none stands."""
    if permission.state not in GRANTED:
        return None
    return min(_ends(permission, policy.consent_months(channel, purpose), at), default=None)


def _ends(permission: Permission, months: int | None, at: datetime) -> list[datetime]:
    ends = [permission.expires_at] if permission.expires_at else []
    if months is not None:
        renewed_at = permission.renewed_at
        start = renewed_at if renewed_at and renewed_at <= at else permission.since
        # One of unknown date is as old as it gets.
        ends.append(months_after(start, months) if start else SINCE_EVER)
    return ends


def consent_is_expired(case: Case) -> bool:
    """Tell whether the consent has ended."""
    return any(end <= case.at for end in ends_of_consent(case))


def _consent(rule: str) -> Rule:
    """Make the rule of a channel that asks for consent; `rule` names what allows."""

    def consented(case: Case) -> Finding:
        lack = _lack_of_consent(case)
        if lack == "none":
            return Finding(f"{rule}_none")
        if not lack and (listed := _e_robinson(case)):
            return Finding("E1_robin", listed.since, list_name=listed.list_name)
        found = f"{rule}_{lack}" if lack else rule
        return Finding(found, case.permission.since, case.permission.event_id)

    return consented


def _e_robinson(case: Case) -> Registration | None:
    """Return why a consent that only somebody else's file told of does not reach a mailbox."""
    is_told = case.permission.actor not in OWN_CONSENT and case.person.is_third_party
    is_mail = case.channel == ChannelCode.EMAIL
    return case.registration("erobinson") if is_told and is_mail else None


def _lack_of_consent(case: Case) -> str:
    permission = case.permission
    if permission.state == State.INVALIDATED:
        return "void"
    if permission.state == State.QUARANTINED:
        return "bought"
    is_later = permission.since is not None and permission.since > case.at
    if permission.state not in GRANTED or is_later:
        return "none"
    if consent_is_expired(case):
        return "expired"
    needs_confirmation = case.channel in case.policy.confirmation_required
    if needs_confirmation and permission.state != State.CONFIRMED:
        return "doi"
    if permission.evidence < case.policy.minimum_evidence(case.channel):
        return "proof"
    return ""


def _soft_opt_in(case: Case) -> Finding:
    sales = case.sales_at_this_point()
    if not sales:
        return Finding("E2_sale")
    latest, sales = sales[0], [sale for sale in sales if case.is_recent(sale)]
    if not sales:
        return Finding("E2_old", latest.at, fact=f"sale:{latest.sale_id}")
    similar = [sale for sale in sales if sale.family and sale.family in case.offer.families]
    if not similar:
        return Finding("E2_family", sales[0].at, fact=f"sale:{sales[0].sale_id}")
    fact = f"sale:{similar[0].sale_id}"
    return Finding("E2" if case.is_informed else "E2_notice", similar[0].at, fact=fact)


def _running_contract(case: Case) -> Finding:
    contracts = case.related_contracts()
    if not contracts:
        return Finding("P2_none")
    oldest = min(contracts, key=lambda contract: (contract.starts_at, contract.contract_id))
    return Finding("P2", oldest.starts_at, fact=f"contract:{oldest.contract_id}")


def _opt_out_regime(case: Case) -> Finding:
    if listed := case.registration("bloctel"):
        return Finding("P0_bloctel", listed.since, list_name=listed.list_name)
    checked_at = case.person.bloctel_checked_at
    if checked_at is None or case.at - checked_at > timedelta(days=BLOCTEL_DAYS):
        return Finding("P0_check", checked_at)
    return Finding("P0", checked_at)


def _informed(rule: str) -> Rule:
    """Make a rule of legitimate interest: allowed when the person was informed."""
    return lambda case: Finding(rule if case.is_informed else f"{rule}_notice")


def _professional(rule: str) -> Rule:
    """Make a rule of professional canvassing: the offer must concern the profession."""

    def concerned(case: Case) -> Finding:
        fits = case.offer.is_professional and case.is_informed
        return Finding(rule if fits else f"{rule}_job")

    return concerned


def _post(case: Case) -> Finding:
    if case.person.is_third_party and (listed := case.registration("robinson")):
        return Finding("L2", listed.since, list_name=listed.list_name)
    return _informed("L1")(case)


def _organisation(case: Case) -> Finding:
    return Finding("E5")


def _regime(case: Case) -> list[Rule]:
    if case.channel in {ChannelCode.EMAIL, ChannelCode.SMS, ChannelCode.SOCIAL_MESSAGE}:
        return [_consent("E1"), *_electronic_exceptions(case)]
    if case.channel == ChannelCode.AUTOCALL:
        return [_consent("A1")]
    if case.channel == ChannelCode.SOCIAL_AUDIENCE:
        return [_consent("X1")]
    if case.channel == ChannelCode.PHONE:
        return [_consent("P1"), *_phone_exceptions(case)]
    # Tracking and transfers need consent whatever the channel.
    return [_post] if case.offer.nature in _PROSPECTING else [_consent("E1")]


_PROSPECTING = frozenset({Nature.COMMERCIAL, Nature.CHARITY, Nature.SERVICE})


def _electronic_exceptions(case: Case) -> list[Rule]:
    if case.channel == ChannelCode.SOCIAL_MESSAGE or case.offer.nature not in _PROSPECTING:
        return []
    if case.audience == Audience.ORGANISATION and case.channel == ChannelCode.EMAIL:
        return [_organisation]
    if case.offer.nature == Nature.CHARITY:
        return [_informed("E4")]
    return [_professional("E3") if case.audience == Audience.PROFESSIONAL else _soft_opt_in]


def _phone_exceptions(case: Case) -> list[Rule]:
    if case.offer.nature not in _PROSPECTING:
        return []
    if case.offer.nature == Nature.CHARITY:
        return [_informed("P6")]
    if case.audience != Audience.CONSUMER:
        return [_professional("P3")]
    if case.at < case.policy.phone_switch:
        return [_running_contract, _opt_out_regime]
    return [_running_contract]
