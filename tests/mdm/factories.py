"""Factories of the ground app: the smallest valid rows, records with their customers."""

from collections.abc import Mapping
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
    """Store several source records at once; each row as `make_record` takes it."""
    with transaction.atomic():
        keys = bulk.allocate_ids(SourceRecord, len(rows))
        for pk, row in zip(keys, rows, strict=True):
            _insert(pk, dict(row))
        identity.give_birth(keys)
        record_history(SourceRecord, keys, "+")
        identity.refresh(keys, record_ids=keys)
    found = SourceRecord.objects.in_bulk(keys)
    return [found[key] for key in keys]


def _insert(pk: int, row: dict[str, Any]) -> None:
    source = SourceSystemFactory.create(code=row.pop("source", "crm"))
    trust = row.pop("trust", None)
    if trust is not None:
        SourceSystem.objects.filter(pk=source.pk).update(trust=trust)
    batch = LoadBatch.objects.filter(source=source).first() or LoadBatchFactory.create(
        source=source
    )
    key = row.pop("key", None) or f"K{pk}"
    SourceRecord.objects.bulk_create(
        [
            SourceRecord(
                pk=pk,
                source=source,
                source_key=key,
                customer_id=pk,
                batch=batch,
                line=pk,
                content_hash="0" * 64,
                linked_at=now(),
                **row,
            )
        ]
    )
    for attribute, kind in _CONTACT_KINDS.items():
        if row.get(attribute):
            point, _ = ContactPoint.objects.get_or_create(
                kind=kind,
                value=row[attribute].casefold(),
                defaults={"display": row[attribute]},
            )
            RecordContactPoint.objects.create(
                record_id=pk, contact_point=point, attribute=attribute
            )
