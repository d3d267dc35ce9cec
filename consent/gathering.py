"""The facts of many customers, read from the database in a few queries however many they are."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Max
from django.utils.timezone import now

from consent.call_hours import zones_of
from consent.facts import (
    ANY,
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
from consent.histories import states_then
from consent.ledger import PERMISSIVE
from consent.memberships import Membership
from consent.models import CallAttempt, ConsentEvent, Pause, PermissionState, SuppressionList
from consent.phone_lines import is_mobile
from consent.policy_packs import PARIS, PolicyPack
from consent.quarantine import released_batches
from consent.states import Key
from consent.suppression import (
    bloctel_checked_at,
    registers_in_force,
    registrations_of,
    resident,
    suppressions_of,
)
from mdm.key_sets import key_set
from mdm.models import (
    Contract,
    Customer,
    GoldenRecord,
    RecordContactPoint,
    Sale,
    SourceRecord,
    SourceSystem,
)

States = Mapping[Key, Permission]
StateReader = Callable[[Membership], Mapping[int, States]]
_NO_PERMISSION = Permission()
# Consents by the person, or reported of her by a source, are contacts and restart the three-year
# clock. Refusals do not: they must never make anybody reachable.
OWN_ACTS = (ConsentEvent.ActorType.PERSON, ConsentEvent.ActorType.IMPORT)


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
    suppressions: dict[int, list[Objection]] = field(default_factory=dict)
    registrations: dict[int, list[Registration]] = field(default_factory=dict)
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
    read_states: StateReader,
    policy: PolicyPack,
    known_at: datetime | None = None,
    kinds: Iterable[str] = ("email", "phone", "post"),
) -> dict[int, Gathered]:
    """Return what is known of each customer, in a number of queries that does not grow.

    A claim that was taken back after `known_at` was still one then.
    """
    found = _customers(members)
    _add_records(found, members, known_at or now())
    _add_sales(found, members)
    _add_contracts(found, members)
    _add_acts(found, members, at, known_at or now())
    _add_points(found, members, kinds)
    _add_suppressions(found, min(at, known_at or now()))
    _add_pauses(found, members, at)
    if "phone" in kinds and at < policy.phone_switch:
        checked_at = bloctel_checked_at(at, known_at or now())
        for gathered in found.values():
            gathered.bloctel_checked_at = checked_at
    if "phone" in kinds:
        _add_calls(found, members, at - timedelta(days=policy.call_attempts_days), at)
    for customer, states in read_states(members).items():
        found[customer].states = states
    return found


def stored_states(channel: str | None = None) -> StateReader:
    """Return a reader of the stored permission states, of one channel or of all."""

    def read(members: Membership) -> Mapping[int, States]:
        found: dict[int, dict[Key, Permission]] = defaultdict(dict)
        rows = PermissionState.objects.filter(customer__in=key_set(members.customer_ids))
        if channel is not None:
            rows = rows.filter(channel__in=[channel, ANY])
        columns = (
            "customer_id",
            "contact_point_id",
            "channel",
            "purpose__code",
            "state",
            "since",
            "evidence_level",
            "deciding_event__actor_type",
            "deciding_event_id",
            "renewed_at",
        )
        for customer, point, on, code, state, since, *told in rows.values_list(*columns):
            evidence, actor, event, renewed = told
            found[customer][Key(point, on, code or ANY)] = Permission(
                State(state), since, None, evidence, actor, event, renewed
            )
        return found

    return read


def states_as_known(at: datetime, known_at: datetime) -> StateReader:
    """Return a reader that folds the events of one instant as they were known at another."""

    def read(members: Membership) -> Mapping[int, States]:
        return states_then(members, at=at, known_at=known_at)

    return read


def _customers(members: Membership) -> dict[int, Gathered]:
    """Return what is known of each customer herself: as stored, or as her records would make it.

    Which contact point is preferred follows from golden values: supposed customers have none.
    """
    if members.homes is None:
        stored = Customer.objects.filter(pk__in=key_set(members.customer_ids))
        columns = ("pk", "status", "golden__email", "golden__phone")
        return {
            key: Gathered(status, preferred=_preferred(email, phone))
            for key, status, email, phone in stored.values_list(*columns)
        }
    active = SourceRecord.objects.active().filter(pk__in=key_set(members.homes))
    live = {members.homes[key] for key in active.values_list("pk", flat=True)}
    return {
        key: Gathered(Customer.Status.ACTIVE if key in live else Customer.Status.INACTIVE)
        for key in members.customer_ids
    }


def _preferred(email: str | None, phone: str | None) -> frozenset[str]:
    """Return the golden values, None where there is no golden record."""
    if email is None or phone is None:
        return frozenset()
    return frozenset({email.casefold(), phone})


def _add_records(found: dict[int, Gathered], members: Membership, known_at: datetime) -> None:
    brokers = set(SourceSystem.objects.exclude(broker="").values_list("pk", flat=True))
    released = released_batches(known_at) if brokers else frozenset()
    rows = SourceRecord.objects.filter(
        members.among_records(), status=SourceRecord.Status.ACTIVE
    ).order_by()
    columns = (
        members.record_column, "birth_date", "source_created_at", "source_id", "batch_id",
    )  # fmt: skip
    for home, born, created, source, batch in rows.values_list(*columns):
        customer = members.customer(home)
        found[customer].is_own |= source not in brokers
        found[customer].is_checked |= batch in released
        if born:
            found[customer].births.append(born)
        if created:
            found[customer].moments.append(created)


def _add_sales(found: dict[int, Gathered], members: Membership) -> None:
    for home, key, day, family, point in Sale.objects.filter(members.among("record")).values_list(
        members.column("record"), "pk", "sold_on", "product_family", "contact_point_id"
    ):
        customer, sold_at = members.customer(home), _midnight(day)
        found[customer].sales.append(SaleFact(key, sold_at, family, point))
        found[customer].moments.append(sold_at)


def _add_contracts(found: dict[int, Gathered], members: Membership) -> None:
    for home, key, start, end, family in Contract.objects.filter(
        members.among("record")
    ).values_list(members.column("record"), "pk", "starts_on", "ends_on", "product_family"):
        customer = members.customer(home)
        starts_at = _midnight(start)
        # The last day belongs to the contract.
        ends_at = _midnight(end + timedelta(days=1)) if end else None
        found[customer].contracts.append(ContractFact(key, starts_at, ends_at, family))
        found[customer].moments.append(starts_at)


def _add_acts(
    found: dict[int, Gathered], members: Membership, at: datetime, known_at: datetime
) -> None:
    acts = ConsentEvent.objects.filter(
        members.among("source_record"),
        actor_type__in=OWN_ACTS,
        type__in=PERMISSIVE,
        occurred_at__lte=at,
    ).order_by()
    # A consent on a bad notice is void, but the person was there; a claim taken back is nothing.
    acts = acts.exclude(
        retractions__recorded_at__lte=known_at,
        retractions__type=ConsentEvent.Type.RETRACTED,
    )
    for home, latest in acts.values_list(members.column("source_record")).annotate(
        Max("occurred_at")
    ):
        found[members.customer(home)].moments.append(latest)


def _add_points(found: dict[int, Gathered], members: Membership, kinds: Iterable[str]) -> None:
    carried = RecordContactPoint.objects.filter(
        members.among("record"),
        record__status=SourceRecord.Status.ACTIVE,
        contact_point__kind__in=list(kinds),
    ).order_by()
    for home, *row in carried.values_list(
        members.column("record"),
        "contact_point_id",
        "contact_point__kind",
        "contact_point__value",
        "contact_point__status",
        "contact_point__audience",
        "record__source_updated_at",
    ):
        found[members.customer(home)].points.append(tuple(row))


def _add_suppressions(found: dict[int, Gathered], until: datetime) -> None:
    """Add the lines that stood on suppression lists and registers by an instant."""
    registers = registers_in_force()
    points = {row[0]: (row[1], row[2]) for g in found.values() for row in g.points}
    lines = suppressions_of(points, until) if "" in registers else {}
    registered = registrations_of(points, until) if registers - {""} else {}
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
    return registrations_of({key: home for key, home in homes.items() if home}, until)


def _add_pauses(found: dict[int, Gathered], members: Membership, at: datetime) -> None:
    """Add the pauses in force, which follow the contact point to whoever carries it."""
    carrier = "contact_point__carriers__record"
    in_force = Pause.objects.filter(members.among(carrier), starts_at__lte=at, ends_at__gt=at)
    for home, point, until in in_force.values_list(
        members.column(carrier), "contact_point_id"
    ).annotate(Max("ends_at")):
        found[members.customer(home)].pauses[point] = until


def _add_calls(
    found: dict[int, Gathered], members: Membership, since: datetime, at: datetime
) -> None:
    """Add the attempts to call that may count, whichever number was dialled."""
    attempts = CallAttempt.objects.filter(
        members.among("source_record"), called_at__gt=since, called_at__lte=at
    )
    columns = (members.column("source_record"), "called_at")
    for home, called_at in attempts.values_list(*columns):
        found[members.customer(home)].calls.append(called_at)


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


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=PARIS)
