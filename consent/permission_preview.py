"""What merging or parting records would do to permissions: before and after, without writing.

Both sides pass through the same facts, fold and gate as stored customers do; only whose record is
whose differs. So what is shown is what will be.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.utils.timezone import now
from django.utils.translation import gettext as _

from consent.gathering import Gathered, gather
from consent.histories import foreseen_conflicts, states_by_customer
from consent.memberships import Membership
from consent.models import ConsentEvent, Purpose
from consent.presentation import Asked, Cell, MatrixRow, asked_about, matrix_rows
from mdm.key_sets import key_set
from mdm.models import ContactPoint, Customer, SourceRecord

_RANKS = {"no": 0, "partly": 1, "yes": 2}


class Mark(StrEnum):
    """What becomes of one permission."""

    KEPT = "kept"
    FALLS = "falls"
    RETURNS = "returns"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Change:
    """One permission before and after; `before` holds a cell for each customer of today, or None.

    `refused_by` are the source and key of the record whose word decides against it.
    """

    purpose: Purpose
    before: tuple[Cell | None, ...]
    after: Cell
    refused_by: str

    @property
    def mark(self) -> Mark:
        """Return what becomes of it, against the best that stands today."""
        best = max((_RANKS[cell.state] for cell in self.before if cell), default=0)
        rank = _RANKS[self.after.state]
        if rank != best:
            return Mark.FALLS if rank < best else Mark.RETURNS
        return Mark.KEPT if rank else Mark.REFUSED


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """A contact point on a channel, with a change for each purpose."""

    row: MatrixRow
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class PermissionsOf:
    """A customer as she would be: who she is made of today, and what may be sent to her."""

    display_id: str
    sides: tuple[str, ...]
    """Display ids of today's customers that her records come from."""
    purposes: tuple[Purpose, ...]
    rows: tuple[ChangedRow, ...]
    conflict_count: int
    """Contradictions that would come up and wait for the data protection officer."""

    @property
    def counts(self) -> dict[str, int]:
        """Return how many permissions get each mark."""
        marks = [change.mark for row in self.rows for change in row.changes]
        return {mark.value: marks.count(mark) for mark in Mark}


def foresee_permissions(homes: Mapping[int, int]) -> list[PermissionsOf]:
    """Return the permissions of customers as they would be, beside today's.

    Args:
        homes: record → customer it would belong to, of every record of the customers concerned.
    """
    today = dict(
        SourceRecord.objects.filter(pk__in=key_set(homes)).values_list("pk", "customer_id")
    )
    asked = asked_about(now())
    before, after = (_known(side, asked) for side in (today, homes))
    points = ContactPoint.objects.in_bulk(
        {row[0] for known in (*before.values(), *after.values()) for row in known.points}
    )
    was = {key: _cells(matrix_rows([known], points, asked)) for key, known in before.items()}
    will = {key: matrix_rows([known], points, asked) for key, known in after.items()}
    refusing = _who_refuses(will.values())
    conflicts = foreseen_conflicts(homes)
    names = {
        key: customer.display_id
        for key, customer in Customer.objects.in_bulk({*before, *after}).items()
    }
    return [
        PermissionsOf(
            names.get(customer, _("a number of its own")),
            tuple(names[side] for side in sides),
            asked.purposes,
            _changed(will[customer], [was[side] for side in sides], refusing),
            len(conflicts.get(customer, ())),
        )
        for customer in sorted(will)
        if (sides := _sides(customer, homes, today))
    ]


def warn_of_conflicts(
    *, homes: Mapping[int, int], **signal: object
) -> Mapping[str, object] | None:
    """Tell whoever is about to join records that it takes the data protection officer's word."""
    count = sum(len(found) for found in foreseen_conflicts(homes).values())
    return (
        {"template": "consent/_conflict_foreseen.html", "conflict_count": count} if count else None
    )


_Place = tuple[str, int | None, int]
_Cells = Mapping[_Place, Cell]


def _known(homes: Mapping[int, int], asked: Asked) -> dict[int, Gathered]:
    return gather(
        Membership.supposed(homes),
        at=asked.at,
        read_states=states_by_customer,
        policy=asked.policy,
    )


def _sides(customer: int, homes: Mapping[int, int], today: Mapping[int, int]) -> list[int]:
    """Return today's customers that the records of one to be come from."""
    return sorted({today[record] for record, home in homes.items() if home == customer})


def _cells(rows: Iterable[MatrixRow]) -> _Cells:
    return {_place(row, cell): cell for row in rows if row.contact_point for cell in row.cells}


def _place(row: MatrixRow, cell: Cell) -> _Place:
    return row.channel, row.contact_point.pk if row.contact_point else None, cell.purpose.pk


def _changed(
    rows: Iterable[MatrixRow], before: Sequence[_Cells], refusing: Mapping[int, str]
) -> tuple[ChangedRow, ...]:
    def change(row: MatrixRow, cell: Cell) -> Change:
        place = _place(row, cell)
        refused_by = refusing.get(cell.answer.deciding_event or 0, "")
        return Change(cell.purpose, tuple(c.get(place) for c in before), cell, refused_by)

    return tuple(
        ChangedRow(row, tuple(change(row, cell) for cell in row.cells))
        for row in rows
        if row.contact_point
    )


def _who_refuses(matrices: Iterable[Sequence[MatrixRow]]) -> dict[int, str]:
    """Return event → source and key of the record, for the events that decide a refusal."""
    deciding = {
        cell.answer.deciding_event
        for rows in matrices
        for row in rows
        for cell in row.cells
        if cell.state == "no" and cell.answer.rule in {"G5", "G6"} and cell.answer.deciding_event
    }
    events = ConsentEvent.objects.filter(pk__in=deciding).select_related("source_record__source")
    return {
        event.pk: f"{event.source_record.source} {event.source_record.source_key}"
        for event in events
    }
