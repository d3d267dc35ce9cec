"""Whose record is whose: as it is stored, or as it would be after a merge or a parting.

What is read of customers is read through one of these, so a preview reads exactly what would be
read afterwards.
"""

from collections.abc import Mapping, Sequence
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

    def among(self, record: str) -> Q:
        """Return the condition that a record, by the path to it, is of these customers."""
        if self.homes is None:
            return Q(**{f"{record}__customer__in": key_set(self.customer_ids)})
        return Q(**{f"{record}__in": key_set(self.homes)})

    def column(self, record: str) -> str:
        """Return what to read of a record, by the path to it, for `customer`."""
        return f"{record}__customer_id" if self.homes is None else f"{record}_id"

    def among_records(self) -> Q:
        """Return the condition that a record itself is of these customers."""
        if self.homes is None:
            return Q(customer__in=key_set(self.customer_ids))
        return Q(pk__in=key_set(self.homes))

    @property
    def record_column(self) -> str:
        """What to read of a record itself, for `customer`."""
        return "customer_id" if self.homes is None else "pk"

    def customer(self, value: int) -> int:
        """Return the customer that a value of `column` stands for; 0 for somebody else.

        As it is stored, it is the customer's key itself.
        """
        return value if self.homes is None else self.homes.get(value, 0)
