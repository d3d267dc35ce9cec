"""A notice is withdrawn because it misled people: what was agreed on it counts as never given.

Each consent is invalidated by an event of its own that names it, like the claims of an undone
file; what was known before can still be asked. Refusals stay, whatever notice they were made on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent.facts import EvidenceLevel
from consent.ledger import PERMISSIVE, NewEvent, record_events
from consent.models import Channel, ConsentEvent, NoticeVersion, NoticeWithdrawal, OptInRequest
from consent.projection import project
from mdm.job_words import JobWords, describe, page_of
from mdm.jobs import JobRun, job, submit
from mdm.key_sets import key_set
from mdm.models import Customer, SourceRecord

INVALIDATE = "invalidate_consents"
_CHUNK = 500
_COLUMNS = ("pk", "source_record_id", "contact_point_id", "channel", "purpose_id")


class WithdrawalRefused(Exception):
    """The notice cannot be withdrawn; the text says why."""


@dataclass(frozen=True, slots=True)
class Impact:
    """What withdrawing a notice takes away: consents, people, and consents by channel."""

    consent_count: int
    person_count: int
    channels: list[tuple[str, int]]


def impact_of(notice: NoticeVersion) -> Impact:
    """Count what stands on a notice now."""
    consents = _consents(notice)
    by_channel = consents.values_list("channel").annotate(count=Count("pk")).order_by("channel")
    return Impact(
        consents.count(),
        Customer.objects.filter(records__consent_events__in=consents).distinct().count(),
        [(str(Channel(channel).label), count) for channel, count in by_channel],
    )


@transaction.atomic
def withdraw_notice(notice: NoticeVersion, *, reason: str, by: User) -> NoticeWithdrawal:
    """Show a notice no more, end the sign-ups that wait on it, and have its consents invalidated.

    Raises:
        WithdrawalRefused: without a reason, or when it was withdrawn already.
    """
    if not reason.strip():
        raise WithdrawalRefused(_("Say why: the reason is part of the proof."))
    withdrawal, is_new = NoticeWithdrawal.objects.get_or_create(
        notice=notice,
        defaults={
            "reason": reason.strip(),
            "withdrawn_by": by,
            "consent_count": impact_of(notice).consent_count,
        },
    )
    if not is_new:
        raise WithdrawalRefused(_("This notice was withdrawn already."))
    OptInRequest.objects.filter(
        state=OptInRequest.State.REQUESTED, choices__notice_version=notice
    ).update(state=OptInRequest.State.LAPSED, settled_at=now(), token_hash=None)
    submit(INVALIDATE, {"notice": notice.pk}, by=by, idempotency_key=f"{INVALIDATE}:{notice.pk}")
    return withdrawal


@job(INVALIDATE)
def invalidate_consents(run: JobRun) -> Mapping[str, Any]:
    """Invalidate the consents of a withdrawn notice, some hundred at a time."""
    withdrawal = NoticeWithdrawal.objects.get(notice=run.parameters["notice"])
    done = run.job.done_count or 0
    while told := list(_consents(withdrawal.notice).values_list(*_COLUMNS)[:_CHUNK]):
        done += len(told)
        with run.chunk(cursor=told[-1][0], done=done, total=withdrawal.consent_count):
            record_events(_invalidation(row, withdrawal) for row in told)
            records = SourceRecord.objects.filter(pk__in=key_set({row[1] for row in told}))
            project(records.values_list("customer_id", flat=True))
    return {"consents": done}


def _consents(notice: NoticeVersion) -> Any:
    """Return the consents given on a notice that still count, the oldest first."""
    return ConsentEvent.objects.filter(
        notice_version=notice, type__in=PERMISSIVE, retractions=None, erased_at=None
    ).order_by("pk")


def _invalidation(row: tuple[Any, ...], withdrawal: NoticeWithdrawal) -> NewEvent:
    event_id, record, point, channel, purpose = row
    return NewEvent(
        record_id=record,
        type=ConsentEvent.Type.INVALIDATED,
        channel=channel,
        purpose_id=purpose,
        contact_point_id=point,
        actor_type=ConsentEvent.ActorType.STAFF,
        actor_id=withdrawal.withdrawn_by_id,
        fact=("invalidation", event_id),
        evidence_level=EvidenceLevel.FORM,
        occurred_at=withdrawal.withdrawn_at,
        notice_version_id=withdrawal.notice_id,
        annuls_id=event_id,
    )


describe(
    INVALIDATE,
    JobWords(
        label=gettext_lazy("Invalidation of the consents of a notice"),
        figures={"consents": gettext_lazy("Consents invalidated")},
        icon="gavel",
        result_url=page_of("consent:notice", "notice"),
    ),
)
