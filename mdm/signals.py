"""What the ground tells the apps above it, the first two inside the transaction they happen in.

`records_loaded`: a chunk of a load was written. Arguments: `batch` (LoadBatch), `record_ids`
(list of keys), `claims` (list of PermissionClaim).

`customers_changed`: members or values of customers changed. Arguments: `customer_ids` (live
customers to derive anew), `gone_ids` (customers that are no longer live).

`swept`: the sweeper came round, every few seconds. No arguments; receivers must be quick.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.dispatch import Signal

records_loaded = Signal()
customers_changed = Signal()
swept = Signal()


@dataclass(frozen=True, slots=True)
class PermissionClaim:
    """What one row of a file says about one permission; whether it counts, `consent` decides."""

    record_id: int
    line: int
    channel: str
    purpose_code: str | None
    kind: Literal["opt_in", "refusal", "opt_out"]
    occurred_at: datetime | None
    double_opt_in: bool = False
