"""Factories of the ground app: the smallest valid rows, records with their customers."""

from collections.abc import Mapping, Sequence
from typing import Any

import factory
from django.db import transaction
from django.utils.timezone import now
from factory.django import DjangoModelFactory

from mdm import bulk, identity
from mdm.audit import record_history
from mdm.models import (
    ContactPoint,
    FieldMapping,
    Job,
    LoadBatch,
    RecordContactPoint,
    SourceRecord,
    SourceSystem,
)

_CONTACT_KINDS = {"email": "email", "phone": "phone", "other_phone": "phone"}


class SourceSystemFactory(DjangoModelFactory):
    """A source system."""

    class Meta:
        model = SourceSystem
        django_get_or_create = ("code",)

    code = "crm"
    label = factory.LazyAttribute(lambda source: source.code.upper())
    trust = 50


class FieldMappingFactory(DjangoModelFactory):
    """A mapping without columns."""

    class Meta:
        model = FieldMapping
        django_get_or_create = ("source", "version")

    source = factory.SubFactory(SourceSystemFactory)
    version = 1
    document = factory.Dict({"column": []})


class LoadBatchFactory(DjangoModelFactory):
    """A batch that was loaded."""

    class Meta:
        model = LoadBatch

    source = factory.SubFactory(SourceSystemFactory)
    mapping = factory.SubFactory(FieldMappingFactory, source=factory.SelfAttribute("..source"))
    file_name = "customers.csv"
    sha256 = "0" * 64
    mode = "delta"


class JobFactory(DjangoModelFactory):
    """A waiting job."""

    class Meta:
        model = Job

    kind = "test"


def make_record(
    source: str = "crm", key: str | None = None, *, trust: int | None = None, **values: Any
) -> SourceRecord:
    """Store one source record with its customer, contact points and golden record, as a load does.

    `values` are attributes of SourceRecord; e-mail and phones become contact points.
    """
    return make_records([{"source": source, "key": key, "trust": trust, **values}])[0]


def make_records(rows: list[Mapping[str, Any]]) -> list[SourceRecord]:
    """Store several source records at once; each row as `make_record` takes it.

    However many: half the time of the tests that begin with a company went into its rows.
    """
    with transaction.atomic():
        keys = bulk.allocate_ids(SourceRecord, len(rows))
        _insert(keys, [dict(row) for row in rows])
        identity.give_birth(keys)
        record_history(SourceRecord, keys, "+")
        identity.refresh(keys, record_ids=keys)
    found = SourceRecord.objects.in_bulk(keys)
    return [found[key] for key in keys]


def _insert(keys: Sequence[int], rows: list[dict[str, Any]]) -> None:
    batches: dict[str, LoadBatch] = {}
    records = []
    for pk, row in zip(keys, rows, strict=True):
        code, trust = row.pop("source", "crm"), row.pop("trust", None)
        if code not in batches or trust is not None:
            batches[code] = _batch(code, trust)
        records.append(
            SourceRecord(
                pk=pk,
                source_id=batches[code].source_id,
                source_key=row.pop("key", None) or f"K{pk}",
                customer_id=pk,
                batch=batches[code],
                line=pk,
                content_hash="0" * 64,
                linked_at=now(),
                **row,
            )
        )
    SourceRecord.objects.bulk_create(records)
    _link_contact_points(records)


def _batch(code: str, trust: int | None) -> LoadBatch:
    known = LoadBatch.objects.filter(source__code=code).first()
    batch = known or LoadBatchFactory.create(source=SourceSystemFactory.create(code=code))
    if trust is not None:
        SourceSystem.objects.filter(code=code).update(trust=trust)
    return batch


def _link_contact_points(records: list[SourceRecord]) -> None:
    said = [
        (record.pk, attribute, (kind, value.casefold()), value)
        for record in records
        for attribute, kind in _CONTACT_KINDS.items()
        if (value := getattr(record, attribute))
    ]
    met = ContactPoint.objects.filter(value__in={place[1] for _pk, _name, place, _value in said})
    known = {(point.kind, point.value): point for point in met}
    new: dict[tuple[str, str], ContactPoint] = {}
    for _pk, _name, place, value in said:
        if place not in known:
            new.setdefault(place, ContactPoint(kind=place[0], value=place[1], display=value))
    known |= new
    ContactPoint.objects.bulk_create(new.values())
    RecordContactPoint.objects.bulk_create(
        RecordContactPoint(record_id=pk, contact_point=known[place], attribute=attribute)
        for pk, attribute, place, _display in said
    )
