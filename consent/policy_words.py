"""A policy pack in words: each parameter with its unit and the text of law it comes from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, ngettext_lazy

from consent.facts import ANY, EvidenceLevel
from consent.models import Channel, Purpose
from consent.policy_documents import SALE_KINDS
from consent.policy_packs import PolicyPack
from consent.presentation import EVIDENCE_LABELS
from consent.rules import localised_law

OUR_CHOICE = gettext_lazy("choice of the company")
_BROKERS = gettext_lazy("choice of the company; CNIL SAN-2024-003 and 004")
_MANAGEMENT = gettext_lazy("CNIL, guidelines on customer management")


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a figure is called, what it counts, and the text it rests on."""

    label: Any
    law: Any
    unit: Any = ""

    def unit_for(self, figure: int) -> str:
        """Return what the figure counts: one *year*, two *years*."""
        return self.unit if isinstance(self.unit, str) else str(self.unit % figure)

    @property
    def law_in_words(self) -> str:
        """Return the text of law in the reader's language."""
        return localised_law(self.law)


_DAYS = ngettext_lazy("day", "days")
_YEARS = ngettext_lazy("year", "years")
PARAMETERS = {
    "inactive_after_years": Parameter(
        gettext_lazy("Prospects are kept after their last contact for"),
        _MANAGEMENT,
        _YEARS,
    ),
    "renewal_notice_days": Parameter(
        gettext_lazy("A consent is due for renewal before its end by"),
        OUR_CHOICE,
        _DAYS,
    ),
    "soft_opt_in_months": Parameter(
        gettext_lazy("Customer exception after the last similar purchase for"),
        gettext_lazy("CPCE L34-5 al. 4; the term is a choice of the company"),
        ngettext_lazy("month", "months"),
    ),
    "soft_opt_in_sale_kinds": Parameter(
        gettext_lazy("What counts as a purchase"),
        gettext_lazy("CPCE L34-5 al. 4, CJEU C-654/23"),
    ),
    "information_is_attested": Parameter(
        gettext_lazy("Forms and tills inform people and let them object"), "GDPR 13, CPCE L34-5"
    ),
    "joint_consent_below_age": Parameter(
        gettext_lazy("The parents consent, too, below the age of"),
        "GDPR 8, loi Informatique et Libertés 45",
        _YEARS,
    ),
    "adult_age": Parameter(
        gettext_lazy("Nothing but an own consent counts below the age of"),
        OUR_CHOICE,
        _YEARS,
    ),
    "broker_sample_size": Parameter(
        gettext_lazy("Proofs drawn from a broker's file, or all of a smaller one"),
        _BROKERS,
        ngettext_lazy("claim", "claims"),
    ),
    "broker_proof_percent": Parameter(
        gettext_lazy("A broker's file is released from proofs seen of"),
        _BROKERS,
        "%",
    ),
    "phone_switch": Parameter(
        gettext_lazy("Calls need consent from"), "C. consom. L223-1, loi 2025-594 art. 13"
    ),
    "call_attempts_maximum": Parameter(
        gettext_lazy("Attempts to call one person at most"),
        "C. consom. D223-9",
        ngettext_lazy("attempt", "attempts"),
    ),
    "call_attempts_days": Parameter(
        gettext_lazy("Attempts are counted over"),
        "C. consom. D223-9",
        _DAYS,
    ),
    "call_hours": Parameter(
        gettext_lazy("Hours of calls, on weekdays that are no holidays"), "C. consom. D223-9"
    ),
    "target_list_hours": Parameter(
        gettext_lazy("A frozen list may be downloaded for"),
        OUR_CHOICE,
        ngettext_lazy("hour", "hours"),
    ),
}
GROUPS: Sequence[tuple[Any, Sequence[str]]] = (
    (gettext_lazy("How long"), ("inactive_after_years", "renewal_notice_days",
                                "target_list_hours")),
    (gettext_lazy("Customer exception"), ("soft_opt_in_months", "soft_opt_in_sale_kinds",
                                          "information_is_attested")),
    (gettext_lazy("Minors"), ("joint_consent_below_age", "adult_age")),
    (gettext_lazy("Brokers' files"), ("broker_sample_size", "broker_proof_percent")),
    (gettext_lazy("Calls"), ("phone_switch", "call_attempts_maximum", "call_attempts_days",
                             "call_hours")),
)  # fmt: skip
"""The parameters that are one figure or choice, in the order of the page."""
VALIDITY_LAW = gettext_lazy("no legal term; EDPB 05/2020: refresh at intervals")
EVIDENCE_LAW = "GDPR 7(1)"
BAN_LAW = "C. consom. L223-1, loi 2025-594"
SALE_KIND_LABELS = dict(
    zip(
        SALE_KINDS,
        (
            gettext_lazy("purchase"),
            gettext_lazy("paid subscription"),
            gettext_lazy("free subscription with indirect remuneration"),
            gettext_lazy("mere account"),
        ),
        strict=True,
    )
)
SECTOR_LABELS = dict(Purpose.Sector.choices)


