"""Erasing a person (GDPR 17): every place that holds personal data is registered here.

What stays is a shell: the keys, so that what others did keeps its meaning; the key in the source,
so that a file cannot bring her back; sales and contracts without contact point, which the law on
accounts keeps. An app registers its places with `erases`; `plan` counts what each would lose,
`erase` does it all in one transaction and writes it into the journal outside the database. Each
place says as well where the pack of an access (GDPR 15) tells what it holds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mdm import erasure_journal, identity
from mdm.audit import acting_as
from mdm.contact_points import recount_points
from mdm.key_sets import key_set
from mdm.models import (
    Alias,
    ContactPoint,
    Customer,
    Erasure,
    GoldenRecord,
    Pin,
    RecordContactPoint,
    Relation,
    Sale,
    SourceRecord,
)
from mdm.models.records import PersonValues


class ErasureRefused(Exception):
    """The person cannot be erased; the text says why."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who is erased: her customer, her records, and the contact points she carries."""

    customer_id: int
    record_ids: Sequence[int]
    own_point_ids: Sequence[int]
    shared_point_ids: Sequence[int]
    own_contacts: Sequence[tuple[str, str]]
    """Kind and compared form of the contact points that are hers alone, as they were."""

    @property
    def records(self) -> Any:
        """The right side of a look-up among her records."""
        return key_set(self.record_ids)

    @property
    def own_points(self) -> Any:
        """The right side of a look-up among the contact points that are hers alone."""
        return key_set(self.own_point_ids)


Rows = Callable[[Person], "QuerySet[Any]"]
Empty = Callable[[Person], object]


@dataclass(frozen=True, slots=True)
class Place:
    """A place that holds personal data: its name, the rows concerned, and how they are emptied.

    The pack of an access tells them in the table `told_in`, or does not for the reason `untold`.
    """

    label: Any
    rows: Rows
    empty: Empty
    told_in: str
    untold: Any


_places: list[Place] = []


def erases(
    label: Any, *, rows: Rows, told_in: str = "", untold: Any = ""
) -> Callable[[Empty], Empty]:
    """Register a place; the function decorated empties it. Those first registered go first."""

    def register(empty: Empty) -> Empty:
        _places.append(Place(label, rows, empty, told_in, untold))
        return empty

    return register


def places() -> tuple[Place, ...]:
    """Return every place registered."""
    return tuple(_places)


@dataclass(frozen=True, slots=True)
class Memory:
    """What an app keeps of an erasure, as fingerprints, and how it is told that again."""

    told: Callable[[Person], Any]
    restore: Callable[[Any], object]


_memories: dict[str, Memory] = {}


def remembers(name: str, memory: Memory) -> None:
    """Have the journal keep something more of each erasure: JSON without personal data."""
    _memories[name] = memory


def remember_again(entry: erasure_journal.Entry) -> None:
    """Tell the apps what an entry of the journal remembers."""
    for name, memory in _memories.items():
        if name in entry.remembered:
            memory.restore(entry.remembered[name])


def plan(customer: Customer) -> list[tuple[str, int]]:
    """Return what an erasure would reach: each place with its number of rows."""
    person = _person(customer)
    return [(str(place.label), place.rows(person).count()) for place in _places]


def erase(customer: Customer, *, reason: str, by: User | None) -> list[tuple[str, int]]:
    """Erase a live customer everywhere, at once or not at all. Returns what was reached.

    Raises:
        ErasureRefused: without a reason, when she is no live customer, or when the journal cannot
            be written: a backup would bring her back unseen.
    """
    if not reason.strip():
        raise ErasureRefused(_("Say why: the reason is what is kept of an erasure."))
    with transaction.atomic(), acting_as(by, reason.strip()):
        identity.lock_customers([customer.pk])
        person = _person(Customer.objects.get(pk=customer.pk))
        reached = plan(customer)
        remembered = {name: memory.told(person) for name, memory in _memories.items()}
        entry = erasure_journal.entry_of(person.record_ids, remembered)
        for place in _places:
            place.empty(person)
        SourceRecord.objects.filter(pk__in=person.records).update(
            status=SourceRecord.Status.ERASED
        )
        identity.refresh([person.customer_id], record_ids=person.record_ids)
        _forget_golden_records(person)
        Erasure.objects.get_or_create(digest=entry.digest, defaults={"erased_by": by})
        _write_down(entry)
    return reached


def _write_down(entry: erasure_journal.Entry) -> None:
    """Write the entry last: what fails before leaves no trace, and none that counts is missing."""
    try:
        erasure_journal.write_once(entry)
    except OSError as error:
        raise ErasureRefused(_("The journal of erasures cannot be written.")) from error


