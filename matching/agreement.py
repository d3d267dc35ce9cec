"""How far stewards agree with the score: answers given blind, and answers in sight of it.

Blind answers on links made without a person estimate how many of these are right.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt
from statistics import median

from django.db.models import Case, Count, OuterRef, Subquery, Value, When
from django.utils.translation import gettext as _

from matching.models import Decision, PairEvidence

Verdict = Decision.Verdict
_SURE = 1.96  # Of a normal distribution: 95 % lie within.
LINKED, LIKELY, UNLIKELY = "linked", "likely", "unlikely"


@dataclass(frozen=True, slots=True)
class Answers:
    """What was answered on the pairs of which the score says one thing."""

    same: int = 0
    different: int = 0
    unsure: int = 0
    expects_same: bool = True

    @property
    def count(self) -> int:
        """Clear answers: unsure ones judge nothing."""
        return self.same + self.different

    @property
    def agreeing(self) -> int:
        """Clear answers that say what the score says."""
        return self.same if self.expects_same else self.different


@dataclass(frozen=True, slots=True)
class Band:
    """What the score says of pairs, and what people said."""

    label: str
    blind: Answers
    seeing: Answers


@dataclass(frozen=True, slots=True)
class Interval:
    """A share from 0 to 1, and between what it lies with 95 % certainty (Wilson 1927)."""

    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """Everything the page of agreement shows."""

    bands: list[Band]
    blind_seconds: float | None
    seeing_seconds: float | None

    @property
    def blind(self) -> Interval | None:
        """How often blind answers say what the score says."""
        return _of([band.blind for band in self.bands])

    @property
    def seeing(self) -> Interval | None:
        """The same of answers given in sight of the score."""
        return _of([band.seeing for band in self.bands])

    @property
    def right_links(self) -> Interval | None:
        """How many links made without a person are right, judged by blind answers."""
        return _of([self.bands[0].blind])


def agreement() -> Agreement:
    """Count the answers in force of the review page by what the score says of the pairs today."""
    evidence = PairEvidence.objects.filter(left=OuterRef("left"), right=OuterRef("right"))
    answers = Decision.objects.in_force().filter(repair=None)
    counted = (
        answers.annotate(
            bits=Subquery(evidence.values("score")[:1]),
            automatic=Subquery(evidence.values("automatic")[:1]),
        )
        .annotate(
            band=Case(
                When(automatic=True, then=Value(LINKED)),
                When(bits__gte=0, then=Value(LIKELY)),
                When(bits__lt=0, then=Value(UNLIKELY)),
                default=Value(""),
            )
        )
        .values_list("band", "is_blind", "verdict")
        .annotate(Count("pk"))
    )
    counts = {(band, blind, verdict): n for band, blind, verdict, n in counted}
    labels = {
        LINKED: _("linked without a person"),
        LIKELY: _("more likely one person"),
        UNLIKELY: _("more likely two"),
    }
    return Agreement(
        [
            Band(label, _answers(counts, band, blind=True), _answers(counts, band, blind=False))
            for band, label in labels.items()
        ],
        _median(answers.filter(is_blind=True).values_list("seconds", flat=True)),
        _median(answers.filter(is_blind=False).values_list("seconds", flat=True)),
    )


def interval(agreeing: int, count: int) -> Interval:
    """Return the share of `agreeing` in `count` (at least one) with its interval."""
    share, square = agreeing / count, _SURE**2
    middle = (share + square / (2 * count)) / (1 + square / count)
    width = _SURE * sqrt(share * (1 - share) / count + square / (4 * count**2))
    width /= 1 + square / count
    # Rounded, so that no trace of floating point makes 99.9 % of all.
    low, high = round(middle - width, 6), round(middle + width, 6)
    return Interval(share, max(0.0, low), min(1.0, high))


def _answers(counts: dict[tuple[str, bool, str], int], band: str, *, blind: bool) -> Answers:
    found = {verdict.value: counts.get((band, blind, verdict.value), 0) for verdict in Verdict}
    return Answers(**found, expects_same=band != UNLIKELY)


def _of(answers: Iterable[Answers]) -> Interval | None:
    answers = list(answers)
    count = sum(a.count for a in answers)
    return interval(sum(a.agreeing for a in answers), count) if count else None


def _median(seconds: Iterable[float | None]) -> float | None:
    known = [value for value in seconds if value]
    return median(known) if known else None
