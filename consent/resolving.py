"""The data protection officer's decisions on contradictions that merges brought."""

from collections.abc import Collection
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils.timezone import now
from django.utils.translation import gettext as _

from consent.conflicts import Conflict, Verdict
from consent.histories import conflicts_by_customer
from consent.memberships import Membership
from consent.models import ConflictResolution, PermissionState, Purpose
from consent.projection import project
from mdm.identity import lock_customers
from mdm.models import Customer


class ResolutionRefused(Exception):
    """The decision cannot be recorded; the text says why."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """Why it is decided so: in words, and by which document kept where."""

    reason: str
    reference: str = ""


def open_conflict_customers() -> int:
    """Count the customers with a contradiction that nobody has decided."""
    contested = PermissionState.objects.filter(state=PermissionState.State.CONTESTED)
    return contested.values("customer").distinct().count()


def decisions() -> "QuerySet[ConflictResolution]":
    """Return what was decided, the latest first, with what a page shows of it."""
    return ConflictResolution.objects.select_related(
        "customer__golden",
        "customer__merged_into__golden",
        "contact_point",
        "purpose",
        "decided_by",
    ).prefetch_related("events__source_record__source")


def decisions_about(customer: Customer) -> "QuerySet[ConflictResolution]":
    """Return the decisions on events that a customer's records tell, the latest first."""
    return decisions().filter(events__source_record__customer=customer).distinct()


@transaction.atomic
def resolve(
    customer: Customer,
    digests: Collection[str],
    *,
    verdict: Verdict,
    grounds: Grounds,
    by: User,
) -> list[ConflictResolution]:
    """Decide some of a customer's open contradictions, and fold her permissions anew.

    A consent among them is by the person herself, later than the refusal and as well proved:
    nothing else contradicts a refusal, so no decision can lift what the law lets stand.

    Args:
        customer: a live customer.
        digests: the contradictions as the page showed them (`Conflict.digest`).
        verdict: which side stands.
        grounds: a reason; for a consent that stands, also the document that shows whose it is.
        by: who decides.

    Raises:
        ResolutionRefused: without grounds, or when one of them is no longer in question.
    """
    _want_grounds(verdict, grounds)
    lock_customers([customer.pk])
    open_ones = conflicts_by_customer(Membership([customer.pk])).get(customer.pk, [])
    chosen = [conflict for conflict in open_ones if conflict.digest in digests]
    if not chosen or len(chosen) != len(set(digests)):
        raise ResolutionRefused(
            _("Her records or what they say changed meanwhile. Nothing was decided: look again.")
        )
    made = [_decide(customer, conflict, verdict, grounds, by) for conflict in chosen]
    project([customer.pk])
    return made


def _want_grounds(verdict: Verdict, grounds: Grounds) -> None:
    if not grounds.reason.strip():
        raise ResolutionRefused(_("Say why: the reason is part of the proof."))
    if verdict == Verdict.CONSENT and not grounds.reference.strip():
        raise ResolutionRefused(
            _("Name the document that shows that she agreed, and where it is kept.")
        )


def _decide(
    customer: Customer, conflict: Conflict, verdict: Verdict, grounds: Grounds, by: User
) -> ConflictResolution:
    decided = ConflictResolution.objects.create(
        customer=customer,
        contact_point_id=conflict.key.contact_point_id,
        channel=conflict.key.channel,
        purpose=Purpose.objects.get(code=conflict.key.purpose),
        digest=conflict.digest,
        verdict=verdict,
        reason=grounds.reason.strip(),
        reference=grounds.reference.strip(),
        decided_by=by,
        decided_at=now(),
    )
    decided.events.set([event.event_id for event in (*conflict.grants, *conflict.refusals)])
    return decided
