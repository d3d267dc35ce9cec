"""May we contact this person? The one gate: facts and a question in, an answer with reasons out.

Pure, total and fail-closed: what is not known to be allowed is refused. Adding an objection can
only turn an answer from allowed to refused, never back (service messages aside). For that, a
refusal among the facts counts whatever its date: one that came while a list was being made must
not hide an older one. Whoever asks about the past brings the facts of then.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from consent.call_hours import call_hours
from consent.cases import OWN_CONSENT, Case, Finding, birthday, months_after, years_after
from consent.channel_rules import (
    channel_findings,
    consent_is_expired,
    ends_of_consent,
    is_allowing,
    obligations,
)
from consent.facts import (
    CHANNEL_KINDS,
    GRANTED,
    Actor,
    Audience,
    ChannelCode,
    Facts,
    Nature,
    Objection,
    Question,
    State,
)
from consent.policy_packs import PolicyPack
from consent.rules import OBLIGATIONS, RULES, Basis
from consent.states import permission_lifts

logger = logging.getLogger(__name__)

_NATURES = frozenset(Nature)
_AUDIENCES = frozenset(Audience)
_REFUSED = frozenset({State.REFUSED, State.WITHDRAWN})


@dataclass(frozen=True, slots=True)
class Answer:
    """The gate's answer: the deciding rule, all that failed, and what the contact still owes.

    `valid_until` is the earliest instant at which the answer can change without a new fact.
    """

    allowed: bool
    rule: str
    pack: PolicyPack
    failed_gates: tuple[str, ...] = ()
    since: datetime | None = None
    deciding_event: int | None = None
    deciding_fact: str = ""
    list_name: str = ""
    obligations: tuple[str, ...] = ()
    valid_until: datetime | None = None

    @property
    def policy(self) -> str:
        """Return the code of the policy pack that answered."""
        return self.pack.code

    @property
    def basis(self) -> Basis:
        """Return the legal basis; empty for a refusal."""
        return RULES[self.rule].basis

    @property
    def law(self) -> str:
        """Return the text the deciding rule rests on."""
        return RULES[self.rule].law

    @property
    def reason(self) -> str:
        """Return the deciding rule's sentence in the reader's language, with the list's name."""
        said = sentence(self.rule, self.since, self.pack)
        if not self.list_name:
            return said
        return _("%(reason)s On the list “%(name)s”.") % {"reason": said, "name": self.list_name}

    @property
    def duties(self) -> list[str]:
        """Return the obligations as sentences in the reader's language."""
        figures = _figures(self.pack)
        return [str(OBLIGATIONS[code]) % figures for code in self.obligations]


def sentence(rule: str, since: datetime | None, policy: PolicyPack) -> str:
    """Return a rule's sentence with its date and figures filled in."""
    day = date_format(localtime(since), "DATE_FORMAT") if since else _("an unknown date")
    return str(RULES[rule].sentence) % {"since": day, **_figures(policy)}


def _figures(policy: PolicyPack) -> dict[str, object]:
    hours = ", ".join(f"{start:%H:%M}–{end:%H:%M}" for start, end in policy.call_hours)
    return {
        "years": policy.inactive_after_years,
        "days": policy.call_attempts_days,
        "hours": hours,
    }


def decide(facts: Facts, question: Question, policy: PolicyPack) -> Answer:
    """Return the answer of the gate; any error inside it is a refusal (G0)."""
    try:
        return _decide(facts, question, policy)
    except Exception:
        # Facts hold keys and dates only, so the traceback names nobody.
        logger.exception("The permission gate could not decide and refused.")
        return Answer(allowed=False, rule="G0", failed_gates=("G0",), pack=policy)


