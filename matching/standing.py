"""The decisions in force around some records, read once for all that follows from them."""

from collections.abc import Iterable
from itertools import chain
from typing import NamedTuple

from matching.models import Decision, to_ruling
from matching.reading import pairs_touching
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
    clear = Decision.objects.in_force().clear().values_list(*COLUMNS)
    return [Standing(*row) for row in pairs_touching(clear, record_ids)]


class Said(NamedTuple):
    """A decision in force."""

    key: int
    left: int
    right: int
    verdict: str


def decisions_around(record_ids: Iterable[int]) -> list[Said]:
    """Return the decisions in force on these records and on those joined to them by SAME."""
    in_force = Decision.objects.in_force().values_list("pk", "left", "right", "verdict")
    found: dict[int, Said] = {}
    seen: set[int] = set()
    frontier = set(record_ids)
    while frontier:
        seen |= frontier
        rows = [Said(*row) for row in pairs_touching(in_force, frontier)]
        found |= {said.key: said for said in rows}
        joined = (said[1:3] for said in rows if said.verdict == Decision.Verdict.SAME)
        frontier = set(chain.from_iterable(joined)) - seen
    return list(found.values())


def rulings_of(around: Iterable[Said], *, leaving_out: Iterable[int]) -> list[Ruling]:
    """Return the decisions that can contradict new ones, without those that end."""
    ending = set(leaving_out)
    said = (to_ruling(*said[1:]) for said in around if said.key not in ending)
    return [ruling for ruling in said if ruling]
