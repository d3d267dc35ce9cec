"""From events to the state of a permission: which event prevails, whatever their order.

The precedence (a refusal beats a grant unless the person came back later, with proof) is chosen
because a wrong refusal costs one message and a wrong permission is an infringement.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from consent.facts import ANY, GRANTED, Actor, EvidenceLevel, Objection, Permission, State


class EventType(StrEnum):
    """What happened to a permission; the stored values are part of the export format."""

    GIVEN = "given"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    OBJECTION = "objection"
    RETRACTED = "retracted"
    INVALIDATED = "invalidated"


_REFUSALS: dict[str, State] = {
    EventType.REFUSED: State.REFUSED,
    EventType.WITHDRAWN: State.WITHDRAWN,
    EventType.OBJECTION: State.OBJECTED,
}
_GRANTS: dict[str, State] = {
    EventType.GIVEN: State.GIVEN,
    EventType.CONFIRMED: State.CONFIRMED,
}
_ANNULMENTS = frozenset({EventType.RETRACTED, EventType.INVALIDATED})
"""What makes a grant count as never given: its file undone, its notice or proof found wanting."""
OWN_WILL = frozenset({Actor.PERSON, Actor.GUARDIAN})
OLDEST = datetime.min.replace(tzinfo=UTC)


class Key(NamedTuple):
    """What a permission is about; None and `ANY` cover every contact point, channel, purpose."""

    contact_point_id: int | None
    channel: str
    purpose: str

    @property
    def is_wide(self) -> bool:
        """Tell whether the key covers more than itself."""
        return self.contact_point_id is None or ANY in self


class Event(NamedTuple):
    """One consent event as the fold reads it; `occurred_at` is None when nobody knows the date.

    `record_id` is the customer's own record that tells it; None for what others' records tell.
    """

    event_id: int
    type: str
    key: Key
    recorded_at: datetime
    occurred_at: datetime | None = None
    actor: str = Actor.IMPORT
    evidence: int = EvidenceLevel.CLAIM
    expires_at: datetime | None = None
    annuls: int | None = None
    record_id: int | None = None

    @property
    def is_restrictive(self) -> bool:
        """Tell whether the event takes a permission away: whatever is not a grant does."""
        return self.type not in _GRANTS and self.type not in _ANNULMENTS

    @property
    def is_grant(self) -> bool:
        """Tell whether the event gives a permission."""
        return self.type in _GRANTS

    @property
    def effective_at(self) -> datetime:
        """Return the instant that counts: an undated refusal is from now, an undated grant old.

        "Now" is the moment it was recorded. Nothing counts from later than that: a date in the
        future is a wrong clock. What is annulled was never so: an annulment is as old as it gets.
        """
        if self.type in _ANNULMENTS:
            return OLDEST
        if self.occurred_at is not None:
            return min(self.occurred_at, self.recorded_at)
        return self.recorded_at if self.is_restrictive else OLDEST

    def covers(self, key: Key) -> bool:
        """Tell whether the event speaks about a key: refusals may be wide, grants never are."""
        if not self.is_restrictive:
            return self.key == key and key.contact_point_id is not None
        point, channel, purpose = self.key
        return (
            (point is None or point == key.contact_point_id)
            and (channel == ANY or channel == key.channel)
            and (purpose == ANY or purpose == key.purpose)
        )


def lifts(*, actor: str, evidence: int, since: datetime, over: datetime, proof: int) -> bool:
    """Tell whether a grant prevails over a refusal of instant `over` and evidence `proof`.

    It must be later (equal instants refuse), made by the person, and proved by a form at least
    and as well as the refusal: an import or a member of staff never lifts a refusal.
    """
    return actor in OWN_WILL and since > over and evidence >= max(EvidenceLevel.FORM, proof)


def permission_lifts(permission: Permission, objection: Objection) -> bool:
    """Tell whether a granted permission prevails over an objection or a suppression."""
    return permission.state in GRANTED and lifts(
        actor=permission.actor,
        evidence=permission.evidence,
        since=permission.since or OLDEST,
        over=objection.since,
        proof=objection.evidence,
    )


def unretracted(events: Iterable[Event]) -> list[Event]:
    """Return the events as if the grants annulled had never been; nothing annuls a refusal.

    Invalidations stay, so that what was asked on a bad notice does not look like never asked.
    """
    listed = list(events)
    annulled = {event.annuls for event in listed if event.type in _ANNULMENTS}
    if not annulled:
        return listed
    return [
        event
        for event in listed
        if event.is_restrictive
        or (event.type != EventType.RETRACTED and event.event_id not in annulled)
    ]


def fold(events: Iterable[Event], key: Key) -> Permission:
    """Return what the events add up to on one key; their order does not matter."""
    covering = [event for event in unretracted(events) if event.covers(key)]
    return _outcome(
        [event for event in covering if not event.is_restrictive],
        [event for event in covering if event.is_restrictive],
    )


def fold_all(events: Iterable[Event]) -> dict[Key, Permission]:
    """Return the state of every key that an event names, wide keys included."""
    told: dict[Key, tuple[list[Event], list[Event]]] = {}
    wide: list[Event] = []
    for event in unretracted(events):
        key = event.key
        if key not in told:
            told[key] = ([], [])
        narrow, refusals = told[key]
        # What is not wide speaks of its own key alone, and is looked up there.
        if event.is_restrictive:
            (wide if key.is_wide else refusals).append(event)
        elif key.contact_point_id is not None:
            narrow.append(event)
    folded = {}
    for key, (narrow, refusals) in told.items():
        if wide:
            refusals = [*refusals, *(event for event in wide if event.covers(key))]
        state = _outcome(narrow, refusals)
        if state.state != State.NONE:
            folded[key] = state
    return folded


def _outcome(narrow: Sequence[Event], refusals: Sequence[Event]) -> Permission:
    """Return what the events that cover a key add up to: grants and annulments, and refusals."""
    if not narrow and len(refusals) == 1:  # As often as not.
        return _refused(refusals[0])
    grants = [event for event in narrow if event.type in _GRANTS and event.actor != Actor.BROKER]
    if standing := standing_grants(grants, refusals):
        return _granted(standing[0]) if len(standing) == 1 else _best_of(standing)
    if refusals:
        return _refused(max(refusals, key=_recency) if len(refusals) > 1 else refusals[0])
    # A broker's claim is no grant; once its proofs were seen, a grant of its own says so.
    if claims := [event for event in narrow if event.type in _GRANTS]:
        return _quarantined(max(claims, key=_strength))
    invalidations = [event for event in narrow if event.type == EventType.INVALIDATED]
    return _invalidated(max(invalidations, key=_told)) if invalidations else Permission()


def known(events: Iterable[Event], *, at: datetime, known_at: datetime) -> list[Event]:
    """Return the events that counted at an instant, as far as the system knew at another."""
    return [
        event for event in events if event.effective_at <= at and event.recorded_at <= known_at
    ]


def standing_grants(grants: Iterable[Event], refusals: Sequence[Event]) -> list[Event]:
    """Return the grants that prevail over every one of the refusals."""
    return [grant for grant in grants if _stands(grant, refusals)]


def refusal_in_force(refusals: Iterable[Event]) -> Permission:
    """Return the state of a key that these refusals decide: the latest speaks for them."""
    return _refused(max(refusals, key=_recency))


def _stands(grant: Event, refusals: Sequence[Event]) -> bool:
    return all(
        lifts(
            actor=grant.actor,
            evidence=grant.evidence,
            since=grant.effective_at,
            over=refusal.effective_at,
            proof=refusal.evidence,
        )
        for refusal in refusals
    )


def _best_of(standing: Sequence[Event]) -> Permission:
    """Return the best proved of several grants, and when the person last agreed again."""
    best = max(standing, key=_strength)
    renewals = [grant.effective_at for grant in standing if _is_renewal(grant)]
    latest = max(renewals, default=OLDEST)
    return _granted(best)._replace(renewed_at=latest if latest > best.effective_at else None)


def _is_renewal(grant: Event) -> bool:
    return grant.actor in OWN_WILL and grant.evidence >= EvidenceLevel.FORM


def _strength(grant: Event) -> tuple[bool, int, bool, datetime, int]:
    # The best proved grant speaks for the key: a later import must not hide a confirmed opt-in.
    return (
        grant.actor in OWN_WILL,
        grant.evidence,
        grant.type == EventType.CONFIRMED,
        grant.effective_at,
        grant.event_id,
    )


def _recency(event: Event) -> tuple[datetime, str, int]:
    return event.effective_at, event.type, event.event_id


def _told(event: Event) -> tuple[datetime, int]:
    return event.recorded_at, event.event_id


def _invalidated(invalidation: Event) -> Permission:
    return Permission(
        state=State.INVALIDATED,
        since=invalidation.recorded_at,
        evidence=invalidation.evidence,
        actor=invalidation.actor,
        event_id=invalidation.event_id,
    )


def _quarantined(claim: Event) -> Permission:
    return Permission(
        state=State.QUARANTINED,
        since=claim.recorded_at,
        evidence=claim.evidence,
        actor=claim.actor,
        event_id=claim.event_id,
    )


def _granted(grant: Event) -> Permission:
    return Permission(
        _GRANTS[grant.type],
        grant.effective_at if grant.occurred_at else None,
        grant.expires_at,
        grant.evidence,
        grant.actor,
        grant.event_id,
    )


def _refused(refusal: Event) -> Permission:
    return Permission(
        _REFUSALS.get(refusal.type, State.OBJECTED),
        refusal.effective_at,
        None,
        refusal.evidence,
        refusal.actor,
        refusal.event_id,
    )
