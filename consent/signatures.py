"""What the gate looks at of many people, as one short text for each: equal texts, equal answers.

The database makes the texts, a chunk of people in one statement. They say what is there and
decide nothing: codes as they stand, and of a date only on which side of the question's instants
it lies. Where such an instant comes from counting months or years, dates near it stand as they
are, so that no calendar is counted here. Finer than needed costs time; coarser would be wrong,
which a property test looks for.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection
from django.utils.timezone import now

from consent.cases import months_after, years_after
from consent.facts import CHANNEL_KINDS, ChannelCode, Question
from consent.gathering import residents_of
from consent.models import Purpose, SuppressionList
from consent.phone_lines import is_mobile
from consent.policies import pack_at
from consent.policy_packs import PARIS, PolicyPack
from consent.quarantine import released_batches
from consent.signature_query import COLUMNS, TEXTS, words
from consent.suppression import oppositions_on, registers_in_force
from mdm.key_sets import key_set, key_text
from mdm.models import ContactPoint, RecordContactPoint, SourceRecord, SourceSystem

# A year or a month that is counted may end so much earlier or later than one counted back.
_MARGIN_OF_YEARS = timedelta(days=2)
_MARGIN_OF_MONTHS = timedelta(days=4)
# Rows in a row of an index take a third of the time of rows that are looked up one by one.
_RANGE_PAYS_UP_TO = 3
_LONG_AGO = datetime(1900, 1, 1, tzinfo=PARIS)


Signature = tuple[Any, ...]
"""What is told apart of one customer; see `consent.signature_query.COLUMNS`."""


class Group(NamedTuple):
    """People alike: how many, and one of them."""

    signature: Signature
    size: int
    example: int


class Signed(NamedTuple):
    """One customer with her signature and what stands at each place, in the gate's order.

    A place holds a contact point and the event that decided its permission, or None.
    """

    customer_id: int
    signature: Signature
    places: Sequence[tuple[int, int | None]]


def grouped(keys: Sequence[int], question: Question) -> list[Group]:
    """Return the customers by signature. Keys of nobody are in no group."""
    query = f"{TEXTS} SELECT COUNT(*), MIN(customer_id), {COLUMNS} FROM texts GROUP BY {COLUMNS}"  # noqa: S608
    rows = _rows(query, keys, question, None)
    return [Group(tuple(signature), size, example) for size, example, *signature in rows]


def signed(
    keys: Sequence[int],
    question: Question,
    contact_points: Mapping[int, int] | None = None,
    policy: PolicyPack | None = None,
) -> Iterator[Signed]:
    """Yield each customer that there is, in any order.

    `contact_points` (customer → contact point) asks about those alone; `policy` supposes another
    pack than the law of the instant asked about.
    """
    query = f"{TEXTS} SELECT customer_id, places, {COLUMNS} FROM texts"  # noqa: S608
    for customer, places, *signature in _rows(query, keys, question, contact_points, policy):
        yield Signed(customer, tuple(signature), _places(places) if places else ())


def _places(joined: str) -> list[tuple[int, int | None]]:
    """Read `place.contact point.event` and so on; the databases join them in any order."""
    if "," not in joined:  # Most have one.
        _place, point, event = joined.split(".")
        return [(int(point), int(event) or None)]
    parts = sorted(tuple(map(int, part.split("."))) for part in joined.split(","))
    return [(point, event or None) for _place, point, event in parts]


def _rows(
    query: str,
    keys: Sequence[int],
    question: Question,
    contact_points: Mapping[int, int] | None,
    policy: PolicyPack | None = None,
) -> list[tuple[Any, ...]]:
    registers = registers_in_force()
    sees_values = bool(registers) or question.channel == ChannelCode.SMS
    points = _values_of_points(keys, question, contact_points) if sees_values else {}
    values = {
        **_asked(keys, contact_points),
        **_question(question),
        **_brokers(),
        **_instants(question, policy or pack_at(question.at)),
        **_numbers(points if question.channel == ChannelCode.SMS else {}),
        **_listed(keys, points, registers, min(question.at, now())),
    }
    kinds = sorted(CHANNEL_KINDS.get(question.channel, frozenset()))
    statement = query.format(
        **words(kinds, pairs=contact_points is not None, dense=_is_dense(keys))
    )
    settings = _SETTINGS.get(connection.vendor)
    with connection.cursor() as cursor:
        if settings:
            cursor.execute(";".join(f"SET LOCAL {name} = {value}" for name, value in settings))
        cursor.execute(statement, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        if settings:
            cursor.execute(";".join(f"SET LOCAL {name} TO DEFAULT" for name, _value in settings))
    return found


# Compiling so large a statement takes longer than running it; what a chunk holds is not indexed,
# and the planner thinks it smaller than it is.
_SETTINGS = {"postgresql": (("jit", "off"), ("work_mem", "'64MB'"), ("enable_nestloop", "off"))}


def _asked(keys: Sequence[int], contact_points: Mapping[int, int] | None) -> dict[str, Any]:
    asked = {"keys": key_text(keys), "first": min(keys, default=0), "last": max(keys, default=0)}
    if contact_points is None:
        return asked
    if connection.vendor == "sqlite":
        # One object, as two lists could only be laid side by side by comparing all with all.
        return {**asked, "points": json.dumps({key: contact_points[key] for key in keys})}
    return {**asked, "points": key_text(contact_points[key] for key in keys)}


def _is_dense(keys: Sequence[int]) -> bool:
    """Tell whether it pays to read what is between the first and the last of the keys.

    SQLite looks rows up without a server's cost for each.
    """
    if connection.vendor == "sqlite" or not keys:
        return False
    return max(keys) - min(keys) < len(keys) * _RANGE_PAYS_UP_TO


def _question(question: Question) -> dict[str, Any]:
    code = question.offer.purpose if question.offer else ""
    families = question.offer.families if question.offer else frozenset()
    purpose = Purpose.objects.filter(code=code).values_list("pk", flat=True).first()
    return {
        "channel": question.channel,
        "purpose": purpose or 0,
        "families": _array(sorted(families)),
    }


def _brokers() -> dict[str, Any]:
    """Return which sources are brokers, and which of their files are released."""
    brokers = list(SourceSystem.objects.exclude(broker="").values_list("pk", flat=True))
    released = sorted(released_batches(now())) if brokers else []
    return {"brokers": _array(brokers), "released": _array(released)}


def _instants(question: Question, policy: PolicyPack) -> dict[str, Any]:
    """Return the instants and days of the question that the rules of the pack look at."""
    at = question.at
    day = at.astimezone(PARIS)
    purpose = question.offer.purpose if question.offer else ""
    quiet = years_after(at, -policy.inactive_after_years)
    stale = _months_before(at, policy.consent_months(question.channel, purpose))
    bought = _months_before(at, policy.soft_opt_in_months)
    instants = {
        "at": at,
        "known_at": now(),
        "calls_since": at - timedelta(days=policy.call_attempts_days),
        **_around("quiet", quiet, _MARGIN_OF_YEARS),
        **_around("stale", stale, _MARGIN_OF_MONTHS),
    }
    days = {
        "day": day,
        "utc_day": at,
        **_around("quiet_day", quiet, _MARGIN_OF_YEARS),
        **_around("bought", bought, _MARGIN_OF_MONTHS),
        **_around("adult", years_after(day, -policy.adult_age), _MARGIN_OF_YEARS),
        **_around("joint", years_after(day, -policy.joint_consent_below_age), _MARGIN_OF_YEARS),
    }
    adapt = connection.ops
    return {name: adapt.adapt_datetimefield_value(value) for name, value in instants.items()} | {
        name: adapt.adapt_datefield_value(value.date()) for name, value in days.items()
    }


def _months_before(at: datetime, months: int | None) -> datetime:
    return _LONG_AGO if months is None else months_after(at, -months)


def _around(name: str, instant: datetime, margin: timedelta) -> dict[str, datetime]:
    return {f"{name}_from": instant - margin, f"{name}_until": instant + margin}


def _values_of_points(
    keys: Sequence[int], question: Question, contact_points: Mapping[int, int] | None
) -> dict[int, tuple[str, str]]:
    """Return the contact points whose values say more than the database can tell.

    Suppression lists hold keyed fingerprints, and only a numbering plan knows mobile numbers.
    """
    if contact_points is not None:
        named = ContactPoint.objects.filter(pk__in=key_set(contact_points.values()))
        return {
            key: (kind, value) for key, kind, value in named.values_list("pk", "kind", "value")
        }
    carried = RecordContactPoint.objects.filter(
        record__customer__in=key_set(keys),
        record__status=SourceRecord.Status.ACTIVE,
        contact_point__kind__in=CHANNEL_KINDS.get(question.channel, frozenset()),
    ).values_list("contact_point_id", "contact_point__kind", "contact_point__value")
    return {key: (kind, value) for key, kind, value in carried}


def _numbers(points: Mapping[int, tuple[str, str]]) -> dict[str, Any]:
    """Return the numbers that are not known to be mobile."""
    found = [(key, is_mobile(value)) for key, (_kind, value) in points.items()]
    others = [
        (key, "fixed" if mobile is False else "unknown") for key, mobile in found if not mobile
    ]
    if connection.vendor == "sqlite":
        return {"numbers": json.dumps(others)}
    return {
        "numbers": _array(key for key, _text in others),
        "number_kinds": [text for _key, text in others],
    }


def _listed(
    keys: Sequence[int],
    points: Mapping[int, tuple[str, str]],
    registers: Collection[str],
    until: datetime,
) -> dict[str, Any]:
    """Return the lines of lists and registers on these contact points, and on people's homes."""
    lines, registered = oppositions_on(points, until) if registers else ({}, {})
    rows = [
        (key, one.since, f"list {one.channel}") for key, found in lines.items() for one in found
    ]
    rows += [
        (key, one.since, f"register {one.register}")
        for key, found in registered.items()
        for one in found
    ]
    has_residents = SuppressionList.Register.ROBINSON in registers
    residents = residents_of(_strangers(keys), until) if has_residents else {}
    return {**_struck(rows), "residents": _array(residents)}


def _strangers(keys: Sequence[int]) -> set[int]:
    """Return the customers of whom no source of the house itself tells."""
    known = SourceRecord.objects.active().filter(customer__in=key_set(keys), source__broker="")
    return set(keys) - set(known.values_list("customer_id", flat=True))


def _struck(lines: Iterable[tuple[int, datetime, str]]) -> dict[str, Any]:
    adapt = connection.ops.adapt_datetimefield_value
    rows = [(key, adapt(since), text) for key, since, text in lines]
    if connection.vendor == "sqlite":
        return {"struck": json.dumps(rows)}
    return {
        "struck": [key for key, _since, _text in rows],
        "struck_since": [since for _key, since, _text in rows],
        "struck_texts": [text for _key, _since, text in rows],
    }


def _array(values: Iterable[Any]) -> Any:
    """Give a list as one parameter, as each database takes it."""
    listed = list(values)
    return json.dumps(listed) if connection.vendor == "sqlite" else listed