@dataclass(frozen=True, slots=True)
class Line:
    """One parameter of a pack as people read it; `key` is the same in every pack."""

    key: str
    label: str
    words: str
    law: str


@dataclass(frozen=True, slots=True)
class Section:
    """Parameters that belong together."""

    title: str
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Difference:
    """A parameter that differs; an empty text stands for one that is not stated."""

    section: str
    label: str
    law: str
    before: str
    after: str


def sections(pack: PolicyPack) -> list[Section]:
    """Return all of a pack in words."""
    single = [
        Section(str(title), [_line(name, pack) for name in names]) for title, names in GROUPS
    ]
    return [
        *single,
        Section(_("How long a consent is good for"), list(_validity_lines(pack))),
        Section(_("Proof that a consent needs"), list(_evidence_lines(pack))),
        Section(_("Sectors in which nobody is canvassed"), list(_ban_lines(pack))),
    ]


def differences(before: PolicyPack, after: PolicyPack) -> list[Difference]:
    """Return what two packs say otherwise, in the order of the page."""
    return [
        difference
        for old, new in zip(sections(before), sections(after), strict=True)
        for difference in _differing(old, new)
    ]


def _differing(old: Section, new: Section) -> Iterator[Difference]:
    before = {line.key: line for line in old.lines}
    after = {line.key: line for line in new.lines}
    for key, line in {**before, **after}.items():
        words = [told[key].words if key in told else "" for told in (before, after)]
        if words[0] != words[1]:
            yield Difference(old.title, line.label, line.law, *words)


def scope_label(channel: str, purpose: str, labels: Mapping[str, str]) -> str:
    """Return channel and purpose in words, by `purpose_labels`; `ANY` stands for all of them."""
    on = _("every channel") if channel == ANY else str(Channel(channel).label)
    about = _("every purpose") if purpose == ANY else labels.get(purpose, purpose)
    return f"{on} · {about}"


def purpose_labels() -> dict[str, str]:
    """Return the purposes by their codes, in the reader's language."""
    return {purpose.code: str(purpose) for purpose in Purpose.objects.all()}


def _line(name: str, pack: PolicyPack) -> Line:
    parameter = PARAMETERS[name]
    return Line(name, str(parameter.label), _value(name, pack), parameter.law_in_words)


def _value(name: str, pack: PolicyPack) -> str:
    value = getattr(pack, name)
    if value is None:
        return _("without limit")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, datetime):
        return date_format(localtime(value), "DATE_FORMAT")
    if name == "call_hours":
        return ", ".join(f"{start:%H:%M}–{end:%H:%M}" for start, end in value)
    if name == "soft_opt_in_sale_kinds":
        return ", ".join(str(SALE_KIND_LABELS[kind]) for kind in SALE_KINDS if kind in value)
    return f"{value} {PARAMETERS[name].unit_for(value)}"


def _validity_lines(pack: PolicyPack) -> Iterator[Line]:
    labels = purpose_labels()
    ordered = sorted(pack.consent_validity, key=lambda v: (v.exactness, v.channel, v.purpose))
    if not any(validity.exactness == 0 for validity in ordered):
        words = _("until it is withdrawn")
        yield Line("validity *|*", scope_label(ANY, ANY, labels), words, str(VALIDITY_LAW))
    for validity in ordered:
        months = ngettext("%(count)d month", "%(count)d months", validity.months) % {
            "count": validity.months
        }
        key = f"validity {validity.channel}|{validity.purpose}"
        label = scope_label(validity.channel, validity.purpose, labels)
        yield Line(key, label, months, str(VALIDITY_LAW))


def _evidence_lines(pack: PolicyPack) -> Iterator[Line]:
    for channel in Channel:
        words = str(EVIDENCE_LABELS[EvidenceLevel(pack.minimum_evidence(channel))])
        if channel in pack.confirmation_required:
            words = _("%(evidence)s, and a double opt-in") % {"evidence": words}
        yield Line(f"evidence {channel}", str(channel.label), words, localised_law(EVIDENCE_LAW))


def _ban_lines(pack: PolicyPack) -> Iterator[Line]:
    for place, ban in enumerate(pack.sector_bans):
        channels = ", ".join(str(c.label) for c in Channel if c in ban.channels)
        words = _("%(channels)s from %(day)s") % {
            "channels": channels,
            "day": date_format(localtime(ban.since), "DATE_FORMAT"),
        }
        label = str(SECTOR_LABELS.get(ban.sector, ban.sector))
        yield Line(f"ban {place}", label, words, BAN_LAW)