def _decide(facts: Facts, question: Question, policy: PolicyPack) -> Answer:
    if question.offer is None or not _is_understood(facts, question):
        return Answer(allowed=False, rule="G0", failed_gates=("G0",), pack=policy)
    case = Case(facts.person, facts.point, question.channel, question.offer, question.at, policy)
    service = _is_service(case)
    failed = list(_failures(case, _SERVICE_GATES if service else _ALL_GATES))
    if question.is_dialling and not service and (late := _within_hours(case)):
        failed.append(late)
    outcome = [Finding("S1")] if service else channel_findings(case)
    failed += [finding for finding in outcome if not is_allowing(finding)]
    deciding = failed[0] if failed else outcome[0]
    return Answer(
        allowed=not failed,
        rule=deciding.rule,
        pack=policy,
        failed_gates=tuple(finding.rule for finding in failed),
        since=deciding.since,
        deciding_event=deciding.event_id,
        deciding_fact=deciding.fact,
        list_name=next((finding.list_name for finding in failed if finding.list_name), ""),
        obligations=() if failed else obligations(case, deciding.rule),
        valid_until=_valid_until(case, question),
    )


def _is_understood(facts: Facts, question: Question) -> bool:
    offer, channel = question.offer, question.channel
    if offer is None or channel not in CHANNEL_KINDS or offer.nature not in _NATURES:
        return False
    if offer.channels is not None and channel not in offer.channels:
        return False
    return facts.point is None or facts.point.audience in _AUDIENCES


def _is_service(case: Case) -> bool:
    # A service message that carries an offer is prospecting; ads never are a service.
    is_plain = not case.offer.families and case.channel != ChannelCode.SOCIAL_AUDIENCE
    return case.offer.nature == Nature.SERVICE and is_plain


def _failures(
    case: Case, gates: tuple[Callable[[Case], Finding | None], ...]
) -> Iterator[Finding]:
    for gate in gates:
        finding = gate(case)
        if finding:
            yield finding


def _known_person(case: Case) -> Finding | None:
    return None if case.person.status == "active" else Finding("G1")


def _unrestricted(case: Case) -> Finding | None:
    since = case.person.restricted_since
    return Finding("G2", since) if since else None


def _usable_point(case: Case) -> Finding | None:
    point = case.point
    if point is None or point.status != "usable":
        return Finding("G3")
    fits = point.kind in CHANNEL_KINDS[case.channel]
    is_landline = case.channel == ChannelCode.SMS and point.is_mobile is False
    return Finding("G3") if is_landline or not fits else None


def _unsuppressed(case: Case) -> Finding | None:
    return _latest("G4", _unlifted(case, case.suppressions()))


def _unopposed(case: Case) -> Finding | None:
    objections = [o for o in case.objections() if o.state not in _REFUSED]
    return _latest("G5", [*_uncontested(case, objections), *_exact(case, {State.OBJECTED})])


def _unrefused(case: Case) -> Finding | None:
    refusals = [o for o in case.objections() if o.state in _REFUSED]
    return _latest("G6", [*_uncontested(case, refusals), *_exact(case, _REFUSED)])


def _settled(case: Case) -> Finding | None:
    permission = case.permission
    if permission.state != State.CONTESTED:
        return None
    return Finding("G7", permission.since, permission.event_id)


def _released(case: Case) -> Finding | None:
    # A consent that stands is another source's word, or her own.
    if not case.person.is_unchecked or case.permission.state in GRANTED:
        return None
    return Finding("G12", case.permission.since)


def _adult_or_consenting(case: Case) -> Finding | None:
    age = case.age
    if age is None or age >= case.policy.adult_age:
        return None
    permission = case.permission
    consents = {Actor.GUARDIAN} if age < case.policy.joint_consent_below_age else OWN_CONSENT
    is_given = permission.state in GRANTED and permission.actor in consents
    if is_given and case.channel != ChannelCode.SOCIAL_AUDIENCE:
        return None
    return Finding("G8")


def _open_sector(case: Case) -> Finding | None:
    is_banned = any(
        ban.sector == case.offer.sector and case.channel in ban.channels and ban.since <= case.at
        for ban in case.policy.sector_bans
    )
    if not is_banned or case.audience != Audience.CONSUMER or case.related_contracts():
        return None
    return Finding("G9")


def _in_contact(case: Case) -> Finding | None:
    if case.audience == Audience.ORGANISATION or case.running_contracts():
        return None
    last = case.person.last_contact_at
    limit = years_after(last, case.policy.inactive_after_years) if last else None
    is_active = last is not None and limit is not None and last <= case.at <= limit
    return None if is_active else Finding("G10", last)


