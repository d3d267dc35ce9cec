"""One question asked of one person's facts: what the gates and the channel rules read.

What permits is relative to the instant of the question: sales, contracts and consents from later
do not count. What refuses counts whatever its date.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from consent.facts import (
    ANY,
    Actor,
    Audience,
    ContractFact,
    Objection,
    Offer,
    Permission,
    PersonFacts,
    PointFacts,
    Registration,
    SaleFact,
)
from consent.policy_packs import PARIS, PolicyPack


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that applies, with what decided it: an event, or a fact such as `sale:12`."""

    rule: str
    since: datetime | None = None
    event_id: int | None = None
    fact: str = ""
    list_name: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """The facts and the question side by side; `point` is None when there is nothing to use."""

    person: PersonFacts
    point: PointFacts | None
    channel: str
    offer: Offer
    at: datetime
    policy: PolicyPack

    @property
    def audience(self) -> str:
        """Return whom the contact point reaches; consumers when there is none."""
        return self.point.audience if self.point else Audience.CONSUMER

    @property
    def permission(self) -> Permission:
        """Return the permission on the exact key; an empty one without contact point."""
        return self.point.permission if self.point else Permission()

    @property
    def is_informed(self) -> bool:
        """Tell whether the person was informed; the pack attests it where nothing is recorded."""
        if self.person.is_informed is None:
            return self.policy.information_is_attested
        return self.person.is_informed

    @property
    def age(self) -> int | None:
        """Return the age in years on the day of the question in France; None when unknown."""
        born = self.person.birth_date
        if born is None:
            return None
        day = self.at.astimezone(PARIS).date()
        return day.year - born.year - ((day.month, day.day) < (born.month, born.day))

    def recent_calls(self) -> list[datetime]:
        """Return the attempts to call that count against the limit at this instant."""
        since = self.at - timedelta(days=self.policy.call_attempts_days)
        return [call for call in self.person.calls if since < call <= self.at]

    def objections(self) -> Iterator[Objection]:
        """Yield the wide refusals that cover this channel and purpose."""
        for objection in (*self.person.objections, *(self.point.objections if self.point else ())):
            if self._is_covered_by(objection):
                yield objection

    def suppressions(self) -> Iterator[Objection]:
        """Yield the lines of the suppression list that cover this contact point."""
        for suppression in self.point.suppressions if self.point else ():
            if self._is_covered_by(suppression):
                yield suppression

    def registration(self, register: str) -> Registration | None:
        """Return the earliest line of this contact point on a register of oppositions."""
        found = self.point.registrations if self.point else ()
        return min((one for one in found if one.register == register), default=None)

    def sales_at_this_point(self) -> list[SaleFact]:
        """Return the sales at which this contact point was collected, newest first."""
        point_id = self.point.contact_point_id if self.point else None
        sales = [
            sale
            for sale in self.person.sales
            if sale.contact_point_id == point_id is not None
            and sale.at <= self.at
            and sale.brand == self.offer.brand
            and sale.kind in self.policy.soft_opt_in_sale_kinds
        ]
        return sorted(sales, key=lambda sale: (sale.at, sale.sale_id), reverse=True)

    def is_recent(self, sale: SaleFact) -> bool:
        """Tell whether one may still write about a sale, by the pack's window."""
        months = self.policy.soft_opt_in_months
        return months is None or self.at < months_after(sale.at, months)

    def running_contracts(self) -> list[ContractFact]:
        """Return the contracts with this brand that run at this instant."""
        return [
            contract
            for contract in self.person.contracts
            if contract.starts_at <= self.at
            and (contract.ends_at is None or self.at < contract.ends_at)
            and contract.brand == self.offer.brand
        ]

    def related_contracts(self) -> list[ContractFact]:
        """Return the running contracts that the offer concerns."""
        return [c for c in self.running_contracts() if c.family in self.offer.families]

    def _is_covered_by(self, objection: Objection) -> bool:
        is_on_channel = objection.channel in {ANY, self.channel}
        return is_on_channel and objection.purpose in {ANY, self.offer.purpose}


OWN_CONSENT = frozenset({Actor.PERSON, Actor.GUARDIAN})
"""Who can consent for a minor of fifteen to seventeen."""


def years_after(moment: datetime, years: int) -> datetime:
    """Return the same day and time `years` later; 29 February becomes 28 February."""
    try:
        return moment.replace(year=moment.year + years)
    except ValueError:
        return moment.replace(year=moment.year + years, day=28)


def months_after(moment: datetime, months: int) -> datetime:
    """Return the same day `months` later, or the last that month has."""
    index = moment.year * 12 + moment.month - 1 + months
    for day in range(moment.day, 27, -1):
        try:
            return moment.replace(year=index // 12, month=index % 12 + 1, day=day)
        except ValueError:
            continue
    return moment.replace(year=index // 12, month=index % 12 + 1)


def birthday(born: date, age: int) -> datetime:
    """Return the instant somebody reaches an age, in France."""
    first = datetime.combine(born, time.min)
    return years_after(first, age).replace(tzinfo=PARIS)
