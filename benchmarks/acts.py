"""How long a steward waits for one act: `python -m benchmarks.acts` on the data that is there.

Links two customers, undoes it, takes a record out of a customer, undoes that, each many times on
customers chosen by chance, through the services that the pages call. Prints the median and the
95th percentile of each in milliseconds, from the call to the end of the commit: by the clock, and
of this process's processor; of the server's processor the mean.
"""

import json
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from statistics import mean
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import django

if TYPE_CHECKING:
    from matching.models import Repair

TIMES = 200
# The first calls import, compile statements and fill caches.
_WARM_UP = 10
Made = TypeVar("Made")


class Taken(NamedTuple):
    """Seconds of one act: by the clock, of this process, of the server's."""

    clock: float
    processor: float
    server: float


def measure(times: int = TIMES) -> dict[str, Any]:
    """Return the percentiles by act, and how many records there are."""
    from django.contrib.auth.models import User

    from matching.decisions import ContradictsDecisions
    from matching.repairs import RepairRefused
    from mdm.models import SourceRecord

    steward, _ = User.objects.get_or_create(username="benchmark")
    taken: dict[str, list[Taken]] = defaultdict(list)
    chance = Random(5)
    for two, large in zip(_customers(chance, 1), _customers(chance, 2), strict=True):
        if len(taken["link"]) >= times + _WARM_UP:
            break
        with suppress(ContradictsDecisions, RepairRefused):  # Undone acts leave no decision.
            _link_and_undo(taken, two, large, steward)
            _unlink_and_undo(taken, large, steward)
    figures = {act: _figures(times[_WARM_UP:]) for act, times in taken.items()}
    return {"records": SourceRecord.objects.count(), "acts": figures}


def _figures(times: Sequence[Taken]) -> dict[str, float]:
    ours = percentiles([one.processor for one in times])
    return {
        **percentiles([one.clock for one in times]),
        **{f"processor_{name}": figure for name, figure in ours.items()},
        "server_mean": round(1000 * mean(one.server for one in times), 1),
    }


def _link_and_undo(taken: dict[str, list[Taken]], one: int, other: int, steward: Any) -> None:
    from matching.decisions import Circumstances
    from matching.repairs import Wish, repair, undo

    wish, why = Wish("link", one, other_id=other), Circumstances("document")
    done: Repair = _timed(taken["link"], lambda: repair(wish, by=steward, circumstances=why))
    _timed(taken["undo of a link"], lambda: undo(done, by=steward))


def _unlink_and_undo(taken: dict[str, list[Taken]], customer: int, steward: Any) -> None:
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


def _timed(taken: list[Taken], act: Callable[[], Made]) -> Made:
    server = server_cpu_seconds()
    clock, processor = time.perf_counter(), time.process_time()
    made = act()
    clock, processor = time.perf_counter() - clock, time.process_time() - processor
    taken.append(Taken(clock, processor, server_cpu_seconds() - server))
    return made


def server_cpu_seconds() -> float:
    """Return the processor time of this database's server processes; 0 when they are not here."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return 0.0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
        paths = [Path(f"/proc/{pid}/stat") for (pid,) in cursor.fetchall()]
    # Behind the name, which may hold spaces: user and system time, in ticks (proc(5)).
    fields = [path.read_text().rpartition(")")[2].split() for path in paths if path.exists()]
    ticks = sum(int(found[11]) + int(found[12]) for found in fields)
    return ticks / os.sysconf("SC_CLK_TCK")


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
