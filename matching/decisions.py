"""What stewards say of records: said once, in force until retracted, carried out at once."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils.formats import date_format
from django.utils.timezone import localtime, now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from matching.foresight import Foresight, foresee
from matching.kept_ids import aliases_of, settle_ids
from matching.models import Decision, Repair, ReviewTask, to_ruling
from matching.neighbourhood import Homes, lock_neighbourhood
from matching.rechecks import basis_of, stale_siblings
from matching.rulings import Ruling, contradiction
from matching.standing import decisions_around, rulings_of
from matching.versions import check_versions_around
from mdm import audited, bulk
from mdm.aliases import give_back
from mdm.audit import acting_as
from mdm.kept_queries import kept, kept_objects
from mdm.key_sets import among
from mdm.models import Alias, SourceRecord
from mdm.reasons import reason_of
from mdm.staff import staff_name
from mdm.turns import in_one_turn

Verdict = Decision.Verdict
Pair = tuple[int, int]


class ContradictsDecisions(Exception):
    """Earlier decisions say otherwise; `decisions` is the chain that does, in order."""

    def __init__(self, decisions: list[Decision]) -> None:
        self.decisions = decisions
        super().__init__(
            _("This contradicts earlier decisions: %(chain)s Take one of them back first.")
            % {"chain": " ".join(sentence(decision) for decision in decisions)}
        )


class AlreadyRetracted(Exception):
    """The decision is no longer in force."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """How a decision came about: kept with it, and without effect on what follows."""

    reason: str = ""
    note: str = ""
    score_shown: float | None = None
    seconds: float | None = None
    is_blind: bool = False


@in_one_turn
def decide(
    one: int,
    other: int,
    verdict: Verdict,
    *,
    by: User,
    circumstances: Circumstances | None = None,
    retracting: Collection[int] = (),
    idempotency_key: str | None = None,
) -> Decision:
    """Record what a steward says of two records and carry it out with all that follows.

    It takes the place of an earlier decision on the same pair, and of those named in
    `retracting`. The same idempotency key decides once: the first decision is returned.

    Raises:
        ContradictsDecisions: when decisions on other pairs say otherwise; nothing is written.
    """
    pair = (min(one, other), max(one, other))
    homes = lock_neighbourhood(pair)
    if earlier := made_before(idempotency_key):
        return earlier
    return decide_locked(
        pair,
        verdict,
        by=by,
        homes=homes,
        circumstances=circumstances,
        retracting=retracting,
        idempotency_key=idempotency_key,
    )


def made_before(idempotency_key: str | None) -> Decision | None:
    """Return the decision that was made with this key."""
    if not idempotency_key:
        return None
    return Decision.objects.filter(idempotency_key=idempotency_key).first()


def decide_locked(
    pair: Pair,
    verdict: Verdict,
    *,
    by: User,
    homes: Homes,
    circumstances: Circumstances | None = None,
    retracting: Collection[int] = (),
    idempotency_key: str | None = None,
) -> Decision:
    """Decide on a pair, the older record first, whose locked neighbourhood is `homes`."""
    reason = reason_of(gettext_noop("Decision: %(verdict)s"), verdict=Verdict(verdict).label)
    with acting_as(by, reason):
        siblings = stale_siblings(pair, verdict)
        made = make_decisions(
            [(*pair, verdict) for pair in (pair, *siblings)],
            by=by,
            circumstances=circumstances or Circumstances(),
            retracting=retracting,
            repair=_renewal(pair, by=by) if siblings else None,
            idempotency_key=idempotency_key,
        )
        carry_out(made, by=by, reason=reason, homes=homes)
    return made[0]


def make_decisions(
    statements: Sequence[tuple[int, int, Verdict]],
    *,
    by: User,
    circumstances: Circumstances,
    retracting: Collection[int] = (),
    repair: Repair | None = None,
    idempotency_key: str | None = None,
) -> list[Decision]:
    """Store decisions on pairs (older record first) that are made as one; see `carry_out`.

    Call it with the neighbourhood locked, inside `acting_as`. Those named in `retracting`
    and those on the same pairs end with it, and come back with its undo.

    Raises:
        ContradictsDecisions: when others say otherwise.
    """
    named = {key for (key,) in _in_force_among(retracting)} if retracting else set()
    rulings = [r for left, right, verdict in statements if (r := to_ruling(left, right, verdict))]
    around = decisions_around(chain.from_iterable(statement[:2] for statement in statements))
    _refuse_contradiction(rulings, rulings_of(around, leaving_out=named))
    keys = bulk.allocate_ids(Decision, len(statements))
    places = {statement[:2]: key for key, statement in zip(keys, statements, strict=True)}
    ended = dict.fromkeys(named, keys[0])
    ended |= {said.key: places[said.pair] for said in around if said.pair in places}
    _end(ended, by=by)
    made = [
        Decision(id=places[left, right], left_id=left, right_id=right, verdict=verdict)
        for left, right, verdict in statements
    ]
    made[0].idempotency_key = idempotency_key
    _insert(made, by=by, circumstances=circumstances, repair=repair)
    return made


@in_one_turn
def retract(decision: Decision, *, by: User, versions: str = "") -> Decision:
    """Take a decision back: the records go where everything else says they belong.

    The decisions that it had ended come into force again. A decision made with others, as one
    repair, is taken back with them. `versions` is what the page saw of its customers.

    Raises:
        AlreadyRetracted: when it is not in force.
        matching.versions.CustomersChanged: when a customer is no longer what `versions` says.
        ContradictsDecisions: when a decision that would come back contradicts later ones.
    """
    homes = lock_neighbourhood(decision.pair)
    decision = Decision.objects.select_for_update().get(pk=decision.pk)
    if decision.retracted_at:
        raise AlreadyRetracted(_("This decision was already taken back."))
    taken_back = made_together(decision)
    check_versions_around(versions, (record for d in taken_back for record in d.pair))
    verdict = Verdict(decision.verdict).label
    reason = reason_of(gettext_noop("Decision undone: %(verdict)s"), verdict=verdict)
    with acting_as(by, reason):
        aliases = take_back(taken_back, by=by)
        carry_out(taken_back, by=by, reason=reason, homes=homes, aliases=aliases)
    decision.refresh_from_db()
    return decision


def take_back(decisions: Sequence[Decision], *, by: User) -> list[Alias]:
    """End decisions and bring back those that they had ended; see `carry_out`.

    Returns the ids given back with their repairs. Call it with the neighbourhood locked,
    inside `acting_as`.

    Raises:
        ContradictsDecisions: when one that would come back contradicts others.
    """
    back, replaced = _ended_for(decisions)
    if back:
        refuse_contradiction(
            [ruling for d in back if (ruling := d.ruling)], leaving_out=[d.pk for d in decisions]
        )
    _hand_on([d for d in decisions if d.retracted_at])
    _end(dict.fromkeys(d.pk for d in decisions if not d.retracted_at), by=by)
    for pk, later in replaced.items():
        Decision.objects.filter(pk=pk).update(ended_by=later)
    audited.change(Decision, _STATE, [(d.pk, None, None, None) for d in back])
    repairs, moment = sorted({d.repair_id for d in decisions if d.repair_id}), now()
    undone = [(key, moment, by.pk) for key in repairs]
    audited.change(Repair, ("id", "undone_at", "undone_by_id"), undone)
    aliases = aliases_of(decisions)
    if aliases:
        give_back([alias.pk for alias in aliases], by=by)
    return aliases


def coming_back(decisions: Sequence[Decision]) -> list[Decision]:
    """Return the decisions that come into force again when these are taken back."""
    return _ended_for(decisions)[0]


def _ended_for(decisions: Sequence[Decision]) -> tuple[list[Decision], dict[int, int]]:
    """Return what these decisions had ended: what comes back, and what a later one replaces.

    A pair that was decided anew since stays so: the later word counts.
    """
    gone = {d.pk for d in decisions if d.retracted_at is None}
    ended = _ended_by(gone)
    pairs = _on_pairs(d.pair for d in ended) if ended else {}
    later = {pair: key for pair, key in pairs.items() if key not in gone}
    back = [d for d in ended if d.pair not in later]
    return back, {d.pk: later[d.pair] for d in ended if d.pair in later}


@kept_objects(Decision)
def _ended_by(keys: Collection[int]) -> QuerySet[Decision]:
    return Decision.objects.filter(among("ended_by", keys)).order_by("pk")


@kept
def _in_force_among(keys: Collection[int]) -> "QuerySet[Decision, tuple[int]]":
    return Decision.objects.in_force().filter(among("pk", keys)).values_list("pk")


@kept_objects(Decision)
def decisions_of_repair(repair_ids: Collection[int]) -> QuerySet[Decision]:
    """Return the decisions that make up repairs, as they were made."""
    return Decision.objects.filter(among("repair", repair_ids)).order_by("pk")


def made_together(decision: Decision) -> list[Decision]:
    """Return the decisions that stand and fall with this one: those of its repair."""
    if decision.repair_id is None:
        return [decision]
    return decisions_of_repair([decision.repair_id])


def foresee_retract(decision: Decision) -> Foresight:
    """Return what taking a decision back would change today, computed without writing.

    Raises:
        ContradictsDecisions: when it would be refused.
    """
    taken_back = made_together(decision)
    back = coming_back(taken_back)
    rulings = [ruling for d in back if (ruling := d.ruling)]
    keys = [d.pk for d in taken_back]
    refuse_contradiction(rulings, leaving_out=keys)
    return foresee(
        rulings,
        without=[d.pair for d in taken_back if d.retracted_at is None],
        given_back=[alias for alias in aliases_of(taken_back) if alias.retracted_at is None],
    )


def sentence(decision: Decision) -> str:
    """Say a decision in one sentence, without anybody's name but the steward's."""
    words = {
        Verdict.SAME: _("%(steward)s said on %(day)s that %(left)s and %(right)s are one person."),
        Verdict.DIFFERENT: _(
            "%(steward)s said on %(day)s that %(left)s and %(right)s are two people."
        ),
        Verdict.UNSURE: _("%(steward)s was unsure on %(day)s about %(left)s and %(right)s."),
    }
    return words[Verdict(decision.verdict)] % {
        "steward": staff_name(decision.decided_by),
        "day": date_format(localtime(decision.decided_at), "SHORT_DATE_FORMAT"),
        "left": f"{decision.left.source} {decision.left.source_key}",
        "right": f"{decision.right.source} {decision.right.source_key}",
    }


def carry_out(
    decisions: Sequence[Decision],
    *,
    by: User,
    reason: str,
    homes: Homes,
    aliases: Sequence[Alias] = (),
) -> None:
    """Settle the neighbourhood of decisions made or taken back, and of ids that move along.

    `homes` is the neighbourhood as it was locked before.
    """
    records = {record for d in decisions for record in d.pair}
    settle_ids(aliases, records=records, by=by, reason=reason, locked=homes)
    for decision in (d for d in decisions if d.verdict == Verdict.UNSURE or d.is_blind):
        # A colleague may look at once; the queue leaves the pair out for this steward.
        ReviewTask.objects.filter(left=decision.left_id, right=decision.right_id).update(
            leased_by=None, leased_until=None
        )


def refuse_contradiction(new: Sequence[Ruling], *, leaving_out: Iterable[int] = ()) -> None:
    """Check rulings that come into force together against all others.

    Raises:
        ContradictsDecisions: with the decisions in force that contradict one of them.
    """
    around = decisions_around(chain.from_iterable(ruling[:2] for ruling in new))
    _refuse_contradiction(new, rulings_of(around, leaving_out=leaving_out))


def _refuse_contradiction(new: Sequence[Ruling], known: Sequence[Ruling]) -> None:
    for ruling in new:
        against = contradiction(known, ruling)
        if against:
            raise ContradictsDecisions(_decisions_of(against))
        known = [*(r for r in known if r[:2] != ruling[:2]), ruling]


def _decisions_of(against: Iterable[Ruling]) -> list[Decision]:
    """Return the stored decisions of a chain, in its order."""
    pairs = [ruling[:2] for ruling in against]
    keys = _on_pairs(pairs)
    found = Decision.objects.select_related("left__source", "right__source", "decided_by").in_bulk(
        list(keys.values())
    )
    return [found[keys[pair]] for pair in pairs if pair in keys]


def _on_pairs(pairs: Iterable[Pair]) -> dict[Pair, int]:
    """Return the key of the decision in force on each of these pairs that has one."""
    wanted = set(pairs)
    rows = Decision.objects.in_force().filter(left__in={left for left, _right in wanted})
    found = {(left, right): pk for pk, left, right in rows.values_list("pk", "left", "right")}
    return {pair: found[pair] for pair in wanted if pair in found}


_COLUMNS = [field.attname for field in Decision._meta.concrete_fields]
_STATE = ("id", "retracted_at", "retracted_by_id", "ended_by_id")


def _insert(
    decisions: Sequence[Decision],
    *,
    by: User,
    circumstances: Circumstances,
    repair: Repair | None,
) -> None:
    digests, moment = basis_of({record for d in decisions for record in d.pair}), now()
    for made in decisions:
        made.basis = digests[made.left_id] + digests[made.right_id]
        made.repair, made.decided_by, made.decided_at = repair, by, moment
        for name, value in asdict(circumstances).items():
            setattr(made, name, value)
        made._state.adding = False
    rows = [[getattr(made, name) for name in _COLUMNS] for made in decisions]
    audited.add(Decision, _COLUMNS, rows)


def _end(ended: Mapping[int, int | None], *, by: User) -> None:
    """Take decisions out of force: decision -> the one it is ended for, None by itself."""
    moment = now()
    audited.change(
        Decision,
        _STATE,
        [(key, moment, by.pk, reason) for key, reason in sorted(ended.items())],
    )


def _hand_on(decisions: Iterable[Decision]) -> None:
    """Let what came after decisions stand for what they had ended: they never come back."""
    for decision in decisions:
        decision.ended.update(ended_by=decision.ended_by_id)
        Decision.objects.filter(pk=decision.pk).update(ended_by=None)


def _renewal(pair: Pair, *, by: User) -> Repair:
    record = SourceRecord.objects.get(pk=pair[0])
    return Repair.objects.create(
        kind=Repair.Kind.RENEW, customer_id=record.customer_id, done_by=by
    )
