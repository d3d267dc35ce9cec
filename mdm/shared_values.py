"""E-mails, numbers and addresses that more people carry than a household has, and why that may be.

Who carries a value tells what it is: one name is a family, or one person not yet joined; many
names in one town a shop or an association; many names everywhere a filler that somebody typed to
get past a form. It stays a guess, told in words beside the figures it rests on.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import models
from django.db.models import Count, Expression, QuerySet, Value
from django.db.models.functions import Concat, Lower, NullIf, Trim
from django.utils.translation import gettext_lazy as _

from mdm.models import ContactPoint, Customer, RecordContactPoint, SourceRecord
from mdm.standardise.fillers import is_filler

# Families and their relatives have few names and live in few towns; people who typed the same
# filler, or gave the number of the counter, have nothing else in common.
_FEW_NAMES, _FEW_TOWNS = 2, 2
_NO_MAILBOX = frozenset("aucunemail aucunmail noemail nomail pasdemail sansemail sansmail".split())


class Guess(models.TextChoices):
    """What a value may be that many people carry."""

    ONE_PERSON = "one_person", _("perhaps one person, not yet joined: the names are equal")
    FAMILY = "family", _("a family or a household: few family names")
    PLACE = "place", _("one place with many people: a residence, a company, a counter")
    FILLER = "filler", _("probably a filler or the value of a counter: many names, many towns")
    SAYS_SO = "says_so", _("a filler: its own words say that there is none")
    UNKNOWN = "unknown", _("nothing tells what it is")

    @property
    def is_filler(self) -> bool:
        """True when it stands for no value at all."""
        return self in (Guess.FILLER, Guess.SAYS_SO)


@dataclass(frozen=True, slots=True)
class Carriers:
    """Who carries a value: how many people, full names, family names, towns and sources."""

    people: int
    full_names: int
    family_names: int
    towns: int
    sources: int


@dataclass(frozen=True, slots=True)
class SharedValue:
    """A contact point that many people carry, and what it may be."""

    point: ContactPoint
    carriers: Carriers
    guess: Guess


def guess(kind: str, carriers: Carriers) -> Guess:
    """Return what a value carried by so many is likely to be."""
    if carriers.full_names == 1:
        return Guess.ONE_PERSON
    if 0 < carriers.family_names <= _FEW_NAMES:
        return Guess.FAMILY
    if kind == ContactPoint.Kind.POST or 0 < carriers.towns <= _FEW_TOWNS:
        return Guess.PLACE
    return Guess.FILLER if carriers.family_names and carriers.towns else Guess.UNKNOWN


def counts_by_kind() -> dict[str, int]:
    """Return how many values of each kind are shared; every kind is named."""
    found = ContactPoint.objects.shared().order_by().values_list("kind").annotate(Count("pk"))
    return dict.fromkeys(ContactPoint.Kind.values, 0) | dict(found)


def explained(points: Sequence[ContactPoint]) -> list[SharedValue]:
    """Say of each shared contact point who carries it and what it may be; one query."""
    rows = (
        RecordContactPoint.objects.filter(
            contact_point__in=[point.pk for point in points],
            record__status=SourceRecord.Status.ACTIVE,
        )
        .order_by()
        .values_list("contact_point")
        .annotate(
            full_names=Count(_FULL_NAME, distinct=True),
            family_names=Count(_known(Lower("record__family_name")), distinct=True),
            towns=Count(_known("record__postcode"), distinct=True),
            sources=Count("record__source", distinct=True),
        )
    )
    found = {key: figures for key, *figures in rows}
    return [_explained(point, found.get(point.pk, (0, 0, 0, 0))) for point in points]


def people(point: ContactPoint) -> QuerySet[Customer]:
    """Return the live customers that carry a value, by their number."""
    carriers = SourceRecord.objects.active().filter(carried__contact_point=point)
    return (
        Customer.objects.filter(pk__in=carriers.values("customer"))
        .select_related("golden")
        .order_by("pk")
    )


def _known(value: str | Expression) -> NullIf:
    """Leave out what is empty, which is no value that could differ."""
    return NullIf(value, Value(""))


_FULL_NAME = _known(Trim(Lower(Concat("record__given_name", Value(" "), "record__family_name"))))


def _explained(point: ContactPoint, figures: Sequence[int]) -> SharedValue:
    carriers = Carriers(point.shared_by, *figures)
    found = Guess.SAYS_SO if _says_so(point) else guess(point.kind, carriers)
    return SharedValue(point, carriers, found)


def _says_so(point: ContactPoint) -> bool:
    """Tell of an address such as `aucun@` or `pas.de.mail@`; one person alone may be called so."""
    mailbox = point.value.partition("@")[0]
    return point.kind == ContactPoint.Kind.EMAIL and (is_filler(mailbox) or mailbox in _NO_MAILBOX)
