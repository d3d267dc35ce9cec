"""What rows say of permissions is passed on once, with its date."""

from datetime import UTC, datetime

import pytest

from mdm.models import SourceRecord
from tests.mdm.loading.files import DOCUMENT, ends, load, row

pytestmark = pytest.mark.django_db


def test_claims_of_permissions_are_passed_on_with_their_date(claims):
    load(
        row("C1", email="a@example.org", accord="O"),
        row("C2", email="b@example.org", accord="N"),
        row("C3", stop="oui"),
        row("C4", accord="peut-être"),
    )

    said = [(c.channel, c.purpose_code, c.kind, c.occurred_at) for c in claims]
    day = datetime(2024, 1, 31, 23, tzinfo=UTC)
    assert said == [
        ("email", "marketing", "opt_in", day),
        ("email", "marketing", "refusal", day),
        ("*", None, "opt_out", day),
    ]
    assert ["permission", "unknown_value"] in SourceRecord.objects.get(source_key="C4").issues


def test_a_remark_that_stops_contact_is_an_opt_out_of_everything(claims):
    load(row("C1", prenom="Jean (décédé)", accord="O"), row("C2", nom="ROUX (ne pas contacter)"))
    load(row("C1", prenom="Jean (décédé)", accord="O", nom="MARTIN", maj="05/05/2025"))
    load(row("C3", prenom="Jean (VIP)"), row("C2", nom="ROUX [STOP]", maj="05/05/2025"))

    said = [(c.channel, c.purpose_code, c.kind) for c in claims]
    assert said == [
        ("email", "marketing", "opt_in"),
        ("*", None, "opt_out"),
        ("*", None, "opt_out"),
    ]


def test_a_corrected_row_does_not_date_its_old_permission_anew(claims):
    load(row("C1", email="a@example.org", accord="O"))
    claims.clear()

    load(row("C1", email="a@example.org", accord="O", nom="MARTIN", maj="05/05/2025"))
    assert claims == []

    load(row("C1", email="a@example.org", accord="N", maj="06/06/2025"))
    assert [claim.kind for claim in claims] == ["refusal"]


def test_a_column_mapped_for_the_first_time_makes_its_claims(claims):
    unmapped = {**DOCUMENT, "column": [c for c in DOCUMENT["column"] if c["name"] != "accord"]}
    load(row("C1", email="a@example.org", accord="O"), document=unmapped)
    assert claims == []

    batch = load(row("C1", email="a@example.org", accord="O"))

    assert ends(batch) == {"changed": 1}
    assert [claim.kind for claim in claims] == ["opt_in"]
