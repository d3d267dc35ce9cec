"""Decisions in force and evidence around some records, read once for all that follows."""

from collections.abc import Iterable
from itertools import chain
from typing import NamedTuple

from matching.models import Decision, PairEvidence, to_ruling
from matching.reading import kept_pairs
from matching.rulings import Ruling
from mdm.models import SourceRecord

Pair = tuple[int, int]


class Standing(NamedTuple):
    """A decision in force that says same or different, with what it went by."""

    left: int
    right: int
    verdict: str
    basis: str
    """Digest of what told the two apart; see `matching.rechecks`."""
    repair: int | None
    score: float | None
    is_blind: bool
    left_status: str
    right_status: str

    @property
    def pair(self) -> Pair:
        """The two records, the older first."""
        return self[:2]

    @property
    def is_of_active(self) -> bool:
        """Whether both records are active."""
        return self.left_status == self.right_status == SourceRecord.Status.ACTIVE


COLUMNS = (
    "left", "right", "verdict", "basis", "repair", "score_shown", "is_blind",
    "left__status", "right__status",
)  # fmt: skip


def decisions_touching(record_ids: Iterable[int]) -> list[Standing]:
    """Return the clear ones that touch at least one of the records."""
    return [Standing(*row) for row in _clear(record_ids)]


_clear = kept_pairs(lambda: Decision.objects.in_force().clear().values_list(*COLUMNS))
_in_force = kept_pairs(
    lambda: Decision.objects.in_force().values_list("left", "right", "verdict", "pk")
)


class Alike(NamedTuple):
    """Evidence on a pair; begins as `matching.clustering.Evidence` does."""

    left: int
    right: int
    score: float
    automatic: bool
    pattern: int
    run: int


def evidence_touching(record_ids: Iterable[int]) -> list[Alike]:
    """Return the evidence that touches at least one of the records."""
    return [Alike(*row) for row in _evidence(record_ids)]


_evidence = kept_pairs(lambda: PairEvidence.objects.order_by().values_list(*Alike._fields))


class Said(NamedTuple):
    """A decision in force."""

    left: int
    right: int
    verdict: str
    key: int

    @property
    def pair(self) -> Pair:
        """The two records, the older first."""
        return self[:2]


def decisions_around(record_ids: Iterable[int]) -> list[Said]:
    """Return the decisions in force on these records and on those joined to them by SAME."""
    found: dict[int, Said] = {}
    seen: set[int] = set()
    frontier = set(record_ids)
    while frontier:
        seen |= frontier
        rows = [Said(*row) for row in _in_force(frontier)]
        found |= {said.key: said for said in rows}
        joined = (said.pair for said in rows if said.verdict == Decision.Verdict.SAME)
        frontier = set(chain.from_iterable(joined)) - seen
    return list(found.values())


def rulings_of(around: Iterable[Said], *, leaving_out: Iterable[int]) -> list[Ruling]:
    """Return the decisions that can contradict new ones, without those that end."""
    ending = set(leaving_out)
    said = (to_ruling(*said[:3]) for said in around if said.key not in ending)
    return [ruling for ruling in said if ruling]
