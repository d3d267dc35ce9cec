"""What is accepted and what is only proposed (P24).

Evidence joins records by itself from the automatic score on; below, it only asks. Whoever says yes
to all that is asked ends, in whatever order, where the evidence leads, and nothing is asked again.
Two customers are asked about once, however many of their records resemble each other.
"""

from collections.abc import Iterable
from random import Random

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from matching.decisions import Verdict, decide
from matching.models import ReviewTask
from mdm.models import SourceRecord
from tests.identity.oracle import Record, World, pairs_of
from tests.identity.services import find
from tests.identity.snapshots import snapshot
from tests.matching.factories import make_steward
from tests.mdm.factories import make_records

pytestmark = pytest.mark.django_db


def groups() -> set[frozenset[int]]:
    """Return who is one customer."""
    found: dict[int, set[int]] = {}
    for record, customer in SourceRecord.objects.values_list("pk", "customer_id"):
        found.setdefault(customer, set()).add(record)
    return {frozenset(members) for members in found.values()}


def joined(records: list[int], pairs: Iterable[tuple[int, int]]) -> set[frozenset[int]]:
    """Return the groups that pairs make, taken together."""
    found = {frozenset([record]) for record in records}
    for pair in pairs:
        touched = {group for group in found if group & set(pair)}
        found = (found - touched) | {frozenset().union(*touched)}
    return found


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    found=st.dictionaries(
        st.integers(0, 9), st.sampled_from([-1.0, 0.0, 2.0, 5.0, 8.0]), min_size=1, max_size=7
    ),
    dice=st.randoms(use_true_random=False),
)
@example(found={0: -1.0, 1: 5.0, 4: -1.0}, dice=Random(1))  # Two weak pairs between the same two.
def test_saying_yes_to_all_that_is_proposed_ends_where_the_evidence_leads(found, dice):
    with transaction.atomic():
        records = [r.pk for r in make_records([{"given_name": name} for name in "ABCDE"])]
        pairs = pairs_of(records)
        scores = {pairs[place]: score for place, score in found.items()}
        world = World({r: Record("crm", 50, False, {}, "") for r in records}, dict(scores))

        find(scores)

        assert groups() == world.partition()  # Nothing below the automatic score joins anybody.
        proposed = ReviewTask.objects.filter(state=ReviewTask.State.OPEN)
        between = _customers_of(proposed.values_list("left", "right"))
        assert set(between) == set(_customers_of(scores))  # Nothing found is left unasked,
        assert len(between) == len(set(between))  # and no two customers are asked about twice.
        while tasks := list(proposed.order_by("left", "right")):
            task = dice.choice(tasks)
            decide(task.left_id, task.right_id, Verdict.SAME, by=make_steward())

        assert groups() == joined(records, scores)
        before = snapshot()
        find(scores)  # The next run finds the same.
        assert snapshot() == before
        transaction.set_rollback(True)


def _customers_of(pairs: Iterable[tuple[int, int]]) -> list[frozenset[int]]:
    """Return the two customers of every pair that is not one customer."""
    homes = dict(SourceRecord.objects.values_list("pk", "customer_id"))
    return [
        frozenset((homes[one], homes[other])) for one, other in pairs if homes[one] != homes[other]
    ]
