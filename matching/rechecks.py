"""Decisions whose ground has moved: a value that told two people apart has changed since.

The decision stays in force. A digest of these values is kept with it, so that the question goes
away by itself when a value comes back, and needs no history of values to be asked.
"""

from collections.abc import Collection, Iterable, Iterator
from hashlib import blake2b
from typing import Any, NamedTuple

from django.db.models import QuerySet

from matching.models import Decision
from matching.reading import in_chunks, rows_of
from matching.standing import COLUMNS, Standing
from mdm.folding import fold
from mdm.kept_queries import kept
from mdm.key_sets import among
from mdm.models import SourceRecord

DISCRIMINATING = (
    "given_name",
    "family_name",
    "birth_name",
    "birth_date",
    "sex",
    "organisation",
    "identifier",
    "email",
)
"""What tells people apart; they move house and change phones too often for a second look."""


class Stale(NamedTuple):
    """A decision in force whose records no longer say what they said."""

    left: int
    right: int
    verdict: str
    score: float


def basis_of(record_ids: Iterable[int]) -> dict[int, str]:
    """Return a digest (16 hexadecimal digits) of what tells each record's person apart."""
    digests: dict[int, str] = {}
    for chunk in in_chunks(sorted(set(record_ids))):
        for key, *values in _discriminating(chunk):
            digests[key] = _digest(values)
    return digests


@kept
def _discriminating(record_ids: Collection[int]) -> "QuerySet[SourceRecord, tuple[Any, ...]]":
    records = SourceRecord.objects.filter(among("pk", record_ids)).order_by()
    return records.values_list("pk", *DISCRIMINATING)


def stale_decisions(standing: Iterable[Standing]) -> list[Stale]:
    """Return those of these decisions that need a second look.

    Of the decisions of one repair, the first stale one stands for all, even when it touches
    other records: one answer renews them.
    """
    touching = list(_unlike_their_basis(standing))
    repairs = {decision.repair for decision in touching if decision.repair}
    first = {d.repair: d for d in sorted(_stale_of(repairs), reverse=True)} if repairs else {}
    chosen = {first[d.repair] if d.repair else d for d in touching}
    return [Stale(d.left, d.right, d.verdict, d.score or 0.0) for d in sorted(chosen)]


def stale_siblings(pair: tuple[int, int], verdict: str) -> list[tuple[int, int]]:
    """Return the pairs that the same answer renews too: decided by the same repair, and stale."""
    mine = Decision.objects.in_force().filter(left=pair[0], right=pair[1], verdict=verdict).first()
    if mine is None or mine.repair_id is None:
        return []
    return sorted(
        (decision.left, decision.right)
        for decision in _stale_of({mine.repair_id})
        if decision.verdict == verdict and (decision.left, decision.right) != pair
    )


def _stale_of(repairs: Collection[int]) -> Iterator[Standing]:
    """Yield the stale decisions of these repairs."""
    clear = Decision.objects.in_force().clear().values_list(*COLUMNS)
    return _unlike_their_basis(Standing(*row) for row in rows_of(clear, "repair", repairs))


def _unlike_their_basis(standing: Iterable[Standing]) -> Iterator[Standing]:
    decisions = [said for said in standing if said.basis and said.is_of_active]
    present = basis_of(record for decision in decisions for record in decision[:2])
    for decision in decisions:
        if decision.basis != present[decision.left] + present[decision.right]:
            yield decision


def _digest(values: Iterable[object]) -> str:
    said = "\x1f".join(fold(str(value)) if value else "" for value in values)
    return blake2b(said.encode(), digest_size=8).hexdigest()
