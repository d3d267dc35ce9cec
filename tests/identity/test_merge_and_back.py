"""Merge and undo (P4, P28): whoever is merged and parted again is as if nobody had merged her.

A customer of two to eight records of several sources is put together by decisions, whatever hangs
on her: pins, consents, refusals, relations, ids kept elsewhere. Facts may come while she is one;
then the decisions are taken back in any order. What there is then must be, byte for byte, what
the same facts come to where nobody ever merged.
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import product
from typing import Any, NamedTuple

import pytest
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import Model
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from consent.models import ConsentEvent, PermissionState
from matching.decisions import ContradictsDecisions, Verdict, decide, retract
from matching.models import Decision, PairEvidence, ReviewTask
from matching.repairs import RepairRefused, Wish, repair
from mdm import pins
from mdm.households import RelationRefused, relate
from mdm.models import (
    Alias,
    ContactPoint,
    Customer,
    GoldenRecord,
    LoadBatch,
    Pin,
    RecordContactPoint,
    Relation,
    SourceRecord,
)
from tests.consent.factories import record_event
from tests.examples import IS_LONG, histories
from tests.identity.services import SOURCES, find, load_row, make_sources
from tests.matching.factories import make_steward

pytestmark = pytest.mark.django_db

EMAILS = ("a@example.com", "bc@example.com")
# Counters and moments of a change grow with it, as does the evidence there was at the moment of
# linking; keys of derived rows are drawn anew.
_GROWING = {"version", "updated_at", "linked_at", "link_score", "created_at", "leased_until"}
_NAMED_BY_KEY = {Customer, GoldenRecord, SourceRecord}


class Fact(NamedTuple):
    """Something that comes to a record, by its place: a row, a pin, a consent or a refusal."""

    kind: str
    place: int
    value: str


places = st.integers(0, 7)
facts = st.builds(
    Fact,
    kind=st.sampled_from(["row", "pin", "prefer", "given", "confirmed"]),
    place=places,
    value=st.sampled_from(["Anne", "Luc", *EMAILS]),
)
refusals = st.builds(
    Fact, st.sampled_from(["refused", "withdrawn", "objection"]), places, st.just("")
)


def carry_out(fact: Fact, records: Sequence[int], batches: dict[str, LoadBatch]) -> None:
    record = SourceRecord.objects.get(pk=records[fact.place % len(records)])
    is_email = fact.value in EMAILS
    if fact.kind == "row":
        told = {"given_name": record.given_name, "email": record.email}
        told["email" if is_email else "given_name"] = fact.value
        load_row(batches[record.source.code], record.source_key, "2024-05-05", told)
    elif fact.kind in ("pin", "prefer"):
        attribute = "email" if is_email else "given_name"
        kind = "value" if fact.kind == "pin" else "prefer"
        pinned = {attribute: fact.value} if fact.kind == "pin" else None
        steward = make_steward()
        pins.pin(record.pk, attribute, kind, by=steward, reason="she said so", values=pinned)
    else:
        point = ContactPoint.objects.get(kind="email", value=record.email)
        record_event(record, fact.kind, point=point, occurred_at=datetime(2024, 3, 3, tzinfo=UTC))


def dump() -> str:
    """Return all facts about people and all that is derived from them, as one text."""
    tables: dict[type[Model], Any] = {
        model: model._default_manager.all()
        for model in (
            SourceRecord,
            Customer,
            GoldenRecord,
            ContactPoint,
            RecordContactPoint,
            PermissionState,
            Pin,
            Alias,
            Relation,
            ConsentEvent,
            PairEvidence,
        )
    }
    tables[ReviewTask] = ReviewTask.objects.filter(state=ReviewTask.State.OPEN)
    names = {
        "contact_point_id": dict(ContactPoint.objects.values_list("pk", "value")),
        "deciding_event_id": dict(ConsentEvent.objects.values_list("pk", "source_event_id")),
        "lineage": {pin.pk: f"{pin.record_id} {pin.kind}" for pin in Pin.objects.all()},
    }
    told = {
        model.__name__: sorted(_told(model, row, names) for row in rows.values())
        for model, rows in tables.items()
    }
    return json.dumps(told, indent=1)


def _told(model: type[Model], row: dict[str, Any], names: dict[str, dict[int, str]]) -> str:
    """Write a row, with what it names by a key that is drawn anew named by what it says."""
    left_out = _GROWING | (set() if model in _NAMED_BY_KEY else {"id", "uuid", "recorded_at"})
    row = {name: value for name, value in row.items() if name not in left_out}
    if "retracted_at" in row:  # That it is over is a fact; the moment is that of the test's clock.
        row["retracted_at"] = row["retracted_at"] is not None
    for column in {"contact_point_id", "deciding_event_id"} & set(row):
        row[column] = names[column].get(row[column])
    for origin in row.get("lineage", {}).values():  # Record, pin, rule.
        origin[1] = names["lineage"].get(origin[1])
    return json.dumps(row, cls=DjangoJSONEncoder, sort_keys=True)


def some_people(count: int, scores: dict[int, float]) -> tuple[list[int], dict[str, LoadBatch]]:
    """Load records of three sources in turn, and store what a run found of some pairs."""
    batches = make_sources()
    for number in range(count):
        source = sorted(SOURCES)[number % len(SOURCES)]
        said = {
            "given_name": ("Anne", "Luc", "Ève")[number % 3],
            "email": EMAILS[number % 5 % 2],
        }
        load_row(batches[source], str(number), f"2020-01-{number + 1:02}", said)
    records = list(SourceRecord.objects.order_by("pk").values_list("pk", flat=True))
    pairs = [(a, b) for a, b in product(records, records) if a < b]
    find({pairs[place]: score for place, score in scores.items() if place < len(pairs)})
    return records, batches


def keep_an_id_elsewhere(records: Sequence[int]) -> None:
    """Part the oldest record from its customer, whose id stays with the others."""
    steward, oldest = make_steward(), records[0]
    for other in records[1:3]:
        decide(oldest, other, Verdict.SAME, by=steward)
    customer = SourceRecord.objects.get(pk=oldest).customer_id
    repair(Wish("unlink", customer, (oldest,), leaves_companions=True, keeps_id=True), by=steward)


def relate_if_two(one: int, other: int) -> None:
    """Call one record's customer the guardian of the other's."""
    left, right = (SourceRecord.objects.get(pk=key).customer for key in (one, other))
    with suppress(RelationRefused):  # She is one person, or they are related already.
        relate(left, right, Relation.Kind.GUARDIAN, by=make_steward())


def merge(records: Sequence[int], partners: Sequence[int]) -> list[Decision]:
    """Link every record to an earlier one, as far as decisions allow; return the decisions."""
    made = []
    for place in range(1, len(records)):
        pair = records[place], records[partners[place] % place]
        with suppress(ContradictsDecisions):
            made.append(decide(*pair, Verdict.SAME, by=make_steward()))
    return made


@settings(
    max_examples=histories(4, long=100),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=tuple(Phase) if IS_LONG else (Phase.explicit, Phase.generate),
)
@given(
    count=st.integers(2, 8),
    scores=st.dictionaries(st.integers(0, 27), st.sampled_from([-1.0, 5.0, 8.0]), max_size=6),
    keeps=st.booleans(),
    before=st.lists(st.one_of(facts, refusals), max_size=6),
    relations=st.lists(st.tuples(places, places), max_size=2),
    partners=st.lists(places, min_size=8, max_size=8),
    meanwhile=st.lists(facts, max_size=4),
    dice=st.randoms(use_true_random=False),
)
@example(
    count=8,
    scores={0: 8.0, 9: 5.0, 27: 8.0},
    keeps=True,
    before=[
        Fact("pin", 1, "Anne"),
        Fact("prefer", 6, EMAILS[1]),
        Fact("given", 2, ""),
        Fact("confirmed", 3, ""),
        Fact("refused", 4, ""),
        Fact("objection", 7, ""),
    ],
    relations=[(0, 5), (2, 7)],
    partners=[0, 0, 0, 1, 2, 3, 4, 5],
    meanwhile=[
        Fact("row", 3, "Luc"),
        Fact("row", 5, EMAILS[1]),
        Fact("pin", 6, "Luc"),
        Fact("pin", 1, "Luc"),  # In the place of an earlier one.
        Fact("given", 6, ""),
    ],
    dice=None,
)
def test_whoever_is_merged_and_parted_is_as_if_nobody_had_merged_her(
    count, scores, keeps, before, relations, partners, meanwhile, dice
):
    with transaction.atomic():
        records, batches = some_people(count, scores)
        if keeps and count > 2:
            with suppress(ContradictsDecisions, RepairRefused):
                keep_an_id_elsewhere(records)
        for one, other in relations:
            relate_if_two(records[one % count], records[other % count])
        for fact in before:
            carry_out(fact, records, batches)
        with transaction.atomic():  # Where nobody merges.
            for fact in meanwhile:
                carry_out(fact, records, batches)
            expected = dump()
            transaction.set_rollback(True)

        made = merge(records, partners)
        homes = dict(SourceRecord.objects.values_list("pk", "customer_id"))
        assert all(homes[d.left_id] == homes[d.right_id] for d in made)
        for fact in meanwhile:
            carry_out(fact, records, batches)
        if dice:
            dice.shuffle(made)
        for decision in made:
            retract(decision, by=make_steward())

        assert dump() == expected
        transaction.set_rollback(True)
