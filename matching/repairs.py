"""Repairs of whole customers: records taken out, split off, moved; customers kept apart, linked.

A repair is a handful of decisions on pairs of records, made and undone as one. What it will do is
computed beforehand from the same decisions (`prepare`, then `foresee`), and nothing but these
decisions is stored.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from django.contrib.auth.models import User
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from matching import foresight
from matching.decisions import (
    AlreadyRetracted,
    Circumstances,
    ContradictsDecisions,
    Verdict,
    carry_out,
    decisions_of_repair,
    make_decisions,
    refuse_contradiction,
    take_back,
)
from matching.foresight import Foresight
from matching.models import Decision, PairEvidence, Repair
from matching.neighbourhood import Homes, lock_neighbourhood
from matching.rulings import Ruling, reach
from matching.versions import check_versions, check_versions_around
from mdm import audited
from mdm.aliases import Keeping, holdings, keep, propose
from mdm.audit import acting_as
from mdm.kept_queries import kept, kept_objects
from mdm.key_sets import among
from mdm.models import Alias, SourceRecord
from mdm.reasons import reason_of
from mdm.turns import in_one_turn

Kind = Repair.Kind
_REASON_LETTERS = 400
Pair = tuple[int, int]


class RepairRefused(Exception):
    """What was asked for makes no sense; the text says why."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a steward wants done with a customer.

    `record_ids` are the ticked ones; `other_id` the second customer of a move, a link or of two
    to be kept apart. Records that a decision brought in together with a ticked one go with it,
    unless `leaves_companions`. `retracting` are decisions that she takes back for it. `keeps_id`:
    the customer's id is to stay with the larger part although its record goes (see `Plan.keeper`).
    """

    kind: str
    customer_id: int
    record_ids: tuple[int, ...] = ()
    other_id: int | None = None
    leaves_companions: bool = False
    retracting: tuple[int, ...] = ()
    keeps_id: bool = False

    @property
    def customer_ids(self) -> list[int]:
        """The customers that are named."""
        return [key for key in (self.customer_id, self.other_id) if key]


@dataclass(frozen=True, slots=True)
class Plan:
    """The decisions that a wish comes to, and what goes along."""

    wish: Wish
    statements: list[tuple[int, int, Verdict]]
    companions: tuple[int, ...] = ()
    """Records that go along because a decision joined them with a ticked one."""
    retracting: list[int] = field(default_factory=list)
    keeper: int | None = None
    """The record that would keep the customer's id, where the larger part would lose it."""

    @property
    def keeping(self) -> Keeping | None:
        """The id as it would be kept, when that is wished for and makes sense."""
        if self.keeper is None or not self.wish.keeps_id:
            return None
        return propose(self.wish.customer_id, self.keeper)

    @property
    def rulings(self) -> list[Ruling]:
        """The decisions as clustering reads them."""
        return [
            Ruling(left, right, verdict == Verdict.SAME)
            for left, right, verdict in self.statements
        ]

    @property
    def moved(self) -> list[int]:
        """The records that leave the customer."""
        return sorted({*self.wish.record_ids, *self.companions})


def prepare(wish: Wish, homes: Homes | None = None) -> Plan:
    """Return the decisions that a wish comes to.

    `homes` tell the customers of at least its records, where they were read already.

    Raises:
        RepairRefused: when it makes no sense.
    """
    homes = _homes(wish) if homes is None else homes
    members, others = (
        sorted(record for record, home in homes.items() if home == customer)
        for customer in (wish.customer_id, wish.other_id)
    )
    if wish.kind in (Kind.LINK, Kind.APART):
        return Plan(wish, _about_two(wish, members, others), retracting=list(wish.retracting))
    if wish.kind == Kind.CONFIRM:
        if len(members) < 2:
            raise RepairRefused(_("A single record has nothing to be confirmed with."))
        return Plan(wish, _star(members), retracting=list(wish.retracting))
    return _parting(wish, members, others)


def foresee(plan: Plan) -> Foresight:
    """Return what a plan would change, computed without writing.

    Raises:
        matching.decisions.ContradictsDecisions: when it would be refused, with the chain.
    """
    _refuse(plan)
    ended = Decision.objects.in_force().filter(pk__in=plan.retracting)
    pairs = ended.values_list("left", "right")
    return foresight.foresee(plan.rulings, without=pairs, keeping=plan.keeping)


