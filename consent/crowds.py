"""The gate asked about many people at once: it answers for each distinct set of facts.

Everybody of one signature (`consent.signatures`) gets the answer the gate gave for one of them,
whose facts were gathered as for a single customer. Signatures and facts come out of one snapshot:
otherwise whoever stands for thousands could have said no a moment ago, for herself alone.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from consent.evaluation import Outcome, evaluate, nobody
from consent.facts import Offer, Question
from consent.signatures import Signature, Signed, grouped, signed
from mdm.snapshots import one_snapshot

CHUNK = 20_000
"""So many people make one statement: more gain little and take more memory."""


class Line(NamedTuple):
    """What the gate answers for one customer: which contact point, by which rule.

    `event_id` is the consent that allows the contact; None where something else does.
    """

    customer_id: int
    contact_point_id: int | None
    is_allowed: bool
    rule: str
    event_id: int | None


class Crowd:
    """One question about many people, asked chunk by chunk; what was answered once is kept."""

    def __init__(self, *, channel: str, offer: Offer | None, at: datetime) -> None:
        self._question = Question(channel, offer, at)
        self._outcomes: dict[Signature, Outcome] = {}

    def rules(self, customer_ids: Sequence[int]) -> Counter[str]:
        """Count the customers by the rule that decides for them; all are counted."""
        with one_snapshot():
            groups = grouped(customer_ids, self._question)
            self._learn({group.signature: group.example for group in groups})
        counts: Counter[str] = Counter()
        for group in groups:
            counts[self._outcomes[group.signature].answer.rule] += group.size
        if unknown := len(customer_ids) - counts.total():
            counts[self._nobody.answer.rule] += unknown
        return counts

    def lines(
        self, customer_ids: Sequence[int], contact_points: Mapping[int, int] | None = None
    ) -> Iterator[Line]:
        """Yield the answer for each customer, in the order of the keys.

        Of several contact points the first allowed one is chosen, in the gate's order;
        `contact_points` (customer → contact point) asks about those instead.
        """
        with one_snapshot():
            found = {
                row.customer_id: row
                for row in signed(customer_ids, self._question, contact_points)
            }
            examples = {row.signature: row.customer_id for row in found.values()}
            self._learn(examples, contact_points)
        for key in customer_ids:
            yield self._line(key, found.get(key))

    @cached_property
    def _nobody(self) -> Outcome:
        return nobody(self._question)

    def _learn(
        self, examples: Mapping[Signature, int], contact_points: Mapping[int, int] | None = None
    ) -> None:
        new = {mark: key for mark, key in examples.items() if mark not in self._outcomes}
        outcomes = evaluate(
            new.values(),
            channel=self._question.channel,
            offer=self._question.offer,
            at=self._question.at,
            contact_points=contact_points,
        )
        self._outcomes |= zip(new, outcomes, strict=True)

    def _line(self, key: int, row: Signed | None) -> Line:
        outcome = self._outcomes[row.signature] if row else self._nobody
        answer, place = outcome.answer, outcome.place
        point, event = outcome.contact_point_id, answer.deciding_event
        # Whose signature nobody shares was answered herself, whatever order the database sees.
        if row and place is not None and outcome.customer_id != key:
            point, event = row.places[place][0], row.places[place][1] if event else None
        cited = event if answer.allowed else None
        return Line(key, point, answer.allowed, answer.rule, cited)
