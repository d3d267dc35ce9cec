"""The proof: the real services, through the database, beside an oracle that knows facts alone.

Hypothesis invents histories of loads, runs, decisions, repairs, pins, and undos of all of them.
After every step, members, ids, statuses, values and decisions must be what the oracle says, and at
the end of every history nothing derived may differ from its facts. The properties are those of
docs/testing.md; `HYPOTHESIS_PROFILE=long` tries many more histories.
"""

from itertools import product

import pytest
from django.utils.timezone import now
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from matching import repairs
from matching.decisions import (
    Circumstances,
    ContradictsDecisions,
    Verdict,
    decide,
    foresee_retract,
    retract,
)
from matching.kept_ids import foresee_giving_back, give_back
from matching.models import Decision, Repair
from matching.repairs import RepairRefused, Wish, repair, undo
from mdm import pins
from mdm.birth_ids import public_id
from mdm.models import SourceRecord
from tests.examples import IS_LONG, IS_SQLITE
from tests.identity import oracle
from tests.identity.oracle import Record
from tests.identity.services import (
    SOURCES,
    delete_record,
    find,
    load_row,
    undo_run,
)
from tests.identity.side_by_side import SideBySide
from tests.identity.snapshots import snapshot

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

SETTINGS = settings(
    max_examples=200 if IS_LONG else 50 if IS_SQLITE else 4,
    stateful_step_count=30 if IS_LONG or IS_SQLITE else 15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
    if IS_LONG
    else (
        Phase.explicit,
        Phase.generate,
    ),
)
WHY = Circumstances("document")

places = st.integers(0, 99)
values = st.fixed_dictionaries(
    {"given_name": st.sampled_from(["Anne", "Luc", "Ève", "Marianne"])},
    optional={
        "email": st.sampled_from(["a@example.com", "bc@example.com"]),
        "identifier": st.sampled_from(["1111111", "2222222"]),
    },
)
scores = st.sampled_from([-1.0, 0.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0])
verdicts = st.sampled_from([Verdict.SAME, Verdict.SAME, Verdict.DIFFERENT, Verdict.UNSURE])