@in_one_turn
def repair(
    wish: Wish,
    *,
    by: User,
    circumstances: Circumstances | None = None,
    versions: str = "",
    idempotency_key: str | None = None,
) -> Repair:
    """Carry a wish out with all that follows; the same key has one effect.

    Args:
        wish: what to do.
        by: who does it.
        circumstances: why.
        versions: what the page saw of the customers (`matching.versions`).
        idempotency_key: new with every page shown.

    Raises:
        RepairRefused: when it makes no sense, or no evidence and no reason stand for a link.
        CustomersChanged: when a customer is no longer what `versions` says.
        matching.decisions.ContradictsDecisions: when decisions say otherwise.
    """
    homes = lock_neighbourhood(customer_ids=wish.customer_ids)
    if earlier := done_before(idempotency_key):
        return earlier
    check_versions(versions, wish.customer_ids)
    plan, said = prepare(wish, homes), circumstances or Circumstances()
    _want_reason(wish, said)
    if wish.kind == Kind.LINK:
        _refuse(plan)
    with acting_as(by, reason_of(Kind(wish.kind).label)):
        return _carry_out(plan, by, said, homes, idempotency_key or None)


def _carry_out(
    plan: Plan, by: User, said: Circumstances, homes: Homes, idempotency_key: str | None
) -> Repair:
    wish = plan.wish
    alias = _keep_id(plan, by=by, said=said)
    done = Repair(
        kind=wish.kind,
        customer_id=wish.customer_id,
        other_id=wish.other_id,
        record_ids=plan.moved,
        alias=alias,
        idempotency_key=idempotency_key,
        done_by=by,
    )
    audited.create(done)
    made = make_decisions(
        plan.statements, by=by, circumstances=said, retracting=plan.retracting, repair=done
    )
    reason, aliases = reason_of(Kind(wish.kind).label), [alias] if alias else []
    carry_out(made, by=by, reason=reason, homes=homes, aliases=aliases)
    return done


def _keep_id(plan: Plan, *, by: User, said: Circumstances) -> Alias | None:
    """Let the larger part keep the id, when that is wished for and makes sense."""
    if plan.keeping is None:
        return None
    reason = said.note[:_REASON_LETTERS]
    if said.reason:
        label = Decision.Reason(said.reason).label
        reason = reason_of(
            "%(reason)s · %(note)s" if said.note else "%(reason)s", reason=label, note=said.note
        )
    return keep(plan.keeping.customer_id, plan.keeping.record_id, by=by, reason=reason)


def done_before(idempotency_key: str | None) -> Repair | None:
    """Return the repair that was done with this key."""
    if not idempotency_key:
        return None
    return Repair.objects.filter(idempotency_key=idempotency_key).first()


@in_one_turn
def undo(done: Repair, *, by: User, versions: str = "") -> None:
    """Take a repair back as a whole; decisions made on its pairs since stay.

    `versions` is what the page saw of the customers that its records belong to.

    Raises:
        AlreadyRetracted: when it was undone before.
        matching.versions.CustomersChanged: when a customer is no longer what `versions` says.
        matching.decisions.ContradictsDecisions: when what would come back contradicts others.
    """
    decisions = decisions_of_repair([done.pk])
    homes = lock_neighbourhood({record for decision in decisions for record in decision.pair})
    [done] = _locked([done.pk])
    if done.undone_at:
        raise AlreadyRetracted(_("This was already undone."))
    check_versions_around(versions, (record for d in decisions for record in d.pair))
    reason = reason_of(gettext_noop("Undone: %(repair)s"), repair=Kind(done.kind).label)
    with acting_as(by, reason):
        decisions = decisions_of_repair([done.pk])
        aliases = take_back(decisions, by=by)
        carry_out(decisions, by=by, reason=reason, homes=homes, aliases=aliases)


@kept_objects(Repair)
def _locked(keys: Collection[int]) -> QuerySet[Repair]:
    return Repair.objects.filter(among("pk", keys)).select_for_update()


def _homes(wish: Wish) -> Homes:
    records = SourceRecord.objects.filter(customer__in=wish.customer_ids).order_by()
    return dict(records.values_list("pk", "customer_id"))


def _refuse(plan: Plan) -> None:
    """Refuse what decisions contradict, and a link that would part those it is to bring together.

    Whom scores alone hold with a customer, a decision keeps from the other one: the newer word
    that both are one person would take her along and leave the others behind.

    Raises:
        matching.decisions.ContradictsDecisions: with these decisions.
    """
    refuse_contradiction(plan.rulings, leaving_out=plan.retracting)
    if plan.wish.kind == Kind.LINK and (apart := _between_both(plan)):
        raise ContradictsDecisions(apart)


def _between_both(plan: Plan) -> list[Decision]:
    """Return the decisions that keep records of two customers apart, but for the pair linked."""
    ((left, right, _verdict),) = plan.statements
    apart = [
        key
        for key, *pair in _apart_among(plan.wish.customer_ids)
        if pair != [left, right] and key not in plan.retracting
    ]
    if not apart:
        return []
    said = Decision.objects.filter(pk__in=apart).order_by("pk")
    return list(said.select_related("left__source", "right__source", "decided_by"))


