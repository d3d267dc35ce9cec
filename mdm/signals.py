"""What the ground tells the apps above it, inside the transaction it happens in.

`records_arriving`: a chunk of a load is about to be written: the keys of its new records are
known, their contact points are locked. Arguments: `batch`, `births`, `claims`, as below. Receivers
read here what they need to answer `records_loaded`, and leave it in `births.prepared`: once rows
are on their way, whoever asks the database waits for them.

`records_loaded`: a chunk of a load is being written, behind whoever asks the database nothing
(`mdm.behind`): receivers write what follows from its rows, and read only where rows changed.
Arguments: `batch` (LoadBatch), `record_ids` (list of keys, of new and of changed records),
`records` (their keys with what each says now, a StandardRecord), `births` (Births: the new ones),
`claims` (list of PermissionClaim, of both).

`records_settled`: everybody has answered that. Arguments: `record_ids`, `births`. Receivers bring
up to date what was stored before and depends on the new rows, and may read.

`records_changed`: the values or the status of records changed otherwise than by a load: their
file was undone, their source no longer has them, they were standardised again. Arguments:
`record_ids`.

`customers_changed`: members or values of customers changed. Arguments: `customer_ids` (live
customers to derive anew), `gone_ids` (customers that are no longer live); all are locked by the
sender. It is not sent for births, which `records_loaded` tells.

`swept`: the sweeper came round, every few seconds, outside any transaction. No arguments;
receivers must be quick.

`file_undone`: records of an undone file say again what they said before, inside the transaction.
Argument: `undoing` (Undoing). `undo_asked`: the same, as a question. Receivers of both answer with
counts by name, which are added up.

`file_shown`: the page of a loaded file is made. Argument: `batch`. Receivers answer with what they
know of it: a mapping with the name of a `template` and what that reads as `told`.

`joining_shown`: somebody is shown records that an answer of hers would join. Argument: `homes`
(record → customer it would belong to, of every record of theirs). Receivers answer as for
`file_shown`, or with None when there is nothing to say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

from django.dispatch import Signal

records_arriving = Signal()
records_loaded = Signal()
records_settled = Signal()
records_changed = Signal()
customers_changed = Signal()
swept = Signal()
file_undone = Signal()
undo_asked = Signal()
file_shown = Signal()
joining_shown = Signal()


class PermissionClaim(NamedTuple):
    """What one row of a file says about one permission; whether it counts, `consent` decides."""

    record_id: int
    line: int
    channel: str
    purpose_code: str | None
    kind: Literal["opt_in", "refusal", "opt_out"]
    occurred_at: datetime | None
    double_opt_in: bool = False


class CarriedPoint(NamedTuple):
    """A contact point that a record carries, in one of its attributes."""

    attribute: str
    contact_point_id: int
    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Births:
    """Records that were not known before, each now a customer with the record's own key.

    Nothing stored speaks of them, but others may carry, or have refused, the contact points in
    `shared`.
    """

    carried: Mapping[int, Sequence[CarriedPoint]] = field(default_factory=dict)
    shared: frozenset[int] = frozenset()
    prepared: dict[str, Any] = field(default_factory=dict)
    """What receivers keep for the signal that follows, by their app."""


@dataclass(frozen=True, slots=True)
class Undoing:
    """Some records of a file that is undone, and what other files say of their permissions.

    `undone_ids` are the batches of the source that were undone, this one included. A claim in
    `still_told` without a moment stands whenever the permission was given.
    """

    batch_id: int
    undone_ids: frozenset[int]
    record_ids: Sequence[int]
    still_told: Sequence[PermissionClaim] = ()
    by_id: int | None = None