def _person(customer: Customer) -> Person:
    if customer.status not in {Customer.Status.ACTIVE, Customer.Status.INACTIVE}:
        raise ErasureRefused(_("This id names no person any more."))
    records = list(SourceRecord.objects.filter(customer=customer).values_list("pk", flat=True))
    hers = RecordContactPoint.objects.filter(record__in=key_set(records))
    points = hers.values_list("contact_point_id", flat=True)
    others = RecordContactPoint.objects.exclude(record__in=key_set(records))
    shared = set(
        others.filter(contact_point__in=points).values_list("contact_point_id", flat=True)
    )
    own = ContactPoint.objects.filter(pk__in=set(points) - shared)
    contacts = list(own.values_list("kind", "value"))
    own_ids = sorted(own.values_list("pk", flat=True))
    return Person(customer.pk, sorted(records), own_ids, sorted(shared), contacts)


def blank_values(**others: Any) -> dict[str, Any]:
    """Return what empties the values of a person in a row: no text, no date."""
    fields = PersonValues._meta.get_fields()
    values = {field.name: None if getattr(field, "null", False) else "" for field in fields}
    return values | others


_RECORD_BLANK: dict[str, Any] = {"raw": {}, "issues": [], "content_hash": "", "link_score": None}


@erases(
    gettext_lazy("Source records"),
    told_in="source_records",
    rows=lambda person: SourceRecord.objects.filter(pk__in=person.records),
)
def _erase_records(person: Person) -> None:
    records = SourceRecord.objects.filter(pk__in=person.records)
    records.update(**blank_values(**_RECORD_BLANK))


@erases(
    gettext_lazy("Earlier versions of source records"),
    told_in="source_record_versions",
    rows=lambda person: SourceRecord.history.filter(id__in=person.records),
)
def _erase_versions(person: Person) -> None:
    versions = SourceRecord.history.filter(id__in=person.records)
    versions.update(**blank_values(**_RECORD_BLANK))


def _golden_versions(person: Person) -> Any:
    """Return versions of her golden record, and of those that her records once were part of."""
    own = {person.customer_id, *person.record_ids}
    earlier = SourceRecord.history.filter(id__in=person.records).values("customer_id")
    versions = GoldenRecord.history.filter(customer_id__in=earlier).exclude(customer_id__in=own)
    records = set(person.record_ids)
    pins = set(Pin.objects.filter(record__in=person.records).values_list("pk", flat=True))
    cited = [
        key
        for key, lineage in versions.values_list("history_id", "lineage")
        if any(record in records or pin in pins for record, pin, _rule in lineage.values())
    ]
    return GoldenRecord.history.filter(
        Q(customer_id__in=key_set(own)) | Q(history_id__in=key_set(cited))
    )


@erases(
    gettext_lazy("Golden records and their versions"),
    told_in="golden_record_versions",
    rows=_golden_versions,
)
def _forget_golden_records(person: Person) -> None:
    _golden_versions(person).delete()


@erases(
    gettext_lazy("Pinned values"),
    told_in="pins",
    rows=lambda person: Pin.objects.filter(record__in=person.records),
)
def _erase_pins(person: Person) -> None:
    blank = {"value": {}, "reason": ""}
    Pin.objects.filter(record__in=person.records).update(**blank)
    Pin.history.filter(record__in=person.records).update(**blank)


def _relations(person: Person) -> "QuerySet[Relation]":
    about: Any = Q(left__in=person.records) | Q(right__in=person.records)
    return Relation.objects.filter(about)


@erases(gettext_lazy("Reasons of relations"), told_in="relations", rows=_relations)
def _erase_relations(person: Person) -> None:
    _relations(person).update(reason="")
    about: Any = Q(left_id__in=person.records) | Q(right_id__in=person.records)
    Relation.history.filter(about).update(reason="", history_change_reason="")


def _aliases(person: Person) -> "QuerySet[Alias]":
    about: Any = Q(record__in=person.records) | Q(former__in=person.records)
    return Alias.objects.filter(about)


@erases(gettext_lazy("Reasons of numbers kept"), told_in="customer_ids", rows=_aliases)
def _erase_aliases(person: Person) -> None:
    _aliases(person).update(reason="")
    about: Any = Q(record_id__in=person.records) | Q(former_id__in=person.records)
    Alias.history.filter(about).update(reason="")


@erases(
    gettext_lazy("Sales and contracts, which keep no contact point"),
    told_in="sales",
    rows=lambda person: Sale.objects.filter(record__in=person.records),
)
def _erase_sales(person: Person) -> None:
    Sale.objects.filter(record__in=person.records).update(contact_point=None)


@erases(
    gettext_lazy("Contact points"),
    told_in="contact_points",
    rows=lambda person: ContactPoint.objects.filter(pk__in=person.own_points),
)
def _erase_contact_points(person: Person) -> None:
    RecordContactPoint.objects.filter(record__in=person.records).delete()
    for point in ContactPoint.objects.filter(pk__in=person.own_points):
        # Lists and proofs name the row; nobody can be reached by it.
        point.value, point.display = f"erased:{point.pk}", ""
        point.region, point.status = "", ContactPoint.Status.INVALID
        point.save()
    recount_points([*person.own_point_ids, *person.shared_point_ids])
