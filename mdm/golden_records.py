"""Golden records of many customers at once, written only where something changed."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils.timezone import now

from mdm import audited
from mdm.birth_ids import public_id
from mdm.events import Change, Kind, record_changes
from mdm.golden_facts import derive, members_of, pins_of
from mdm.golden_rows import GoldenRow, Member, Outline, born_row, candidate_of, golden_row
from mdm.kept_queries import kept
from mdm.key_sets import among
from mdm.models import ATTRIBUTES, GoldenRecord, SourceRecord
from mdm.survivorship import Candidate, Rule, Survivors, survive
from mdm.survivorship_rules import rules_in_force

_FEW = 100
_DERIVED = ("record_count", "quality", "search_text")
_COLUMNS = ("customer_id", *ATTRIBUTES, "lineage", *_DERIVED, "version", "updated_at")


def consolidate(customer_ids: Iterable[int], *, told: Sequence[Change] = ()) -> int:
    """Bring the golden records of these customers up to date. Returns how many changed.

    `told` is what happened to them before their values changed, for the outbox.

    A live customer with an active record has one golden record; every other has none. Call it
    inside the transaction that changed the records, with some thousand customers at most; a range
    stands for all the customers in it.
    """
    found = differences(customer_ids)
    _write(found, told)
    return found.count


def give_birth(newborns: Sequence[tuple[int, Outline]]) -> None:
    """Insert the golden records of customers born with source records that were just inserted.

    Nothing is read: there is no other member, no pin yet, and no rule decides about one record.
    """
    rows = [(key, born_row(key, public_id(key), outline)) for key, outline in newborns]
    _write(Differences(rows, [], []))


@dataclass(frozen=True, slots=True)
class Differences:
    """Golden rows as they should be, where they are not: to add, to change, keys to remove."""

    new: list[tuple[int, GoldenRow]]
    changed: list[tuple[int, int, GoldenRow, list[str]]]
    """Key, version it is to have, row, and the attributes that read otherwise."""
    gone: list[int]

    @property
    def count(self) -> int:
        """How many golden records differ from their facts."""
        return len(self.new) + len(self.changed) + len(self.gone)


def differences(customer_ids: Iterable[int]) -> Differences:
    """Compare the stored golden records of these customers with what their facts say."""
    keys = customer_ids if isinstance(customer_ids, range) else sorted(set(customer_ids))
    fresh = derive(keys, rules_in_force())
    found = Differences([], [], [])
    asked: Collection[int] = keys
    if len(keys) > _FEW and not isinstance(keys, range):
        # Many customers that have just been joined: of those that go, half, only keys are read.
        asked = sorted(fresh)
        stored = GoldenRecord.objects.filter(among("pk", keys)).order_by("pk")
        found.gone.extend(stored.exclude(among("pk", asked)).values_list("pk", flat=True))
    for key, version, *row in _stored(asked):
        if key not in fresh:
            found.gone.append(key)
            continue
        wanted = fresh.pop(key)
        if not _is_same(row, wanted):
            found.changed.append((key, version + 1, wanted, _unlike(row, wanted)))
    found.new.extend(sorted(fresh.items()))
    return found


@kept
def _stored(customer_ids: Collection[int]) -> "QuerySet[GoldenRecord, tuple[Any, ...]]":
    stored = GoldenRecord.objects.filter(among("pk", customer_ids)).order_by("pk")
    lineage = Cast("lineage", TextField())
    return stored.values_list("pk", "version", *ATTRIBUTES, lineage, *_DERIVED)


def _is_same(stored: Sequence[Any], wanted: GoldenRow) -> bool:
    """Compare a stored row; a lineage that was written in another way may say the same."""
    values, (lineage, *rest) = tuple(stored[: len(ATTRIBUTES)]), stored[len(ATTRIBUTES) :]
    if values != wanted.values or tuple(rest) != wanted[2:]:
        return False
    return bool(lineage == wanted.lineage or json.loads(lineage) == json.loads(wanted.lineage))


def _unlike(stored: Sequence[Any], wanted: GoldenRow) -> list[str]:
    """Return the attributes in which two golden rows differ."""
    pairs = zip(ATTRIBUTES, stored, wanted.values, strict=False)  # The rest is no value.
    return [name for name, old, new in pairs if old != new]


def outlook(record_ids: Iterable[int]) -> Survivors:
    """Return the golden values that these records would have as one customer; nothing is written.

    They are chosen as `consolidate` chooses them, from the active records and their pins.
    """
    keys = sorted(record_ids)
    members = members_of(among("pk", keys) & Q(status=SourceRecord.Status.ACTIVE))
    pins = pins_of(among("record", keys))
    return survive(
        [member.candidate for member in chain.from_iterable(members.values())],
        list(chain.from_iterable(pins.values())),
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
    rules, pins = rules_in_force(), pins_of(among("record__customer", keys))
    fresh = {
        key: golden_row(members, pins.get(key, ()), rules, "").values
        for key, members in _members_after(keys, changes).items()
    }
    found = [Prospect(key, row, fresh.get(key)) for key, row in _values_now(keys).items()]
    return [prospect for prospect in found if prospect.before != prospect.after]


def prospects_under(rules: Mapping[str, Rule], customer_ids: Sequence[int]) -> list[Prospect]:
    """Return the golden records that would change by these rules; nothing is written."""
    fresh = derive(customer_ids, rules)
    found = [
        Prospect(key, row, fresh[key].values if key in fresh else None)
        for key, row in _values_now(customer_ids).items()
        if row is not None
    ]
    return [prospect for prospect in found if prospect.before != prospect.after]


def _values_now(keys: Collection[int]) -> dict[int, tuple[Any, ...] | None]:
    """Return the stored golden values of every one of these customers, None where none are."""
    stored = GoldenRecord.objects.filter(among("pk", keys)).values_list("pk", *ATTRIBUTES)
    return {**dict.fromkeys(keys), **{key: tuple(values) for key, *values in stored}}


def _members_after(
    keys: Sequence[int], changes: Mapping[int, RecordValues | None]
) -> dict[int, list[Member]]:
    """Return the records each customer would be derived from."""
    contributing = Q(status=SourceRecord.Status.ACTIVE) | Q(pk__in=changes)
    after: dict[int, list[Member]] = defaultdict(list)
    for customer, members in members_of(contributing & among("customer", keys)).items():
        for member in members:
            candidate = member.candidate
            change = changes.get(candidate.record_id, candidate)
            if isinstance(change, RecordValues):
                member = member._replace(candidate=_changed(candidate, change))
            if change is not None:
                after[customer].append(member)
    return after


def _changed(candidate: Candidate, change: RecordValues) -> Candidate:
    record, source, trust = candidate[:3]
    return candidate_of(record, source, trust, change.updated_at, change.issues, change.values)


def _write(found: Differences, told: Sequence[Change] = ()) -> None:
    moment = now()
    new = [(key, *row.values, *row[1:], 1, moment) for key, row in found.new]
    audited.add(GoldenRecord, _COLUMNS, new)
    changed = [(key, *row.values, *row[1:], v, moment) for key, v, row, _ in found.changed]
    audited.change(GoldenRecord, _COLUMNS, changed)
    audited.remove(GoldenRecord, found.gone)
    values = [
        Change(key, Kind.VALUE_CHANGED, details=attributes)
        for key, _version, _row, attributes in found.changed
        if attributes
    ]
    record_changes([*told, *values])
