"""The facts that golden records are derived from, read set-based and without model instances."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from mdm.birth_ids import public_id
from mdm.golden_rows import (
    GoldenRow,
    Member,
    born_row,
    faulty_attributes,
    golden_row,
    outline_of,
)
from mdm.instants import instant_of
from mdm.kept_queries import kept
from mdm.key_sets import among
from mdm.models import ATTRIBUTES, Pin, SourceRecord
from mdm.survivorship import Candidate, PinnedValue, Rule

_PIN_FIELDS = ("pk", "attribute", "value", "kind", "record")
_ACTIVE = Q(status=SourceRecord.Status.ACTIVE)


def derive(keys: Collection[int], rules: Mapping[str, Rule]) -> dict[int, GoldenRow]:
    """Return the golden row of every one of these customers that has an active record."""
    pins = _pins_by_customer(_pins_of_customers(keys))
    return {
        customer: _lone_row(rows[0], public_id(customer))
        if len(rows) == 1 and customer not in pins  # Most customers.
        else golden_row(
            list(map(_member, rows)), pins.get(customer, ()), rules, public_id(customer)
        )
        for customer, rows in _by_customer(_active_rows_of(keys)).items()
    }


def members_of(which: Q) -> dict[int, list[Member]]:
    """Return the records of a condition by customer, the oldest first."""
    rows = _by_customer(_rows_of(which))
    return {key: list(map(_member, those)) for key, those in rows.items()}


_Row = tuple[Any, ...]
_COLUMNS = ("customer_id", "source_key", "pk", "source_id", "source__trust")


def _rows_of(which: Q) -> "QuerySet[SourceRecord, _Row]":
    """Return what is stored of the records of a condition, the oldest first."""
    # Moments and issues are read as text: most are never looked into.
    texts = [Cast(name, TextField()) for name in ("source_updated_at", "issues")]
    records = SourceRecord.objects.filter(which).order_by("pk")
    return records.values_list(*_COLUMNS, *texts, *ATTRIBUTES)


@kept
def _active_rows_of(customer_ids: Collection[int]) -> "QuerySet[SourceRecord, _Row]":
    return _rows_of(_ACTIVE & among("customer", customer_ids))


def _by_customer(rows: Iterable[_Row]) -> dict[int, list[_Row]]:
    found: dict[int, list[_Row]] = defaultdict(list)
    for row in rows:
        found[row[0]].append(row)
    return found


def _lone_row(row: _Row, public_id: str) -> GoldenRow:
    """Return the golden row of a customer's only record."""
    born = outline_of(row[1], _faulty_in(row[6]), row[7:])
    return born_row(row[2], public_id, born)


def _member(row: _Row) -> Member:
    customer, key, record, source, trust, moment, issues = row[:7]
    seconds = instant_of(moment).timestamp() if moment else 0.0
    return Member(
        customer, key, Candidate(record, source, trust, seconds, _faulty_in(issues), row[7:])
    )


def pins_of(which: Q) -> dict[int, list[PinnedValue]]:
    """Return the pins in force of a condition, by customer."""
    return _pins_by_customer(_pins(which))


def _pins(which: Q) -> "QuerySet[Pin, _Row]":
    rows = Pin.objects.filter(which, retracted_at=None).order_by("pk")
    return rows.values_list("record__customer_id", *_PIN_FIELDS)


@kept
def _pins_of_customers(customer_ids: Collection[int]) -> "QuerySet[Pin, _Row]":
    return _pins(among("record__customer", customer_ids))


def _pins_by_customer(rows: Iterable[_Row]) -> dict[int, list[PinnedValue]]:
    pins: dict[int, list[PinnedValue]] = defaultdict(list)
    for customer, pk, attribute, value, kind, record in rows:
        pins[customer].append(PinnedValue(pk, attribute, _as_values(value), kind, record))
    return pins


def _as_values(value: Mapping[str, Any]) -> dict[str, Any]:
    """Read a pin's JSON ({attribute: value}) back into Python values."""
    values = dict(value)
    if values.get("birth_date"):
        values["birth_date"] = date.fromisoformat(values["birth_date"])
    return values


@lru_cache(maxsize=10_000)
def _faulty_in(issues: str) -> frozenset[str]:
    """Return the faulty attributes of issues as stored: few combinations are common."""
    listed: Sequence[tuple[str, str]] = json.loads(issues)
    return faulty_attributes(listed)
