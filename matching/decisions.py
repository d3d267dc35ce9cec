"""What stewards say of two records: said once, in force until retracted, carried out at once."""

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils.timezone import now
from django.utils.translation import gettext as _

from matching.models import Decision, ReviewTask
from matching.neighbourhood import in_force, neighbourhood, read_facts, settle
from matching.rulings import Contradiction, Ruling, contradiction
from mdm.audit import acting_as
from mdm.birth_ids import public_id

Verdict = Decision.Verdict


class ContradictsDecisions(Exception):
    """Earlier decisions say otherwise; `decisions` is the chain that does, in order."""

    def __init__(self, decisions: list[Decision]) -> None:
        self.decisions = decisions
        names = ", ".join(
            _("%(pair)s: %(verdict)s (%(steward)s)")
            % {
                "pair": f"{decision.left} / {decision.right}",
                "verdict": decision.get_verdict_display(),
                "steward": decision.decided_by.get_username(),
            }
            for decision in decisions
        )
        super().__init__(
            _("This contradicts earlier decisions: %(chain)s. Undo one of them first.")
            % {"chain": names}
        )


class AlreadyRetracted(Exception):
    """The decision is no longer in force."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the answer Same would make of two records."""

    customer_id: int
    public_id: str
    record_ids: tuple[int, ...]
    joining_count: int
    """Records that would change customer."""

    @property
    def record_count(self) -> int:
        """How many source records it would have."""
        return len(self.record_ids)


@transaction.atomic
def decide(
    one: int,
    other: int,
    verdict: Verdict,
    *,
    by: User,
    note: str = "",
    score_shown: float | None = None,
    seconds: float | None = None,
    idempotency_key: str | None = None,
) -> Decision:
    """Record what a steward says of two records and carry it out with all that follows.

    It takes the place of an earlier decision on the same pair. The same idempotency key decides
    once: the first decision is returned.

    Raises:
        ContradictsDecisions: when decisions on other pairs say otherwise; nothing is written.
    """
    left, right = sorted((one, other))
    if idempotency_key:
        earlier = Decision.objects.filter(idempotency_key=idempotency_key).first()
        if earlier:
            return earlier
    if verdict != Verdict.UNSURE:
        _refuse_contradiction(Ruling(left, right, verdict == Verdict.SAME))
    reason = _("Decision: %(verdict)s") % {"verdict": Verdict(verdict).label}
    with acting_as(by, reason):
        superseded = in_force().filter(left=left, right=right).first()
        if superseded:
            _end(superseded, by=by)
        decision = Decision.objects.create(
            left_id=left,
            right_id=right,
            verdict=verdict,
            note=note,
            score_shown=score_shown,
            seconds=seconds,
            idempotency_key=idempotency_key or None,
            decided_by=by,
            supersedes=superseded,
        )
    _carry_out(decision, by=by, reason=reason)
    return decision


@transaction.atomic
def retract(decision: Decision, *, by: User) -> Decision:
    """Take a decision back: the records go where everything else says they belong.

    A decision that it had replaced comes into force again.

    Raises:
        AlreadyRetracted: when it is not in force.
        ContradictsDecisions: when the decision that would come back contradicts later ones.
    """
    decision = Decision.objects.select_for_update().get(pk=decision.pk)
    if decision.retracted_at:
        raise AlreadyRetracted(_("This decision was already taken back."))
    reason = _("Decision undone: %(verdict)s") % {"verdict": decision.get_verdict_display()}
    with acting_as(by, reason):
        _end(decision, by=by)
        if previous := decision.supersedes:
            if previous.verdict != Verdict.UNSURE:
                is_same = previous.verdict == Verdict.SAME
                _refuse_contradiction(Ruling(previous.left_id, previous.right_id, is_same))
            previous.retracted_at = previous.retracted_by = None
            previous.save(update_fields=["retracted_at", "retracted_by"])
    _carry_out(decision, by=by, reason=reason)
    return decision


def preview_same(one: int, other: int) -> Outcome | None:
    """Return what the answer Same would make of two records, None when it would be refused.

    It is computed as the answer itself is, without writing.
    """
    left, right = sorted((one, other))
    facts = read_facts(neighbourhood((left, right)))
    try:
        after = facts.partition(extra=[Ruling(left, right, is_same=True)])
    except Contradiction:
        return None
    before = facts.partition().names
    customer = after.names[left]
    members = [record for record, name in after.names.items() if name == customer]
    return Outcome(
        customer_id=customer,
        public_id=public_id(customer),
        record_ids=tuple(members),
        joining_count=sum(before[record] != customer for record in members),
    )


def _end(decision: Decision, *, by: User) -> None:
    decision.retracted_at, decision.retracted_by = now(), by
    decision.save(update_fields=["retracted_at", "retracted_by"])


def _carry_out(decision: Decision, *, by: User, reason: str) -> None:
    settle((decision.left_id, decision.right_id), by=by, reason=reason)
    if decision.verdict == Verdict.UNSURE:
        # A colleague may look at once; the queue leaves the pair out for this steward.
        ReviewTask.objects.filter(left=decision.left_id, right=decision.right_id).update(
            leased_by=None, leased_until=None
        )


def _refuse_contradiction(new: Ruling) -> None:
    chain = contradiction(_rulings_around(new), new)
    if chain:
        pairs = [(ruling.left, ruling.right) for ruling in chain]
        found = {
            (decision.left_id, decision.right_id): decision
            for decision in in_force()
            .filter(left__in=[left for left, _right in pairs])
            .select_related("left__source", "right__source", "decided_by")
        }
        raise ContradictsDecisions([found[pair] for pair in pairs])


def _rulings_around(new: Ruling) -> list[Ruling]:
    """Return the decisions that can contradict a new one: those joined to it by SAME."""
    clear = in_force().exclude(verdict=Verdict.UNSURE)
    known: dict[int, Ruling] = {}
    seen: set[int] = set()
    frontier = {new.left, new.right}
    while frontier:
        seen |= frontier
        touching = Q(left__in=frontier) | Q(right__in=frontier)
        rows = clear.filter(touching).values_list("pk", "left", "right", "verdict")
        frontier = set()
        for pk, left, right, verdict in rows:
            known[pk] = Ruling(left, right, verdict == Verdict.SAME)
            if verdict == Verdict.SAME:
                frontier |= {left, right} - seen
    return list(known.values())
