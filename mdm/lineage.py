"""Why a golden record says what it says: every value with its winner, its losers and the rule."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from mdm.golden_rows import candidate_of
from mdm.models import ATTRIBUTES, ContactPoint, GoldenRecord, PersonValues, Pin, SourceRecord
from mdm.staff import staff_name
from mdm.survivorship import (
    ADDRESS,
    DEFAULT_RULES,
    GROUPS,
    OTHER_PHONE,
    PinnedValue,
    Rule,
    defeats,
)


@dataclass(frozen=True, slots=True)
class Loser:
    """A different value that a record gave, and why it did not survive, in a sentence."""

    record: SourceRecord
    lines: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class ExplainedValue:
    """One golden value (an address has several lines) and why it stands there.

    `agreeing` of the `stating` records say exactly this; `contact_point` is the one it is, which
    knows how many people share it.
    """

    group: str
    label: str
    lines: tuple[str, ...]
    winner: SourceRecord | None
    origin: str
    reason: str
    losers: tuple[Loser, ...]
    agreeing: int
    stating: int
    is_pinned: bool
    contact_point: ContactPoint | None

    @property
    def is_disputed(self) -> bool:
        """True when a record says something else."""
        return bool(self.losers)


def explain(
    golden: GoldenRecord,
    records: Sequence[SourceRecord],
    pins: Mapping[int, Pin],
    contact_points: Sequence[ContactPoint],
    rules: Mapping[str, Rule] = DEFAULT_RULES,
) -> list[ExplainedValue]:
    """Return the golden values that are known, in the order of pages, each with its reason.

    `records` are the active members with their source, `rules` those in force; nothing is
    queried.
    """
    points = {(point.kind, point.value): point for point in contact_points}
    by_key = {record.pk: record for record in records}
    return [
        _explain_one(golden, group, by_key, pins, points, rules[group])
        for group in GROUPS
        if group in golden.lineage
    ]


def label_of(group: str) -> str:
    """Return the name of an attribute, or of the address as a whole."""
    if group == ADDRESS:
        return _("address")
    return _LABELS[group]()


_LABELS = {
    field.name: partial(str, field.verbose_name) for field in PersonValues._meta.local_fields
}


def lines_of(values: PersonValues, group: str) -> tuple[str, ...]:
    """Return a value as people read it; nothing when it is unknown."""
    if group == ADDRESS:
        return _address_lines(values)
    value = getattr(values, group)
    if isinstance(value, date):
        return (date_format(value, "DATE_FORMAT"),)
    display = getattr(values, f"get_{group}_display", None)
    text = str(display() if display else value)
    return (text,) if value else ()


def _address_lines(values: PersonValues) -> tuple[str, ...]:
    lines = (
        f"{values.street_number} {values.street}".strip(),
        values.address_complement,
        f"{values.postcode} {values.city}".strip(),
    )
    known = tuple(line for line in lines if line)
    return (*known, values.country) if known and values.country not in {"", "FR"} else known


def _explain_one(
    golden: GoldenRecord,
    group: str,
    records: Mapping[int, SourceRecord],
    pins: Mapping[int, Pin],
    points: Mapping[tuple[str, str], ContactPoint],
    rule: Rule,
) -> ExplainedValue:
    record_id, pin_id, strategy = golden.lineage[group]
    lines = lines_of(golden, group)
    stated = [(record, said) for record in records.values() if (said := lines_of(record, group))]
    if group == OTHER_PHONE and golden.phone != golden.other_phone:
        stated = [(record, said) for record, said in stated if said != (golden.phone,)]
    agreeing = sum(said == lines for _record, said in stated)
    winner = records.get(record_id)
    is_disputed = agreeing < len(stated)
    why = _defeats(golden, group, records, pins.values(), rule) if is_disputed else {}
    return ExplainedValue(
        group=group,
        label=label_of(group),
        lines=lines,
        winner=winner,
        origin=winner.source.label if winner else "",
        reason=_reason(strategy, winner, pins.get(pin_id), agreeing, len(stated), rule),
        losers=tuple(_losers(stated, lines, why, rule)),
        agreeing=agreeing,
        stating=len(stated),
        is_pinned=pin_id is not None,
        contact_point=_contact_point(golden, group, winner, points),
    )


def _losers(
    stated: Sequence[tuple[SourceRecord, tuple[str, ...]]],
    lines: tuple[str, ...],
    why: Mapping[int, str],
    rule: Rule,
) -> Iterator[Loser]:
    """Yield the records that say something else, each with the reason it lost."""
    said = [spoken for _record, spoken in stated]
    for record, spoken in stated:
        if spoken != lines:
            words = {
                "source": record.source.label,
                "trust": rule.trust.get(record.source_id, record.source.trust),
                "day": _day(record),
                "count": said.count(spoken),
            }
            yield Loser(record, spoken, str(_DEFEATS.get(why.get(record.pk, ""), "")) % words)


_DEFEATS = {
    "whole": gettext_lazy("Lost: a part of an address only."),
    "valid": gettext_lazy("Lost: the value has a fault."),
    "trust": gettext_lazy("Lost: %(source)s is less trusted (%(trust)d)."),
    "recency": gettext_lazy("Lost: said earlier, on %(day)s."),
    "frequency": gettext_lazy("Lost: fewer records say so (%(count)d)."),
    "completeness": gettext_lazy("Lost: the value is less full."),
    "birth": gettext_lazy("Lost: nothing tells them apart, and the record is younger."),
    "pin": gettext_lazy("Lost: a steward's own value stands above it."),
    "preferred": gettext_lazy("Lost: a steward preferred another record."),
    "hidden": gettext_lazy("Hidden by a steward."),
}


def _defeats(
    golden: GoldenRecord,
    group: str,
    records: Mapping[int, SourceRecord],
    pins: Iterable[Pin],
    rule: Rule,
) -> dict[int, str]:
    """Return why the losers of a group lost, as far as the rules at hand chose the same winner."""
    candidates = [
        candidate_of(
            record.pk,
            record.source_id,
            record.source.trust,
            record.source_updated_at,
            record.issues,
            tuple(getattr(record, name) for name in ATTRIBUTES),
        )
        for record in records.values()
    ]
    words = [PinnedValue(p.pk, p.attribute, p.value, p.kind, p.record_id) for p in pins]
    lost = defeats(candidates, group, words, rule, phone=golden.phone)
    winner = golden.lineage[group][0]
    return {} if winner in lost else lost


def _contact_point(
    golden: GoldenRecord,
    group: str,
    winner: SourceRecord | None,
    points: Mapping[tuple[str, str], ContactPoint],
) -> ContactPoint | None:
    if group == ADDRESS:
        carried = winner.contact_points.all() if winner else ()
        return next((p for p in carried if p.kind == ContactPoint.Kind.POST), None)
    kind = _KINDS.get(group)
    return points.get((kind, getattr(golden, group).casefold())) if kind else None


_KINDS = {
    "email": ContactPoint.Kind.EMAIL.value,
    "phone": ContactPoint.Kind.PHONE.value,
    "other_phone": ContactPoint.Kind.PHONE.value,
}


def _reason(
    strategy: str,
    winner: SourceRecord | None,
    pin: Pin | None,
    agreeing: int,
    stating: int,
    rule: Rule,
) -> str:
    if strategy == "pin":
        return _pin_reason(pin)
    if winner is None:
        return _("The record it came from no longer counts.")
    if strategy == "preferred" and pin:
        return _preference_reason(pin, winner)
    words = {
        "source": winner.source.label,
        "key": winner.source_key,
        "trust": rule.trust.get(winner.source_id, winner.source.trust),
        "day": _day(winner),
        "agreeing": agreeing,
        "stating": stating,
    }
    return _strategy_reason(strategy, stating) % words


def _strategy_reason(strategy: str, stating: int) -> str:
    """Return the sentence of a strategy, with places for what it tells."""
    match strategy:
        case "only":
            return _("Only %(source)s %(key)s gives it.")
        case "agreed":
            return ngettext(
                "The %(stating)d record that gives it agrees.",
                "All %(stating)d records that give it agree.",
                stating,
            )
        case "whole":
            return _("%(source)s %(key)s gives a whole address; the others give a part of one.")
        case "valid":
            return _("%(source)s %(key)s gives it without fault; the other values have one.")
        case "trust":
            return _("%(source)s %(key)s is the most trusted source that gives it (%(trust)d).")
        case "recency":
            return _("%(source)s %(key)s said it last, on %(day)s.")
        case "frequency":
            return _("Most records say so: %(agreeing)d of %(stating)d.")
        case "completeness":
            return _("%(source)s %(key)s gives the fullest value.")
        case _:
            return _("Nothing tells them apart: the oldest record, %(source)s %(key)s, wins.")


def _preference_reason(pin: Pin, winner: SourceRecord) -> str:
    return _("%(user)s preferred %(source)s %(key)s on %(day)s: %(reason)s") % {
        "user": staff_name(pin.created_by),
        "source": winner.source.label,
        "key": winner.source_key,
        "day": date_format(pin.created_at, "SHORT_DATE_FORMAT"),
        "reason": pin.reason,
    }


def _pin_reason(pin: Pin | None) -> str:
    if pin is None:
        return _("Pinned by a steward.")
    return _("Pinned by %(user)s on %(day)s: %(reason)s") % {
        "user": staff_name(pin.created_by),
        "day": date_format(pin.created_at, "SHORT_DATE_FORMAT"),
        "reason": pin.reason,
    }


def _day(record: SourceRecord) -> str:
    if record.source_updated_at is None:
        return _("an unknown day")
    return date_format(record.source_updated_at, "SHORT_DATE_FORMAT")
