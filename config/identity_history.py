"""What people said about who a customer is: every repair and decision, and how to take it back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext as _

from config.templatetags.kit import duration
from matching.decisions import sentence
from matching.models import Decision, Repair
from matching.neighbourhood import read_facts
from matching.weak_spots import WeakSpot, weak_spots
from mdm.models import Customer, SourceRecord
from mdm.staff import staff_name

_LATEST = 30


@dataclass(frozen=True, slots=True)
class Act:
    """One repair, or one decision of the review page."""

    at: datetime
    by: str
    words: str
    tone: str
    reason: str
    note: str
    undo_name: str
    """What the undo form names: `repair` or `decision`."""
    undo_key: int
    is_in_force: bool
    circumstances: str
    """How it came about: answered blind, in what time; empty for a repair."""
    ended: str
    """When and by whom it ended, empty while it is in force."""


@dataclass(frozen=True, slots=True)
class Hanging:
    """A link that alone holds a customer together, with its records."""

    left: SourceRecord
    right: SourceRecord
    score: float | None
    parts: tuple[tuple[SourceRecord, ...], tuple[SourceRecord, ...]]


def identity_history(customer: Customer, record_ids: Sequence[int]) -> list[Act]:
    """Return what was said of a customer's records, the latest first."""
    touching = Q(left__in=record_ids) | Q(right__in=record_ids)
    done_here = Q(repair__customer=customer) | Q(repair__other=customer)
    decisions = (
        Decision.objects.filter(touching | done_here)
        .select_related("left__source", "right__source", "decided_by", "retracted_by")
        .select_related(
            "repair__done_by", "repair__undone_by", "repair__other", "repair__customer"
        )
        .order_by("-pk")[: _LATEST * 10]
    )
    repairs: dict[int, list[Decision]] = {}
    alone: list[Decision] = []
    for decision in decisions:
        if decision.repair_id:
            repairs.setdefault(decision.repair_id, []).append(decision)
        else:
            alone.append(decision)
    labels = _labels(record for rows in repairs.values() for record in _moved(rows))
    acts = [_of_repair(rows, labels, seen_from=customer) for rows in repairs.values()]
    acts += [_of_decision(decision) for decision in alone]
    return sorted(acts, key=lambda act: act.at, reverse=True)[:_LATEST]


def hanging_parts(records: Sequence[SourceRecord]) -> list[Hanging]:
    """Return the links that alone hold a customer's records together, the weakest first."""
    by_key = {record.pk: record for record in records}
    facts = read_facts(by_key)
    spots = weak_spots(by_key, facts.evidence, facts.rulings)
    return [_hanging(spot, by_key) for spot in spots if spot.score is not None]


def _hanging(spot: WeakSpot, by_key: Mapping[int, SourceRecord]) -> Hanging:
    first, second = (tuple(by_key[key] for key in part) for part in spot.parts)
    return Hanging(by_key[spot.left], by_key[spot.right], spot.score, (first, second))


def _moved(decisions: Iterable[Decision]) -> list[int]:
    repair = next(iter(decisions)).repair
    return list(repair.record_ids) if repair else []


def _labels(record_ids: Iterable[int]) -> dict[int, str]:
    """Return each record as source and key, in one query."""
    keys = set(record_ids)
    records = SourceRecord.objects.filter(pk__in=keys).select_related("source") if keys else ()
    return {record.pk: f"{record.source} {record.source_key}" for record in records}


def _of_repair(
    decisions: Sequence[Decision], labels: Mapping[int, str], *, seen_from: Customer
) -> Act:
    first, repair = decisions[-1], decisions[-1].repair
    assert repair is not None  # noqa: S101  (grouped by it)
    moved = [labels[key] for key in repair.record_ids if key in labels]
    other = repair.customer if repair.other == seen_from else repair.other
    details = [", ".join(moved), str(other) if other else ""]
    kept = _("the number stayed with the larger part") if repair.alias_id else ""
    return Act(
        at=repair.done_at,
        by=staff_name(repair.done_by),
        words=_told(repair.get_kind_display(), " → ".join(filter(None, details)), kept),
        tone="same" if repair.kind in _JOINING else "conflict",
        reason=first.get_reason_display(),
        note=first.note,
        undo_name="repair",
        undo_key=repair.pk,
        circumstances="",
        is_in_force=repair.undone_at is None,
        ended=_("undone by %(who)s") % {"who": staff_name(repair.undone_by)}
        if repair.undone_at
        else "",
    )


def _told(*parts: str) -> str:
    """Return parts as one line; French writes the colon with a space before it."""
    return _(": ").join(filter(None, parts))


_JOINING = (Repair.Kind.LINK, Repair.Kind.CONFIRM)
_TONES = {
    Decision.Verdict.SAME: "same",
    Decision.Verdict.DIFFERENT: "conflict",
    Decision.Verdict.UNSURE: "close",
}


def _of_decision(decision: Decision) -> Act:
    return Act(
        at=decision.decided_at,
        by=staff_name(decision.decided_by),
        words=sentence(decision),
        tone=_TONES[Decision.Verdict(decision.verdict)],
        reason=decision.get_reason_display(),
        note=decision.note,
        undo_name="decision",
        undo_key=decision.pk,
        circumstances=_circumstances(decision),
        is_in_force=decision.retracted_at is None,
        ended=_how_it_ended(decision),
    )


def _circumstances(decision: Decision) -> str:
    told = [_("answered blind")] if decision.is_blind else []
    if decision.seconds:
        told.append(_("in %(time)s") % {"time": duration(decision.seconds)})
    return " ".join(told)


def _how_it_ended(decision: Decision) -> str:
    if decision.retracted_at is None:
        return ""
    who = {"who": staff_name(decision.retracted_by)}
    if decision.ended_by_id:
        return _("replaced by a decision of %(who)s") % who
    return _("undone by %(who)s") % who
