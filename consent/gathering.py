"""The facts of many customers, read from the database in a few queries however many they are."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django.utils.timezone import now

from consent.call_hours import zones_of
from consent.facts import (
    ANY,
    ANY_KIND,
    CHANNEL_KINDS,
    GRANTED,
    ChannelCode,
    ContractFact,
    Facts,
    Objection,
    Permission,
    PersonFacts,
    PointFacts,
    Registration,
    SaleFact,
    State,
)
from consent.facts_query import FactRows, read_facts
from consent.histories import states_then
from consent.memberships import Membership
from consent.models import SuppressionList
from consent.phone_lines import is_mobile
from consent.policy_packs import PARIS, PolicyPack
from consent.states import Key
from consent.suppression import bloctel_checked_at, oppositions_on, resident
from mdm.instants import instant_of
from mdm.key_sets import key_set
from mdm.models import Customer, GoldenRecord

States = Mapping[Key, Permission]
StateReader = Callable[[Membership], Mapping[int, States]]
_NO_PERMISSION = Permission()


@dataclass(slots=True)
class Gathered:
    """What the queries found of one customer, whatever the channel and purpose."""

    status: str
    states: States = field(default_factory=dict)
    births: list[date] = field(default_factory=list)
    moments: list[datetime] = field(default_factory=list)
    sales: list[SaleFact] = field(default_factory=list)
    contracts: list[ContractFact] = field(default_factory=list)
    points: list[tuple[Any, ...]] = field(default_factory=list)
    preferred: frozenset[str] = frozenset()
    pauses: dict[int, datetime] = field(default_factory=dict)
    calls: list[datetime] = field(default_factory=list)
    suppressions: Mapping[int, Sequence[Objection]] = field(default_factory=dict)
    registrations: Mapping[int, Sequence[Registration]] = field(default_factory=dict)
    resident: tuple[Registration, ...] = ()
    bloctel_checked_at: datetime | None = None
    # Told by a source of our own; else, in a broker's file whose proofs were seen.
    is_own: bool = False
    is_checked: bool = False

    def facts(
        self, channel: str, purpose: str, at: datetime, *, is_dialling: bool = False
    ) -> list[Facts]:
        """Return the facts once per contact point of the channel, the preferred one first.

        Without a contact point there is one entry, whose point is None.
        """
        person = PersonFacts(
            status=self.status,
            # The youngest date a source gives: a minor is protected until a steward settles it.
            birth_date=max((born for born in self.births if born <= at.date()), default=None),
            objections=_wide(self.states, None),
            sales=tuple(sorted(self.sales, key=lambda sale: sale.sale_id)),
            contracts=tuple(sorted(self.contracts, key=lambda c: c.contract_id)),
            last_contact_at=max((m for m in self.moments if m <= at), default=None),
            calls=tuple(sorted(self.calls)),
            is_third_party=not self.is_own,
            bloctel_checked_at=self.bloctel_checked_at,
            is_unchecked=not (self.is_own or self.is_checked),
        )
        points = [
            PointFacts(
                contact_point_id=key,
                kind=kind,
                status=status,
                audience=audience,
                is_mobile=is_mobile(value) if channel == ChannelCode.SMS else None,
                permission=self.states.get(Key(key, channel, purpose), _NO_PERMISSION),
                objections=_wide(self.states, key),
                suppressions=tuple(self.suppressions.get(key, ())),
                registrations=(*self.registrations.get(key, ()), *self.resident),
                paused_until=self.pauses.get(key),
                zones=zones_of(value) if is_dialling else (),
            )
            for key, kind, value, status, audience, _updated in self.contact_points(channel)
        ]
        return [Facts(person, point) for point in points] or [Facts(person, None)]

    def contact_points(self, channel: str) -> Iterable[tuple[Any, ...]]:
        """Return the rows of the contact points a channel can use, the preferred one first.

        The golden record's come first, then the latest updated; each one once.
        """

        def rank(row: tuple[Any, ...]) -> tuple[bool, float, int]:
            updated = row[5].timestamp() if row[5] else 0.0
            return row[2] not in self.preferred, -updated, row[0]

        kinds = CHANNEL_KINDS.get(channel, frozenset())
        usable = [row for row in self.points if row[1] in kinds]
        distinct: dict[int, tuple[Any, ...]] = {}
        for row in sorted(usable, key=rank) if len(usable) > 1 else usable:
            distinct.setdefault(row[0], row)
        return distinct.values()


def gather(
    members: Membership,
    *,
    at: datetime,
    policy: PolicyPack,
    read_states: StateReader | None = None,
    known_at: datetime | None = None,
    kinds: Collection[str] = ANY_KIND,
    channel: str | None = None,
) -> dict[int, Gathered]:
    """Return what is known of each customer, in a number of queries that does not grow.

    Without a reader, the states are the stored ones: of `channel`, or of all. A claim that was
    taken back after `known_at` was still one then.
    """
    known_at = known_at or now()
    rows = read_facts(
        members,
        at=at,
        known_at=known_at,
        calls_since=at - timedelta(days=policy.call_attempts_days),
        kinds=kinds,
        channel=channel,
        with_states=read_states is None,
    )
    found = _customers(rows, members)
    _add_facts(found, rows, members)
    _add_suppressions(found, {register for (register,) in rows.registers}, min(at, known_at))
    if "phone" in kinds and at < policy.phone_switch:
        checked_at = bloctel_checked_at(at, known_at)
        for gathered in found.values():
            gathered.bloctel_checked_at = checked_at
    states = read_states(members) if read_states else _stored_states(rows)
    for customer, known in states.items():
        found[customer].states = known
    return found


def states_as_known(at: datetime, known_at: datetime) -> StateReader:
    """Return a reader that folds the events of one instant as they were known at another."""

    def read(members: Membership) -> Mapping[int, States]:
        return states_then(members, at=at, known_at=known_at)

    return read


def _customers(rows: FactRows, members: Membership) -> dict[int, Gathered]:
    """Return what is known of each customer herself: as stored, or as her records would make it.

    Which contact point is preferred follows from golden values: supposed customers have none.
    """
    if members.homes is None:
        return {
            key: Gathered(status, preferred=_preferred(email, phone))
            for key, status, email, phone in rows.customers
        }
    live = {members.homes[record] for record, *_told in rows.records}
    return {
        key: Gathered(Customer.Status.ACTIVE if key in live else Customer.Status.INACTIVE)
        for key in members.customer_ids
    }


def _preferred(email: str | None, phone: str | None) -> frozenset[str]:
    """Return the golden values, None where there is no golden record."""
    if email is None or phone is None:
        return frozenset()
    return frozenset({email.casefold(), phone})


def _add_facts(found: dict[int, Gathered], rows: FactRows, members: Membership) -> None:
    """Add what records tell, each to the customer whose record it is."""
    whose = members.customer
    for home, born, created, is_own, is_checked in rows.records:
        one = found[whose(home)]
        one.is_own |= bool(is_own)
        one.is_checked |= bool(is_checked)
        if born:
            one.births.append(date.fromisoformat(born))
        if created:
            one.moments.append(instant_of(created))
    for home, key, day, family, point in rows.sales:
        sold_at = _midnight(day)
        found[whose(home)].sales.append(SaleFact(key, sold_at, family, point))
        found[whose(home)].moments.append(sold_at)
    for home, key, start, end, family in rows.contracts:
        starts_at = _midnight(start)
        # The last day belongs to the contract.
        ends_at = _midnight(end, days_later=1) if end else None
        found[whose(home)].contracts.append(ContractFact(key, starts_at, ends_at, family))
        found[whose(home)].moments.append(starts_at)
    for home, acted_at in rows.acts:
        found[whose(home)].moments.append(instant_of(acted_at))
    for home, *point, updated in rows.points:
        updated_at = instant_of(updated) if updated else None
        found[whose(home)].points.append((*point, updated_at))
    for home, point, until in rows.pauses:
        pauses, ends_at = found[whose(home)].pauses, instant_of(until)
        pauses[point] = max(ends_at, pauses.get(point, ends_at))
    for home, called_at in rows.calls:
        found[whose(home)].calls.append(instant_of(called_at))


def _stored_states(rows: FactRows) -> Mapping[int, States]:
    found: dict[int, dict[Key, Permission]] = defaultdict(dict)
    for customer, point, on, code, state, since, evidence, actor, event, renewed in rows.states:
        found[customer][Key(point, on, code or ANY)] = Permission(
            State(state),
            instant_of(since) if since else None,
            None,
            evidence,
            actor,
            event,
            instant_of(renewed) if renewed else None,
        )
    return found


def _add_suppressions(
    found: dict[int, Gathered], registers: Collection[str], until: datetime
) -> None:
    """Add the lines that stood on suppression lists and on these registers by an instant."""
    points = {row[0]: (row[1], row[2]) for g in found.values() for row in g.points}
    lines, registered = oppositions_on(points, until) if registers else ({}, {})
    for gathered in found.values():
        gathered.suppressions, gathered.registrations = lines, registered
    if SuppressionList.Register.ROBINSON in registers:
        _add_residents(found, until)


def _add_residents(found: dict[int, Gathered], until: datetime) -> None:
    """Add who is on the register of post: known by name and home, and asked of brokers' people."""
    strangers = [key for key, gathered in found.items() if not gathered.is_own]
    for customer, lines in residents_of(strangers, until).items():
        found[customer].resident = tuple(lines)


def residents_of(
    customer_ids: Iterable[int], until: datetime
) -> Mapping[int, Iterable[Registration]]:
    """Return the lines of customers on the register of post, which knows names and homes."""
    golden = GoldenRecord.objects.filter(pk__in=key_set(customer_ids))
    homes = {
        customer: resident(family, f"{number} {street}", postcode)
        for customer, family, number, street, postcode in golden.values_list(
            "pk", "family_name", "street_number", "street", "postcode"
        )
    }
    _lines, registered = oppositions_on({key: home for key, home in homes.items() if home}, until)
    return registered


def _wide(states: States, contact_point_id: int | None) -> tuple[Objection, ...]:
    """Return the refusals that stand at a contact point (None: at the person) and are wide."""
    return tuple(
        Objection(
            state.since, state.state, key.channel, key.purpose, state.evidence, state.event_id
        )
        for key, state in states.items()
        if key.contact_point_id == contact_point_id
        and state.state not in GRANTED
        and state.since is not None
        and (contact_point_id is None or ANY in {key.channel, key.purpose})
    )


def _midnight(day: str, days_later: int = 0) -> datetime:
    whole = date.fromisoformat(day) + timedelta(days=days_later)
    return datetime.combine(whole, time.min, tzinfo=PARIS)
