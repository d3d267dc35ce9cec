"""What a person gave herself, for another controller to read (GDPR 20): pure.

Her own words and what she did: who she is and where she is reached as her records tell, what she
bought, what she chose, what she asked. No score, nothing derived, nothing that a broker told.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mdm.models import ATTRIBUTES

_Rows = Sequence[Mapping[str, Any]]

# The sex may be implied by the civility, so it is not what she said.
_SAID = tuple(name for name in ATTRIBUTES if name != "sex")
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "source_records": ("source", "source_key", "created_in_source", "updated_in_source", *_SAID),
    "sales": ("source", "source_key", "reference", "sold_on", "amount", "product_family"),
    "contracts": (
        "source",
        "source_key",
        "reference",
        "starts_on",
        "ends_on",
        "product_family",
    ),
    "consent_events": ("event", "channel", "purpose", "contact_point", "occurred_at"),
    "pauses": ("contact_point", "starts_at", "ends_at"),
    "sign_ups": ("asked_at", "email", "given_name", "family_name", "phone", "choices"),
    "requests": ("right", "received_at", "message"),
}
_KEYS = frozenset({"source", "source_key"})
# What a file of a broker says of consents is the broker's word.
_OTHERS_WORD = frozenset({"broker", "system", "staff"})


def provided(tables: Mapping[str, _Rows]) -> dict[str, list[dict[str, Any]]]:
    """Return the tables of a pack as far as the person provided them."""
    bought = {
        (row["source"], row["source_key"]) for row in tables["source_records"] if row["broker"]
    }
    return {
        name: [
            {column: row[column] for column in columns}
            for row in tables[name]
            if (row.get("source"), row.get("source_key")) not in bought
            and row.get("by") not in _OTHERS_WORD
        ]
        for name, columns in _COLUMNS.items()
    }


def provided_lines(tables: Mapping[str, _Rows]) -> Iterator[tuple[str, ...]]:
    """Yield the same as lines of one table: a header, then one line for each value known."""
    yield "table", "row", "source", "source_key", "attribute", "value"
    for name, rows in tables.items():
        for number, row in enumerate(rows, start=1):
            origin = str(row.get("source") or ""), str(row.get("source_key") or "")
            for attribute, value in row.items():
                if attribute not in _KEYS and value not in (None, "", []):
                    said = ", ".join(value) if isinstance(value, list) else str(value)
                    yield name, str(number), *origin, attribute, said
