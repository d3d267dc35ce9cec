"""The records behind a figure of data quality: what came, what became of it, what is doubtful."""

from collections.abc import Sequence
from dataclasses import dataclass

from mdm.doubts import HasIssue
from mdm.lineage import lines_of
from mdm.mapping import MappingError
from mdm.mapping_parsing import parse_mapping
from mdm.models import FieldMapping, SourceRecord, SourceSystem
from mdm.quality_pictures import issue_sentence, issue_severity

ROWS_PER_PAGE = 50
# Attributes whose values may come from a column mapped to another one.
_ALSO_FROM = {
    **dict.fromkeys(("civility", "given_name", "family_name", "birth_name"), ("full_name",)),
    **dict.fromkeys(("street_number", "street"), ("address_line", "full_address")),
    **dict.fromkeys(("postcode", "city", "country"), ("full_address",)),
    "phone": ("other_phone",),
    "other_phone": ("phone",),
    "sex": ("civility", "full_name"),
}
# Those that came from another column only where they have none of their own.
_ELSE_FROM = {"postcode": ("city",)}


@dataclass(frozen=True, slots=True)
class FoundIssue:
    """One thing noticed in the attribute of a record."""

    severity: str
    sentence: str


@dataclass(frozen=True, slots=True)
class DoubtfulRecord:
    """One record with the attribute as it came (column → cell) and as it was standardised."""

    record: SourceRecord
    received: dict[str, str]
    standard: str
    issues: list[FoundIssue]


@dataclass(frozen=True, slots=True)
class Page:
    """Some records in the order of their keys; `next_after` leads to more, None at the end."""

    records: list[DoubtfulRecord]
    next_after: int | None


def doubtful_records(
    source: SourceSystem, attribute: str, code: str = "", *, after: int = 0
) -> Page:
    """Return a page of a source's active records with an issue in an attribute.

    It goes on after a key instead of counting pages: the last page is as quick as the first, in
    four queries.
    """
    found = list(
        SourceRecord.objects.active()
        .filter(HasIssue(attribute, code), source=source, pk__gt=after)
        .prefetch_related("customer", "batch")  # A join would be planned over all records.
        .order_by("pk")[: ROWS_PER_PAGE + 1]
    )
    shown = found[:ROWS_PER_PAGE]
    columns = _columns(shown, attribute)
    return Page(
        [_told(record, attribute, columns[record.batch.mapping_id]) for record in shown],
        shown[-1].pk if len(found) > ROWS_PER_PAGE else None,
    )


def _columns(records: Sequence[SourceRecord], attribute: str) -> dict[int, list[str]]:
    """Return the columns that hold an attribute, by the key of each mapping in use."""
    mappings = FieldMapping.objects.in_bulk({record.batch.mapping_id for record in records})
    return {key: columns_of(mapping, attribute) for key, mapping in mappings.items()}


def columns_of(mapping: FieldMapping, attribute: str) -> list[str]:
    """Return the columns of a mapping that hold an attribute, also together with others."""
    wanted = (attribute, *_ALSO_FROM.get(attribute, ()))
    return _named(mapping, wanted) or _named(mapping, _ELSE_FROM.get(attribute, ()))


def _named(mapping: FieldMapping, attributes: Sequence[str]) -> list[str]:
    try:
        return [column.name for column in parse_mapping(mapping.document).named(*attributes)]
    except MappingError:
        return []  # Written for an earlier release: the records are shown without what came.


def _told(record: SourceRecord, attribute: str, columns: Sequence[str]) -> DoubtfulRecord:
    return DoubtfulRecord(
        record=record,
        received={name: record.raw[name] for name in columns if record.raw.get(name)},
        standard=standard_value(record, attribute),
        issues=[
            FoundIssue(issue_severity(code), issue_sentence(code))
            for name, code in record.issues
            if name == attribute
        ],
    )


def standard_value(record: SourceRecord, attribute: str) -> str:
    """Return what an attribute, also one that is split, is in a record, as pages show it."""
    if attribute == "full_name":
        return record.full_name
    if attribute == "address_line":
        return f"{record.street_number} {record.street}".strip()
    return " ".join(lines_of(record, attribute)) if hasattr(record, attribute) else ""