@kept
def _apart_among(customer_ids: Collection[int]) -> "QuerySet[Decision, tuple[int, int, int]]":
    """Return the decisions that keep apart records of two of these customers."""
    apart = Decision.objects.in_force().filter(
        among("left__customer", customer_ids),
        among("right__customer", customer_ids),
        verdict=Verdict.DIFFERENT,
    )
    others = apart.exclude(left__customer=F("right__customer"))
    return others.values_list("pk", "left", "right")


def _about_two(
    wish: Wish, members: list[int], others: list[int]
) -> list[tuple[int, int, Verdict]]:
    if not others:
        raise RepairRefused(_("Name the other customer by an id that is in use."))
    if wish.other_id == wish.customer_id:
        raise RepairRefused(_("This is the same customer."))
    if wish.kind == Kind.LINK:
        return [_said(members[0], others[0], Verdict.SAME)]
    return _between(members, others)


def _parting(wish: Wish, members: list[int], others: list[int]) -> Plan:
    """Plan what takes records out of a customer: unlink, split and move."""
    ticked = set(wish.record_ids)
    if not ticked:
        raise RepairRefused(_("Tick at least one record."))
    if not ticked <= set(members):
        raise RepairRefused(_("A ticked record no longer belongs to this customer."))
    same = _same_among(members)
    together = set[int]().union(*(reach([d.ruling for d in same if d.ruling], r) for r in ticked))
    moved = sorted(ticked if wish.leaves_companions else together)
    stayed = [record for record in members if record not in moved]
    if not stayed:
        raise RepairRefused(_nothing_stays(together != ticked))
    cut = [d.pk for d in same if (d.left_id in moved) != (d.right_id in moved)]
    statements = _between(moved, stayed) + _joined(wish, moved, others)
    return Plan(
        wish,
        statements,
        tuple(sorted(set(moved) - ticked)),
        [*cut, *wish.retracting],
        _keeper(wish, moved, stayed),
    )


def _keeper(wish: Wish, moved: Sequence[int], stayed: Sequence[int]) -> int | None:
    """Return the record to keep the id on: the oldest of the part that would lose it.

    None when that is the smaller part, or has the id of the customer it moves to, or of nobody:
    records taken out singly are no part.
    """
    holder = holdings([*moved, *stayed]).holder(wish.customer_id)
    loses, keeps = (stayed, moved) if holder in moved else (moved, stayed)
    is_one_part = loses is stayed or wish.kind == Kind.SPLIT or len(moved) == 1
    if wish.kind == Kind.MOVE and loses is moved:
        return None
    return loses[0] if is_one_part and len(loses) >= len(keeps) else None


def _nothing_stays(has_companions: bool) -> str:  # noqa: FBT001
    if has_companions:
        return _("Decisions join all other records with the ticked ones, so nothing would stay.")
    return _("At least one record must stay with the customer.")


def _joined(wish: Wish, moved: list[int], others: list[int]) -> list[tuple[int, int, Verdict]]:
    """Return what joins the records that leave: with each other, or with another customer."""
    if wish.kind == Kind.UNLINK:
        return []
    if wish.kind == Kind.SPLIT:
        return _star(moved)
    if not others or wish.other_id == wish.customer_id:
        raise RepairRefused(_("Name the other customer by an id that is in use."))
    return [_said(others[0], record, Verdict.SAME) for record in moved]


@kept_objects(Decision)
def _same_among(record_ids: Collection[int]) -> QuerySet[Decision]:
    same = Decision.objects.in_force().filter(verdict=Verdict.SAME)
    return same.filter(among("left", record_ids), among("right", record_ids)).order_by("pk")


def _star(records: Sequence[int]) -> list[tuple[int, int, Verdict]]:
    """Return that all records are one person: each is the same as the first."""
    return [_said(records[0], record, Verdict.SAME) for record in records[1:]]


def _between(some: Iterable[int], others: Iterable[int]) -> list[tuple[int, int, Verdict]]:
    """Return that nobody here is anybody there."""
    others = list(others)
    return [_said(one, other, Verdict.DIFFERENT) for one in some for other in others]


def _said(one: int, other: int, verdict: Verdict) -> tuple[int, int, Verdict]:
    return min(one, other), max(one, other), verdict


def _want_reason(wish: Wish, said: Circumstances) -> None:
    if wish.kind == Kind.LINK and not said.reason and not has_evidence(wish):
        raise RepairRefused(_("No evidence links these customers: say why they are one person."))
    if said.reason == Decision.Reason.OTHER and not said.note:
        raise RepairRefused(_("Write the other reason into the note."))


def has_evidence(wish: Wish) -> bool:
    """Return whether the last search found any likeness between the two customers of a wish."""
    ours = Q(left__customer=wish.customer_id, right__customer=wish.other_id)
    theirs = Q(left__customer=wish.other_id, right__customer=wish.customer_id)
    return PairEvidence.objects.filter(ours | theirs, score__gte=0).exists()
