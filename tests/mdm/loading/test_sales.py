"""Sales and contracts that stand beside a customer in a file."""

import pytest

from mdm.models import (
    Contract,
    Sale,
    SourceRecord,
)
from tests.mdm.loading.files import DOCUMENT, csv_bytes, load_bytes, row

pytestmark = pytest.mark.django_db


def test_sales_and_contracts_come_along():
    columns = [
        *DOCUMENT["column"],
        {"name": "achat", "attribute": "sale_date", "format": "%d/%m/%Y"},
        {"name": "montant", "attribute": "sale_amount"},
        {"name": "debut", "attribute": "contract_start", "format": "%d/%m/%Y"},
        {"name": "fin", "attribute": "contract_end", "format": "%d/%m/%Y"},
        {"name": "famille", "attribute": "contract_family"},
    ]
    document = {**DOCUMENT, "column": columns}
    names = [column["name"] for column in columns]
    line = row("C1", email="a@example.org", achat="03/02/2024", montant="1 234,50 €")
    line |= {"debut": "01/01/2024", "fin": "", "famille": "energy"}

    load_bytes(csv_bytes([line], names), document=document)
    ended = {**line, "fin": "31/12/2024", "montant": "much", "maj": "01/01/2025"}
    load_bytes(csv_bytes([ended], names), document=document)

    sale, contract = Sale.objects.get(), Contract.objects.get()
    assert (str(sale.sold_on), str(sale.amount), sale.reference) == (
        "2024-02-03",
        "1234.50",
        "2024-02-03",
    )
    assert sale.contact_point is not None
    assert sale.contact_point.value == "a@example.org"
    assert (contract.product_family, str(contract.ends_on)) == ("energy", "2024-12-31")
    assert ["sale_amount", "unreadable"] in SourceRecord.objects.get().issues
