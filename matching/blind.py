"""Blind review: some pairs come without score and reasons, so that answers judge the score.

Which pairs depends on the two records alone: nobody chooses them, and they are the same tomorrow.
Of the doubtful pairs one in BLIND_REVIEW_ONE_IN is shown blind. Of the links that were made
without a person, one in AUDIT_LINKS_ONE_IN comes to the queue as a blind pair like any other.
Of the pairs answered blind, one in SECOND_OPINION_ONE_IN comes to another steward.
"""

from django.conf import settings
from django.db.models import F, Q

from matching.former import Evidence
from matching.models import ReviewTask

# Primes: consecutive records must not all fall on one side.
_LEFT, _RIGHT, _MODULUS = 7_919, 104_729, 999_983
_SPREAD_BITS = 8.0
Kind = ReviewTask.Kind


def is_blind(task: ReviewTask) -> bool:
    """Return whether a task is shown without score and reasons."""
    if task.kind in (Kind.AUDIT, Kind.SECOND):
        return True
    share = settings.BLIND_REVIEW_ONE_IN
    is_drawn = bool(share) and _place(task.left_id, task.right_id) % share == 0
    return task.kind == Kind.PAIR and is_drawn


def weak_or_drawn(evidence: Evidence) -> Evidence:
    """Return the evidence that may need a person: what is not automatic, or drawn all the same."""
    share = settings.AUDIT_LINKS_ONE_IN
    if not share:
        return tuple(found.filter(automatic=False) for found in evidence)
    place = (F("left_id") * _LEFT + F("right_id") * _RIGHT) % _MODULUS
    return tuple(
        found.annotate(draw=place % share).filter(Q(automatic=False) | Q(draw=0))
        for found in evidence
    )


def may_need_a_person(left: int, right: int, *, automatic: bool) -> bool:
    """Return whether `weak_or_drawn` gives this pair."""
    share = settings.AUDIT_LINKS_ONE_IN
    return not automatic or (bool(share) and _place(left, right) % share == 0)


def is_drawn_again(left: int, right: int) -> bool:
    """Return whether a pair judged blind is shown, blind again, to another steward."""
    share = settings.SECOND_OPINION_ONE_IN
    # The other way round: who is drawn once is no likelier to be drawn again.
    return bool(share) and _place(right, left) % share == 0


def place_in_queue(left: int, right: int) -> float:
    """Return the bits by which a drawn link stands in the queue: spread among the others."""
    return round(_place(right, left) / _MODULUS * _SPREAD_BITS, 3)


def _place(left: int, right: int) -> int:
    return (left * _LEFT + right * _RIGHT) % _MODULUS
