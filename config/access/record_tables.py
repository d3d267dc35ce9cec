"""Tables of who a person is: records as they came, golden records, ids, purchases, decisions."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from config.access.subject import Subject
from config.access.table import Table
from matching.models import Decision, PairEvidence, Repair
from mdm.models import (
    ATTRIBUTES,
    AccessLog,
    Alias,
    ContactPoint,
    Contract,
    Customer,
    CustomerAct,
    CustomerEvent,
    GoldenRecord,
    Pin,
    RecordContactPoint,
    Relation,
    Sale,
    SourceRecord,
)
from mdm.survivorship import GROUPS

Rows = Iterable[Sequence[Any]]


def _records(subject: Subject) -> Rows:
    for record in subject.records:
        yield (
            record.source.label,
            record.source_key,
            record.source.broker,
            record.status,
            record.source_created_at,
            record.source_updated_at,
            record.batch.file_name,
            record.line,
            record.batch.created_at,
            record.link_rule,
            record.link_score,
            record.linked_at,
            record.issues,
            *subject.veil.values(record).values(),
        )


def _versions(subject: Subject) -> Iterator[Any]:
    """Yield the versions of her records that differ from the one before, the oldest first."""
    lines = SourceRecord.history.filter(id__in=subject.keys)
    before: dict[int, Any] = {}
    for line in lines.select_related("source", "batch__mapping").order_by(
        "id", "history_date", "history_id"
    ):
        said = (line.raw, line.status, *(getattr(line, name) for name in ATTRIBUTES))
        if before.get(line.id) != said:
            before[line.id] = said
            yield line


def _record_versions(subject: Subject) -> Rows:
    for line in _versions(subject):
        values = subject.veil.values(line).values()
        yield (line.source.label, line.source_key, line.history_date, line.status, *values)


def _cells(subject: Subject) -> Rows:
    for line in _versions(subject):
        for column, cell in subject.veil.cells(line, subject.mapping_of(line)).items():
            yield line.source.label, line.source_key, line.history_date, column, cell


def _contact_points(subject: Subject) -> Rows:
    for one in subject.carried:
        point = one.contact_point
        if (display := subject.veil.point(point)) is not None:
            record = subject.by_key[one.record_id]
            yield (
                point.kind,
                display,
                point.status,
                point.audience,
                one.attribute,
                record.source.label,
                record.source_key,
            )


def golden_values(subject: Subject, golden: Any) -> Iterator[tuple[str, Any, int | None, str]]:
    """Yield what a golden record says by her own records: attribute, value, record, rule.

    While others were taken for her it also said what their records told: that is theirs.
    """
    values = subject.veil.values(golden)
    pins = {pin.pk for pin in subject.pins}
    for group, (record, pin, rule) in golden.lineage.items():
        if record in subject.by_key or pin in pins:
            for attribute in GROUPS[group]:
                if values[attribute] not in ("", None):
                    yield attribute, values[attribute], record, rule


def _golden(subject: Subject) -> Rows:
    for golden in GoldenRecord.objects.filter(pk=subject.customer.pk):
        for attribute, value, record, rule in golden_values(subject, golden):
            yield attribute, value, *subject.name_of(record), rule, golden.updated_at


def _golden_versions(subject: Subject) -> Rows:
    issued = {customer.pk: customer.display_id for customer in subject.ids}
    last: dict[tuple[int, str], Any] = {}
    lines = GoldenRecord.history.filter(customer_id__in=subject.id_keys)
    for line in lines.order_by("history_date", "history_id"):
        for attribute, value, record, rule in golden_values(subject, line):
            place = line.customer_id, attribute
            if last.get(place) != (value, record):
                last[place] = (value, record)
                told = line.history_date, issued[line.customer_id], attribute, value
                yield *told, *subject.name_of(record), rule


def _pins(subject: Subject) -> Rows:
    for pin in subject.pins:
        yield (
            *subject.name_of(pin.record_id),
            pin.attribute,
            pin.kind,
            pin.value,
            pin.reason,
            pin.created_at,
            pin.retracted_at,
        )


def _ids(subject: Subject) -> Rows:
    for issued in subject.ids:
        role = "merged" if issued.merged_into_id else "live"
        yield issued.display_id, role, issued.status, issued.created_at, None, None
    for alias in subject.aliases:
        if alias.record_id in subject.by_key:
            kept = alias.customer.display_id, "kept", alias.customer.status
            yield *kept, alias.created_at, alias.retracted_at, alias.reason


def _events(subject: Subject) -> Rows:
    correlations = {event.correlation for event in subject.events}
    acts = CustomerAct.objects.filter(pk__in=correlations).values_list("pk", "reason")
    reasons: Mapping[Any, str] = dict(acts)
    issued = {customer.pk: customer.display_id for customer in subject.ids}
    for event in subject.events:
        changed = event.details if event.kind == CustomerEvent.Kind.VALUE_CHANGED else None
        yield (
            event.at,
            issued[event.customer_id],
            event.number,
            event.kind,
            *subject.name_of(event.record_id),
            issued.get(event.other_id or 0),
            changed,
            reasons.get(event.correlation),
        )


def _decisions(subject: Subject) -> Rows:
    for decision in subject.decisions:
        ours, other = decision.pair
        if ours not in subject.by_key:
            ours, other = other, ours
        is_told = other in subject.told_records
        yield (
            decision.decided_at,
            decision.verdict,
            *subject.name_of(ours),
            *subject.name_of(other),
            decision.repair.kind if decision.repair else None,
            decision.reason,
            decision.note if is_told else None,
            decision.retracted_at,
        )


def _comparisons(subject: Subject) -> Rows:
    keys = subject.keys
    pairs = PairEvidence.objects.filter(left__in=keys, right__in=keys).order_by("left", "right")
    for pair in pairs:
        left, right = subject.name_of(pair.left_id), subject.name_of(pair.right_id)
        yield *left, *right, pair.score, pair.automatic


def _sales(subject: Subject) -> Rows:
    sales = Sale.objects.filter(record__in=subject.keys).order_by("sold_on", "pk")
    for sale in sales.select_related("contact_point"):
        yield (
            *subject.name_of(sale.record_id),
            sale.reference,
            sale.sold_on,
            sale.amount,
            sale.product_family,
            subject.veil.point(sale.contact_point),
        )


def _contracts(subject: Subject) -> Rows:
    for contract in Contract.objects.filter(record__in=subject.keys).order_by("starts_on", "pk"):
        yield (
            *subject.name_of(contract.record_id),
            contract.reference,
            contract.starts_on,
            contract.ends_on,
            contract.product_family,
        )


def _relations(subject: Subject) -> Rows:
    for relation in subject.added_relations:
        is_left = relation.left_id in subject.by_key
        other = relation.right if is_left else relation.left
        yield (
            relation.kind,
            other.customer.display_id,
            relation.holds,
            relation.reason,
            relation.created_at,
            relation.retracted_at,
        )


def _records_of_others(subject: Subject) -> Rows:
    for record in subject.added_records:
        values = subject.veil.values(record).values()
        yield record.source.label, record.source_key, record.status, *values


def _accesses(subject: Subject) -> Rows:
    ids = [issued.public_id for issued in subject.ids]
    return AccessLog.objects.filter(reference__in=ids).order_by("pk").values_list("at", "action")


_NAME = ("source", "source_key")
_OTHER = ("other_source", "other_source_key")

TABLES = (
    Table(
        "source_records",
        _("Source records, as standardised"),
        (
            *_NAME,
            "broker",
            "status",
            "created_in_source",
            "updated_in_source",
            "file",
            "line",
            "loaded_at",
            "link_rule",
            "link_score",
            "linked_at",
            "issues",
            *ATTRIBUTES,
        ),
        frozenset({SourceRecord}),
        _records,
    ),
    Table(
        "source_record_versions",
        _("Earlier and present versions of source records"),
        (*_NAME, "recorded_at", "status", *ATTRIBUTES),
        frozenset({SourceRecord.history.model}),
        _record_versions,
    ),
    Table(
        "received_cells",
        _("Source records, cell by cell as they came"),
        (*_NAME, "recorded_at", "column", "value"),
        frozenset({SourceRecord}),
        _cells,
    ),
    Table(
        "contact_points",
        _("Contact points"),
        ("kind", "value", "status", "audience", "attribute", *_NAME),
        frozenset({ContactPoint, RecordContactPoint}),
        _contact_points,
    ),
    Table(
        "golden_record",
        _("Golden record"),
        ("attribute", "value", *_NAME, "chosen_by", "updated_at"),
        frozenset({GoldenRecord}),
        _golden,
    ),
    Table(
        "golden_record_versions",
        _("Versions of the golden record"),
        ("recorded_at", "customer_id", "attribute", "value", *_NAME, "chosen_by"),
        frozenset({GoldenRecord.history.model}),
        _golden_versions,
    ),
    Table(
        "pins",
        _("Values that staff chose"),
        (*_NAME, "attribute", "kind", "value", "reason", "chosen_at", "taken_back_at"),
        frozenset({Pin}),
        _pins,
    ),
    Table(
        "customer_ids",
        _("Customer ids"),
        ("customer_id", "role", "status", "since", "taken_back_at", "reason"),
        frozenset({Customer, Alias}),
        _ids,
    ),
    Table(
        "customer_events",
        _("What happened to the customer"),
        ("at", "customer_id", "number", "event", *_NAME, "other_id", "changed", "reason"),
        frozenset({CustomerEvent, CustomerAct}),
        _events,
    ),
    Table(
        "decisions",
        _("Decisions about the records"),
        (
            "decided_at",
            "verdict",
            *_NAME,
            *_OTHER,
            "act",
            "reason",
            "note",
            "taken_back_at",
        ),
        frozenset({Decision, Repair}),
        _decisions,
    ),
    Table(
        "comparisons",
        _("Comparisons of the records by machine"),
        (*_NAME, *_OTHER, "score", "automatic"),
        frozenset({PairEvidence}),
        _comparisons,
    ),
    Table(
        "sales",
        _("Purchases"),
        (*_NAME, "reference", "sold_on", "amount", "product_family", "contact_point"),
        frozenset({Sale}),
        _sales,
    ),
    Table(
        "contracts",
        _("Contracts"),
        (*_NAME, "reference", "starts_on", "ends_on", "product_family"),
        frozenset({Contract}),
        _contracts,
    ),
    Table(
        "relations",
        _("Relations with other people"),
        ("kind", "other_customer", "holds", "reason", "since", "taken_back_at"),
        frozenset({Relation}),
        _relations,
    ),
    Table(
        "records_of_others",
        _("Records that are another person's today"),
        (*_NAME, "status", *ATTRIBUTES),
        frozenset({SourceRecord}),
        _records_of_others,
    ),
    Table(
        "accesses",
        _("When staff opened the file"),
        ("at", "action"),
        frozenset({AccessLog}),
        _accesses,
    ),
)
