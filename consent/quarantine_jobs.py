"""Carrying out the decision about a broker's file: an event for each of its claims."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from consent.facts import EvidenceLevel
from consent.ledger import NewEvent, fact_id, record_events
from consent.models import ConsentEvent, Evidence, QuarantineDecision, SampleDraw
from consent.projection import project
from consent.quarantine import Outcome, claims_of, decide_batch, findings_of
from mdm.identity import lock_customers
from mdm.job_words import JobWords, describe
from mdm.jobs import JobRun, job, submit
from mdm.key_sets import key_set
from mdm.models import Customer, Job

SETTLE = "settle_claims"
_CHUNK = 500


@transaction.atomic
def settle(draw: SampleDraw, outcome: str, *, reason: str = "", by: User) -> QuarantineDecision:
    """Decide about a broker's file and have a worker carry it out (see `decide_batch`)."""
    decision = decide_batch(draw, outcome, reason=reason, by=by)
    submit(SETTLE, {"decision": decision.pk}, by=by, idempotency_key=f"{SETTLE}:{decision.pk}")
    return decision


@job(SETTLE)
def settle_claims(run: JobRun) -> Mapping[str, Any]:
    """Write what the decision makes of each claim, some hundred at a time."""
    decision = QuarantineDecision.objects.select_related("draw__batch").get(
        pk=run.parameters["decision"]
    )
    draw, done = decision.draw, run.job.done_count or 0
    while keys := _next_claims(draw, run.cursor or 0):
        done += len(keys)
        with run.chunk(cursor=keys[-1], done=done, total=draw.claim_count):
            _settle_chunk(decision, keys)
    return {"claims": done}


def _next_claims(draw: SampleDraw, after: int) -> list[int]:
    claims = claims_of(draw.batch).filter(pk__gt=after)
    return list(claims.values_list("pk", flat=True)[:_CHUNK])


def _settle_chunk(decision: QuarantineDecision, keys: Sequence[int]) -> None:
    claims = ConsentEvent.objects.filter(pk__in=key_set(keys))
    customers = set(
        Customer.objects.filter(records__consent_events__in=claims).values_list("pk", flat=True)
    )
    lock_customers(customers)
    # Read again under the locks: a claim may have been taken back meanwhile.
    standing = list(claims_of(decision.draw.batch).filter(pk__in=key_set(keys)))
    found = findings_of(decision.draw)
    lacking = {event for event, finding in found.items() if finding.evidence_id is None}
    record_events(_outcomes(standing, decision, lacking))
    proofs = {event: finding.evidence for event, finding in found.items() if finding.evidence}
    if decision.outcome == Outcome.RELEASED:
        _attach(standing, proofs)
    project(customers)


def _outcomes(
    claims: Sequence[ConsentEvent], decision: QuarantineDecision, lacking: Collection[int]
) -> Iterator[NewEvent]:
    for claim in claims:
        if decision.outcome == Outcome.RELEASED and claim.pk not in lacking:
            yield _consent(claim, decision)
        else:
            yield _invalidation(claim, decision)


def _consent(claim: ConsentEvent, decision: QuarantineDecision) -> NewEvent:
    """Return the consent that a released claim is: what the broker said, at its own level."""
    return _about(claim, decision)._replace(
        type=claim.type,
        actor_type=ConsentEvent.ActorType.IMPORT,
        fact=("released", claim.pk),
        evidence_level=claim.evidence_level,
        occurred_at=claim.occurred_at,
        claims_double_opt_in=claim.claims_double_opt_in,
    )


def _invalidation(claim: ConsentEvent, decision: QuarantineDecision) -> NewEvent:
    return _about(claim, decision)._replace(fact=("invalidation", claim.pk), annuls_id=claim.pk)


def _about(claim: ConsentEvent, decision: QuarantineDecision) -> NewEvent:
    return NewEvent(
        record_id=claim.source_record_id,
        type=ConsentEvent.Type.INVALIDATED,
        channel=claim.channel,
        purpose_id=claim.purpose_id,
        contact_point_id=claim.contact_point_id,
        actor_type=ConsentEvent.ActorType.STAFF,
        actor_id=decision.decided_by_id,
        fact=(),
        evidence_level=EvidenceLevel.FORM,
        occurred_at=decision.decided_at,
        batch_id=claim.batch_id,
        line=claim.line,
    )


def _attach(claims: Sequence[ConsentEvent], proofs: Mapping[int, Evidence]) -> None:
    """Give the consents of the sample the proofs that were seen."""
    for claim in claims:
        if proof := proofs.get(claim.pk):
            told = ConsentEvent.objects.filter(source_record=claim.source_record_id)
            proof.events.set(told.filter(source_event_id=fact_id(("released", claim.pk))))


def _file_url(job_row: Job) -> str | None:
    decision = QuarantineDecision.objects.select_related("draw").filter(
        pk=job_row.parameters.get("decision")
    )
    found = decision.first()
    return reverse("consent:broker-file", args=[found.draw.batch_id]) if found else None


describe(
    SETTLE,
    JobWords(
        label=_("Decision about a broker's file"),
        figures={"claims": _("Claims decided")},
        icon="gavel",
        result_url=_file_url,
    ),
)
