"""The gate asked of the database: for one customer with proof, or for some in a stream.

Both gather the same facts and pass through the same pure function, so they cannot disagree. One
customer may be asked about any instant (`at`) as the system knew it at another (`known_at`);
several are asked about the present, from the stored permission states. Very many are asked
through `consent.crowds`, which asks here about few of them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.utils.timezone import now

from consent.facts import CHANNEL_KINDS, Facts, Offer, PersonFacts, Question
from consent.families import Similarity, grounds, similar_families
from consent.gathering import StateReader, gather, states_as_known
from consent.memberships import Membership
from consent.models import Purpose
from consent.permissions import Answer, decide
from consent.policies import pack_at
from consent.policy_packs import PolicyPack
from mdm.models import ContactPoint, Customer, SourceRecord

CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer for one customer, and the contact point it speaks of (None: there is none).

    `place` is its position among those that were asked about, in the gate's order.
    """

    customer_id: int
    contact_point_id: int | None
    answer: Answer
    place: int | None = None


def offer_for(
    purpose: Purpose | None,
    *,
    families: Iterable[str] = (),
    at: datetime | None = None,
    similar: Similarity | None = None,
) -> Offer | None:
    """Return the offer of a purpose; `families` say what it is about, else the purpose does.

    It carries the families that count as similar at `at` (default: now), which whoever asks
    often reads once and hands over. None for a purpose that does not exist or is switched off:
    the gate then refuses (G0).
    """
    if purpose is None or not purpose.is_active:
        return None
    named = [family for family in families if family] or purpose.product_families
    if similar is None:
        similar = similar_families(at or now()) if named else {}
    about = grounds(named, similar)
    return Offer(purpose.code, purpose.nature, about, sector=purpose.sector)


def evaluate(
    customer_ids: Iterable[int],
    *,
    channel: str,
    offer: Offer | None,
    at: datetime | None = None,
    contact_points: Mapping[int, int] | None = None,
) -> Iterator[Outcome]:
    """Yield the answer for every customer, in the order of the keys, a few queries per chunk.

    Of several contact points the first allowed one is chosen, the golden record's before others.
    `contact_points` (customer → contact point) asks about those instead, as a re-check does.
    """
    question = Question(channel, offer, at or now())
    keys = iter(customer_ids)
    while chunk := list(islice(keys, CHUNK)):
        yield from _evaluate_chunk(chunk, question, contact_points or {})


def may_contact(
    customer: Customer,
    *,
    channel: str,
    offer: Offer | None,
    at: datetime | None = None,
    known_at: datetime | None = None,
    contact_point_id: int | None = None,
    is_dialling: bool = False,
) -> Outcome:
    """Answer for one live customer, at any instant, as the system knew it at `known_at`.

    Without `at` it is asked about this moment; without `known_at`, with all that is known today.
    The stored states are those of now; for another instant the events are folded.
    `is_dialling` asks about a call made right now: the hours count.
    """
    moment = now()
    question = Question(channel, offer, at or moment, is_dialling)
    is_now = at is None and known_at is None
    reader = None if is_now else states_as_known(question.at, known_at or moment)
    wanted = {customer.pk: contact_point_id} if contact_point_id else {}
    return next(_evaluate_chunk([customer.pk], question, wanted, reader, known_at))


def may_use_contact_point(
    contact_point: ContactPoint,
    *,
    channel: str,
    offer: Offer | None,
    at: datetime | None = None,
    known_at: datetime | None = None,
) -> Outcome | None:
    """Answer for a contact point: for the first of its holders who may be contacted there.

    Consent is one holder's, refusals are everybody's. None when no live customer carries it.
    """
    carried = SourceRecord.objects.active().filter(contact_points=contact_point)
    holders = Customer.objects.filter(records__in=carried).distinct().order_by("pk")
    outcomes = [
        may_contact(
            holder,
            channel=channel,
            offer=offer,
            at=at,
            known_at=known_at,
            contact_point_id=contact_point.pk,
        )
        for holder in holders
    ]
    allowed = (outcome for outcome in outcomes if outcome.answer.allowed)
    return next(allowed, outcomes[0] if outcomes else None)


def _evaluate_chunk(
    customer_ids: Sequence[int],
    question: Question,
    contact_points: Mapping[int, int],
    reader: StateReader | None = None,
    known_at: datetime | None = None,
) -> Iterator[Outcome]:
    policy = pack_at(question.at)
    purpose = question.offer.purpose if question.offer else ""
    kinds = CHANNEL_KINDS.get(question.channel, frozenset())
    found = gather(
        Membership(customer_ids),
        at=question.at,
        policy=policy,
        read_states=reader,
        known_at=known_at,
        kinds=kinds,
        channel=question.channel,
    )
    for customer in customer_ids:
        known = found.get(customer)
        candidates = (
            known.facts(question.channel, purpose, question.at, is_dialling=question.is_dialling)
            if known
            else []
        )
        wanted = contact_points.get(customer)
        if wanted is not None:
            candidates = [f for f in candidates if f.point and f.point.contact_point_id == wanted]
        yield _best(customer, candidates or [_NOBODY], question, policy)


def nobody(question: Question) -> Outcome:
    """Return the answer for a key that is no customer's."""
    return _best(0, [_NOBODY], question, pack_at(question.at))


# A customer that does not exist, or no longer carries the contact point asked about.
_NOBODY = Facts(PersonFacts(status="unknown"), None)


def _best(
    customer_id: int, candidates: Sequence[Facts], question: Question, policy: PolicyPack
) -> Outcome:
    """Return the first allowed candidate's answer, else that of the preferred one."""
    refused: Outcome | None = None
    for place, facts in enumerate(candidates):
        point = facts.point.contact_point_id if facts.point else None
        answer = decide(facts, question, policy)
        outcome = Outcome(customer_id, point, answer, place if facts.point else None)
        if outcome.answer.allowed:
            return outcome
        refused = refused or outcome
    return refused or _best(customer_id, [_NOBODY], question, policy)
