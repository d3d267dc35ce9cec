"""Facts and questions for the gate: a customer who may be written to, and traits that differ."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from consent.facts import (
    Actor,
    EvidenceLevel,
    Facts,
    Offer,
    Permission,
    PersonFacts,
    PointFacts,
    Question,
    SaleFact,
    State,
)
from consent.permissions import Answer, decide
from consent.policy_packs import FR_2026_11

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
POINT_KINDS = {"email": "email", "post": "post", "social_audience": "email"}


def days_ago(days: int) -> datetime:
    """Return the moment `days` before the question."""
    return NOW - timedelta(days=days)


def permission(**traits: Any) -> Permission:
    """Build a consent by the person herself, on a form, a hundred days old."""
    given = Permission(
        state=State.GIVEN,
        since=days_ago(100),
        evidence=EvidenceLevel.FORM,
        actor=Actor.PERSON,
        event_id=7,
    )
    return given._replace(**traits)


def sale(**traits: Any) -> SaleFact:
    """Build a sale of shoes at which the contact point was collected."""
    return replace(SaleFact(1, days_ago(50), "shoes", contact_point_id=1), **traits)


def ask(
    channel: str = "email",
    *,
    at: datetime = NOW,
    person: dict[str, Any] | None = None,
    point: dict[str, Any] | None = None,
    offer: dict[str, Any] | None = None,
    policy: dict[str, Any] | None = None,
    is_dialling: bool = False,
) -> Answer:
    """Ask the gate about a consenting adult customer; each trait given changes one fact."""
    person_facts = replace(PersonFacts(last_contact_at=days_ago(30)), **person or {})
    kind = POINT_KINDS.get(channel, "phone")
    point_facts = replace(PointFacts(1, kind, permission=permission()), **point or {})
    offered = replace(Offer("marketing", "commercial", frozenset({"shoes"})), **offer or {})
    question = Question(channel, offered, at, is_dialling)
    return decide(Facts(person_facts, point_facts), question, replace(FR_2026_11, **policy or {}))
