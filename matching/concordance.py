"""How far stewards agree with each other, on the pairs that two of them judged blind.

Cohen's kappa tells agreement beyond chance. Where two differ, the pair is listed to be talked
over, until somebody decides it anew.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from matching.agreement import Interval, interval
from matching.decisions import sentence
from matching.models import Decision
from matching.second_opinions import Opinion, blind_decisions, opinions
from mdm.models import Customer
from mdm.staff import staff_name

MOST_DIFFERING = 50
# Landis & Koch 1977: the word for a kappa of at most so much.
_WORDS = (
    (0.0, _("no better than chance")),
    (0.2, _("slight")),
    (0.4, _("fair")),
    (0.6, _("moderate")),
    (0.8, _("substantial")),
    (1.0, _("almost perfect")),
)


@dataclass(frozen=True, slots=True)
class Concordance:
    """How far two answers on the same pairs agree; `who` is empty where all are counted."""

    answers: tuple[tuple[str, str], ...]
    who: str = ""

    @property
    def count(self) -> int:
        """Pairs judged twice."""
        return len(self.answers)

    @property
    def share(self) -> Interval | None:
        """How often both gave the same answer."""
        same = sum(one == other for one, other in self.answers)
        return interval(same, self.count) if self.count else None

    @property
    def kappa(self) -> float | None:
        """Cohen's kappa; see `cohens_kappa`."""
        return cohens_kappa(self.answers)

    @property
    def word(self) -> str:
        """What the kappa means, in a word; empty where there is none."""
        return "" if self.kappa is None else meaning(self.kappa)


@dataclass(frozen=True, slots=True)
class Differing:
    """A pair of which two stewards said different things, and whose records are now whose."""

    sentences: tuple[str, ...]
    customers: tuple[Customer, ...]


@dataclass(frozen=True, slots=True)
class Opinions:
    """Everything the page shows of second opinions."""

    all: Concordance
    by_two: list[Concordance]
    differing: list[Differing]
    differing_count: int


def cohens_kappa(answers: Sequence[tuple[str, str]]) -> float | None:
    """Return the agreement of two raters beyond chance: 1 always, 0 as by chance (Cohen 1960).

    None without answers, and when both always said one and the same: chance alone would agree
    then, and nothing can be told.
    """
    if not answers:
        return None
    count = len(answers)
    ones, others = Counter(one for one, _ in answers), Counter(other for _, other in answers)
    # In whole numbers as long as possible: agreement that is all chance must be exactly that.
    by_chance = sum(ones[verdict] * others[verdict] for verdict in ones)
    observed = sum(one == other for one, other in answers)
    if by_chance == count * count:
        return None
    return (observed * count - by_chance) / (count * count - by_chance)


def meaning(kappa: float) -> str:
    """Return the word of Landis & Koch for a kappa."""
    return str(next(word for most, word in _WORDS if round(kappa, 2) <= most))


def concordance() -> Opinions:
    """Return how far stewards agree on the pairs that two judged blind, and where they differ."""
    twice = [said[:2] for said in opinions(blind_decisions()).values() if len(said) > 1]
    differing = [said for said in twice if said[0].verdict != said[1].verdict]
    open_ones = _undecided_since(differing)
    return Opinions(
        Concordance(tuple((one.verdict, other.verdict) for one, other in twice)),
        _by_two(twice),
        _told(open_ones[:MOST_DIFFERING]),
        len(open_ones),
    )


def _by_two(twice: Iterable[Sequence[Opinion]]) -> list[Concordance]:
    """Return the same for each two stewards, those with the most pairs first."""
    answers: dict[tuple[int, int], list[tuple[str, str]]] = defaultdict(list)
    for said in twice:
        one, other = sorted(said)
        answers[one.steward, other.steward].append((one.verdict, other.verdict))
    users = User.objects.in_bulk({steward for two in answers for steward in two})
    found = [
        Concordance(tuple(given), " · ".join(staff_name(users[steward]) for steward in two))
        for two, given in answers.items()
    ]
    return sorted(found, key=lambda two: (-two.count, two.who))


def _undecided_since(differing: Sequence[Sequence[Opinion]]) -> list[Sequence[Opinion]]:
    """Return those of which one of both answers is in force, the latest first."""
    keys = [opinion.decision for said in differing for opinion in said]
    standing = Decision.objects.in_force().filter(pk__in=keys)
    in_force = set(standing.values_list("pk", flat=True))
    found = [said for said in differing if in_force.intersection(o.decision for o in said)]
    return sorted(found, key=lambda said: -max(opinion.decision for opinion in said))


def _told(differing: Sequence[Sequence[Opinion]]) -> list[Differing]:
    decisions = Decision.objects.select_related(
        "left__source", "left__customer", "right__source", "right__customer", "decided_by"
    ).in_bulk([opinion.decision for said in differing for opinion in said])
    told = [[decisions[opinion.decision] for opinion in said] for said in differing]
    return [
        Differing(
            tuple(map(sentence, both)),
            tuple(dict.fromkeys((both[0].left.customer, both[0].right.customer))),
        )
        for both in told
    ]
