"""Which lines are nobody, and which only look so."""

from datetime import UTC, date

import pytest

from mdm.loading.other_lines import what_else
from mdm.loading.rows import RowReader
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
    assert what_else(cells(id=word, accord="1 204"), KEYED) == "total"
    assert what_else(cells(nom=word, email="12,50"), KEYLESS) == "total"


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
        {"id": "Nom"},
        {"id": "Nom", "nom": "Prenom", "email": "p@example.org"},
        {},
    ],
)
def test_somebody(values):
    assert what_else(cells(**values), KEYED) == ""


def test_a_company_of_that_name_without_a_number():
    assert what_else(cells(nom="TOTAL", tel="01 40 00 00 01"), KEYLESS) == ""


def test_a_company_of_that_name_whose_number_comes_later():
    row = cells(id="12", nom="TOTAL")

    assert what_else(dict(reversed(row.items())), KEYED) == ""


def test_a_cell_made_to_keep_a_computer_busy_is_no_total():
    assert what_else(cells(id="total" + " " * 100_000 + "x"), KEYED) == ""


def test_the_header_of_another_table():
    assert what_else(cells(id="Nom", nom="Téléphone", prenom="Ville"), KEYED) == "other_header"
