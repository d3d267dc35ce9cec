"""What pages show of permissions: values ready to print, no logic left to templates."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from consent.evaluation import offer_for
from consent.facts import EvidenceLevel, Facts, Question
from consent.families import Similarity, similar_families
from consent.gathering import Gathered, StateReader, gather, states_as_known
from consent.ledger import RESTRICTIVE
from consent.memberships import Membership
from consent.models import ALL_CHANNELS, Channel, ConsentEvent, PermissionState, Purpose
from consent.permissions import Answer, decide
from consent.policies import pack_at
from consent.policy_packs import PolicyPack
from consent.rules import law_in_words
from consent.validity import Validity, validity_of
from consent.verification import event_seals
from mdm.models import ContactPoint, Customer, SourceRecord

SHOWN_CHANNELS = (Channel.EMAIL, Channel.SMS, Channel.PHONE, Channel.POST)
"""The channels every customer page shows; the others need a consent nobody collects yet."""

EVIDENCE_LABELS = {
    EvidenceLevel.CLAIM: gettext_lazy("claim without proof"),
    EvidenceLevel.ORIGIN: gettext_lazy("system of origin and date"),
    EvidenceLevel.FORM: gettext_lazy("form, words shown, time and actor"),
    EvidenceLevel.VERIFIED: gettext_lazy("form, and possession of the contact point verified"),
    EvidenceLevel.SIGNED: gettext_lazy("signed or recorded"),
}
_TONES = {
    ConsentEvent.Type.GIVEN: "rare",
    ConsentEvent.Type.CONFIRMED: "rare",
    ConsentEvent.Type.REFUSED: "conflict",
    ConsentEvent.Type.WITHDRAWN: "conflict",
    ConsentEvent.Type.OBJECTION: "conflict",
    ConsentEvent.Type.RETRACTED: "missing",
    ConsentEvent.Type.INVALIDATED: "conflict",
}
BASIS_LABELS = {
    "consent": pgettext_lazy("legal basis", "consent"),
    "soft_opt_in": pgettext_lazy("legal basis", "customer exception"),
    "running_contract": pgettext_lazy("legal basis", "running contract"),
    "legitimate_interest": pgettext_lazy("legal basis", "legitimate interest"),
    "service": pgettext_lazy("legal basis", "service"),
    "not_personal": pgettext_lazy("legal basis", "not personal data"),
    "opt_out_regime": pgettext_lazy("legal basis", "opt-out regime"),
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """An evidence level as bars and words."""

    level: int

    @property
    def bars(self) -> str:
        """Return four bars, the reached ones filled."""
        return "▮" * self.level + "▯" * (EvidenceLevel.SIGNED - self.level)

    @property
    def label(self) -> str:
        """Return the level in words."""
        return str(EVIDENCE_LABELS[EvidenceLevel(self.level)])


@dataclass(frozen=True, slots=True)
class Cell:
    """The answer for one contact point, channel and purpose.

    `families` are the product families for which it would be allowed although it is not in
    general, and `family_answer` the answer for the first of them; `then` is the answer as the
    system knew it at the day asked about, when it differs. `validity` says when the consent runs
    out, if it does.
    """

    purpose: Purpose
    answer: Answer
    evidence: Evidence | None
    families: tuple[str, ...] = ()
    family_answer: Answer | None = None
    then: Answer | None = None
    validity: Validity | None = None

    @property
    def state(self) -> str:
        """Return yes, partly (for some product families) or no."""
        if self.answer.allowed:
            return "yes"
        return "partly" if self.families else "no"

    @property
    def shown(self) -> Answer:
        """Return the answer to explain: the one that allows for some families, if there is."""
        return self.family_answer or self.answer

    @property
    def law(self) -> str:
        """Return the text that the rule shown rests on."""
        return law_in_words(self.shown.rule)

    @property
    def basis_label(self) -> str:
        """Return the legal basis in words; empty for a refusal."""
        return str(BASIS_LABELS.get(self.shown.basis, ""))

    @property
    def other_failures(self) -> tuple[str, ...]:
        """Return the ids of the failed rules besides the deciding one."""
        return tuple(rule for rule in self.answer.failed_gates if rule != self.shown.rule)


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One contact point on one channel, with a cell per purpose; no contact point when None."""

    channel: Channel
    contact_point: ContactPoint | None
    cells: tuple[Cell, ...]

    @property
    def channel_label(self) -> str:
        """Return the channel's name."""
        return str(self.channel.label)


