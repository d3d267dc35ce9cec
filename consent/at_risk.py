"""Consents that stand but would not survive a challenge, by what they lack; set-based.

Every reason is one condition on the stored permission states that are granted, so counts, shares
and lists cannot disagree.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, DateField, Exists, F, Func, OuterRef, Q, QuerySet
from django.db.models.functions import Cast
from django.utils.timezone import localdate, now
from django.utils.translation import gettext_lazy as _

from consent.cases import years_after
from consent.facts import GRANTED, EvidenceLevel
from consent.facts_query import OWN_ACTS
from consent.ledger import PERMISSIVE
from consent.models import Channel, ConsentEvent, NoticePicture, PermissionState
from consent.policies import pack_at
from consent.running_out import count_running_out
from mdm.models import ContactPoint, Contract, Sale, SourceRecord

OLD_YEARS = 2
"""EDPB, guidelines 05/2020: refresh at intervals; the law names no term. A default to discuss."""
SOON_DAYS = 90
_SOURCES = 8


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a consent is at risk, the condition that finds it, and what to do about it."""

    code: str
    label: Any
    why: Any
    advice: Any
    condition: Callable[[datetime], Q]
    is_costly: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """How many consents have a weakness, and how many of them the gate refuses already."""

    reason: Reason
    count: int
    refused_count: int


@dataclass(frozen=True, slots=True)
class Overview:
    """All consents that stand, those with any weakness, and each weakness, the most common first.

    A consent can have several. Those past their term are among them, and counted on their own.
    """

    total: int
    at_risk: int
    found: list[Found]
    expired: int


class _YearsLater(Func):
    """The same day so many years later."""

    output_field = DateField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(
            compiler, connection, template="(%(expressions)s + interval '%(years)s years')::date"
        )

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(
            compiler, connection, template="date(%(expressions)s, '+%(years)s years')"
        )


def standing_consents() -> "QuerySet[PermissionState]":
    """Return the consents that stand now."""
    return PermissionState.objects.filter(state__in=GRANTED).order_by("pk")


def at_risk(reason: Reason) -> "QuerySet[PermissionState]":
    """Return the consents that stand now and have one weakness."""
    return standing_consents().filter(reason.condition(now()))


def overview() -> Overview:
    """Count every weakness: one pass for what events tell, one more for each costly one."""
    at, consents = now(), standing_consents().order_by()
    cheap = [reason for reason in REASONS if not reason.is_costly]
    counted = consents.aggregate(total=Count("pk"), **_counts(cheap, at))
    for reason in REASONS:
        if reason.is_costly:
            rows = consents.filter(reason.condition(at))
            counted |= rows.aggregate(
                **{reason.code: Count("pk"), f"{reason.code}_refused": _refused(at)}
            )
    anything = Q()
    for reason in REASONS:
        anything |= reason.condition(at)
    found = [
        Found(reason, counted[reason.code], counted[f"{reason.code}_refused"])
        for reason in REASONS
    ]
    return Overview(
        counted["total"],
        consents.filter(anything).count(),
        sorted(found, key=lambda item: -item.count),
        sum(count.expired for count in count_running_out(pack_at(at), at)),
    )


def by_source(reason: Reason) -> list[tuple[str, int]]:
    """Return which sources most of the consents with a weakness come from."""
    label = "deciding_event__source_record__source__label"
    rows = at_risk(reason).order_by().values_list(label).annotate(count=Count("pk"))
    return list(rows.order_by("-count", label)[:_SOURCES])


def _counts(reasons: list[Reason], at: datetime) -> Mapping[str, Count]:
    counts = {}
    for reason in reasons:
        condition = reason.condition(at)
        counts[reason.code] = Count("pk", filter=condition)
        counts[f"{reason.code}_refused"] = Count("pk", filter=condition & _too_weak(at))
    return counts


def _refused(at: datetime) -> Count:
    return Count("pk", filter=_too_weak(at))


def _too_weak(at: datetime) -> Q:
    """Return the condition that the gate refuses a consent for its evidence (E1_proof)."""
    pack, weak = pack_at(at), Q(pk=None)
    for channel in Channel:
        weak |= Q(channel=channel, evidence_level__lt=pack.minimum_evidence(channel))
    return weak


def _silent(at: datetime) -> Q:
    """Return the condition that the three years without contact end within ninety days."""
    years = pack_at(at).inactive_after_years
    end = years_after(at, -years)
    soon = end + timedelta(days=SOON_DAYS)
    running = Contract.objects.filter(
        Q(ends_on=None) | Q(ends_on__gte=localdate()), record__customer=OuterRef("customer")
    )
    # Whoever consented since was in contact since: nothing more is looked up.
    return Q(
        Q(since=None) | Q(since__lte=soon),
        ~Exists(running),
        _in_contact_since(end),
        ~_in_contact_since(soon),
    )


