"""What a loaded file said of permissions: claims, refusals, conflicts, quarantine."""

from typing import Any

from django.core.cache import cache
from django.db.models import Count, Exists, OuterRef, Q

from consent.ledger import PERMISSIVE, RESTRICTIVE
from consent.models import ConsentEvent, PermissionState
from consent.quarantine import Outcome, claims_of, earlier_claims_of
from mdm.models import LoadBatch

_NO = (
    PermissionState.State.REFUSED,
    PermissionState.State.WITHDRAWN,
    PermissionState.State.OBJECTED,
)
_FILES = (ConsentEvent.ActorType.IMPORT, ConsentEvent.ActorType.BROKER)
EARLIER, WAITING, DRAWN = "earlier", "waiting", "drawn"
_COUNTS_SECONDS = 120


def report_on(*, batch: LoadBatch, **signal: object) -> dict[str, Any]:
    """Tell what a file said: claims, refusals, and claims of people who had said no.

    In a conflict the refusal prevails. Counts are some minutes old: a file may hold a million.
    """
    return {
        "template": "consent/_batch_report.html",
        **_counts_of(batch),
        "quarantine": quarantine_state(batch) if batch.source.is_broker else "",
    }


def _counts_of(batch: LoadBatch) -> dict[str, int]:
    """Return the counts of a file whose load, or undoing, has come to its end.

    Meanwhile nothing is counted: whoever follows a load would read its first seconds for minutes.
    """
    undoing = batch.undo_job
    if (batch.job and batch.job.is_live) or (undoing and undoing.is_live):
        return {}
    key = f"consent.batch.{batch.pk}.{undoing.pk if undoing else ''}"
    counts: dict[str, int] | None = cache.get_or_set(key, lambda: _counts(batch), _COUNTS_SECONDS)
    return counts or {}


def _counts(batch: LoadBatch) -> dict[str, int]:
    events = ConsentEvent.objects.filter(batch=batch, actor_type__in=_FILES).order_by()
    claims = Q(type__in=PERMISSIVE)
    said_no = PermissionState.objects.filter(
        customer=OuterRef("source_record__customer"),
        contact_point=OuterRef("contact_point"),
        channel=OuterRef("channel"),
        purpose=OuterRef("purpose"),
        state__in=_NO,
    )
    # Released from quarantine, or put into it later, a consent is the same claim once more.
    told = events.filter(actor=None)
    counts = told.aggregate(
        claims=Count("pk", filter=claims), refusals=Count("pk", filter=Q(type__in=RESTRICTIVE))
    )
    released = Q(actor_type=ConsentEvent.ActorType.IMPORT, actor__isnull=False)
    standing = events.exclude(released).filter(claims, retractions=None)
    return {**counts, "conflicts": standing.filter(Exists(said_no)).count()}


def quarantine_state(batch: LoadBatch) -> str:
    """Return where the check of a broker's file stands; "" when nothing of it ever waited."""
    if earlier_claims_of(batch).exists():
        return EARLIER
    if not hasattr(batch, "sample_draw") and not claims_of(batch).exists():
        return ""
    return check_state(batch)


def check_state(batch: LoadBatch) -> str:
    """Return where the check of a broker's file stands of which claims wait or waited."""
    if getattr(batch, "has_earlier_claims", False):
        return EARLIER
    draw = getattr(batch, "sample_draw", None)
    if draw is None:
        return WAITING
    decision = getattr(draw, "decision", None)
    return Outcome(decision.outcome).value if decision else DRAWN
