"""How long a steward waits for one act: `python -m benchmarks.acts` on the data that is there.

Links two customers, undoes it, takes a record out of a customer, undoes that, each many times on
customers chosen by chance, through the services that the pages call. Prints the median and the
95th percentile of each in milliseconds, from the call to the end of the commit.
"""

import json
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

import django

if TYPE_CHECKING:
    from matching.models import Repair

TIMES = 200
# The first calls import, compile statements and fill caches.
_WARM_UP = 10
Made = TypeVar("Made")


def measure(times: int = TIMES) -> dict[str, Any]:
    """Return the percentiles by act, and how many records there are."""
    from django.contrib.auth.models import User

    from matching.decisions import ContradictsDecisions
    from matching.repairs import RepairRefused
    from mdm.models import SourceRecord

    steward, _ = User.objects.get_or_create(username="benchmark")
    taken: dict[str, list[float]] = defaultdict(list)
    chance = Random(5)
    for two, large in zip(_customers(chance, 1), _customers(chance, 2), strict=True):
        if len(taken["link"]) >= times + _WARM_UP:
            break
        with suppress(ContradictsDecisions, RepairRefused):  # Undone acts leave no decision.
            _link_and_undo(taken, two, large, steward)
            _unlink_and_undo(taken, large, steward)
    figures = {act: percentiles(seconds[_WARM_UP:]) for act, seconds in taken.items()}
    return {"records": SourceRecord.objects.count(), "acts": figures}


def _link_and_undo(taken: dict[str, list[float]], one: int, other: int, steward: Any) -> None:
    from matching.decisions import Circumstances
    from matching.repairs import Wish, repair, undo

    wish, why = Wish("link", one, other_id=other), Circumstances("document")
    done: Repair = _timed(taken["link"], lambda: repair(wish, by=steward, circumstances=why))
    _timed(taken["undo of a link"], lambda: undo(done, by=steward))


def _unlink_and_undo(taken: dict[str, list[float]], customer: int, steward: Any) -> None:
    from matching.repairs import Wish, repair, undo
    from mdm.models import SourceRecord

    records = SourceRecord.objects.filter(customer=customer).order_by("pk")
    last = records.values_list("pk", flat=True).last()
    wish = Wish("unlink", customer, (last or 0,))
    done: Repair = _timed(taken["unlink"], lambda: repair(wish, by=steward))
    _timed(taken["undo of an unlink"], lambda: undo(done, by=steward))


def _customers(chance: Random, least: int) -> Iterator[int]:
    """Yield customers of at least so many records, by chance."""
    from mdm.models import GoldenRecord

    some = GoldenRecord.objects.filter(record_count__gte=least).order_by("pk")
    last = some.values_list("pk", flat=True).last() or 0
    while True:
        after = some.filter(pk__gte=chance.randint(1, last)).values_list("pk", flat=True)
        if (found := after.first()) is not None:
            yield found


def _timed(taken: list[float], act: Callable[[], Made]) -> Made:
    started = time.perf_counter()
    made = act()
    taken.append(time.perf_counter() - started)
    return made


def percentiles(seconds: Sequence[float], percents: Sequence[int] = (50, 95)) -> dict[str, float]:
    """Return percentiles in milliseconds: `p50` for the median, `p95` and so on."""
    ordered = sorted(seconds)
    last = len(ordered) - 1
    return {
        f"p{percent}": round(1000 * ordered[min(last, len(ordered) * percent // 100)], 1)
        for percent in percents
    }


def main() -> None:
    """Measure with the settings of the environment."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    print(json.dumps(measure()))


if __name__ == "__main__":
    main()
