"""The golden row of records as read from the database, or of one that is not stored yet: pure."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mdm.folding import fold
from mdm.quality import quality
from mdm.standardise.issues import is_doubtful
from mdm.standardise.record import ATTRIBUTES, Issue
from mdm.survivorship import GROUPS, Candidate, PinnedValue, Rule, Survivors, survive

# What is read of a source record.
RECORD_FIELDS = (
    "pk",
    "customer_id",
    "source__trust",
    "source_updated_at",
    "issues",
    "source_key",
    "source_id",
    *ATTRIBUTES,
)
FIRST_VALUE = len(RECORD_FIELDS) - len(ATTRIBUTES)


class Outline(NamedTuple):
    """The golden row of a customer with one record, but for what hangs on the record's key.

    `values` are in the order of ATTRIBUTES, `groups` those that say something, `words` the text
    to search in without the customer's id.
    """

    values: tuple[Any, ...]
    groups: tuple[str, ...]
    quality: int
    words: str


def outline(source_key: str, issues: Sequence[Issue], values: Sequence[Any]) -> Outline:
    """Return the outline of a record that nobody knew."""
    # Trust, date and source only compare a record with others.
    row = (0, 0, 0, None, issues, source_key, 0, *values)
    *golden, lineage, _count, figure, words = golden_row([row], (), {}, "")
    return Outline(tuple(golden), tuple(lineage), figure, words.strip())


def golden_row(
    rows: list[tuple[Any, ...]],
    pins: Sequence[PinnedValue],
    rules: Mapping[str, Rule],
    public_id: str,
) -> tuple[Any, ...]:
    candidates = [candidate_of(row) for row in rows]
    survivors = survive(candidates, pins, rules)
    golden = [
        survivors.values.get(name, None if name == "birth_date" else "") for name in ATTRIBUTES
    ]
    return (
        *golden,
        survivors.lineage,
        len(rows),
        quality(survivors.values, _faulty(survivors, candidates)),
        _search_text(rows, public_id),
    )


def _faulty(survivors: Survivors, candidates: Sequence[Candidate]) -> set[str]:
    """Return the attributes whose winning record has a doubt about them."""
    doubts = {c.record_id: c.faulty for c in candidates if c.faulty}
    if not doubts:  # Most customers.
        return set()
    return {
        name
        for group, (record_id, _pin, _strategy) in survivors.lineage.items()
        for name in doubts.get(record_id, frozenset()).intersection(GROUPS[group])
    }


def candidate_of(row: tuple[Any, ...]) -> Candidate:
    pk, _customer, trust, updated_at, issues, _key, source, *values = row
    return Candidate(
        record_id=pk,
        source_id=source,
        trust=trust,
        updated_at=updated_at.timestamp() if updated_at else 0.0,
        faulty=frozenset(attribute for attribute, code in issues if is_doubtful(code)),
        values=dict(zip(ATTRIBUTES, values, strict=True)),
    )


_SEARCHED = tuple(
    ATTRIBUTES.index(name)
    for name in (
        "given_name",
        "family_name",
        "birth_name",
        "organisation",
        "email",
        "phone",
        "other_phone",
        "postcode",
        "city",
    )
)


def _search_text(rows: list[tuple[Any, ...]], public_id: str) -> str:
    """Every word any member carries, folded, once: old names and numbers find her too."""
    words: dict[str, None] = {}
    for row in rows:
        values = row[FIRST_VALUE:]
        for index in _SEARCHED:
            if values[index]:
                words.update(dict.fromkeys(fold(values[index]).split()))
        words[fold(row[5])] = None
    words[public_id.lower()] = None
    return " ".join(words)
