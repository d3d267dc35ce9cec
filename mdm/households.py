"""Who lives with whom, and who answers for whom: shown and confirmed, never a reason to merge.

A household is derived: customers who share an address or a phone and a family name. A steward's
word on it is a fact (`Relation`) and outlives the shared address.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import IntegrityError
from django.db.models import Q
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from mdm.audit import acting_as
from mdm.folding import fold
from mdm.models import ContactPoint, Customer, RecordContactPoint, Relation, SourceRecord
from mdm.reasons import reason_of
from mdm.turns import in_one_turn

# A contact point of more customers is a building, a firm or a till, not a home.
_LARGEST_HOME = 12
_AT_HOME = (ContactPoint.Kind.POST, ContactPoint.Kind.PHONE)
_FAMILY_NAMES = ("family_name", "birth_name")


class RelationRefused(Exception):
    """The relation cannot be recorded; the text says why."""


@dataclass(frozen=True, slots=True)
class Housemate:
    """Somebody who seems to live with a customer, or whom a steward placed there.

    `shares` holds the kinds of contact points both carry; `word` is the steward's word, if any.
    """

    customer: Customer
    shares: frozenset[str]
    word: Relation | None

    @property
    def state(self) -> str:
        """Return confirmed, denied or proposed."""
        if self.word is None:
            return "proposed"
        return "confirmed" if self.word.holds else "denied"


@dataclass(frozen=True, slots=True)
class Tie:
    """A relation other than a household, seen from one customer."""

    relation: Relation
    other: Customer
    is_outgoing: bool


@dataclass(frozen=True, slots=True)
class Relations:
    """Everybody a customer belongs together with."""

    housemates: list[Housemate]
    ties: list[Tie]

    def __bool__(self) -> bool:
        return bool(self.housemates or self.ties)


def relations_of(customer: Customer, records: Sequence[SourceRecord]) -> Relations:
    """Return the household and the relations of a customer with these records; six queries."""
    keys = {record.pk for record in records}
    stated = _stated(keys)
    words = {
        _other(relation, keys).customer_id: relation
        for relation in stated
        if relation.kind == Relation.Kind.HOUSEHOLD
    }
    shares = _shares(customer, records)
    customers = Customer.objects.select_related("golden").in_bulk({*shares, *words})
    housemates = [
        Housemate(other, shares.get(key, frozenset()), words.get(key))
        for key, other in sorted(customers.items())
        if key != customer.pk
    ]
    ties = [
        Tie(relation, _other(relation, keys).customer, relation.left_id in keys)
        for relation in stated
        if relation.kind != Relation.Kind.HOUSEHOLD
        and _other(relation, keys).customer_id != customer.pk
    ]
    order = ("confirmed", "proposed", "denied")
    return Relations(sorted(housemates, key=lambda mate: order.index(mate.state)), ties)


def _stated(record_ids: Iterable[int]) -> list[Relation]:
    touching = Q(left__in=record_ids) | Q(right__in=record_ids)
    return list(
        Relation.objects.filter(touching, retracted_at=None)
        .select_related("left__customer__golden", "right__customer__golden", "created_by")
        .order_by("pk")
    )


def _other(relation: Relation, record_ids: Iterable[int]) -> SourceRecord:
    return relation.right if relation.left_id in record_ids else relation.left


def _shares(customer: Customer, records: Sequence[SourceRecord]) -> Mapping[int, frozenset[str]]:
    """Return the customers of a like family name with what they share, by key."""
    names = _family_names(records)
    if not names:
        return {}
    homes = RecordContactPoint.objects.filter(
        record__in=[record.pk for record in records],
        contact_point__kind__in=_AT_HOME,
        contact_point__shared_by__range=(2, _LARGEST_HOME),
    ).values_list("contact_point_id")
    carried = (
        RecordContactPoint.objects.filter(
            contact_point__in=homes, record__status=SourceRecord.Status.ACTIVE
        )
        .exclude(record__customer=customer)
        .values_list(
            "record__customer_id",
            "contact_point__kind",
            *(f"record__{name}" for name in _FAMILY_NAMES),
        )
        .distinct()
    )
    shares: dict[int, set[str]] = defaultdict(set)
    for key, kind, *theirs in carried:
        if names.intersection(fold(name) for name in theirs if name):
            shares[key].add(kind)
    return {key: frozenset(kinds) for key, kinds in shares.items()}


def _family_names(records: Iterable[SourceRecord]) -> set[str]:
    names = (getattr(record, name) for record in records for name in _FAMILY_NAMES)
    return {fold(name) for name in names if name}


@in_one_turn
def relate(
    one: Customer,
    other: Customer,
    kind: str,
    *,
    holds: bool = True,
    reason: str = "",
    by: User,
) -> Relation:
    """Record that two customers belong together, or (`holds=False`) that they do not.

    An earlier word of the same kind on the two is retracted: the latest is in force.

    Raises:
        RelationRefused: when both are one customer, or an id is no longer live.
    """
    if one.pk == other.pk:
        raise RelationRefused(_("A customer cannot be related to herself."))
    if kind not in Relation.Kind.values:
        raise RelationRefused(_("This kind of relation is unknown."))
    left, right = _anchor(one), _anchor(other)
    if kind == Relation.Kind.HOUSEHOLD:
        left, right = sorted((left, right))
    with acting_as(by, reason or reason_of(Relation.Kind(kind).label)):
        for earlier in _between(one, other, kind):
            _retract(earlier)
        try:
            return Relation.objects.create(
                kind=kind,
                left_id=left,
                right_id=right,
                holds=holds,
                reason=reason,
                created_by=by,
            )
        except IntegrityError as error:
            raise RelationRefused(_("Somebody recorded this relation just now.")) from error


def _anchor(customer: Customer) -> int:
    """Return the oldest record of a customer: a word about her hangs on it.

    Raises:
        RelationRefused: when she is no longer live.
    """
    record = SourceRecord.objects.filter(customer=customer).order_by("pk").first()
    if record is None:
        raise RelationRefused(_("This customer id is no longer in use."))
    return record.pk


def _between(one: Customer, other: Customer, kind: str) -> list[Relation]:
    both = Q(left__customer=one, right__customer=other)
    both |= Q(left__customer=other, right__customer=one)
    return list(Relation.objects.select_for_update().filter(both, kind=kind, retracted_at=None))


@in_one_turn
def retract(relation: Relation, *, by: User) -> None:
    """Take a word back; what is derived shows again."""
    with acting_as(by, reason_of(gettext_noop("Relation taken back"))):
        _retract(Relation.objects.select_for_update().get(pk=relation.pk))


def _retract(relation: Relation) -> None:
    if relation.retracted_at is None:
        relation.retracted_at = now()
        relation.save(update_fields=["retracted_at"])
