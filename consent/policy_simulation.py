"""What a drafted policy pack would change: every customer asked under both packs, on one day.

The day is the draft's first, for both, so that only the pack makes a difference. Results hold
counts, rule ids and public ids; names are read anew when a page shows an example.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import IntEnum
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy

from consent.crowds import CHUNK
from consent.evaluation import offer_for
from consent.facts import GRANTED, Facts, Question
from consent.families import similar_families
from consent.gathering import gather
from consent.memberships import Membership
from consent.models import Channel, PermissionState, PolicyVersion, Purpose
from consent.permissions import decide
from consent.policies import pack_at
from consent.policy_documents import digest_of, read_pack
from consent.policy_packs import PolicyPack
from consent.policy_versions import SIMULATE, first_instant
from consent.presentation import SHOWN_CHANNELS
from consent.signatures import Signature, signed
from mdm.job_words import JobWords, describe
from mdm.jobs import JobRefused, JobRun, job
from mdm.models import Customer
from mdm.snapshots import one_snapshot

EXAMPLES = 20


class Reach(IntEnum):
    """Whether somebody may be contacted: not, about what she bought, or about anything."""

    NONE = 0
    FAMILIES = 1
    ANY = 2


@dataclass(frozen=True, slots=True)
class Verdict:
    """How far one may go with a customer, and the rule that says so."""

    reach: Reach
    rule: str


_Marks = tuple[Signature, ...]
"""The signatures of a customer under both packs, for one question: equal marks, equal verdicts."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The two packs, the instant both are asked about, and what is asked.

    As in `consent.crowds`, the gate answers once for everybody alike; `verdicts` keeps that.
    """

    before: PolicyPack
    after: PolicyPack
    at: datetime
    questions: Sequence[Question]
    verdicts: dict[tuple[int, _Marks], list[Verdict]] = field(default_factory=dict)

    def changes(self, customer_ids: Sequence[int]) -> Iterator[tuple[int, str, Verdict, Verdict]]:
        """Yield customer, `channel|purpose`, and the verdicts of both packs."""
        with one_snapshot():
            marks = [self._marks(customer_ids, question) for question in self.questions]
            self._learn(marks)
        for place, question in enumerate(self.questions):
            name = f"{question.channel}|{question.offer.purpose if question.offer else ''}"
            for customer, mark in marks[place].items():
                before, after = self.verdicts[place, mark]
                yield customer, name, before, after

    def _marks(self, customer_ids: Sequence[int], question: Question) -> dict[int, _Marks]:
        found: dict[int, _Marks] = dict.fromkeys(customer_ids, ())
        for pack in (self.before, self.after):
            for row in signed(customer_ids, question, policy=pack):
                found[row.customer_id] += (row.signature,)
        return found

    def _learn(self, marks: Sequence[Mapping[int, _Marks]]) -> None:
        examples = {
            (place, mark): customer
            for place, of_customers in enumerate(marks)
            for customer, mark in of_customers.items()
            if (place, mark) not in self.verdicts
        }
        members = Membership(sorted(set(examples.values())))
        for pack in (self.before, self.after):
            found = gather(members, at=self.at, policy=pack)
            for (place, mark), customer in examples.items():
                question = self.questions[place]
                purpose = question.offer.purpose if question.offer else ""
                facts = found[customer].facts(question.channel, purpose, self.at)
                told = self.verdicts.setdefault((place, mark), [])
                told.append(verdict(facts, question, pack))


def verdict(candidates: Sequence[Facts], question: Question, pack: PolicyPack) -> Verdict:
    """Return the farthest that any of a customer's contact points allows."""
    answers = [decide(facts, question, pack) for facts in candidates]
    for answer in answers:
        if answer.allowed:
            return Verdict(Reach.ANY, answer.rule)
    offer = question.offer
    bought = candidates[0].person.families if offer and not offer.families else frozenset()
    if offer and bought:
        narrow = Question(question.channel, replace(offer, families=bought), question.at)
        for facts in candidates:
            answer = decide(facts, narrow, pack)
            if answer.allowed:
                return Verdict(Reach.FAMILIES, answer.rule)
    return Verdict(Reach.NONE, answers[0].rule)