@dataclass(frozen=True, slots=True)
class PermissionMatrix:
    """Contact points and channels × purposes, at an instant."""

    purposes: tuple[Purpose, ...]
    rows: tuple[MatrixRow, ...]
    at: datetime
    is_past: bool
    policy: str
    known_at: datetime | None = None

    @property
    def differing_count(self) -> int:
        """Return how many answers were otherwise as it was known then."""
        return sum(cell.then is not None for row in self.rows for cell in row.cells)


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One consent event in words."""

    event: ConsentEvent
    evidence: Evidence
    tone: str
    channel_label: str
    scope_label: str
    is_deciding: bool
    is_of_another: bool
    days_late: int
    taken_back: ConsentEvent | None
    is_of_then: bool = False
    """Told by a record that was one with hers then, and is somebody else's now."""
    place: int | None = None
    is_intact: bool = True

    @property
    def at(self) -> datetime:
        """Return when it happened, or when it was recorded if nobody knows."""
        return self.event.occurred_at or self.event.recorded_at


@dataclass(frozen=True, slots=True)
class Asked:
    """What a matrix is asked about: purposes, the instant, its law, and what was similar then."""

    purposes: tuple[Purpose, ...]
    at: datetime
    policy: PolicyPack
    similar: Similarity


def permission_matrix(
    customer: Customer, at: datetime | None = None, known_at: datetime | None = None
) -> PermissionMatrix:
    """Return every answer for a live customer: now, or at a past instant with both clocks.

    The past is told as we know it today and, where that differs, as it was known at `known_at`
    (default: the instant asked about).
    """
    moment = now()
    readers: list[tuple[StateReader | None, datetime]] = [(None, moment)]
    if at is not None:
        readers = [(states_as_known(at, known), known) for known in (moment, known_at or at)]
    asked = asked_about(at or moment)
    members = Membership([customer.pk])
    known = [
        gather(members, at=asked.at, read_states=read, policy=asked.policy, known_at=knowledge)[
            customer.pk
        ]
        for read, knowledge in readers
    ]
    points = ContactPoint.objects.in_bulk([row[0] for row in known[0].points])
    known_then = (known_at or at) if at else None
    rows = matrix_rows(known, points, asked)
    return PermissionMatrix(
        asked.purposes, rows, asked.at, at is not None, asked.policy.code, known_then
    )


def asked_about(at: datetime) -> Asked:
    """Return what a matrix asks at an instant: about every purpose of prospecting."""
    purposes = Purpose.objects.filter(is_active=True).exclude(nature=Purpose.Nature.SERVICE)
    return Asked(tuple(purposes), at, pack_at(at), similar_families(at))


def matrix_rows(
    known: Sequence[Gathered], points: Mapping[int, ContactPoint], asked: Asked
) -> tuple[MatrixRow, ...]:
    """Return the rows of a matrix from what is known of a customer, and was known then."""
    return tuple(
        _row(channel, point, points, known, asked)
        for channel in SHOWN_CHANNELS
        for point in _point_ids(known[0], channel, asked.at)
    )


def timeline(customer: Customer) -> list[TimelineEntry]:
    """Return the consent events that count for a customer, the latest first.

    Hers, the refusals others made of a contact point she carries too, and the objections made
    while her records were one with somebody else's.
    """
    mine = Q(source_record__customer=customer)
    records = SourceRecord.objects.active().filter(customer=customer)
    carried = set(records.values_list("contact_points", flat=True))
    shared = Q(contact_point__in=carried, type__in=RESTRICTIVE)
    deciding = set(
        PermissionState.objects.filter(customer=customer).values_list(
            "deciding_event_id", flat=True
        )
    )
    events = (
        ConsentEvent.objects.filter(mine | shared | Q(pk__in=deciding))
        .select_related(
            "source_record__source", "contact_point", "purpose", "notice_version", "actor", "batch"
        )
        .prefetch_related("evidence", "retractions")
    )
    seals = event_seals(events.values_list("pk", flat=True))
    entries = [
        entry_of(event, customer_id=customer.pk, carried=carried, deciding=deciding, seals=seals)
        for event in events
    ]
    return sorted(entries, key=lambda entry: (entry.at, entry.event.pk), reverse=True)


def entry_of(
    event: ConsentEvent,
    *,
    customer_id: int | None = None,
    carried: Container[int] | None = None,
    deciding: Iterable[int] = (),
    seals: Mapping[int, tuple[int, bool]] | None = None,
) -> TimelineEntry:
    """Return one event in words; `deciding` are the keys of events that decide a state today.

    `customer_id` is whose timeline it stands on, `carried` are the contact points she carries.
    `seals` are its place in the chain and whether it still matches (`event_seals`).
    """
    place, is_intact = (seals or {}).get(event.pk, (None, True))
    is_of_another = customer_id is not None and event.source_record.customer_id != customer_id
    is_of_then = is_of_another and carried is not None and event.contact_point_id not in carried
    return TimelineEntry(
        event=event,
        evidence=Evidence(event.evidence_level),
        tone=_TONES[ConsentEvent.Type(event.type)],
        channel_label=channel_label(event.channel),
        scope_label=_scope(event, is_of_another=is_of_another, is_of_then=is_of_then),
        is_deciding=event.pk in set(deciding),
        is_of_another=is_of_another and not is_of_then,
        is_of_then=is_of_then,
        days_late=_days_late(event),
        taken_back=next(iter(event.retractions.all()), None),
        place=place,
        is_intact=is_intact,
    )


