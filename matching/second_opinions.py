"""Second opinions: a pair that one steward judged blind comes, blind again, to another.

Both answers are decisions like any other, the later one in force. Which pairs depends on the
records alone. How far two stewards agree is told by `matching.concordance`.
"""

from collections.abc import Iterable
from typing import NamedTuple

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from matching.blind import is_drawn_again
from matching.models import Decision, ReviewTask
from matching.standing import Standing

Pair = tuple[int, int]


class Opinion(NamedTuple):
    """What one steward judged blind of a pair."""

    steward: int
    verdict: str
    decision: int


def wanted_pairs(standing: Iterable[Standing]) -> set[Pair]:
    """Return the drawn pairs among these decisions that one steward alone judged blind."""
    if not settings.SECOND_OPINION_ONE_IN:
        return set()
    blind = (said.pair for said in standing if said.is_blind and said.repair is None)
    drawn = {pair for pair in blind if is_drawn_again(*pair)}
    if not drawn:
        return set()
    among_them = blind_decisions().filter(left__in=sorted({left for left, _right in drawn}))
    judged = opinions(among_them)
    return {pair for pair in drawn if len(judged[pair]) == 1}


def has_judged(task: ReviewTask, user: User) -> bool:
    """Return whether this steward gave the first opinion on a pair that waits for a second."""
    pair = blind_decisions().filter(left=task.left_id, right=task.right_id)
    return task.kind == ReviewTask.Kind.SECOND and pair.filter(decided_by=user).exists()


def blind_decisions() -> QuerySet[Decision]:
    """Return the clear answers given blind that their steward did not take back.

    One that a later answer replaced is still what she judged.
    """
    stands = Q(retracted_at=None) | Q(ended_by__isnull=False)
    return Decision.objects.clear().filter(stands, is_blind=True, repair=None).order_by()


def opinions(decisions: QuerySet[Decision]) -> dict[Pair, list[Opinion]]:
    """Return by pair what each steward last said of it, in the order of their first answers."""
    found: dict[Pair, dict[int, Opinion]] = {}
    columns = ("left", "right", "decided_by", "verdict", "pk")
    for left, right, *said in decisions.order_by("pk").values_list(*columns):
        opinion = Opinion(*said)
        found.setdefault((left, right), {})[opinion.steward] = opinion
    return {pair: list(said.values()) for pair, said in found.items()}
