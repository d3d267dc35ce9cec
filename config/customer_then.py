"""One customer as she was at the end of a past day: values, records and permissions of then."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User

from consent.presentation import PermissionMatrix, permission_matrix
from mdm.as_of import customer_at, golden_at, member_ids_at, records_at
from mdm.happenings import Happening, happenings
from mdm.lineage import ExplainedValue, explain
from mdm.models import Customer, GoldenRecord, Pin, SourceRecord
from mdm.survivorship_rules import rules_in_force


@dataclass(frozen=True, slots=True)
class CustomerThen:
    """A customer id at an instant; `customer` is None when it was not issued yet."""

    asked: Customer
    at: datetime
    customer: Customer | None
    led_to: Customer | None
    """The customer that the id stood for then, when it was merged."""
    golden: GoldenRecord | None
    records: list[SourceRecord]
    values: list[ExplainedValue]
    matrix: PermissionMatrix | None
    changed_records: int
    """How many records came or left since: permissions are answered for those of today."""
    happenings: list[Happening]


def customer_then(
    asked: Customer, at: datetime, reader: User | AnonymousUser, *, narrowed_to: str = ""
) -> CustomerThen:
    """Read what was known of an id at an instant, as far as this reader may see it."""
    customer = customer_at(asked.pk, at)
    members = member_ids_at(asked.pk, at)
    records, golden = records_at(members, at), golden_at(asked.pk, at)
    into = customer.merged_into_id if customer else None
    sees_permissions = reader.has_perm("consent.view_permissionstate") and not into
    return CustomerThen(
        asked=asked,
        at=at,
        customer=customer,
        led_to=Customer.objects.filter(pk=into).first() if into else None,
        golden=golden,
        records=records,
        values=_values(golden, records),
        matrix=permission_matrix(asked, at) if sees_permissions and customer else None,
        changed_records=_changed(asked, members),
        happenings=happenings(asked.pk, narrowed_to=narrowed_to, until=at),
    )


def _values(golden: GoldenRecord | None, records: Sequence[SourceRecord]) -> list[ExplainedValue]:
    if golden is None:
        return []
    active = [record for record in records if record.status == SourceRecord.Status.ACTIVE]
    pins = Pin.objects.select_related("created_by").in_bulk(
        [pin for _record, pin, _rule in golden.lineage.values() if pin]
    )
    return explain(golden, active, pins, [], rules_in_force())


def _changed(asked: Customer, members: Sequence[int]) -> int:
    today = SourceRecord.objects.filter(customer=asked).values_list("pk", flat=True)
    return len(set(today).symmetric_difference(members))
