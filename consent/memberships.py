"""Whose record is whose: as it is stored, or as it would be after a merge or a parting.

What is read of customers is read through one of these, so a preview reads exactly what would be
read afterwards.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q

from mdm.key_sets import key_set


@dataclass(frozen=True, slots=True)
class Membership:
    """Customers with their records; `homes` (record → customer) where it is a supposition."""

    customer_ids: Sequence[int]
    homes: Mapping[int, int] | None = None

    @classmethod
    def supposed(cls, homes: Mapping[int, int]) -> "Membership":
        """Return customers as they would be, from the home that each record would have."""
        return cls(sorted(set(homes.values())), homes)

    @property
    def is_supposed(self) -> bool:
        """Whether records are where they would be."""
        return self.homes is not None

    @property
    def keys(self) -> Collection[int]:
        """The keys by which `of_members` finds the records: of customers, supposed of records."""
        return self.customer_ids if self.homes is None else self.homes.keys()

    def customer(self, value: int) -> int:
        """Return the customer that a value of `home_column` stands for; 0 for somebody else.

        As it is stored, it is the customer's key itself.
        """
        return value if self.homes is None else self.homes.get(value, 0)


def of_members(keys: Collection[int], *, is_supposed: bool, record: str = "") -> Q:
    """Return the condition that a record, by the path to it, is of a membership's customers.

    Without a path, it is the record itself; the rest is what the membership says of itself.
    """
    if is_supposed:
        return Q(**{f"{record or 'pk'}__in": key_set(keys)})
    return Q(**{f"{record}__customer__in" if record else "customer__in": key_set(keys)})


def home_column(record: str, *, is_supposed: bool) -> str:
    """Return what to read of a record, by the path to it, for `Membership.customer`."""
    return f"{record}_id" if is_supposed else f"{record}__customer_id"
