"""Sales and contracts that come along with a customer's row."""

from collections.abc import Collection, Mapping, Sequence

from mdm import bulk
from mdm.loading.rows import StandardRow
from mdm.models import Contract, Sale
from mdm.signals import CarriedPoint

Rows = Sequence[tuple[int, StandardRow]]


def store(
    rows: Rows, carried: Mapping[int, Sequence[CarriedPoint]], *, born_ids: Collection[int]
) -> None:
    """Add the sales and contracts of the rows that are not known yet; a contract may end."""
    sales = [(pk, row.sale) for pk, row in rows if row.sale]
    if sales:
        emails = {
            pk: point.contact_point_id
            for pk, _ in sales
            for point in carried[pk]
            if point.attribute == "email"
        }
        bulk.insert_ignoring(
            Sale,
            (
                "record_id",
                "reference",
                "sold_on",
                "amount",
                "product_family",
                "contact_point_id",
            ),
            [
                (
                    pk,
                    sale.reference,
                    sale.sold_on,
                    sale.amount,
                    sale.product_family,
                    emails.get(pk),
                )
                for pk, sale in sales
            ],
        )
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
    bulk.insert_ignoring(
        Contract,
        ("record_id", "reference", "starts_on", "ends_on", "product_family"),
        [
            (pk, reference, contract.starts_on, contract.ends_on, contract.product_family)
            for (pk, reference), contract in contracts.items()
        ],
    )
