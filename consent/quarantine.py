"""Brokers' files: a consent that comes with bought addresses is a claim until proofs were seen.

The one who uses bought addresses must be able to prove the consents (CNIL SAN-2024-003, Foriou;
SAN-2024-004, Hubside.Store: fined for not checking). So the opt-ins of a broker's file permit
nothing. The data protection officer draws a sample, asks the broker for the proofs, notes for
each whether it was seen, and releases the file's claims or rejects them. A release writes a
consent of its own for each claim, a rejection invalidates each; refusals count from the start.
"""

import hashlib
import heapq
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User
from django.core.files import File
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from consent.ledger import PERMISSIVE
from consent.models import (
    ConsentEvent,
    Evidence,
    ProofFinding,
    QuarantineDecision,
    SampledClaim,
    SampleDraw,
)
from consent.offline import kept_evidence
from consent.policies import pack_at
from mdm.models import LoadBatch

Outcome = QuarantineDecision.Outcome


class QuarantineRefused(Exception):
    """The step cannot be taken; the text says why."""


@dataclass(frozen=True, slots=True)
class Tally:
    """A sample so far: claims that count, proofs seen and found missing.

    A claim whose person was erased, or that was taken back with its file, counts no more.
    """

    counted: int
    proved: int
    lacking: int
    percent_needed: int

    @property
    def unanswered(self) -> int:
        """How many proofs were not asked for yet."""
        return self.counted - self.proved - self.lacking

    @property
    def needed(self) -> int:
        """How many proofs must be seen for a release: the limit, rounded up."""
        return -(-self.counted * self.percent_needed // 100)

    @property
    def is_enough(self) -> bool:
        """Whether the file may be released."""
        return self.counted > 0 and self.unanswered == 0 and self.proved >= self.needed


def earlier_claims_of(batch: LoadBatch) -> "QuerySet[ConsentEvent]":
    """Return the claims of a file that came before its source was named a broker's."""
    return _earlier().filter(batch=batch).order_by("pk")


def claims_of(batch: LoadBatch) -> "QuerySet[ConsentEvent]":
    """Return the claims of a broker's file that nothing took back, in the order of their keys."""
    return _standing().filter(batch=batch).order_by("pk")


def waiting_files() -> "QuerySet[LoadBatch]":
    """Return the brokers' files whose claims wait for a decision."""
    return brokers_files().filter(_has_claims(), sample_draw__decision=None)


def checked_files() -> "QuerySet[LoadBatch]":
    """Return the brokers' files with claims to be checked, or that a sample was drawn from.

    `has_earlier_claims` tells which hold claims from before their source was named a broker's.
    """
    files = brokers_files().annotate(has_earlier_claims=_has(_earlier()))
    drawn_from = Q(sample_draw__isnull=False)
    return files.filter(drawn_from | Q(_has_claims()) | Q(has_earlier_claims=True))


def earlier_files() -> "QuerySet[LoadBatch]":
    """Return the brokers' files with claims from before their source was named a broker's."""
    return brokers_files().filter(_has(_earlier()))


def brokers_files() -> "QuerySet[LoadBatch]":
    """Return the files that came from brokers, the latest first."""
    files = LoadBatch.objects.exclude(source__broker="").exclude(job=None)
    return files.select_related("source", "job", "sample_draw__decision")


def released_batches(known_at: datetime) -> frozenset[int]:
    """Return the keys of the brokers' files that had been released by a moment."""
    released = QuarantineDecision.objects.filter(
        outcome=Outcome.RELEASED, decided_at__lte=known_at
    )
    return frozenset(released.values_list("draw__batch_id", flat=True))


@transaction.atomic
def draw_sample(batch: LoadBatch, *, by: User) -> SampleDraw:
    """Draw the claims whose proofs are to be seen: once, so that nobody draws until it suits.

    Raises:
        QuarantineRefused: when it was drawn, the file is still being loaded, or nothing waits.
    """
    locked = LoadBatch.objects.select_for_update(of=("self",)).get(pk=batch.pk)
    if SampleDraw.objects.filter(batch=locked).exists():
        raise QuarantineRefused(_("The sample was drawn already."))
    if locked.job is None or locked.job.is_live:
        raise QuarantineRefused(_("The file is still being loaded."))
    claims = dict(claims_of(locked).values_list("uuid", "pk"))
    if earlier_claims_of(locked).exists():
        raise QuarantineRefused(_("Put the earlier claims of this file into quarantine first."))
    if not claims:
        raise QuarantineRefused(_("No claim of this file waits."))
    seed = secrets.token_hex(16)
    found = SampleDraw.objects.create(
        batch=locked, seed=seed, claim_count=len(claims), drawn_by=by
    )
    SampledClaim.objects.bulk_create(
        SampledClaim(draw=found, event_id=claims[uuid])
        for uuid in drawn(seed, claims, size=pack_at(found.drawn_at).broker_sample_size)
    )
    return found


def drawn(seed: str, uuids: Iterable[UUID], *, size: int) -> list[UUID]:
    """Return the claims that a seed draws: those of the smallest SHA-256 of “seed:uuid”.

    Whoever has the seed and the ids of the events can draw again, in any language.
    """

    def rank(uuid: UUID) -> bytes:
        return hashlib.sha256(f"{seed}:{uuid}".encode()).digest()

    return heapq.nsmallest(size, uuids, key=rank)


@transaction.atomic
def note_proof(
    claim: SampledClaim,
    *,
    is_proved: bool,
    reference: str = "",
    file: "File[bytes] | None" = None,
    by: User,
) -> ProofFinding:
    """Note that the proof of a claim was seen, with its reference or document, or that none was.

    Raises:
        QuarantineRefused: after the decision, or when nothing tells where the proof is.
        OfflineRefused: when the document is of no type kept as evidence.
    """
    _locked_open(claim.draw_id)
    if not is_proved:
        return ProofFinding.objects.create(claim=claim, found_by=by)
    if not (reference.strip() or file):
        raise QuarantineRefused(_("Say where the proof is kept, or add it."))
    proof = kept_evidence(Evidence.Kind.BROKER, reference, file)
    proof.save()
    return ProofFinding.objects.create(claim=claim, evidence=proof, found_by=by)


def findings_of(draw: SampleDraw) -> dict[int, ProofFinding]:
    """Return what was found last of each claim of a sample, by the key of its event."""
    found = ProofFinding.objects.filter(claim__draw=draw).select_related("evidence", "claim")
    return {finding.claim.event_id: finding for finding in found.order_by("pk")}


def tally_of(draw: SampleDraw, findings: Mapping[int, ProofFinding]) -> Tally:
    """Count a sample against the limit that the policy pack stated when it was drawn."""
    counted = set(
        _standing().filter(pk__in=draw.claims.values("event_id")).values_list("pk", flat=True)
    )
    answered = [finding for event, finding in findings.items() if event in counted]
    proved = sum(finding.evidence_id is not None for finding in answered)
    needed = pack_at(draw.drawn_at).broker_proof_percent
    return Tally(len(counted), proved, len(answered) - proved, needed)


@transaction.atomic
def decide_batch(
    draw: SampleDraw, outcome: str, *, reason: str = "", by: User
) -> QuarantineDecision:
    """Release the claims of a broker's file or reject them; `quarantine_jobs` carries it out.

    Raises:
        QuarantineRefused: when it was decided, when too few proofs were seen for a release, or
            without the reason of a rejection.
    """
    _locked_open(draw.pk)
    tally = tally_of(draw, findings_of(draw))
    if outcome == Outcome.RELEASED and not tally.is_enough:
        raise QuarantineRefused(
            _("%(needed)d proofs of %(counted)d must be seen for a release, and all be asked for.")
            % {"needed": tally.needed, "counted": tally.counted}
        )
    if outcome == Outcome.REJECTED and not reason.strip():
        raise QuarantineRefused(_("Say why: the reason is part of the proof."))
    return QuarantineDecision.objects.create(
        draw=draw,
        outcome=Outcome(outcome),
        reason=reason.strip(),
        sampled_count=tally.counted,
        proved_count=tally.proved,
        percent_needed=tally.percent_needed,
        decided_by=by,
    )


def _locked_open(draw_id: int) -> None:
    """Lock a sample, so that nothing is found while it is decided."""
    SampleDraw.objects.select_for_update().get(pk=draw_id)
    if QuarantineDecision.objects.filter(draw=draw_id).exists():
        raise QuarantineRefused(_("This file was decided already."))


def _has_claims() -> Exists:
    return _has(_standing())


def _has(claims: "QuerySet[ConsentEvent]") -> Exists:
    return Exists(claims.filter(batch=OuterRef("pk")))


def _earlier() -> "QuerySet[ConsentEvent]":
    """Return the claims of files that were taken for an own source's; a release has an actor."""
    return ConsentEvent.objects.filter(
        actor_type=ConsentEvent.ActorType.IMPORT,
        actor=None,
        type__in=PERMISSIVE,
        retractions=None,
        erased_at=None,
    )


def _standing() -> "QuerySet[ConsentEvent]":
    return ConsentEvent.objects.filter(
        actor_type=ConsentEvent.ActorType.BROKER,
        type__in=PERMISSIVE,
        retractions=None,
        erased_at=None,
    )
