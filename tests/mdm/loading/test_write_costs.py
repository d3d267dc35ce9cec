"""What a load pays PostgreSQL for beside the rows: every index and foreign key, and no other."""

import pytest
from django.db import connection

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

KEPT = {
    "mdm_sourcerecord": {
        "btree (id)",
        "btree (source_id, source_key)",
        "btree (customer_id)",
        "btree (batch_id)",
        "btree (missing_from_id) WHERE (missing_from_id IS NOT NULL)",
        "gin (issues jsonb_path_ops) WHERE (issues <> '[]'::jsonb)",
    },
    "mdm_customer": {
        "btree (id)",
        "btree (merged_into_id) WHERE (merged_into_id IS NOT NULL)",
    },
    "mdm_goldenrecord": {
        "btree (customer_id)",
        "gin (split_part(search_text, '  '::text, 1) gin_trgm_ops)",
    },
    "mdm_contactpoint": {
        "btree (id)",
        "btree (value, kind)",
        "btree (kind) WHERE is_shared",
    },
    "mdm_recordcontactpoint": {
        "btree (id)",
        "btree (record_id, attribute)",
        "btree (contact_point_id)",
    },
    "mdm_customerevent": {"btree (id)", "btree (customer_id, number)"},
    "mdm_sale": {"btree (id)", "btree (record_id, reference)"},
    "mdm_contract": {"btree (id)", "btree (record_id, reference)"},
    "consent_consentevent": {
        "btree (id)",
        "btree (uuid)",
        "btree (source_record_id, source_event_id)",
        "btree (source_event_id) WHERE (batch_id IS NULL)",
        "btree (contact_point_id)",
        "btree (batch_id)",
        "btree (annuls_id) WHERE (annuls_id IS NOT NULL)",
    },
    "consent_permissionstate": {
        "btree (id)",
        "btree (customer_id, COALESCE(contact_point_id, (0)::bigint), channel,"
        " COALESCE(purpose_id, (0)::bigint))",
    },
    "mdm_historicalsourcerecord": {"btree (history_id)", "btree (id)"},
    "mdm_historicalcustomer": {"btree (history_id)", "btree (id)"},
    "mdm_historicalgoldenrecord": {"btree (history_id)", "btree (customer_id)"},
    "consent_historicalpermissionstate": {"btree (history_id)", "btree (id)"},
}
"""By table. No key is looked up row by row."""

_INDEXES = "SELECT split_part(indexdef, ' USING ', 2) FROM pg_indexes WHERE tablename = %s"
_KEYS = """
    SELECT attname || ' → ' || confrelid::regclass FROM pg_constraint
    JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
    WHERE contype = 'f' AND conrelid = %s::regclass
"""


@pytest.mark.parametrize("table", KEPT)
def test_a_load_pays_for_no_other_index_and_no_other_key(table: str):
    with connection.cursor() as cursor:
        cursor.execute(f"{_INDEXES} UNION ALL {_KEYS}", [table, table])
        found = [told for (told,) in cursor.fetchall()]

    assert sorted(found) == sorted(KEPT[table])
