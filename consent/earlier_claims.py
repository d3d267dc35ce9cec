"""Claims of files that came before their source was named a broker's.

They were taken for the word of an own source and may permit something. The data protection officer
sees which files hold some and what rests on them, and a worker puts them into quarantine: each
claim is told again as the broker's word, and the one told before is taken back. What was known
before can still be asked. Refusals stay, and so does whatever people said themselves.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent.facts import GRANTED
from consent.ledger import NewEvent, record_events
from consent.models import ConsentEvent, PermissionState, Purpose
from consent.presentation import channel_label
from consent.projection import project
from consent.quarantine import QuarantineRefused, brokers_files, earlier_claims_of
from mdm.identity import lock_customers
from mdm.job_words import JobWords, describe, page_of
from mdm.jobs import JobRun, job, submit
from mdm.key_sets import key_set
from mdm.models import Customer, Job, LoadBatch

QUARANTINE = "quarantine_claims"
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Kind:
    """Claims of one channel and purpose."""

    channel: str
    purpose: Purpose
    count: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file claimed before its source was named, and how many permissions rest on it."""

    claim_count: int
    person_count: int
    standing_count: int
    """Permissions that stand on these claims today and fall with the quarantine."""
    kinds: Sequence[Kind]


def preview(batch: LoadBatch) -> Preview:
    """Count what putting the claims of a file into quarantine would do."""
    claims = earlier_claims_of(batch).order_by()
    kinds = claims.values_list("channel", "purpose").annotate(count=Count("pk"))
    purposes = Purpose.objects.in_bulk()
    standing = PermissionState.objects.filter(deciding_event__in=claims, state__in=GRANTED)
    return Preview(
        claims.count(),
        claims.aggregate(people=Count("source_record__customer", distinct=True))["people"],
        standing.count(),
        [
            Kind(channel_label(channel), purposes[purpose], count)
            for channel, purpose, count in kinds.order_by("-count", "channel", "purpose")
        ],
    )


def quarantine(batch: LoadBatch, *, by: User) -> Job:
    """Have a worker put the claims of a file into quarantine.

    Raises:
        QuarantineRefused: while the file is being loaded, or when it holds none.
    """
    if batch.job is None or batch.job.is_live:
        raise QuarantineRefused(_("The file is still being loaded."))
    last = earlier_claims_of(batch).order_by("-pk").values_list("pk", flat=True).first()
    if last is None:
        raise QuarantineRefused(_("No claim of this file waits."))
    key = f"{QUARANTINE}:{batch.pk}:{last}"
    return submit(QUARANTINE, {"batch": batch.pk}, by=by, idempotency_key=key)


@job(QUARANTINE)
def quarantine_claims(run: JobRun) -> Mapping[str, Any]:
    """Tell each claim again as the broker's word, some hundred at a time."""
    batch = brokers_files().get(pk=run.parameters["batch"])
    done = run.job.done_count or 0
    total = done + earlier_claims_of(batch).count()
    while keys := _next_claims(batch, run.cursor or 0):
        done += len(keys)
        with run.chunk(cursor=keys[-1], done=done, total=total):
            _quarantine_chunk(batch, keys, by_id=run.job.requested_by_id)
    return {"claims": done}


def _next_claims(batch: LoadBatch, after: int) -> list[int]:
    claims = earlier_claims_of(batch).filter(pk__gt=after)
    return list(claims.values_list("pk", flat=True)[:_CHUNK])


def _quarantine_chunk(batch: LoadBatch, keys: Sequence[int], *, by_id: int | None) -> None:
    told = ConsentEvent.objects.filter(pk__in=key_set(keys))
    customers = set(
        Customer.objects.filter(records__consent_events__in=told).values_list("pk", flat=True)
    )
    lock_customers(customers)
    # Read again under the locks: a claim may have been taken back meanwhile.
    claims = earlier_claims_of(batch).filter(pk__in=key_set(keys))
    record_events(event for claim in claims for event in _told_again(claim, by_id))
    project(customers)


def _told_again(claim: ConsentEvent, by_id: int | None) -> Iterator[NewEvent]:
    again = NewEvent(
        record_id=claim.source_record_id,
        type=claim.type,
        channel=claim.channel,
        purpose_id=claim.purpose_id,
        contact_point_id=claim.contact_point_id,
        actor_type=ConsentEvent.ActorType.BROKER,
        actor_id=by_id,
        fact=("quarantined", claim.pk),
        evidence_level=claim.evidence_level,
        occurred_at=claim.occurred_at,
        claims_double_opt_in=claim.claims_double_opt_in,
        batch_id=claim.batch_id,
        line=claim.line,
    )
    actors = ConsentEvent.ActorType
    yield again
    yield again._replace(
        type=ConsentEvent.Type.RETRACTED,
        actor_type=actors.STAFF if by_id else actors.SYSTEM,
        fact=("retraction", claim.pk),
        evidence_level=0,
        occurred_at=None,
        claims_double_opt_in=False,
        annuls_id=claim.pk,
    )


describe(
    QUARANTINE,
    JobWords(
        label=gettext_lazy("Quarantine of a broker's earlier claims"),
        figures={"claims": gettext_lazy("Claims put into quarantine")},
        icon="gavel",
        result_url=page_of("consent:broker-file", "batch"),
    ),
)
