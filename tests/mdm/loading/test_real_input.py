"""The sample files of eight systems, loaded with the mappings that ship, as one would expect.

The samples are not part of the project: tests/conftest.py collects this only beside them.
"""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from benchmarks.real_input import sample_folder
from mdm.models import LoadBatch, SourceRecord

pytestmark = pytest.mark.django_db

FOLDER = sample_folder() or Path("nowhere")
US, FR = FOLDER / "crm-5-sources-us", FOLDER / "fr-clients-3sources"
# File, mapping, rows, and of so many rows each attribute has a value.
SAMPLES = [
    (US / "crm_contacts.csv", "us-crm-contacts", 1839, {"given_name": 0.9, "organisation": 0.99}),
    (US / "crm_companies.csv", "us-crm-companies", 107, {"organisation": 1}),
    (US / "billing_accounts.csv", "us-billing", 1200, {"postcode": 1, "city": 1, "street": 1}),
    (US / "support_users.csv", "us-support", 1400, {"family_name": 0.95}),
    (US / "app_signups.csv", "us-app", 1300, {"email": 0.99}),
    (US / "partner_leads.csv", "us-partners", 800, {"organisation": 0.9}),
    (FR / "crm.csv", "fr-crm", 1805, {"family_name": 0.99, "postcode": 0.95}),
    (FR / "shop.xlsx", "fr-shop", 1248, {"email": 0.93, "postcode": 0.95}),
    (FR / "newsletter.csv", "fr-newsletter", 1003, {"email": 0.99}),
]


def load(file: Path, source: str, mapping: str) -> dict[str, object]:
    out = StringIO()
    call_command("load", file, source=source, mapping=mapping, json=True, stdout=out)
    return json.loads(out.getvalue())


@pytest.mark.parametrize(
    ("file", "mapping", "rows", "filled"),
    [pytest.param(*sample, id=sample[1]) for sample in SAMPLES],
)
def test_a_sample_is_loaded_whole_and_twice_is_once(file, mapping, rows, filled):
    first, again = load(file, "s", mapping), load(file, "s", mapping)

    assert (first["new"], first["rejected"], first["stale"]) == (rows, 0, 0)
    assert (again["same"], again["changed"]) == (rows, 0)
    for attribute, share in filled.items():
        count = SourceRecord.objects.exclude(**{attribute: ""}).count()
        assert count >= share * rows, (attribute, count)


def test_american_names_addresses_and_numbers_are_understood():
    load(US / "billing_accounts.csv", "billing", "us-billing")
    load(US / "crm_contacts.csv", "crm", "us-crm-contacts")
    load(US / "support_users.csv", "support", "us-support")

    swapped = SourceRecord.objects.get(source_key="BILL_000006")
    assert (swapped.given_name, swapped.family_name) == ("Nicholas", "Cox")
    assert (swapped.street_number, swapped.city, swapped.postcode) == (
        "7620",
        "Jacksonville",
        "32099",
    )
    forms = {
        "CRM_000000": "+16506506176",
        "CRM_000003": "+15034370945",
        "CRM_000004": "+15034370945",
        "SUP_000002": "+19147223492",
        "SUP_000005": "+14043302852",
    }
    found = dict(
        SourceRecord.objects.filter(source_key__in=forms).values_list("source_key", "phone")
    )
    assert found == forms


def test_french_postcodes_and_phones_of_a_workbook_have_their_zeros():
    load(FR / "shop.xlsx", "shop", "fr-shop")

    records = SourceRecord.objects.exclude(postcode="").filter(country__in=["", "FR"])
    lengths = {len(postcode) for postcode in records.values_list("postcode", flat=True)}
    assert lengths == {5}
    phones = SourceRecord.objects.exclude(phone="").values_list("phone", flat=True)
    # Numbers of overseas stay theirs; those outside the number plan get their zero all the same.
    assert sum(phone[0] in "+0" for phone in phones) > 0.99 * len(phones)
    layout = LoadBatch.objects.get().layout
    assert (layout["format"], layout["sheet"]) == ("xlsx", "Clients")
