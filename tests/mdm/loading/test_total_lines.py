"""Which lines are totals, and which only look so."""

from datetime import UTC, date

import pytest

from mdm.loading.rows import RowReader
from mdm.loading.total_lines import is_total
from mdm.mapping_parsing import parse_mapping
from tests.mdm.loading.files import COLUMNS, DOCUMENT


def reader_of(document) -> RowReader:
    return RowReader(parse_mapping(document), region="FR", today=date(2024, 6, 1), zone=UTC)


KEYED = reader_of(DOCUMENT)
KEYLESS = reader_of(
    {
        **DOCUMENT,
        "key_from": ["nom", "tel"],
        "column": DOCUMENT["column"][1:],
    }
)


def cells(**values: str) -> dict[str, str]:
    return dict.fromkeys(COLUMNS, "") | values


@pytest.mark.parametrize(
    "word",
    [
        "Total", "TOTAL :", " total", "Totaux", "Sous-total : 1 204", "Grand total",
        "Total adhérents : 8", "Nombre de clients : 1 204", "TOTAL GÉNÉRAL",
        "Total clients : 1.204", "subtotal", "Total = 12", "** Total **",
    ],
)  # fmt: skip
def test_words_for_totals(word):
    assert is_total(cells(id=word, accord="1 204"), KEYED)
    assert is_total(cells(nom=word, email="12,50"), KEYLESS)


@pytest.mark.parametrize(
    "values",
    [
        {"id": "12", "nom": "TOTAL"},
        {"id": "Total", "nom": "Martin"},
        {"id": "Total", "email": "achats@total.example"},
        {"id": "Total", "tel": "01 40 00 00 01"},
        {"id": "Total", "stop": "oui"},
        {"id": "total-12"},
        {"id": "Totally"},
        {"id": "Total Énergies"},
        {"id": "12"},
        {},
    ],
)
def test_somebody(values):
    assert not is_total(cells(**values), KEYED)


def test_a_company_of_that_name_without_a_number():
    assert not is_total(cells(nom="TOTAL", tel="01 40 00 00 01"), KEYLESS)


def test_a_company_of_that_name_whose_number_comes_later():
    row = cells(id="12", nom="TOTAL")

    assert not is_total(dict(reversed(row.items())), KEYED)
