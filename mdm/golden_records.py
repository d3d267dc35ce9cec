"""Golden records of many customers at once, written only where something changed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db.models import Q
from django.utils.timezone import now

from mdm import bulk
from mdm.audit import record_history
from mdm.birth_ids import public_id
from mdm.events import Change, Kind, record_changes
from mdm.golden_rows import FIRST_VALUE, RECORD_FIELDS, Outline, candidate_of, golden_row
from mdm.models import (
    ATTRIBUTES,
    Customer,
    GoldenRecord,
    Pin,
    SourceRecord,
)
from mdm.survivorship import PinnedValue, Rule, Survivors, survive
from mdm.survivorship_rules import rules_in_force

_COMPARED = (*ATTRIBUTES, "lineage", "record_count", "quality", "search_text")
_PIN_FIELDS = ("pk", "attribute", "value", "kind", "record")


def consolidate(customer_ids: Iterable[int]) -> int:
    """Bring the golden records of these customers up to date. Returns how many changed.

    A live customer with an active record has one golden record; every other has none. Call it
    inside the transaction that changed the records, with some thousand customers at most.
    """
    found = differences(customer_ids)
    _write(found)
    return found.count


def give_birth(newborns: Sequence[tuple[int, Outline]]) -> None:
    """Insert the golden records of customers born with source records that were just inserted.

    Nothing is read: there is no other member, no pin yet, and no rule decides about one record.
    """
    moment = now()
    rows = [
        (
            key,
            *outline.values,
            {group: [key, None, "only"] for group in outline.groups},
            1,
            outline.quality,
            f"{outline.words} {public_id(key).lower()}",
            1,
            moment,
        )
        for key, outline in newborns
    ]
    _write(Differences(rows, [], []))


@dataclass(frozen=True, slots=True)
class Differences:
    """Golden rows as they should be, where they are not: to add, to change, keys to remove."""

    new: list[tuple[Any, ...]]
    changed: list[tuple[Any, ...]]
    gone: list[int]
    attributes: dict[int, list[str]] = field(default_factory=dict)
    """Changed golden record → the attributes that read otherwise."""

    @property
    def count(self) -> int:
        """How many golden records differ from their facts."""
        return len(self.new) + len(self.changed) + len(self.gone)


def differences(customer_ids: Iterable[int]) -> Differences:
    """Compare the stored golden records of these customers with what their facts say."""
    keys = sorted(set(customer_ids))
    fresh = _derive(keys, rules_in_force())
    stored = GoldenRecord.objects.filter(pk__in=keys)
    present = {row[0]: row[1:] for row in stored.values_list("pk", "version", *_COMPARED)}
    moment = now()
    return Differences(
        new=[(key, *row, 1, moment) for key, row in fresh.items() if key not in present],
        changed=[
            (key, *row, present[key][0] + 1, moment)
            for key, row in fresh.items()
            if key in present and present[key][1:] != row
        ],
        gone=[key for key in present if key not in fresh],
        attributes={
            key: attributes
            for key, row in fresh.items()
            if key in present and (attributes := _unlike(present[key][1:], row))
        },
    )


def _unlike(before: Sequence[Any], after: Sequence[Any]) -> list[str]:
    """Return the attributes in which two golden rows differ."""
    pairs = zip(ATTRIBUTES, before, after, strict=False)  # The rest is no value.
    return [name for name, old, new in pairs if old != new]


def outlook(record_ids: Iterable[int]) -> Survivors:
    """Return the golden values that these records would have as one customer; nothing is written.

    They are chosen as `consolidate` chooses them, from the active records and their pins.
    """
    keys = sorted(record_ids)
    records = SourceRecord.objects.active().filter(pk__in=keys).order_by("pk")
    pins = Pin.objects.filter(record__in=keys, retracted_at=None)
    return survive(
        [candidate_of(row) for row in records.values_list(*RECORD_FIELDS)],
        [
            PinnedValue(pk, attribute, _as_values(value), kind, record)
            for pk, attribute, value, kind, record in pins.values_list(*_PIN_FIELDS)
        ],
        rules_in_force(),
    )


class RecordValues(NamedTuple):
    """What a source record may come to say: when, what is wrong with it, and its values."""

    updated_at: datetime | None
    issues: Sequence[tuple[str, str]]
    values: tuple[Any, ...]  # In the order of ATTRIBUTES.


class Prospect(NamedTuple):
    """The golden values of a customer now and after a change; None where there is no record."""

    customer_id: int
    before: tuple[Any, ...] | None
    after: tuple[Any, ...] | None


def prospects(changes: Mapping[int, RecordValues | None]) -> list[Prospect]:
    """Return the golden records that would change with these records; nothing is written.

    `changes` says by key what each record would hold, None for one that would contribute nothing.
    """
    touched = SourceRecord.objects.filter(pk__in=changes)
    keys = sorted(set(touched.values_list("customer_id", flat=True)))
    rules = rules_in_force()
    fresh = {
        key: golden_row(rows, pins, rules, "")
        for key, (rows, pins) in _members_after(keys, changes).items()
    }
    stored = GoldenRecord.objects.filter(pk__in=keys)
    present = {row[0]: row[1:] for row in stored.values_list("pk", *ATTRIBUTES)}
    found = [
        Prospect(key, present.get(key), fresh[key][: len(ATTRIBUTES)] if key in fresh else None)
        for key in keys
    ]
    return [prospect for prospect in found if prospect.before != prospect.after]


def prospects_under(rules: Mapping[str, Rule], customer_ids: Sequence[int]) -> list[Prospect]:
    """Return the golden records that would change by these rules; nothing is written."""
    fresh = _derive(customer_ids, rules)
    stored = GoldenRecord.objects.filter(pk__in=customer_ids).order_by("pk")
    found = [
        Prospect(key, tuple(values), fresh[key][: len(ATTRIBUTES)] if key in fresh else None)
        for key, *values in stored.values_list("pk", *ATTRIBUTES)
    ]
    return [prospect for prospect in found if prospect.before != prospect.after]


def _members_after(
    keys: Sequence[int], changes: Mapping[int, RecordValues | None]
) -> dict[int, tuple[list[tuple[Any, ...]], Sequence[PinnedValue]]]:
    """Return the rows each customer would be derived from, with her pins."""
    members: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    contributing = Q(status=SourceRecord.Status.ACTIVE) | Q(pk__in=changes)
    records = SourceRecord.objects.filter(contributing, customer__in=keys).order_by("pk")
    for row in records.values_list(*RECORD_FIELDS):
        change = changes.get(row[0], row)
        if change is None:
            continue
        if isinstance(change, RecordValues):
            row = (
                *row[:3],
                change.updated_at,
                change.issues,
                *row[5:FIRST_VALUE],
                *change.values,
            )
        members[row[1]].append(row)
    pins = _pins(keys)
    return {key: (rows, pins.get(key, ())) for key, rows in members.items()}


def _write(found: Differences) -> None:
    columns = ("customer_id", *_COMPARED, "version", "updated_at")
    if found.new:
        bulk.insert(GoldenRecord, columns, found.new)
        record_history(GoldenRecord, [row[0] for row in found.new], "+")
    if found.changed:
        bulk.update(GoldenRecord, columns, found.changed)
        record_history(GoldenRecord, [row[0] for row in found.changed], "~")
        record_changes(
            [
                Change(key, Kind.VALUE_CHANGED, details=attributes)
                for key, attributes in found.attributes.items()
            ]
        )
    if found.gone:
        record_history(GoldenRecord, found.gone, "-")
        GoldenRecord.objects.filter(pk__in=found.gone)._raw_delete("default")


def _derive(keys: Sequence[int], rules: Mapping[str, Rule]) -> dict[int, tuple[Any, ...]]:
    """Compute the golden row of every customer that has an active record."""
    members: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    records = SourceRecord.objects.active().filter(customer__in=keys).order_by("pk")
    for row in records.values_list(*RECORD_FIELDS):
        members[row[1]].append(row)
    pins = _pins(keys)
    public_ids = dict(Customer.objects.filter(pk__in=keys).values_list("pk", "public_id"))
    return {
        key: golden_row(rows, pins.get(key, ()), rules, public_ids[key])
        for key, rows in members.items()
    }


def _pins(keys: Sequence[int]) -> dict[int, list[PinnedValue]]:
    pins: dict[int, list[PinnedValue]] = defaultdict(list)
    in_force = Pin.objects.filter(record__customer__in=keys, retracted_at=None)
    rows = in_force.values_list("record__customer_id", *_PIN_FIELDS)
    for customer, pk, attribute, value, kind, record in rows:
        pins[customer].append(PinnedValue(pk, attribute, _as_values(value), kind, record))
    return pins


def _as_values(value: Mapping[str, Any]) -> dict[str, Any]:
    """Read a pin's JSON ({attribute: value}) back into Python values."""
    values = dict(value)
    if values.get("birth_date"):
        values["birth_date"] = date.fromisoformat(values["birth_date"])
    return values
