"""The clear decisions in force that touch some records, read once for what follows from them."""

from collections.abc import Iterable
from typing import NamedTuple

from matching.models import Decision
from matching.reading import pairs_touching
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
    """Return those that touch at least one of the records."""
    clear = Decision.objects.in_force().clear().values_list(*COLUMNS)
    return [Standing(*row) for row in pairs_touching(clear, record_ids)]
