"""Sales and contracts that come along with a customer's row."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db.models import Model

from mdm import bulk
from mdm.loading.rows import StandardRow
from mdm.models import Contract, Sale
from mdm.signals import CarriedPoint

_SALE = ("record_id", "reference", "sold_on", "amount", "product_family", "contact_point_id")
_CONTRACT = ("record_id", "reference", "starts_on", "ends_on", "product_family")
Rows = Sequence[tuple[int, StandardRow]]


def store(
    rows: Rows, carried: Mapping[int, Sequence[CarriedPoint]], *, born_ids: Collection[int]
) -> None:
    """Add the sales and contracts of the rows that are not known yet; a contract may end."""
    sales = [(pk, row.sale) for pk, row in rows if row.sale]
    emails = {
        pk: point.contact_point_id
        for pk, _ in sales
        for point in carried[pk]
        if point.attribute == "email"
    }
    told = [
        (pk, sale.reference, sale.sold_on, sale.amount, sale.product_family, emails.get(pk))
        for pk, sale in sales
    ]
    _insert(Sale, _SALE, told, born_ids)
    _store_contracts(rows, born_ids=born_ids)


def retract(told: Rows, earlier: Mapping[int, Sequence[StandardRow]]) -> None:
    """Take back the sales and contracts that rows told, but for those an earlier row told too.

    `earlier` holds the rows each record had before, the oldest first: what they said of a
    contract counts again.
    """
    sales = {(pk, row.sale.reference) for pk, row in told if row.sale}
    contracts = {(pk, row.contract.reference) for pk, row in told if row.contract}
    for pk, rows in earlier.items():
        sales -= {(pk, row.sale.reference) for row in rows if row.sale}
        contracts -= {(pk, row.contract.reference) for row in rows if row.contract}
    for model, places in ((Sale, sales), (Contract, contracts)):
        known = model._default_manager.filter(record__in={pk for pk, _ in places})
        gone = [
            key
            for key, *place in known.values_list("pk", "record_id", "reference")
            if tuple(place) in places
        ]
        model._default_manager.filter(pk__in=gone).delete()
    _store_contracts([(pk, row) for pk, rows in earlier.items() for row in rows], born_ids=())


def _store_contracts(rows: Rows, *, born_ids: Collection[int]) -> None:
    contracts = {(pk, row.contract.reference): row.contract for pk, row in rows if row.contract}
    if not contracts:
        return
    known = Contract.objects.filter(record__in={pk for pk, _ in contracts if pk not in born_ids})
    changes = []
    for key, record, reference, ends_on in known.values_list(
        "pk", "record_id", "reference", "ends_on"
    ):
        contract = contracts.pop((record, reference), None)
        if contract and contract.ends_on != ends_on:
            changes.append((key, contract.ends_on))
    if changes:
        bulk.update(Contract, ("id", "ends_on"), changes)
    told = [
        (pk, reference, contract.starts_on, contract.ends_on, contract.product_family)
        for (pk, reference), contract in contracts.items()
    ]
    _insert(Contract, _CONTRACT, told, born_ids)


def _insert(
    model: type[Model],
    columns: Sequence[str],
    told: Sequence[tuple[Any, ...]],
    born_ids: Collection[int],
) -> None:
    """Insert what records told, their key first, where it is not known; of new ones nothing is."""
    if first := [row for row in told if row[0] in born_ids]:
        bulk.insert(model, columns, first)
    if others := [row for row in told if row[0] not in born_ids]:
        bulk.insert_ignoring(model, columns, others)
