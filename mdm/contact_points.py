"""Contact points, each stored once, and how many live customers share each of them.

A family's phone or a shop's till address is no evidence of identity, so matching and pages read
`shared_by`. It is derived: `meet` and `recount` keep it, `recount_all` builds it anew.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Max

from mdm import bulk
from mdm.behind import ask
from mdm.key_sets import key_query
from mdm.models import ContactPoint

_CHUNK = 20_000

# Contact points of which {which}, with the customers who carry them now.
_COUNTED = """
    SELECT point.id AS id, point.shared_by AS stored,
        COUNT(DISTINCT record.customer_id) AS customers
    FROM mdm_contactpoint AS point
    LEFT JOIN mdm_recordcontactpoint AS carried ON carried.contact_point_id = point.id
    LEFT JOIN mdm_sourcerecord AS record
      ON record.id = carried.record_id AND record.status = 'active'
    WHERE {which}
    GROUP BY point.id
"""
_WRONG = f"""
    SELECT id, customers - stored AS difference FROM ({_COUNTED}) AS counted
    WHERE customers <> stored
"""  # noqa: S608 - no value is put in.
_SET = """
    UPDATE mdm_contactpoint SET shared_by = mdm_contactpoint.shared_by + wrong.difference
    FROM {source} WHERE mdm_contactpoint.id = wrong.id
"""
_UPDATE = {
    # Rows are locked in one order, and what others have added while we waited stays. As arrays,
    # keys are looked up; joined, they would have the whole table read.
    "postgresql": f"""
        WITH wrong AS MATERIALIZED ({_WRONG}), locked AS MATERIALIZED (
            SELECT id FROM mdm_contactpoint WHERE id = ANY(ARRAY(SELECT id FROM wrong))
            ORDER BY id FOR NO KEY UPDATE
        )
        {_SET.format(source="wrong")} AND mdm_contactpoint.id = ANY(ARRAY(SELECT id FROM locked))
    """,  # noqa: S608
    "sqlite": _SET.format(source=f"({_WRONG}) AS wrong"),
}
_COUNT_WRONG = f"SELECT COUNT(*) FROM ({_WRONG}) AS wrong"  # noqa: S608


# The fuller of two spellings is shown, whichever came first: accents are greater than none, and
# small letters than capitals.
_MEET = """
    INSERT INTO mdm_contactpoint ({columns}) SELECT {columns} FROM {stage} AS met
    WHERE true ORDER BY id
    ON CONFLICT (value, kind) DO UPDATE SET
        shared_by = mdm_contactpoint.shared_by + excluded.shared_by,
        region = CASE WHEN {is_fuller} THEN excluded.region ELSE mdm_contactpoint.region END,
        display = CASE WHEN {is_fuller} THEN excluded.display ELSE mdm_contactpoint.display END
    RETURNING id, kind, value
"""
# Of most the caller has the key already: they are new.
_MEET_AND_TELL = {
    "postgresql": f"""
        WITH met AS ({_MEET}) SELECT id, kind, value FROM met WHERE id NOT BETWEEN %s AND %s
    """,  # noqa: S608
    "sqlite": _MEET,
}
_IS_FULLER = {
    "postgresql": 'excluded.display COLLATE "C" > mdm_contactpoint.display COLLATE "C"',
    "sqlite": "excluded.display > mdm_contactpoint.display",
}
_MET_COLUMNS = ("id", "kind", "value", "display", "region", "shared_by", "status", "audience")

Place = tuple[str, str]
"""Kind and value: what makes two contact points the same."""


class Met(NamedTuple):
    """A contact point that records about to be stored carry.

    `newborn_count` of them are records nobody knew, so customers that were not counted yet.
    """

    kind: str
    value: str
    display: str
    region: str
    newborn_count: int


def in_order(points: Iterable[Met]) -> list[Met]:
    """Return contact points in the order in which everybody locks them, byte by byte."""
    return sorted(points, key=lambda point: f"{point.value}\0{point.kind}")  # No value has a NUL.


Keys = tuple[dict[Place, int], set[int]]
"""The key of each contact point by place, and the keys of those known before."""


def meet(points: Collection[Met]) -> Callable[[], Keys]:
    """Return what gives the keys of contact points when it is called (`behind.ask`).

    Unknown ones are made. All stay locked until the transaction ends: who adds a carrier and who
    records a refusal of the same contact point wait for one another, and always in the same
    order, so that two loads that meet cannot block each other in a circle.
    """
    if not points:
        return lambda: ({}, set())
    points = in_order(points)  # Keys in this order let the table's index grow at its end.
    fresh = bulk.allocate_ids(ContactPoint, len(points))
    status, audience = ContactPoint.Status.USABLE, ContactPoint.Audience.B2C
    rows = [(key, *point, status, audience) for key, point in zip(fresh, points, strict=True)]
    with bulk.staged(ContactPoint, _MET_COLUMNS, rows) as stage:
        answer = _meet(stage, fresh)

    def keys() -> Keys:
        found = dict(zip([point[:2] for point in points], fresh, strict=True))
        known = {(kind, value): key for key, kind, value in answer() if found[kind, value] != key}
        return found | known, set(known.values())

    return keys


def _meet(stage: str, fresh: Sequence[int]) -> Callable[[], list[Any]]:
    """Store what stands in a table; returns what gives (key, kind, value) of all known before."""
    vendor = connection.vendor
    statement = _MEET_AND_TELL[vendor].format(
        columns=", ".join(_MET_COLUMNS), stage=stage, is_fuller=_IS_FULLER[vendor]
    )
    if vendor == "sqlite":
        return ask(statement)
    first, last = fresh[0], fresh[-1]
    is_ours = last - first + 1 == len(fresh)  # Else another load has taken keys between them.
    return ask(statement, [first, last] if is_ours else [0, 0])


def recount_points(contact_point_ids: Collection[int]) -> None:
    """Count anew who shares these contact points."""
    if contact_point_ids:
        subquery, listed = key_query(contact_point_ids)
        _update(f"point.id IN ({subquery})", [listed])


def recount(record_ids: Sequence[int]) -> None:
    """Count anew who shares the contact points that these records carry."""
    if record_ids:
        subquery, listed = key_query(record_ids)
        carried = (
            "SELECT contact_point_id FROM mdm_recordcontactpoint"  # noqa: S608
            f" WHERE record_id IN ({subquery})"
        )
        _update(f"point.id IN ({carried})", [listed])


def recount_all(*, check: bool) -> int:
    """Count anew who shares each contact point; with `check`, write nothing.

    Returns how many were miscounted.
    """
    last = ContactPoint.objects.aggregate(last=Max("pk"))["last"] or 0
    which, wrong = "point.id BETWEEN %s AND %s", 0
    for start in range(1, last + 1, _CHUNK):
        bounds = [start, start + _CHUNK - 1]
        wrong += _count_wrong(which, bounds) if check else _update(which, bounds)
        bulk.pause_for_other_writers()
    return wrong


def _update(which: str, parameters: Sequence[int | str]) -> int:
    """Write the counts that differ; returns how many did."""
    with connection.cursor() as cursor:
        cursor.execute(_UPDATE[connection.vendor].format(which=which), parameters)
        changed: int = cursor.rowcount
        return changed


def _count_wrong(which: str, parameters: Sequence[int | str]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_WRONG.format(which=which), parameters)
        count: int = cursor.fetchone()[0]
        return count
