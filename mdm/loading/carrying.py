"""Which contact points records carry: one row per distinct address, number or e-mail."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from mdm import bulk
from mdm.contact_points import Met, Place, in_order, meet, recount_points
from mdm.loading.points import Point
from mdm.models import RecordContactPoint
from mdm.signals import CarriedPoint

Records = Sequence[tuple[int, Sequence[Point]]]
"""Keys of records with the contact points they carry now."""


@dataclass(frozen=True, slots=True)
class Carriage:
    """What each record of a chunk carries now.

    `shared` are the contact points that somebody beside one new record alone carries, or carried.
    """

    by_record: dict[int, list[CarriedPoint]]
    shared: frozenset[int]
    unstored: Mapping[tuple[int, str], int]
    """Record and attribute → contact point, of what is not stored as carried yet."""
    uncounted: frozenset[int]
    """Those of changed records, to be counted anew once all records are stored."""


def carry(changed: Records) -> Carriage:
    """Store what records carry now, and no longer what they do not."""
    carriage = meet_points([], changed)()
    store(carriage)
    recount_points(carriage.uncounted)
    return carriage


def store(carriage: Carriage) -> None:
    """Store which record carries which contact point."""
    bulk.insert(
        RecordContactPoint,
        ("record_id", "attribute", "contact_point_id"),
        ((pk, attribute, key) for (pk, attribute), key in carriage.unstored.items()),
    )


def meet_points(
    born: Records, changed: Records, met: Sequence[Met] | None = None
) -> Callable[[], Carriage]:
    """Make and lock the contact points of records.

    Returns what gives the carriage when it is called (`behind.ask`), and drops then what changed
    records carry no more. A new record is taken to be a customer of its own, and need not be
    stored yet. What it carries is for `store` to write. `met` is what `met_by` gives of them,
    where it is at hand already.
    """
    if met is None:
        met = met_by([found for _, found in born], [found for _, found in changed])
    wanted = dict((*born, *changed))
    common = [(point.kind, point.value) for point in met if point.newborn_count > 1]
    changed_ids, answer = dict(changed).keys(), meet(met)
    return lambda: _carriage(wanted, changed_ids, common, *answer())


def met_by(born: Iterable[Sequence[Point]], changed: Iterable[Sequence[Point]] = ()) -> list[Met]:
    """Return each contact point that records carry once, in its fullest spelling."""
    fullest: dict[Place, tuple[str, str]] = {}
    of_born: list[Place] = []
    for is_born, carrying in ((True, born), (False, changed)):
        for found in carrying:
            places = []
            for _name, kind, value, display, region in found:
                place = (kind, value)
                places.append(place)
                if place not in fullest or fullest[place][0] < display:
                    fullest[place] = (display, region)
            if is_born:
                of_born += set(places) if len(places) > 1 else places
    newborns = Counter(of_born)
    # `meet` has nothing to put in order then, while a database waits for it.
    return in_order(Met(*place, *shown, newborns[place]) for place, shown in fullest.items())


def _carriage(
    wanted: Mapping[int, Sequence[Point]],
    changed_ids: Collection[int],
    common: Iterable[Place],
    keys: Mapping[Place, int],
    known: Set[int],
) -> Carriage:
    by_record = {
        pk: [
            CarriedPoint(name, keys[kind, value], kind, value)
            for name, kind, value, _display, _region in found
        ]
        for pk, found in wanted.items()
    }
    carried = {
        (pk, name): key for pk, points in by_record.items() for name, key, _kind, _value in points
    }
    touched = _drop(carried, changed_ids) if changed_ids else set[int]()
    shared = frozenset(known | touched | {keys[place] for place in common})
    return Carriage(by_record, shared, carried, frozenset(touched))


def _drop(carried: dict[tuple[int, str], int], record_ids: Collection[int]) -> set[int]:
    """Delete what records carry no more, and take out of `carried` what they carry already.

    Returns the contact points that they carry, or did.
    """
    touched = {key for (pk, _), key in carried.items() if pk in record_ids}
    present = RecordContactPoint.objects.filter(record__in=list(record_ids)).values_list(
        "pk", "record_id", "attribute", "contact_point_id"
    )
    gone: dict[int, int] = {}
    for pk, record, attribute, key in present:
        if carried.get((record, attribute)) == key:
            del carried[record, attribute]
        else:
            gone[pk] = key
    RecordContactPoint.objects.filter(pk__in=gone).delete()
    return touched.union(gone.values())
