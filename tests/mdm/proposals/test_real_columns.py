"""The columns of sample files that are not part of the project are proposed as they should be."""

from pathlib import Path

import pytest

from benchmarks.real_input import sample_folder
from mdm.proposals.regions import likely_region
from tests.mdm.proposals.test_columns import proposed, sample

FOLDER = sample_folder() or Path("nowhere")
FRENCH, AMERICAN = FOLDER / "fr-clients-3sources", FOLDER / "crm-5-sources-us"
SAMPLES = {
    FRENCH / "crm.csv": {
        "nom_jeune_fille": "birth_name",
        "date_maj": "updated_at",
        "cp": "postcode",
    },
    FRENCH / "shop.xlsx": {"gender": "sex", "optin": "", "last_order": "sale_date"},
    FRENCH / "newsletter.csv": {"SMS": "phone", "DOUBLE_OPT-IN": "double_opt_in"},
    AMERICAN / "app_signups.csv": {"app_user_id": "source_key", "is_verified": "", "os": ""},
    AMERICAN / "billing_accounts.csv": {
        "account_name": "full_name",
        "billing_address": "full_address",
        "status": "",
    },
    AMERICAN / "crm_contacts.csv": {"title": "", "company_name": "organisation", "phone": "phone"},
    AMERICAN / "partner_leads.csv": {"partner_name": "", "submitted_at": "created_at"},
    AMERICAN / "support_users.csv": {"display_name": "full_name", "last_seen_at": ""},
}


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_real_files_are_proposed_right(path):
    found = proposed(path, "US" if path.parent == AMERICAN else "FR")

    assert {name: found[name].attribute for name in SAMPLES[path]} == SAMPLES[path]
    assert [p.attribute for p in found.values()].count("source_key") == 1


@pytest.mark.parametrize(
    ("path", "region"),
    [
        (FRENCH / "crm.csv", "FR"),
        (FRENCH / "shop.xlsx", "FR"),
        (FRENCH / "newsletter.csv", "FR"),
        (AMERICAN / "billing_accounts.csv", "US"),
        (AMERICAN / "crm_contacts.csv", "US"),
        (AMERICAN / "support_users.csv", "US"),
    ],
    ids=lambda value: getattr(value, "stem", value),
)
def test_the_country_of_a_real_file_is_proposed(path, region):
    assert likely_region(sample(path)) == region
