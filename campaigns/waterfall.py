"""From a segment to those who may be reached: how many each rule keeps off, and why, in words.

Everybody is counted once: under the rule that decides for them. So the steps add up to the
segment exactly; no name is read.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from campaigns.audience import asked_of_many, chunks, people
from campaigns.models import Campaign
from consent.rules import RULES, Kind
from mdm.two_at_once import two_at_once


@dataclass(frozen=True, slots=True)
class Step:
    """One rule of the waterfall: how many it decides for, and how many are left after it."""

    rule: str
    count: int
    remaining: int


@dataclass(frozen=True, slots=True)
class Waterfall:
    """A segment's count, what each rule takes off it in order, and who is allowed by which rule.

    `start` = the sum of the exclusions + the sum of `allowed_by`.
    """

    start: int
    exclusions: tuple[Step, ...]
    allowed_by: tuple[tuple[str, int], ...]
    as_of: datetime

    @property
    def allowed(self) -> int:
        """Return how many people may be reached."""
        return self.start - sum(step.count for step in self.exclusions)

    @property
    def excluded(self) -> int:
        """Return how many people are kept off."""
        return self.start - self.allowed


def measure(campaign: Campaign, *, at: datetime | None = None) -> Waterfall:
    """Pass the campaign's segment through the gate and count, chunk by chunk.

    Raises:
        InvalidSegment: when the conditions no longer fit the fields.
    """
    moment = at or now()
    crowd = asked_of_many(campaign, moment)
    counts: Counter[str] = Counter()
    for _keys, found in two_at_once(crowd.rules, chunks(people(campaign.conditions, moment))):
        counts += found
    return from_counts(counts, moment)


def from_counts(counts: Mapping[str, int], as_of: datetime) -> Waterfall:
    """Put counts by rule into the order of the gates."""
    start = remaining = sum(counts.values())
    steps = []
    for rule in ORDER:
        if RULES[rule].kind != Kind.ALLOW and counts.get(rule):
            remaining -= counts[rule]
            steps.append(Step(rule, counts[rule], remaining))
    allowed = tuple(
        (rule, counts[rule])
        for rule in ORDER
        if RULES[rule].kind == Kind.ALLOW and counts.get(rule)
    )
    return Waterfall(start, tuple(steps), allowed, as_of)


ORDER: tuple[str, ...] = tuple(RULES)
"""Every rule the gate can decide by, gates first."""

_MISSING_CONSENT: dict[str, str | Promise] = {
    "none": _("Gave no consent for this channel and purpose"),
    "proof": _("The consent is a claim without the proof this channel needs"),
    "doi": _("Never confirmed the consent (double opt-in)"),
    "expired": _("The consent has expired"),
    "void": _("The consent rests on a withdrawn notice, or its proof was missing"),
    "bought": _("A broker's claim of consent, whose proofs were not seen yet"),
}

WORDS: dict[str, str | Promise] = {
    "G0": _("The purpose or the channel is unknown or switched off"),
    "G1": _("Erased, or no source knows the person any more"),
    "G2": _("Asked for the processing to be restricted"),
    "G3": _("No usable contact point for this channel"),
    "G4": _("On the suppression list"),
    "G5": _("Objected to prospecting"),
    "G6": _("Refused or withdrew consent"),
    "G7": _("A merge left contradictory consents to be decided"),
    "G12": _("Known only from a broker's file that is not released"),
    "G8": _("Minor, without the consent the law asks for"),
    "G9": _("Prospecting is banned in this sector"),
    "G10": _("No contact from the person for years"),
    "G11": _("Asked for a pause"),
    "P4": _("Not an hour at which the person may be called"),
    "P5": _("Called as often as the law allows in thirty days"),
    **{
        f"{rule}_{lack}": words
        for rule in ("E1", "A1", "P1", "X1")
        for lack, words in _MISSING_CONSENT.items()
    },
    "E2_sale": _("No purchase at which this address was collected"),
    "E2_old": _("Bought too long ago"),
    "E2_family": _("Bought nothing similar to the offer"),
    "E2_notice": _("Was not offered to object at the purchase"),
    "E3_job": _("Professional address that the offer does not concern"),
    "E4_notice": _("Was not informed and could not object"),
    "P2_none": _("No running contract that the offer concerns"),
    "P0_bloctel": _("Was on the Bloctel list"),
    "P0_check": _("Bloctel had not been asked in the thirty days before"),
    "E1_robin": _("Consent told by somebody else's file, address on the e-Robinson list"),
    "P3_job": _("Professional line that the offer does not concern"),
    "P6_notice": _("Was not informed and could not object"),
    "L1_notice": _("Was not informed and could not object"),
    "L2": _("Prospect from somebody else's file, on the Robinson list"),
    "S1": _("Service message"),
    "E1": _("Consented to this channel and purpose"),
    "E2": _("Customers who bought something similar and did not object"),
    "E3": _("Professional address that the offer concerns"),
    "E4": _("Informed of the charity's messages, did not object"),
    "E5": _("Address of an organisation, not of a person"),
    "A1": _("Consented to calls by machine"),
    "P0": _("Callable before 11 August 2026"),
    "P1": _("Consented to be called"),
    "P2": _("Running contract that the offer concerns"),
    "P3": _("Professional line that the offer concerns"),
    "P6": _("Informed of the charity's calls, did not object"),
    "L1": _("Informed, could object and did not"),
    "X1": _("Consented to be matched on social networks"),
}
"""What each rule says of many people; the gate's own sentences speak of one and carry dates."""


def words(rule: str) -> str:
    """Return what a rule says of many people, in the reader's language."""
    return str(WORDS.get(rule, rule))
