"""The figures of the rules as one value, so that a data protection officer can change them.

A pack holds parameters only; the rules that read them are in `consent.permissions`. Which pack
is the law of which day is in the database (`consent.policies`); the one delivered is here, each
figure beside the text it comes from. [P] marks a choice of the product, not of the law.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from consent.facts import ANY, ChannelCode, EvidenceLevel

PARIS = ZoneInfo("Europe/Paris")


@dataclass(frozen=True, slots=True)
class SectorBan:
    """A sector in which consumers may not be canvassed, from a date, on some channels."""

    sector: str
    channels: frozenset[str]
    since: datetime


@dataclass(frozen=True, slots=True)
class ConsentValidity:
    """How many months a consent is good for; `ANY` stands for every channel or purpose."""

    channel: str
    purpose: str
    months: int

    @property
    def exactness(self) -> int:
        """Return how many of channel and purpose are named."""
        return (self.channel != ANY) + (self.purpose != ANY)


@dataclass(frozen=True, slots=True)
class PolicyPack:
    """The parameters of one version of the rules, from an instant until the next pack begins."""

    code: str
    valid_from: datetime
    phone_switch: datetime
    inactive_after_years: int
    joint_consent_below_age: int
    adult_age: int
    evidence_minimum: Mapping[str, EvidenceLevel] = field(hash=False)
    confirmation_required: frozenset[str]
    sector_bans: tuple[SectorBan, ...]
    soft_opt_in_sale_kinds: frozenset[str]
    call_attempts_maximum: int
    call_attempts_days: int
    # Local opening and closing times of a calling day.
    call_hours: tuple[tuple[time, time], ...]
    information_is_attested: bool
    # No legal term; EDPB 05/2020 advises to refresh consents at intervals.
    consent_validity: tuple[ConsentValidity, ...] = ()
    # [P] How long before its end a consent is shown as due for renewal.
    renewal_notice_days: int = 60
    # [P] How long after a purchase one may still write about similar products; None: no limit.
    soft_opt_in_months: int | None = None
    # [P] How long a frozen list may be downloaded; each download asks the gate again all the same.
    target_list_hours: int = 72
    # [P] How many claims of a broker's file are drawn, of a smaller file all: sixty proofs of
    # sixty show, with 95 % certainty, that fewer than 1 in 20 lacks its proof (1 - 0.95 ** 60).
    broker_sample_size: int = 60
    # [P] The share of proofs seen from which a broker's file may be released.
    broker_proof_percent: int = 95
    valid_until: datetime | None = None

    def minimum_evidence(self, channel: str) -> EvidenceLevel:
        """Return the proof a consent on this channel needs; unlisted channels need the most."""
        return self.evidence_minimum.get(channel, EvidenceLevel.SIGNED)

    def consent_months(self, channel: str, purpose: str) -> int | None:
        """Return how many months a consent is good for; None when it does not run out.

        The figure that names most prevails; of two that name as much, the shorter.
        """
        fitting = [
            validity
            for validity in self.consent_validity
            if validity.channel in {ANY, channel} and validity.purpose in {ANY, purpose}
        ]
        exactest = max((validity.exactness for validity in fitting), default=0)
        return min((v.months for v in fitting if v.exactness == exactest), default=None)


def paris_midnight(day: date) -> datetime:
    """Return the instant a day begins in France, in UTC: French laws start at French midnight."""
    return datetime.combine(day, time.min, tzinfo=PARIS).astimezone(UTC)


SINCE_EVER = datetime.min.replace(tzinfo=UTC)
_ELECTRONIC = frozenset({ChannelCode.EMAIL, ChannelCode.SMS, ChannelCode.SOCIAL_MESSAGE})
_CALLS = frozenset({ChannelCode.PHONE, ChannelCode.AUTOCALL})

FR_2026_11 = PolicyPack(
    code="FR-2026-11",
    valid_from=SINCE_EVER,
    # Consumer code L223-1 as rewritten by law 2025-594 art. 13: opt-in for calls.
    phone_switch=paris_midnight(date(2026, 8, 11)),
    # CNIL, référentiel gestion commerciale: three years after the last contact from the person.
    inactive_after_years=3,
    # Loi Informatique et Libertés art. 45: below 15, the minor and the parents consent together.
    joint_consent_below_age=15,
    adult_age=18,
    # The professional bears the proof. A dated opt-in of an own system of origin (L1) is enough
    # for e-mail [P]; calls, texts and matching need the form or notice that was shown (L2).
    evidence_minimum={
        ChannelCode.EMAIL: EvidenceLevel.ORIGIN,
        ChannelCode.SMS: EvidenceLevel.FORM,
        ChannelCode.SOCIAL_MESSAGE: EvidenceLevel.FORM,
        ChannelCode.PHONE: EvidenceLevel.FORM,
        ChannelCode.AUTOCALL: EvidenceLevel.FORM,
        ChannelCode.POST: EvidenceLevel.CLAIM,
        ChannelCode.SOCIAL_AUDIENCE: EvidenceLevel.FORM,
    },
    confirmation_required=frozenset(),
    # Law 2025-594: energy renovation and adaptation of homes; CPF training banned since 2022.
    sector_bans=(
        SectorBan("energy_renovation", _CALLS, paris_midnight(date(2020, 7, 26))),
        SectorBan("energy_renovation", _ELECTRONIC, paris_midnight(date(2025, 7, 1))),
        SectorBan("home_adaptation", _CALLS, paris_midnight(date(2026, 8, 11))),
        SectorBan("home_adaptation", _ELECTRONIC, paris_midnight(date(2025, 7, 1))),
        SectorBan("cpf_training", _CALLS | _ELECTRONIC, paris_midnight(date(2022, 12, 21))),
    ),
    # CNIL refuses a mere account; CJEU C-654/23 accepts a subscription with remuneration.
    soft_opt_in_sale_kinds=frozenset({"purchase", "paid_subscription"}),
    # Consumer code D223-9: four attempts in thirty days, on weekdays that are no legal holidays.
    call_attempts_maximum=4,
    call_attempts_days=30,
    call_hours=((time(10), time(13)), (time(14), time(20))),
    # [P] The company attests that its own forms and tills inform people and let them object.
    information_is_attested=True,
)
