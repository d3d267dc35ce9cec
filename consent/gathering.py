"""The facts of many customers, read from the database in a few queries however many they are."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
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
    SaleFact,
    State,
)
from consent.ledger import PERMISSIVE, events_by_customer
from consent.models import CallAttempt, ConsentEvent, Pause, PermissionState
from consent.phone_lines import is_mobile
from consent.policy_packs import PARIS, pack_at
from consent.states import Key, fold_all, known
from consent.suppression import suppressions_of
from mdm.key_sets import key_set
from mdm.models import (
    Contract,
    Customer,
    GoldenRecord,
    RecordContactPoint,
    Sale,
    SourceRecord,
)

States = Mapping[Key, Permission]
StateReader = Callable[[Sequence[int]], Mapping[int, States]]
_NO_PERMISSION = Permission()
# Consents by the person, or reported of her by a source, are contacts and restart the three-year
# clock. Refusals do not: they must never make anybody reachable.
_OWN_ACTS = (ConsentEvent.ActorType.PERSON, ConsentEvent.ActorType.IMPORT)


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
    customer_ids: Sequence[int],
    *,
    at: datetime,
    read_states: StateReader,
    known_at: datetime | None = None,
    kinds: Iterable[str] = ("email", "phone", "post"),
) -> dict[int, Gathered]:
    """Return what is known of each customer, in a number of queries that does not grow.

    A claim that was taken back after `known_at` was still one then.
    """
    found = {
        key: Gathered(status)
        for key, status in Customer.objects.filter(pk__in=key_set(customer_ids)).values_list(
            "pk", "status"
        )
    }
    _add_records(found)
    _add_sales(found)
    _add_contracts(found)
    _add_acts(found, at, known_at or now())
    _add_points(found, kinds)
    _add_suppressions(found, min(at, known_at or now()))
    _add_pauses(found, at)
    if "phone" in kinds:
        _add_calls(found, at)
    for customer, states in read_states(customer_ids).items():
        found[customer].states = states
    return found


def stored_states(channel: str | None = None) -> StateReader:
    """Return a reader of the stored permission states, of one channel or of all."""

    def read(customer_ids: Sequence[int]) -> Mapping[int, States]:
        found: dict[int, dict[Key, Permission]] = defaultdict(dict)
        rows = PermissionState.objects.filter(customer__in=key_set(customer_ids))
        if channel is not None:
            rows = rows.filter(channel__in=[channel, ANY])
        for customer, point, on, code, state, since, evidence, actor, event in rows.values_list(
            "customer_id",
            "contact_point_id",
            "channel",
            "purpose__code",
            "state",
            "since",
            "evidence_level",
            "deciding_event__actor_type",
            "deciding_event_id",
        ):
            found[customer][Key(point, on, code or ANY)] = Permission(
                State(state), since, None, evidence, actor, event
            )
        return found

    return read


def states_as_known(at: datetime, known_at: datetime) -> StateReader:
    """Return a reader that folds the events of one instant as they were known at another."""

    def read(customer_ids: Sequence[int]) -> dict[int, States]:
        return {
            customer: fold_all(known(events, at=at, known_at=known_at))
            for customer, events in events_by_customer(customer_ids).items()
        }

    return read


def _add_records(found: dict[int, Gathered]) -> None:
    rows = SourceRecord.objects.filter(
        customer__in=key_set(found), status=SourceRecord.Status.ACTIVE
    ).order_by()
    for customer, born, created in rows.values_list(
        "customer_id", "birth_date", "source_created_at"
    ):
        if born:
            found[customer].births.append(born)
        if created:
            found[customer].moments.append(created)


def _add_sales(found: dict[int, Gathered]) -> None:
    for customer, key, day, family, point in Sale.objects.filter(
        record__customer__in=key_set(found)
    ).values_list("record__customer_id", "pk", "sold_on", "product_family", "contact_point_id"):
        sold_at = _midnight(day)
        found[customer].sales.append(SaleFact(key, sold_at, family, point))
        found[customer].moments.append(sold_at)


def _add_contracts(found: dict[int, Gathered]) -> None:
    for customer, key, start, end, family in Contract.objects.filter(
        record__customer__in=key_set(found)
    ).values_list("record__customer_id", "pk", "starts_on", "ends_on", "product_family"):
        starts_at = _midnight(start)
        # The last day belongs to the contract.
        ends_at = _midnight(end + timedelta(days=1)) if end else None
        found[customer].contracts.append(ContractFact(key, starts_at, ends_at, family))
        found[customer].moments.append(starts_at)


def _add_acts(found: dict[int, Gathered], at: datetime, known_at: datetime) -> None:
    acts = ConsentEvent.objects.filter(
        source_record__customer__in=key_set(found),
        actor_type__in=_OWN_ACTS,
        type__in=PERMISSIVE,
        occurred_at__lte=at,
    ).order_by()
    # A consent on a bad notice is void, but the person was there; a claim taken back is nothing.
    acts = acts.exclude(
        retractions__recorded_at__lte=known_at,
        retractions__type=ConsentEvent.Type.RETRACTED,
    )
    for customer, latest in acts.values_list("source_record__customer_id").annotate(
        Max("occurred_at")
    ):
        found[customer].moments.append(latest)


def _add_points(found: dict[int, Gathered], kinds: Iterable[str]) -> None:
    golden = GoldenRecord.objects.filter(pk__in=key_set(found))
    for customer, email, phone in golden.values_list("pk", "email", "phone"):
        found[customer].preferred = frozenset({email.casefold(), phone})
    carried = RecordContactPoint.objects.filter(
        record__customer__in=key_set(found),
        record__status=SourceRecord.Status.ACTIVE,
        contact_point__kind__in=list(kinds),
    ).order_by()
    for customer, *row in carried.values_list(
        "record__customer_id",
        "contact_point_id",
        "contact_point__kind",
        "contact_point__value",
        "contact_point__status",
        "contact_point__audience",
        "record__source_updated_at",
    ):
        found[customer].points.append(tuple(row))


def _add_suppressions(found: dict[int, Gathered], until: datetime) -> None:
    """Add the lines that stood on suppression lists by an instant."""
    points = {row[0]: (row[1], row[2]) for g in found.values() for row in g.points}
    lines = suppressions_of(points, until)
    for gathered in found.values():
        gathered.suppressions = lines


def _add_pauses(found: dict[int, Gathered], at: datetime) -> None:
    """Add the pauses in force, which follow the contact point to whoever carries it."""
    in_force = Pause.objects.filter(
        starts_at__lte=at,
        ends_at__gt=at,
        contact_point__carriers__record__customer__in=key_set(found),
    )
    for customer, point, until in in_force.values_list(
        "contact_point__carriers__record__customer_id", "contact_point_id"
    ).annotate(Max("ends_at")):
        found[customer].pauses[point] = until


def _add_calls(found: dict[int, Gathered], at: datetime) -> None:
    """Add the attempts to call that may count, whichever number was dialled."""
    since = at - timedelta(days=pack_at(at).call_attempts_days)
    attempts = CallAttempt.objects.filter(
        source_record__customer__in=key_set(found), called_at__gt=since, called_at__lte=at
    )
    for customer, called_at in attempts.values_list("source_record__customer_id", "called_at"):
        found[customer].calls.append(called_at)


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
