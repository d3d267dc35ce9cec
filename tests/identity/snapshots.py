"""The whole state of identity, to be compared: what an undo must bring back, byte for byte."""

import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from consent.models import PermissionState
from matching.models import ReviewTask
from mdm.models import ContactPoint, Customer, GoldenRecord, Pin, SourceRecord

# Counters and moments grow with every change, so that a page can tell that something happened.
_GROWING = {"version", "updated_at", "linked_at"}


def snapshot() -> str:
    """Return partition, ids, values, pins, permission states and open tasks as one text."""
    state = {
        "records": _rows(SourceRecord.objects, "pk", "customer_id", "link_rule", "status"),
        "customers": _rows(Customer.objects, "pk", "public_id", "status", "merged_into_id"),
        "golden": _rows(GoldenRecord.objects),
        "pins": _rows(Pin.objects),
        "permissions": _rows(
            PermissionState.objects.order_by("customer", "contact_point", "channel", "purpose"),
            *(f.attname for f in PermissionState._meta.concrete_fields if f.attname != "id"),
        ),
        "shared": _rows(ContactPoint.objects, "pk", "shared_by"),
        "tasks": _rows(
            ReviewTask.objects.filter(state="open").order_by("left", "right"),
            "left_id",
            "right_id",
            "kind",
            "reason",
            "rival_id",
        ),
    }
    return json.dumps(state, cls=DjangoJSONEncoder, indent=1, sort_keys=True)


def _rows(rows: Any, *columns: str) -> list[dict[str, Any]]:
    ordered = rows if getattr(rows, "ordered", False) else rows.order_by("pk")
    return [
        {name: value for name, value in row.items() if name not in _GROWING}
        for row in ordered.values(*columns)
    ]
