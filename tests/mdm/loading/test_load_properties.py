"""Loads through the database beside an oracle: whatever comes, in any order and chunks.

P3 of docs/testing.md (newcomers move nobody), P16 (twice changes nothing), P17 (stale never
overwrites), P18 (changed after a merge), P19 (deleted, and back), P20 (full files). Any file may
be undone at any time, whatever came after it.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from random import Random
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from consent.models import ConsentEvent, PermissionState
from matching.decisions import decide
from matching.models import Decision
from mdm import jobs
from mdm.loading import work
from mdm.models import ContactPoint, Customer, GoldenRecord, LoadBatch, SourceRecord
from tests.examples import histories
from tests.factories import UserFactory
from tests.mdm.loading.files import ends, load, row
from tests.mdm.loading.oracle import Company, Line, TooMuchIsMissing
from tests.mdm.loading.test_undo import undo_batch

pytestmark = pytest.mark.django_db

KEYS = [f"C{number}" for number in range(6)]
lines = st.lists(
    st.builds(
        Line,
        key=st.sampled_from(KEYS),
        name=st.sampled_from(["MARTIN", "DURAND"]),
        email=st.sampled_from(["", "a@example.org", "b@example.org", "c@example.org"]),
        day=st.integers(0, 3),
        permission=st.sampled_from(["", "", "O", "N"]),
        stop=st.sampled_from(["", "", "", "oui"]),
    ),
    min_size=1,
    max_size=8,
)
sizes = st.sampled_from([1, 2, 3, 500])


def cells(line: Line) -> dict[str, str]:
    day = f"0{line.day}/02/2024" if line.day else ""
    return row(
        line.key, nom=line.name, email=line.email, maj=day, accord=line.permission, stop=line.stop
    )


@contextmanager
def chunks_of(size: int) -> Iterator[None]:
    """Have loads and undoings go in chunks of a size."""
    before = dict(work.CHUNK_SIZE)
    work.CHUNK_SIZE.update(dict.fromkeys(before, size))
    try:
        yield
    finally:
        work.CHUNK_SIZE.update(before)


def load_lines(content: Sequence[Line], *, full: bool = False, size: int = 500) -> LoadBatch:
    """Load lines in chunks of a size."""
    with chunks_of(size):
        return load(*map(cells, content), mode="full" if full else "delta")


def names() -> dict[int, str]:
    return dict(SourceRecord.objects.values_list("pk", "source_key"))


def allowed() -> set[tuple[str, str]]:
    """Customer and address that a record of hers carries, where a permission is stored."""
    keys = names()
    states = PermissionState.objects.filter(channel="email", state__in=["given", "confirmed"])
    return {
        (keys[customer], value)
        for customer, point, value in states.values_list(
            "customer_id", "contact_point_id", "contact_point__value"
        )
        if SourceRecord.objects.filter(customer=customer, carried__contact_point=point).exists()
    }


def derived_differences() -> dict[str, int]:
    """Return what `rebuild --check` finds."""
    out = StringIO()
    try:
        call_command("rebuild", check=True, json=True, stdout=out)
    finally:
        found = json.loads(out.getvalue())
    return {name: count for name, count in found.items() if count and name != "customers"}


def everything() -> dict[str, Any]:
    """All rows that a load may leave, history included, counted or told by what they say."""
    return {
        "records": sorted(SourceRecord.objects.values_list()),
        "golden": sorted(GoldenRecord.objects.values_list("pk", "version", "search_text")),
        "points": sorted(ContactPoint.objects.values_list()),
        "customers": sorted(Customer.objects.values_list("pk", "status", "version")),
        "events": ConsentEvent.objects.count(),
        "states": sorted(PermissionState.objects.values_list("pk", "state")),
        "history": [
            model.history.count()
            for model in (SourceRecord, Customer, GoldenRecord, PermissionState)
        ],
    }


class Loads(RuleBasedStateMachine):
    """Files of one source, links between its records, and the oracle beside the database."""

    @initialize()
    def begin(self) -> None:
        # Each run in a transaction of its own, so that the next finds the database empty.
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.company = Company()
        self.last: tuple[list[Line], bool] | None = None
        self.batches: list[LoadBatch] = []

    def teardown(self) -> None:
        if hasattr(self, "transaction"):
            transaction.set_rollback(True)
            self.transaction.__exit__(None, None, None)

    @rule(content=lines, full=st.booleans(), size=sizes)
    def load(self, content: list[Line], full: bool, size: int) -> None:
        homes = dict(SourceRecord.objects.values_list("pk", "customer_id"))
        before = everything()
        try:
            expected = self.company.load(content, full=full)
        except TooMuchIsMissing:
            with pytest.raises(jobs.JobFailed):
                load_lines(content, full=True, size=size)
            assert everything() == before
            return
        self.batches.append(load_lines(content, full=full, size=size))
        assert ends(self.batches[-1]) == expected
        self.last = (content, full)
        now = dict(SourceRecord.objects.values_list("pk", "customer_id"))
        assert homes.items() <= now.items()

    @precondition(lambda self: self.last is not None)
    @rule(size=sizes)
    def load_the_same_again(self, size: int) -> None:
        assert self.last is not None
        content, full = self.last
        # The best line of each key is stored; a file twice changes nothing.
        self.load(content, full, size)
        before = everything()
        self.load(content, full, size)
        assert everything() == before

    @precondition(lambda self: bool(self.open_batches()))
    @rule(data=st.data(), size=sizes)
    def undo(self, data: st.DataObject, size: int) -> None:
        """Somebody takes a file back, the last one or one that others have come after."""
        number = data.draw(st.sampled_from(self.open_batches()))
        expected = self.company.undo(number)
        with chunks_of(size):
            assert undo_batch(self.batches[number]) == expected
        self.last = None  # Records that came back may be missing from it.

    def open_batches(self) -> list[int]:
        """Return the numbers of the files that were not undone."""
        return sorted(set(range(len(self.batches))) - self.company.undone)

    @precondition(lambda self: len(self.company.rows) > 1)
    @rule(data=st.data())
    def link(self, data: st.DataObject) -> None:
        """A steward finds two records to be one person; the oldest names the customer."""
        known = sorted(self.company.rows)
        one, other = data.draw(
            st.lists(st.sampled_from(known), min_size=2, max_size=2, unique=True)
        )
        numbers = {key: pk for pk, key in names().items()}
        homes = {self.company.home[one], self.company.home[other]}
        members = [key for key in known if self.company.home[key] in homes]
        oldest = min(members, key=numbers.__getitem__)
        decide(numbers[one], numbers[other], Decision.Verdict.SAME, by=UserFactory(role="steward"))
        self.company.home.update(dict.fromkeys(members, oldest))

    @invariant()
    def the_database_agrees(self) -> None:
        if not hasattr(self, "company"):
            return
        company = self.company
        records = SourceRecord.objects.select_related("customer")
        stored = {record.source_key: record for record in records}
        assert {key for key, record in stored.items() if record.status == "active"} == (
            company.active
        )
        for key, line in company.rows.items():
            found = stored[key]
            assert (found.family_name, found.email) == (line.name.title(), line.email)
            assert stored[company.home[key]].pk == found.customer_id
        points = ContactPoint.objects.exclude(shared_by=0).values_list("value", "shared_by")
        assert dict(points) == company.shared_by()
        assert allowed() == company.may_be_written_to()

    @invariant()
    def golden_values_are_those_of_active_members(self) -> None:
        if not hasattr(self, "company"):
            return
        company, keys = self.company, names()
        golden = {keys[row.pk]: row for row in GoldenRecord.objects.all()}
        living = {home: members & company.active for home, members in company.customers().items()}
        assert set(golden) == {home for home, members in living.items() if members}
        for home, values in golden.items():
            said = [company.rows[key] for key in living[home]]
            assert values.family_name in {line.name.title() for line in said}
            assert values.email in {line.email for line in said if line.email} | {""}
        statuses = Customer.objects.filter(merged_into=None).values_list("pk", "status")
        assert {keys[pk]: status for pk, status in statuses} == {
            home: "active" if members else "inactive" for home, members in living.items()
        }

    @invariant()
    def what_is_derived_follows_from_the_facts(self) -> None:
        if hasattr(self, "company") and self.company.rows:
            assert derived_differences() == {}


def test_loads_agree_with_the_oracle_whatever_comes():
    run_state_machine_as_test(
        Loads,
        settings=settings(
            max_examples=histories(6, long=12),
            stateful_step_count=8,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize("size", [1, 4, 500])
def test_new_rows_in_any_order_and_chunks_come_to_the_same(size: int):
    content = [
        Line(f"C{n}", "MARTIN", f"{'abc'[n % 3]}@example.org", 1 + n % 3, "ON"[n % 7 == 0], "")
        for n in range(24)
    ]
    company = Company()
    company.load(content, full=False)

    Random(size).shuffle(content)
    load_lines(content, size=size)

    assert dict(ContactPoint.objects.values_list("value", "shared_by")) == company.shared_by()
    assert allowed() == company.may_be_written_to()
    assert derived_differences() == {}
