"""What became of a customer id: every id ever issued has an answer, in one step, for ever."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from mdm.identity import issued
from mdm.models import Customer, CustomerEvent

Status = Customer.Status
_KINDS = {
    Status.ACTIVE: ("created", "restored"),
    Status.MERGED: ("merged",),
    Status.INACTIVE: ("inactivated",),
    Status.ERASED: ("erased",),
}
"""Status → the events after which an id has it."""


@dataclass(frozen=True, slots=True)
class Fate:
    """An id as it was asked for, and the customer it stands for now: itself unless merged."""

    asked: Customer
    live: Customer

    @property
    def since(self) -> datetime | None:
        """When the id came to be what it is: merged, say; one query."""
        return _since(self.asked)

    @property
    def is_merged(self) -> bool:
        """Whether the id opens the page of another one."""
        return self.asked != self.live

    def as_json(self) -> dict[str, Any]:
        """Return the answer as the API and the command give it; documented in integrating.md."""
        return {
            "asked": self.asked.public_id,
            "status": self.asked.status,
            "since": since.isoformat() if (since := self.since) else None,
            "customer_id": self.live.public_id,
            "customer_status": self.live.status,
        }

    def sentences(self) -> list[str]:
        """Say it in words, the id asked for first."""
        words = {"id": self.asked.display_id, "live": self.live.display_id}
        said = []
        if self.is_merged:
            merged = _("%(id)s was merged into %(live)s on %(day)s.")
            said.append(merged % {**words, "day": _day(self.since)})
        if self.live.status == Status.ACTIVE:
            return said or [_("%(live)s is in use.") % words]
        gone = {
            Status.INACTIVE: _("No source has known the person behind %(live)s since %(day)s."),
            Status.ERASED: _(
                "The data of the person behind %(live)s was erased on %(day)s. The number is "
                "never used again, and nothing else is known."
            ),
        }
        words["day"] = _day(_since(self.live))
        return [*said, gone[Status(self.live.status)] % words]


def what_became_of(text: str) -> Fate:
    """Return what became of an id, in any form that people type.

    Raises:
        UnknownCustomer: when the text is no id or was never issued.
    """
    asked = issued(text)
    return Fate(asked, asked.merged_into or asked)


def _since(customer: Customer) -> datetime | None:
    """Return when a customer got the status that she has."""
    kinds = _KINDS[Status(customer.status)]
    events = CustomerEvent.objects.filter(customer=customer, kind__in=kinds)
    return events.order_by("-number").values_list("at", flat=True).first()


def _day(moment: datetime | None) -> str:
    return date_format(localtime(moment), "DATE_FORMAT") if moment else _("an unknown day")