class Identity(SideBySide):
    """What happens: files, runs, decisions, repairs, undos, pins, in any order."""

    @initialize(
        said=st.lists(values, min_size=6, max_size=6),
        scores=st.dictionaries(st.integers(0, 14), scores, max_size=10),
    )
    def six_records_and_what_a_run_found(self, said, scores):
        for place, (source, key) in enumerate(product(sorted(SOURCES), (0, 1))):
            self.a_file_brings_a_row(source, key, said[place])
        pairs = oracle.pairs_of(self.world.records)
        self.find({pairs[place]: score for place, score in scores.items()})

    # ---- files

    @rule(source=st.sampled_from(sorted(SOURCES)), key=st.integers(0, 3), values=values)
    def a_file_brings_a_row(self, source, key, values):
        self.day += 1
        moment = f"2020-{self.day // 28 + 1:02}-{self.day % 28 + 1:02}"
        before = self.world.names()
        load_row(self.batches[source], str(key), moment, values)
        pk = SourceRecord.objects.get(source__code=source, source_key=str(key)).pk
        trust, is_unique = SOURCES[source]
        is_newcomer = (source, key) not in self.keys
        self.keys[source, key] = pk
        self.world.records[pk] = Record(source, trust, is_unique, values, moment)
        self.issued.add(public_id(pk))
        if is_newcomer:  # P3: nobody takes its name.
            after = self.world.names()
            assert all(after[record] <= customer for record, customer in before.items())

    @precondition(lambda self: self.keys)
    @rule(place=places, values=values)
    def an_old_file_changes_nothing(self, place, values):
        source, key = self.pick(sorted(self.keys), place)
        if not self.world.records[self.keys[source, key]].is_active:
            return
        before = snapshot()
        counts = load_row(self.batches[source], str(key), "2019-01-01", values)
        assert counts["stale"] or counts["same"]
        assert snapshot() == before

    @precondition(lambda self: self.keys)
    @rule(place=places)
    def a_source_drops_a_record(self, place):
        source, key = self.pick(sorted(self.keys), place)
        record = self.world.records[self.keys[source, key]]
        if record.is_active:
            delete_record(self.batches[source], self.keys[source, key])
            record.is_active = False

    # ---- evidence

    @precondition(lambda self: len(self.world.records) > 1)
    @rule(one=places, other=places, score=scores)
    def a_run_finds_evidence(self, one, other, score):
        self.find({self.pair(one, other): score})

    @precondition(lambda self: self.runs)
    @rule()
    def the_last_run_is_undone(self):
        before = self.world.names()
        self.world.undo_run()
        told, done = undo_run(self.runs.pop(), by=self.steward)
        moved = sum(before[record] != name for record, name in self.world.names().items())
        assert told["moved"] == done["moved"] == moved  # P30

    @precondition(lambda self: len(self.world.records) > 1)
    @rule(one=places, other=places, score=scores)
    def a_run_and_its_undo_change_nothing(self, one, other, score):
        before = snapshot()
        undo_run(find({self.pair(one, other): score}), by=self.steward)
        assert snapshot() == before  # P4

    # ---- people

    @precondition(lambda self: len(self.world.records) > 1)
    @rule(one=places, other=places, verdict=verdicts, forced=st.booleans())
    def a_steward_decides(self, one, other, verdict, forced):
        pair = self.pair(one, other)
        act = self.answer(pair, verdict)
        before, key = snapshot(), f"key {len(self.made)}"
        try:
            done = decide(*pair, verdict, by=self.steward, idempotency_key=key)
        except ContradictsDecisions as refusal:
            self.must_be_refused(act, before)
            if forced:  # P11: the refusal names the chain.
                self.force(pair, verdict, refusal.decisions)
            return
        self.must_be_allowed(act)
        self.made.append((act, done))
        after = snapshot()  # P23: the same key has no second effect.
        assert decide(*pair, Verdict.UNSURE, by=self.steward, idempotency_key=key) == done
        assert snapshot() == after

    def force(self, pair, verdict, chain):
        named = {decision.pair for decision in chain}
        act = self.answer(pair, verdict, ended=named)
        try:
            done = decide(*pair, verdict, by=self.steward, retracting=[d.pk for d in chain])
        except ContradictsDecisions:
            self.world.acts.append(act)
            assert not self.world.is_consistent()
            self.world.acts.pop()
            return
        self.must_be_allowed(act)
        self.made.append((act, done))

    @precondition(lambda self: len(self.world.records) > 1)
    @rule(
        kind=st.sampled_from([k for k in Repair.Kind.values if k != "renew"]),
        place=places,
        other=places,
        ticked=st.sets(st.integers(0, 5), max_size=4),
        alone=st.booleans(),
        keeps=st.booleans(),
    )
    def a_steward_repairs(self, kind, place, other, ticked, alone, keeps):
        groups = sorted(self.world.partition(), key=min)
        mine, theirs = sorted(self.pick(groups, place)), self.pick(groups, other)
        records = tuple(mine[t] for t in sorted(ticked) if t < len(mine))
        second = self.world.name(theirs) if kind in ("move", "link", "apart") else None
        self.repair(Wish(kind, self.world.name(mine), records, second, alone, keeps_id=keeps))

    @precondition(lambda self: any(len(group) > 1 for group in self.world.partition()))
    @rule(place=places)
    def the_record_that_gave_the_number_was_the_wrong_one(self, place):
        large = [group for group in self.world.partition() if len(group) > 1]
        name = self.world.name(self.pick(sorted(large, key=min), place))
        holder = self.world.holders()[name]
        self.repair(Wish("unlink", name, (holder,), leaves_companions=True, keeps_id=True))

    def repair(self, wish):
        before = snapshot()
        try:
            plan = repairs.prepare(wish)
        except RepairRefused:
            assert snapshot() == before
            return
        ended = {d.pair for d in Decision.objects.filter(pk__in=plan.retracting)}
        said = {(left, right): str(verdict) for left, right, verdict in plan.statements}
        self.check_meaning(wish, plan, said)
        act = self.world.act(said, ended, repair=True)
        try:
            foreseen = repairs.foresee(plan)
            done = repair(wish, by=self.steward, circumstances=WHY)
        except ContradictsDecisions:
            if self.is_kept_apart(wish, said):
                assert snapshot() == before
            else:
                self.must_be_refused(act, before)
            return
        assert not self.is_kept_apart(wish, said)
        act.move = self.moved_id(plan, done)
        self.must_be_allowed(act)
        assert self.as_issued(foreseen, act).items() <= self.world.names().items()  # P30
        self.made.append((act, done))

    def is_kept_apart(self, wish, said):
        """Whether a link would leave behind whom an earlier word keeps from the other customer."""
        homes = self.world.names()
        return wish.kind == "link" and any(
            verdict == "different"
            and pair not in said
            and {homes[record] for record in pair} == {wish.customer_id, wish.other_id}
            for pair, verdict in self.world.in_force().items()
        )

    @precondition(lambda self: any(self.is_kept(act) for act, _done in self.made))
    @rule(place=places)
    def an_id_is_given_back(self, place):
        act, done = self.pick([made for made in self.made if self.is_kept(made[0])], place)
        done.alias.refresh_from_db()
        foreseen = foresee_giving_back(done.alias)
        give_back(done.alias, by=self.steward)
        act.move.is_over = True
        assert dict(foreseen.names).items() <= self.world.names().items()

    @precondition(lambda self: self.made)
    @rule(place=places)
    def somebody_undoes(self, place):
        act, done = self.pick(self.made, place)
        if act.is_undone:
            return
        before = snapshot()
        act.is_undone = True
        decision = done if isinstance(done, Decision) else done.decisions.first()
        decision.refresh_from_db()
        is_repair = isinstance(done, Repair) or act.is_repair
        if not is_repair and decision.retracted_at:
            act.is_undone = False  # A decision that another one replaced is not there to undo.
            return
        try:
            foreseen = foresee_retract(decision)
            undo(done, by=self.steward) if isinstance(done, Repair) else self.take_back(decision)
        except ContradictsDecisions:
            assert not self.world.is_consistent()
            act.is_undone = False
            assert snapshot() == before
            return
        assert self.world.is_consistent()
        assert dict(foreseen.names).items() <= self.world.names().items()

    def take_back(self, decision):
        if decision.repair_id:
            undo(decision.repair, by=self.steward)
        else:
            retract(decision, by=self.steward)

    @precondition(lambda self: len(self.world.records) > 1)
    @rule(one=places, other=places, verdict=verdicts)
    def deciding_and_undoing_changes_nothing(self, one, other, verdict):
        pair, before = self.pair(one, other), snapshot()
        try:
            done = decide(*pair, verdict, by=self.steward)
        except ContradictsDecisions:
            return
        self.take_back(done)
        assert snapshot() == before  # P4, P28

    # ---- pins

    @precondition(lambda self: self.world.records)
    @rule(
        place=places,
        attribute=st.sampled_from(["given_name", "email"]),
        kind=st.sampled_from(["value", "prefer", "hide"]),
    )
    def a_steward_pins(self, place, attribute, kind):
        record = self.pick(sorted(self.world.records), place)
        made = pins.pin(
            record,
            attribute,
            kind,
            by=self.steward,
            reason="she said so",
            values={attribute: "pinned"},
        )
        for pin, _key in self.pinned:
            if (pin.record, pin.attribute) == (record, attribute):
                pin.is_over = True
        self.pinned.append((oracle.Pin(record, attribute, kind, "pinned"), made.pk))
        self.world.pins.append(self.pinned[-1][0])

    @precondition(lambda self: any(not pin.is_over for pin, _key in self.pinned))
    @rule(place=places)
    def a_pin_is_taken_back(self, place):
        pin, key = self.pick([p for p in self.pinned if not p[0].is_over], place)
        pins.take_back(key, by=self.steward)
        pin.is_over = True

    # ---- the past

    @precondition(lambda self: self.world.records and len(self.seen) < 3)
    @rule()
    def somebody_notes_what_is_so(self):
        self.seen.append((now(), self.who_is_whom()))


def test_any_history_is_what_the_facts_say(db, settings):
    settings.MATCH_UNDO_KEPT = 100
    run_state_machine_as_test(Identity, settings=SETTINGS)
