"""What must hold of identity and permissions at every moment, each with what counts breaches.

The numbers are those of the properties in docs/testing.md, where tests prove them of histories;
here they are counted in the data that is there.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from django.db.models import Exists, F, OuterRef, Q

from consent import projection
from matching.decisions import Verdict
from matching.models import Decision, ReviewTask
from matching.proving import compare
from matching.review_tasks import rechecks
from matching.rulings import Contradiction
from matching.standing import decisions_touching
from mdm import golden_records, identity, replay
from mdm.aliases import holdings
from mdm.key_sets import key_ranges
from mdm.models import ATTRIBUTES, Customer, GoldenRecord, SourceRecord

_CUSTOMERS_AT_ONCE = 2_000
_ERASED = SourceRecord.Status.ERASED


class Invariant(NamedTuple):
    """A sentence that must be true, and the function that counts where it is not."""

    number: str
    sentence: str
    breaches: Callable[[], int]


def _records_of_merged_customers() -> int:
    return SourceRecord.objects.filter(customer__merged_into__isnull=False).count()


def _ids_that_lead_nowhere() -> int:
    born = Customer.objects.filter(pk=OuterRef("pk"))
    two_steps = Customer.objects.filter(merged_into__merged_into__isnull=False)
    return SourceRecord.objects.filter(~Exists(born)).count() + two_steps.count()


def _wrong_statuses() -> int:
    return sum(len(identity.wrong_statuses(keys)) for keys in _all_customers())


def _younger_names() -> int:
    """Count records that hold an older id than the one their customer is named by."""
    oldest = holdings().oldest
    older = SourceRecord.objects.filter(pk__lt=F("customer_id"))
    rows = [*older.values_list("pk", "customer_id"), *_customers_of(oldest)]
    return sum(oldest.get(record, record) < customer for record, customer in set(rows))


def _customers_of(record_ids: Iterable[int]) -> list[tuple[int, int]]:
    records = SourceRecord.objects.filter(pk__in=list(record_ids)).order_by()
    return list(records.values_list("pk", "customer_id"))


def _underived_links() -> int:
    try:
        found = compare()
    except Contradiction:
        return 1
    return len(found.record_ids) + len(found.tasks)


def _wrong_golden_records() -> int:
    return sum(golden_records.differences(keys).count for keys in _all_customers())


def _different_together() -> int:
    different = Decision.objects.in_force().filter(verdict=Verdict.DIFFERENT)
    return different.filter(left__customer=F("right__customer")).count()


def _same_apart() -> int:
    same = Decision.objects.in_force().filter(verdict=Verdict.SAME)
    erased = Q(left__status=_ERASED) | Q(right__status=_ERASED)
    return same.exclude(erased).exclude(left__customer=F("right__customer")).count()


def _wrong_rechecks() -> int:
    decided = Decision.objects.in_force().clear().values_list("left", "right")
    wanted = set(rechecks(decisions_touching({record for pair in decided for record in pair})))
    open_ones = ReviewTask.objects.filter(
        state=ReviewTask.State.OPEN, kind=ReviewTask.Kind.RECHECK
    )
    return len(wanted.symmetric_difference(open_ones.values_list("left", "right")))


def _active_without_golden() -> int:
    active = SourceRecord.objects.active().filter(customer=OuterRef("pk"))
    golden = GoldenRecord.objects.filter(pk=OuterRef("pk"))
    customers = Customer.objects.filter(Exists(active))
    gone = GoldenRecord.objects.filter(~Exists(active))
    return customers.filter(~Exists(golden)).count() + gone.count()


def _wrong_events() -> int:
    replayed = replay.check()
    return len({*replayed.gaps, *replayed.differing})


def _values_of_the_erased() -> int:
    blank = Q(raw={}, **{name: "" for name in ATTRIBUTES if name != "birth_date"})
    return SourceRecord.objects.filter(status=_ERASED).exclude(blank, birth_date=None).count()


def _wrong_permissions() -> int:
    return projection.rebuild(check=True).difference_count


def _all_customers() -> Iterable[range]:
    return key_ranges(Customer.objects.all(), _CUSTOMERS_AT_ONCE)


INVARIANTS = (
    Invariant(
        "P1", "Every source record belongs to a customer in use.", _records_of_merged_customers
    ),
    Invariant("P2", "Every id ever issued leads somewhere in one step.", _ids_that_lead_nowhere),
    Invariant("P2", "An id is in use exactly when its record belongs to it.", _wrong_statuses),
    Invariant("P3", "The oldest id that her records hold names a customer.", _younger_names),
    Invariant("P5, P6", "Links and review tasks follow from the facts.", _underived_links),
    Invariant("P7", "Golden values follow from records, pins and rules.", _wrong_golden_records),
    Invariant("P9", "Nobody holds two records decided to be different.", _different_together),
    Invariant("P10", "Records decided to be the same are together.", _same_apart),
    Invariant("P13", "One question stands for each decision whose ground moved.", _wrong_rechecks),
    Invariant("P19", "A golden record stands where a record is active.", _active_without_golden),
    Invariant("P25", "The events give every customer as she is, without gaps.", _wrong_events),
    Invariant("P26", "Nothing is left of an erased record's values.", _values_of_the_erased),
    Invariant("P29", "Permissions are what the consent events add up to.", _wrong_permissions),
)