def _in_contact_since(moment: datetime) -> Q:
    """Return the condition that the person was in contact after a moment, as gate G10 reads it."""
    customer = {"record__customer": OuterRef("customer")}
    records = SourceRecord.objects.active().filter(
        customer=OuterRef("customer"), source_created_at__gt=moment
    )
    acts = ConsentEvent.objects.filter(
        source_record__customer=OuterRef("customer"),
        actor_type__in=OWN_ACTS,
        type__in=PERMISSIVE,
        occurred_at__gt=moment,
    )
    return (
        Q(Exists(records))
        | Q(Exists(Sale.objects.filter(sold_on__gt=moment.date(), **customer)))
        | Q(Exists(Contract.objects.filter(starts_on__gt=moment.date(), **customer)))
        | Q(Exists(acts))
    )


def _came_of_age(at: datetime) -> Q:
    """Return the condition that she was a minor when she consented and is none today."""
    age = pack_at(at).adult_age
    records = SourceRecord.objects.active().filter(
        customer=OuterRef("customer"), birth_date__isnull=False
    )
    of_age = records.annotate(of_age_on=_YearsLater(F("birth_date"), years=age)).filter(
        of_age_on__gt=Cast(OuterRef("since"), DateField()), of_age_on__lte=localdate()
    )
    return Q(Exists(of_age), since__isnull=False)


def _shared(at: datetime) -> Q:
    return Q(contact_point__in=ContactPoint.objects.shared().order_by())


REASONS = (
    Reason(
        "claim",
        _("A claim without any proof"),
        _("A column of a file says yes: no date, no form, nobody who said it."),
        _(
            "Ask the source for form, words and date, and load them. Otherwise let these people "
            "sign up again, and do not count on this consent."
        ),
        lambda at: Q(evidence_level=EvidenceLevel.CLAIM),
    ),
    Reason(
        "origin",
        _("Only the source's word and a date"),
        _("The source says yes on a day; the form and the words shown are not on record."),
        _(
            "Ask the source for the form and the version of its words. Invite these people to "
            "confirm by the sign-up form, beginning with those written to most."
        ),
        lambda at: Q(evidence_level=EvidenceLevel.ORIGIN),
    ),
    Reason(
        "undated",
        _("No date"),
        _("The files of the source carry no date of the consent, so any refusal is later."),
        _(
            "Add the column of the date to the mapping of the source and load the file again. A "
            "consent that nobody can date proves nothing."
        ),
        lambda at: Q(deciding_event__occurred_at=None),
    ),
    Reason(
        "words",
        _("The words shown are not on record"),
        _("A form is named, but no version of a notice: nobody can show what the person read."),
        _(
            "Find the words in the archive of the site or on the paper, publish them as a notice, "
            "and record the consent with it if its document is at hand."
        ),
        lambda at: Q(
            evidence_level__gte=EvidenceLevel.FORM, deciding_event__notice_version__isnull=True
        ),
    ),
    Reason(
        "picture",
        _("Words on record, but no picture of the form"),
        _("Nobody can show where the words stood, and that the box was not ticked beforehand."),
        _(
            "Add a picture of the form to the page of the notice: a screenshot, or a scan of the "
            "paper. It stands in the proof pack from then on."
        ),
        lambda at: (
            Q(deciding_event__notice_version__isnull=False)
            & ~Q(deciding_event__notice_version__in=NoticePicture.objects.values("notice"))
        ),
    ),
    Reason(
        "unconfirmed",
        _("Double opt-in that only the source claims"),
        _("The source says that she confirmed there; no click of hers is on record here."),
        _(
            "Ask the source for its log of confirmations. Or send one message to confirm, by the "
            "sign-up form, before it counts as confirmed."
        ),
        lambda at: Q(
            deciding_event__claims_double_opt_in=True, evidence_level__lt=EvidenceLevel.VERIFIED
        ),
    ),
    Reason(
        "old",
        _("Older than two years"),
        _("The law names no term, but a consent fades: people forget, and offers change."),
        _("Remind these people of their choice and of the link to change it in the next message."),
        lambda at: Q(since__lte=years_after(at, -OLD_YEARS)),
    ),
    Reason(
        "silent",
        _("Three years without contact, soon"),
        _("No purchase, no click, no contract since: within ninety days gate G10 refuses."),
        _(
            "Write now, while it is allowed: a purchase or a renewed consent starts the three "
            "years again. Silence is no renewal."
        ),
        _silent,
        is_costly=True,
    ),
    Reason(
        "came_of_age",
        _("Given as a minor, who is of age now"),
        _("She, or her parents for her, agreed before she was of age."),
        _(
            "Ask her for a consent of her own, by the sign-up form: the word of a parent no "
            "longer stands for her."
        ),
        _came_of_age,
        is_costly=True,
    ),
    Reason(
        "shared",
        _("On a contact point that many people carry"),
        _("The address or number is shared: who agreed, and who reads it, is uncertain."),
        _(
            "Have a steward look at who carries it. Ask for an address of her own in the "
            "preference centre."
        ),
        _shared,
        is_costly=True,
    ),
)
BY_CODE: Mapping[str, Reason] = {reason.code: reason for reason in REASONS}
