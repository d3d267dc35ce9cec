"""The facts that golden records are derived from, read set-based and without model instances."""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from django.db.models import Q, TextField
from django.db.models.functions import Cast

from mdm.golden_rows import GoldenRow, Member, faulty_attributes, golden_row
from mdm.instants import instant_of
from mdm.key_sets import among
from mdm.models import ATTRIBUTES, Customer, Pin, SourceRecord
from mdm.survivorship import Candidate, PinnedValue, Rule

_PIN_FIELDS = ("pk", "attribute", "value", "kind", "record")
_ACTIVE = Q(status=SourceRecord.Status.ACTIVE)


def derive(keys: Collection[int], rules: Mapping[str, Rule]) -> dict[int, GoldenRow]:
    """Return the golden row of every one of these customers that has an active record."""
    pins = pins_of(among("record__customer", keys))
    customers = Customer.objects.filter(among("pk", keys))
    public_ids = dict(customers.values_list("pk", "public_id"))
    members = members_of(_ACTIVE & among("customer", keys))
    return {
        key: golden_row(mine, pins.get(key, ()), rules, public_ids[key])
        for key, mine in members.items()
    }


def members_of(which: Q) -> dict[int, list[Member]]:
    """Return the records of a condition by customer, the oldest first."""
    members: dict[int, list[Member]] = defaultdict(list)
    # Moments and issues are read as text: most are never looked into.
    rows = (
        SourceRecord.objects.filter(which)
        .order_by("pk")
        .values_list(
            "customer_id",
            "source_key",
            "pk",
            "source_id",
            "source__trust",
            Cast("source_updated_at", TextField()),
            Cast("issues", TextField()),
            *ATTRIBUTES,
        )
    )
    for customer, key, pk, source, trust, moment, issues, *values in rows:
        seconds = _seconds(moment) if moment else 0.0
        candidate = Candidate(pk, source, trust, seconds, _faulty_in(issues), tuple(values))
        members[customer].append(Member(customer, key, candidate))
    return members


def pins_of(which: Q) -> dict[int, list[PinnedValue]]:
    """Return the pins in force of a condition, by customer."""
    pins: dict[int, list[PinnedValue]] = defaultdict(list)
    rows = Pin.objects.filter(which, retracted_at=None).order_by("pk")
    for customer, pk, attribute, value, kind, record in rows.values_list(
        "record__customer_id", *_PIN_FIELDS
    ):
        pins[customer].append(PinnedValue(pk, attribute, _as_values(value), kind, record))
    return pins


def _as_values(value: Mapping[str, Any]) -> dict[str, Any]:
    """Read a pin's JSON ({attribute: value}) back into Python values."""
    values = dict(value)
    if values.get("birth_date"):
        values["birth_date"] = date.fromisoformat(values["birth_date"])
    return values


def _seconds(moment: str) -> float:
    return instant_of(moment).timestamp()


@lru_cache(maxsize=10_000)
def _faulty_in(issues: str) -> frozenset[str]:
    """Return the faulty attributes of issues as stored: few combinations are common."""
    listed: Sequence[tuple[str, str]] = json.loads(issues)
    return faulty_attributes(listed)
