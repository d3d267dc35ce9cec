"""Services and oracle, side by side: what must hold after every step of an invented history."""

from datetime import datetime
from io import StringIO
from itertools import product

from django.core.management import call_command
from django.db import transaction
from hypothesis.stateful import RuleBasedStateMachine, invariant

from matching.models import Decision, MatchRun, Repair, ReviewTask
from matching.neighbourhood import settle
from mdm.aliases import NOT_YET_ISSUED
from mdm.as_of import golden_at, member_ids_at
from mdm.birth_ids import public_id
from mdm.identity import resolve
from mdm.models import Customer, CustomerEvent, GoldenRecord, Pin, SourceRecord
from tests.identity import oracle
from tests.identity.oracle import DIFFERENT, SAME, World
from tests.identity.services import find, make_sources
from tests.identity.snapshots import snapshot
from tests.matching.factories import make_steward


class SideBySide(RuleBasedStateMachine):
    """The services on a database and the oracle, compared; rules make them go on."""

    def __init__(self) -> None:
        super().__init__()
        self.history = transaction.atomic()
        self.history.__enter__()
        self.batches, self.steward = make_sources(), make_steward()
        self.world, self.day = World(), 1
        self.keys: dict[tuple[str, int], int] = {}
        self.made: list[tuple[oracle.Act, Decision | Repair]] = []
        self.pinned: list[tuple[oracle.Pin, int]] = []
        self.runs: list[MatchRun] = []
        self.issued: set[str] = set()
        self.seen: list[tuple[datetime, dict[int, tuple[list[int], str | None]]]] = []

    def teardown(self) -> None:
        try:
            self.check_everything_derived()
        finally:
            transaction.set_rollback(True)
            self.history.__exit__(None, None, None)

    # ---- what must hold after every step

    @invariant()
    def members_are_what_the_facts_say(self):
        stored = dict(SourceRecord.objects.values_list("pk", "customer_id"))
        assert stored == self.world.names()  # P1, P5, P9, P10, P12, P14, P15

    @invariant()
    def decisions_in_force_are_the_last_words(self):
        stored = Decision.objects.in_force().values_list("left", "right", "verdict")
        assert {(left, right): v for left, right, v in stored} == self.world.in_force()

    @invariant()
    def every_id_leads_to_one_live_customer(self):
        names = self.world.names()
        for text in self.issued:
            found = resolve(text)
            assert found.merged_into_id is None  # P2: one step.
        homes = self.world.homes()
        assert Customer.objects.count() == len(homes)
        for key, status, into in Customer.objects.values_list("pk", "status", "merged_into"):
            members = [r for r, name in names.items() if name == key]
            is_active = any(self.world.records[r].is_active for r in members)
            expected = "merged" if homes[key] != key else "active" if is_active else "inactive"
            assert (status, into) == (expected, homes[key] if expected == "merged" else None)

    @invariant()
    def values_survive_by_the_rules(self):
        stored = {g.pk: g for g in GoldenRecord.objects.all()}
        for group in self.world.partition():
            expected = self.world.golden(group)
            golden = stored.pop(self.world.name(group), None)
            assert (golden is not None) == bool(expected)  # P19
            for name, value in expected.items():
                assert getattr(golden, name) == value  # P7, P8, P18
        assert not stored

    def check_everything_derived(self) -> None:
        """Recompute all from the facts: nothing may change, and nothing may be told (P6, P25)."""
        records = sorted(self.world.records)
        if records:
            before, told = snapshot(), CustomerEvent.objects.count()
            settle(records, by=None, reason="test")
            closed = ReviewTask.objects.filter(kind="recheck", state="open").count()
            assert closed == self.world.rechecks()  # P13
            assert CustomerEvent.objects.count() == told
            assert without_tasks(snapshot()) == without_tasks(before)
        for moment, stand in self.seen:  # P31
            for key, (members, email) in stand.items():
                assert member_ids_at(key, moment) == members
                assert getattr(golden_at(key, moment), "email", None) == email
        call_command("replay_events", "--check", stdout=StringIO())
        call_command("rebuild", "--check", stdout=StringIO())
        assert Pin.objects.count() == len(self.pinned)  # P28: nothing is dropped.

    def who_is_whom(self):
        """Return the members and the e-mail of every id, as the oracle says."""
        names, stand = self.world.names(), {}
        for key in self.world.homes():
            members = sorted(record for record, name in names.items() if name == key)
            golden = self.world.golden(members)
            stand[key] = members, golden.get("email")
        return stand

    # ---- shortcuts of the rules

    def find(self, found):
        self.world.find(found)
        self.runs.append(find(found))

    def moved_id(self, plan, done):
        """Return the id that a repair kept elsewhere; a record is never left without one."""
        if done.alias is None:
            assert plan.keeping is None
            return None
        kept = done.alias
        if kept.stand_in_id:
            self.issued.add(public_id(kept.stand_in_id))
        return oracle.Move(kept.customer_id, kept.record_id, kept.former_id, kept.stand_in_id)

    def as_issued(self, foreseen, act):
        """Return the names foreseen, with the id that was issued since."""
        issued = {NOT_YET_ISSUED: act.move.issued} if act.move else {}
        return {record: issued.get(name, name) for record, name in foreseen.names.items()}

    def is_kept(self, act):
        return act.move is not None and not act.is_undone and not act.move.is_over

    def check_meaning(self, wish, plan, said):
        """P21: a move is DIFFERENT from what stays and SAME as the other side."""
        if wish.kind not in ("unlink", "split", "move"):
            return
        members = [r for r, name in self.world.names().items() if name == wish.customer_id]
        moved, stayed = plan.moved, sorted(set(members) - set(plan.moved))
        apart = {(min(p), max(p)) for p in product(moved, stayed)}
        assert {pair for pair, verdict in said.items() if verdict == DIFFERENT} == apart
        if wish.kind == "move":
            same = {(min(r, wish.other_id), max(r, wish.other_id)) for r in moved}
            assert {pair for pair, verdict in said.items() if verdict == SAME} == same

    def answer(self, pair, verdict, ended=()):
        """Return the act of an answer: on a stale repair, it renews all of it."""
        origin, stale = self.world.origin(), self.world.stale()
        mine = origin.get(pair)
        is_same_answer = mine is not None and mine.verdicts[pair] == verdict
        siblings = {}
        if is_same_answer and mine.is_repair:
            siblings = {
                p: str(verdict)
                for p, act in stale.items()
                if act is mine and p != pair and act.verdicts[p] == verdict
            }
        said = {pair: str(verdict), **siblings}
        return self.world.act(said, ended, repair=bool(siblings))

    def must_be_allowed(self, act):
        self.world.acts.append(act)
        assert self.world.is_consistent()

    def must_be_refused(self, act, before):
        self.world.acts.append(act)
        assert not self.world.is_consistent()
        self.world.acts.pop()
        assert snapshot() == before  # P11: no trace.

    def pair(self, one, other):
        records = sorted(self.world.records)
        pairs = oracle.pairs_of(records)
        return pairs[(one * 7 + other) % len(pairs)]

    def pick(self, items, place):
        return items[place % len(items)]


def without_tasks(state: str) -> str:
    return state[: state.index('"tasks"')]
