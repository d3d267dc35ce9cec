"""A customer as she was at an instant of the past, read from events and history.

Who belonged to her is what her events told until then; what she and her records said is the last
line of their history. Nothing is derived anew: rules that changed since do not rewrite the past.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeVar

from django.db import models

from mdm.models import Customer, CustomerEvent, GoldenRecord, SourceRecord

Kind = CustomerEvent.Kind
M = TypeVar("M", bound=models.Model)


def customer_at(customer_id: int, at: datetime) -> Customer | None:
    """Return the id as it was: its status and where it led; None when it was not born yet."""
    return _as_they_were(Customer, [customer_id], at).get(customer_id)


def member_ids_at(customer_id: int, at: datetime) -> list[int]:
    """Return the records that belonged to a customer, the oldest first."""
    members: set[int] = set()
    events = CustomerEvent.objects.filter(customer=customer_id, at__lte=at, record__isnull=False)
    for kind, record in events.order_by("number").values_list("kind", "record"):
        if kind == Kind.LEFT:
            members.discard(record)
        else:
            members.add(record)
    return sorted(members)


def records_at(record_ids: Iterable[int], at: datetime) -> list[SourceRecord]:
    """Return records as they were, with their source, the oldest first."""
    found = _as_they_were(SourceRecord, record_ids, at, "source")
    return [found[key] for key in sorted(found)]


def golden_at(customer_id: int, at: datetime) -> GoldenRecord | None:
    """Return the golden record as it was; None where there was none."""
    return _as_they_were(GoldenRecord, [customer_id], at).get(customer_id)


def _as_they_were(
    model: type[M], keys: Iterable[int], at: datetime, *related: str
) -> dict[int, M]:
    """Return rows by key as their history tells of an instant; those that were not are missing."""
    history: Any = model.history.model  # type: ignore[attr-defined]
    fields = [field.attname for field in history.tracked_fields]
    key = model._meta.pk.attname
    lines = history.objects.filter(**{f"{key}__in": list(keys), "history_date__lte": at})
    latest: dict[int, Any] = {}
    for line in lines.select_related(*related).order_by("history_date", "history_id"):
        latest[getattr(line, key)] = line
    found = {}
    for number, line in latest.items():
        if line.history_type != "-":
            found[number] = model(**{name: getattr(line, name) for name in fields})
            for name in related:
                setattr(found[number], name, getattr(line, name))
    return found