def _not_paused(case: Case) -> Finding | None:
    until = case.point.paused_until if case.point else None
    return Finding("G11", until) if until and until > case.at else None


def _not_called_too_often(case: Case) -> Finding | None:
    too_often = len(case.recent_calls()) >= case.policy.call_attempts_maximum
    return Finding("P5") if _is_consumer_call(case) and too_often else None


def _within_hours(case: Case) -> Finding | None:
    if not _is_consumer_call(case) or not case.point:
        return None
    hours = call_hours(case.point.zones, case.at, case.policy)
    return None if hours.is_open else Finding("P4")


def _is_consumer_call(case: Case) -> bool:
    is_call = case.channel in {ChannelCode.PHONE, ChannelCode.AUTOCALL}
    return is_call and case.audience == Audience.CONSUMER


_SERVICE_GATES = (_known_person, _unrestricted, _usable_point)
_ALL_GATES = (
    *_SERVICE_GATES,
    _unsuppressed,
    _unopposed,
    _unrefused,
    _settled,
    _released,
    _adult_or_consenting,
    _open_sector,
    _in_contact,
    _not_paused,
    _not_called_too_often,
)


def _unlifted(case: Case, objections: Iterable[Objection]) -> list[Objection]:
    objections = list(objections)
    since = case.permission.since
    if not objections or since is None or since > case.at or consent_is_expired(case):
        return objections
    return [o for o in objections if not permission_lifts(case.permission, o)]


def _uncontested(case: Case, objections: Iterable[Objection]) -> list[Objection]:
    # A contested consent prevails over all that is recorded, or it would not be one: G7 says no.
    contested = case.permission.state == State.CONTESTED
    return [] if contested else _unlifted(case, objections)


def _exact(case: Case, states: frozenset[State] | set[State]) -> list[Objection]:
    permission = case.permission
    if permission.state not in states:
        return []
    return [Objection(since=permission.since or case.at, event_id=permission.event_id)]


def _latest(rule: str, objections: list[Objection]) -> Finding | None:
    if not objections:
        return None
    latest = max(objections, key=lambda o: (o.since, o.event_id or 0))
    return Finding(rule, latest.since, latest.event_id, list_name=latest.list_name)


def _valid_until(case: Case, question: Question) -> datetime | None:
    points = list(_turning_points(case))
    if question.is_dialling and case.point and _is_consumer_call(case):
        changes_at = call_hours(case.point.zones, case.at, case.policy).changes_at
        points += [changes_at] if changes_at else []
    return min(filter(case.at.__lt__, points), default=None)


def _turning_points(case: Case) -> Iterator[datetime]:
    """Yield every instant at which a fact, a rule or an age could change the answer."""
    person, permission, policy = case.person, case.permission, case.policy
    if policy.valid_until:
        yield policy.valid_until
    if case.channel == ChannelCode.PHONE:
        yield policy.phone_switch
    if _is_consumer_call(case):
        yield from (call + timedelta(days=policy.call_attempts_days) for call in person.calls)
    if case.offer.sector:
        yield from (ban.since for ban in policy.sector_bans)
    for sale in person.sales:
        yield sale.at
        if policy.soft_opt_in_months is not None:
            yield months_after(sale.at, policy.soft_opt_in_months)
    for contract in person.contracts:
        yield contract.starts_at
        if contract.ends_at:
            yield contract.ends_at
    yield from ends_of_consent(case)
    if person.last_contact_at:
        yield person.last_contact_at
        yield years_after(person.last_contact_at, policy.inactive_after_years)
    if person.birth_date and case.at.year - person.birth_date.year <= policy.adult_age:
        yield birthday(person.birth_date, policy.joint_consent_below_age)
        yield birthday(person.birth_date, policy.adult_age)
    if permission.since:
        yield permission.since
    if permission.renewed_at:
        yield permission.renewed_at
    if case.point and case.point.paused_until:
        yield case.point.paused_until
