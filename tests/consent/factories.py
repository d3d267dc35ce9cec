"""Consent events for tests: recorded as the ledger does, states brought up to date."""

from datetime import datetime, timedelta
from typing import Any

from django.utils.timezone import now

from consent.ledger import NewEvent, record_events
from consent.models import ConsentEvent, PolicyVersion, Purpose, QuarantineDecision, SampleDraw
from consent.policy_documents import document_of
from consent.policy_packs import FR_2026_11
from consent.projection import project
from mdm.models import ContactPoint, Customer, LoadBatch, SourceRecord
from tests.factories import UserFactory


def email_of(record: SourceRecord) -> ContactPoint:
    """Return the contact point of a record's e-mail address."""
    return ContactPoint.objects.get(kind="email", value=record.email.casefold())


def marketing() -> Purpose:
    """Return the default purpose of prospecting."""
    return Purpose.objects.get(code="marketing")


def record_event(
    record: SourceRecord,
    kind: str,
    *,
    channel: str = "email",
    purpose: Purpose | None = None,
    point: ContactPoint | None = None,
    occurred_at: datetime | None = None,
    **traits: Any,
) -> ConsentEvent:
    """Record one event, nine days old and by the person on a form unless told otherwise.

    A grant without contact point and purpose gets the record's e-mail address and marketing.
    """
    if kind in {"given", "confirmed"}:
        purpose, point = purpose or marketing(), point or email_of(record)
    new = NewEvent(
        record_id=record.pk,
        type=kind,
        channel=channel,
        purpose_id=purpose.pk if purpose else None,
        contact_point_id=point.pk if point else None,
        occurred_at=occurred_at or now() - timedelta(days=9),
        fact=(record.pk, ConsentEvent.objects.count()),
        **{"actor_type": "person", "evidence_level": 2, **traits},
    )
    record_events([new])
    project(Customer.objects.filter(merged_into=None).values_list("pk", flat=True))
    return ConsentEvent.objects.get(source_event_id=new.source_event_id)


def release(batch: LoadBatch) -> None:
    """Release a broker's file of one claim, whose proof was seen."""
    officer = UserFactory()
    draw = SampleDraw.objects.create(batch=batch, seed="1", claim_count=1, drawn_by=officer)
    QuarantineDecision.objects.create(
        draw=draw,
        outcome="released",
        sampled_count=1,
        proved_count=1,
        percent_needed=95,
        decided_by=officer,
    )


def enact(*, begins_at: datetime | None = None, **parameters: Any) -> PolicyVersion:
    """Make the pack delivered the law with other parameters, by default since yesterday."""
    version = PolicyVersion.objects.count() + 1
    return PolicyVersion.objects.create(
        version=version,
        code=f"FR-TEST.{version}",
        status="active",
        parameters={**document_of(FR_2026_11), **parameters},
        begins_at=begins_at or now() - timedelta(days=1),
        signed_by=UserFactory(),
        activated_by=UserFactory(),
    )
