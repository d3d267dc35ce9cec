"""Counts and samples of what a load or its undoing would change, for people to judge.

Samples hold people's values: they never go into a job's row.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from random import Random
from typing import Any

from mdm.golden_records import Prospect, RecordValues, prospects
from mdm.models import ATTRIBUTES, Customer

SAMPLE_SIZE = 20
GOLDEN = ("golden_new", "golden_changed", "golden_gone")
BLANK = ("",) * len(ATTRIBUTES)

Difference = tuple[str, Any, Any]
"""Attribute, value before, value after."""


class Samples:
    """Counts of each end, and an even sample of each."""

    def __init__(self, ends: Iterable[str], *, seed: str) -> None:
        """Start with every end at zero; the same seed picks the same samples."""
        self.counts = dict.fromkeys((*ends, *GOLDEN), 0)
        self.kept: dict[str, list[Any]] = {}
        self._offered: Counter[str] = Counter()
        self._random = Random(seed)  # noqa: S311  (a sample, not a secret)
        # A customer with two records concerned is one golden record.
        self._customers: set[int] = set()

    def offer(self, end: str, make: Callable[..., Any], *parts: Any) -> None:
        """Sample a stream whose length nobody knows (algorithm R): make the kept ones only."""
        kept = self.kept.setdefault(end, [])
        self._offered[end] += 1
        if len(kept) < SAMPLE_SIZE:
            kept.append(make(*parts))
            return
        place = self._random.randrange(self._offered[end])
        if place < SAMPLE_SIZE:
            kept[place] = make(*parts)

    def add_golden_records(self, changes: Mapping[int, RecordValues | None]) -> None:
        """Count and sample the golden records that would change with these records."""
        found = [p for p in prospects(changes) if p.customer_id not in self._customers]
        keys = [prospect.customer_id for prospect in found]
        self._customers.update(keys)
        ids = dict(Customer.objects.filter(pk__in=keys).values_list("pk", "public_id"))
        for prospect in found:
            self.counts[_golden_end(prospect)] += 1
            self.offer("golden", _golden_sample, prospect, ids[prospect.customer_id])


def differences(before: Iterable[Any], after: Iterable[Any]) -> list[Difference]:
    """Return the attributes whose values differ, in the order in which pages show them."""
    compared = zip(ATTRIBUTES, before, after, strict=True)
    return [(name, old, new) for name, old, new in compared if (old or "") != (new or "")]


def _golden_end(prospect: Prospect) -> str:
    if prospect.before is None:
        return "golden_new"
    return "golden_gone" if prospect.after is None else "golden_changed"


def _golden_sample(prospect: Prospect, public_id: str) -> dict[str, Any]:
    told = differences(prospect.before or BLANK, prospect.after or BLANK)
    return {"customer": public_id, "end": _golden_end(prospect), "differences": told}