@job(SIMULATE)
def run_simulation(run: JobRun) -> Mapping[str, Any]:
    """Count who gains and who loses by channel, purpose and rule; give the first examples."""
    version = PolicyVersion.objects.filter(pk=run.parameters["version"]).first()
    if version is None or run.parameters["digest"] != _digest(version):
        raise JobRefused(
            gettext_lazy("The draft was changed or thrown away meanwhile: simulate it again.")
        )
    found = run.cursor or {
        "after": 0, "checked": 0, "cells": {}, "at": first_instant(version).isoformat()
    }  # fmt: skip
    comparison = _comparison(version, datetime.fromisoformat(found["at"]))
    total = _customers().count()
    for keys in _chunks(found["after"]):
        _count(found, keys, comparison)
        with run.chunk(cursor=found, done=found["checked"], total=total, phase="comparing"):
            pass
    cells = found["cells"].values()
    return {
        "customers": found["checked"],
        "gained": sum(cell["gained"] for cell in cells),
        "lost": sum(cell["lost"] for cell in cells),
        "cells": found["cells"],
        "at": found["at"],
        "base": comparison.before.code,
    }


def _comparison(version: PolicyVersion, at: datetime) -> Comparison:
    similar = similar_families(at)
    purposes = Purpose.objects.filter(is_active=True).exclude(nature=Purpose.Nature.SERVICE)
    offers = [offer_for(purpose, similar=similar) for purpose in purposes]
    return Comparison(
        before=pack_at(at),
        after=read_pack(version.parameters, code=version.code),
        at=at,
        questions=[
            Question(channel, offer, at) for channel in _channels() for offer in offers if offer
        ],
    )


def _channels() -> list[str]:
    """Return the channels that pages show, and the others where somebody consented."""
    others = set(Channel.values).difference(SHOWN_CHANNELS)
    used = PermissionState.objects.filter(state__in=GRANTED, channel__in=others)
    found = set(used.values_list("channel", flat=True).distinct())
    return [channel for channel in Channel.values if channel in {*SHOWN_CHANNELS, *found}]


def _count(found: dict[str, Any], keys: Sequence[int], comparison: Comparison) -> None:
    ids = dict(Customer.objects.filter(pk__in=keys).values_list("pk", "public_id"))
    for customer, name, before, after in comparison.changes(keys):
        cell = found["cells"].setdefault(name, _empty())
        cell["before"] += before.reach > Reach.NONE
        cell["after"] += after.reach > Reach.NONE
        if before == after:
            continue
        cell["gained"] += after.reach > before.reach
        cell["lost"] += after.reach < before.reach
        move = f"{before.rule}>{after.rule}"
        cell["moves"][move] = cell["moves"].get(move, 0) + 1
        if after.reach != before.reach and len(cell["examples"]) < EXAMPLES:
            cell["examples"].append([ids[customer], before.rule, after.rule])
    found["after"], found["checked"] = keys[-1], found["checked"] + len(keys)


def _empty() -> dict[str, Any]:
    return {"before": 0, "after": 0, "gained": 0, "lost": 0, "moves": {}, "examples": []}


def _customers() -> Any:
    return Customer.objects.filter(status=Customer.Status.ACTIVE)


def _chunks(after: int) -> Iterator[list[int]]:
    while keys := list(
        _customers().filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:CHUNK]
    ):
        yield keys
        after = keys[-1]


def _digest(version: PolicyVersion) -> str:
    return digest_of(version.parameters, version.valid_from)


describe(
    SIMULATE,
    JobWords(
        label=gettext_lazy("Simulation of a policy pack"),
        phases={"comparing": gettext_lazy("Asks the gate about every customer under both packs")},
        figures={
            "customers": gettext_lazy("Customers"),
            "gained": gettext_lazy("Permissions gained"),
            "lost": gettext_lazy("Permissions lost"),
        },
        icon="balance",
        result_url=lambda _job: reverse("consent:policy"),
    ),
)
