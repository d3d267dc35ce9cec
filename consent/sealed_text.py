"""The text of an event that is sealed: the same on both databases, byte for byte.

The database joins the columns, which is several times faster than fetching them one by one, and
Python hashes what it gives. Seventeen fields stand in a fixed order between bars; none can hold a
bar. A field that comes later is added at the end as `|name=value`, and only where it has a
value, so that what was sealed before keeps its text. The words of a notice stand in it by their
digest.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from consent.models import Evidence
from mdm.key_sets import key_set

_DATES = frozenset({"occurred_at", "recorded_at"})
_FIELDS = (
    "uuid",
    "source_record_id",
    "contact_point_id",
    "channel",
    "purpose_id",
    "type",
    "actor_type",
    "actor_id",
    "evidence_level",
    "claims_double_opt_in",
    "occurred_at",
    "recorded_at",
    "notice_version_id",
    "batch_id",
    "line",
    "annuls_id",
    "source_event_id",
)
NOTICE_JOIN = "LEFT JOIN consent_noticeversion n ON n.id = e.notice_version_id"
"""What a query over events `e` needs beside `event_text()`."""


def event_text() -> str:
    """Return the SQL expression of an event `e`'s text, its notice joined as `n`."""
    return " || '|' || ".join(_sql(name) for name in _FIELDS)


def _sql(name: str) -> str:
    column = f"e.{name}"
    if name == "notice_version_id":
        return "coalesce(n.sha256, '')"
    if connection.vendor != "postgresql":
        # A moment is stored in UTC, with six digits of a second or none.
        is_date = name in _DATES
        return f"coalesce(substr({column} || '.000000', 1, 26), '')" if is_date else _text(column)
    if name in _DATES:
        moment = f"to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
        return f"coalesce({moment}, '')"
    if name == "uuid":
        return f"replace({column}::text, '-', '')"
    if name == "claims_double_opt_in":
        return f"{column}::int::text"
    return f"coalesce({column}::text, '')"


def _text(column: str) -> str:
    return f"coalesce({column}, '')"


def proof_texts(event_ids: Sequence[int]) -> dict[int, bytes]:
    """Return the evidence of these events as text; an event without any is left out."""
    found: dict[int, list[list[Any]]] = defaultdict(list)
    rows = Evidence.objects.filter(events__in=key_set(event_ids)).order_by("uuid")
    for event_id, *fields in rows.values_list(
        "events",
        "uuid",
        "kind",
        "collection_point__code",
        "reference",
        "file_sha256",
        "form_origin",
        "requested_at",
        "requested_from",
        "confirmed_at",
        "confirmed_from",
    ):
        found[event_id].append([_plain(value) for value in fields])
    return {
        event_id: json.dumps(proofs, ensure_ascii=False, separators=(",", ":")).encode()
        for event_id, proofs in found.items()
    }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value) if value is not None else None