def channel_label(channel: str) -> str:
    """Return a channel's name, or that of all of them."""
    return _("all channels") if channel == ALL_CHANNELS else str(Channel(channel).label)


def _days_late(event: ConsentEvent) -> int:
    """Return how long a refusal stayed unknown; a file tells old stories, that is no delay."""
    is_import = event.actor_type == ConsentEvent.ActorType.IMPORT
    if event.occurred_at is None or is_import or event.type not in RESTRICTIVE:
        return 0
    return max((event.recorded_at - event.occurred_at).days, 0)


def _scope(event: ConsentEvent, *, is_of_another: bool, is_of_then: bool) -> str:
    purpose = str(event.purpose) if event.purpose else _("all prospecting")
    if event.contact_point is None or is_of_then:
        return _("%(purpose)s · every contact point") % {"purpose": purpose}
    point = event.contact_point.display
    if event.type == ConsentEvent.Type.OBJECTION and not is_of_another:
        return _("%(purpose)s · every contact point, received from %(point)s") % {
            "purpose": purpose,
            "point": point,
        }
    return f"{purpose} · {point}"


def _point_ids(known: Gathered, channel: str, at: datetime) -> Iterator[int | None]:
    for facts in known.facts(channel, "", at):
        # A landline has no place in the row of texts.
        if facts.point is None or not (channel == Channel.SMS and facts.point.is_mobile is False):
            yield facts.point.contact_point_id if facts.point else None


def _row(
    channel: Channel,
    point_id: int | None,
    points: Mapping[int, ContactPoint],
    known: Sequence[Gathered],
    asked: Asked,
) -> MatrixRow:
    cells = tuple(_cell(channel, point_id, purpose, known, asked) for purpose in asked.purposes)
    return MatrixRow(channel, points[point_id] if point_id else None, cells)


def _cell(
    channel: str,
    point_id: int | None,
    purpose: Purpose,
    known: Sequence[Gathered],
    asked: Asked,
) -> Cell:
    facts = _facts_at(known[0], channel, point_id, purpose, asked.at)
    answer = _answer(facts, channel, purpose, asked)
    then = None
    if len(known) > 1:
        before = _facts_at(known[1], channel, point_id, purpose, asked.at)
        then = _answer(before, channel, purpose, asked)
    permission = facts.point.permission if facts.point else None
    has_proof = permission is not None and permission.event_id is not None
    by_family = {} if answer.allowed else _family_answers(facts, channel, purpose, asked)
    return Cell(
        purpose,
        answer,
        Evidence(permission.evidence) if permission and has_proof else None,
        tuple(by_family),
        next(iter(by_family.values()), None),
        then if then and then.allowed != answer.allowed else None,
        _validity(facts, channel, purpose, asked),
    )


def _validity(facts: Facts, channel: str, purpose: Purpose, asked: Asked) -> Validity | None:
    if facts.point is None:
        return None
    return validity_of(
        facts.point.permission, channel, purpose.code, at=asked.at, policy=asked.policy
    )


def _facts_at(
    known: Gathered, channel: str, point_id: int | None, purpose: Purpose, at: datetime
) -> Facts:
    candidates = known.facts(channel, purpose.code, at)
    return next(
        (f for f in candidates if f.point and f.point.contact_point_id == point_id),
        candidates[0],
    )


def _answer(
    facts: Facts, channel: str, purpose: Purpose, asked: Asked, families: Iterable[str] = ()
) -> Answer:
    offer = offer_for(purpose, families=families, similar=asked.similar)
    return decide(facts, Question(channel, offer, asked.at), asked.policy)


def _family_answers(
    facts: Facts, channel: str, purpose: Purpose, asked: Asked
) -> dict[str, Answer]:
    """Return the allowing answers for offers about what was bought or contracted, or similar."""
    bought = facts.person.families
    similar = {offered for offered, sold in asked.similar.items() if sold & bought}
    answers = {
        family: _answer(facts, channel, purpose, asked, [family])
        for family in sorted(bought | similar)
    }
    return {family: answer for family, answer in answers.items() if answer.allowed}
