"""How many live customers share each contact point.

A family's phone or a shop's till address is no evidence of identity, so matching and pages read
`shared_by`. It is derived: `recount` keeps it, `recount_all` builds it anew.
"""

from collections.abc import Sequence

from django.db import connection
from django.db.models import Max

from mdm import bulk
from mdm.models import ContactPoint

_CHUNK = 20_000

# Contact points of which {which}, with the customers who carry them now.
_COUNTED = """
    SELECT point.id AS id, COUNT(DISTINCT record.customer_id) AS customers
    FROM mdm_contactpoint AS point
    LEFT JOIN mdm_recordcontactpoint AS carried ON carried.contact_point_id = point.id
    LEFT JOIN mdm_sourcerecord AS record
      ON record.id = carried.record_id AND record.status = 'active'
    WHERE {which}
    GROUP BY point.id
"""
_DIFFERS = "mdm_contactpoint.id = counted.id AND mdm_contactpoint.shared_by <> counted.customers"
_UPDATE = f"""
    UPDATE mdm_contactpoint SET shared_by = counted.customers FROM ({_COUNTED}) AS counted
    WHERE {_DIFFERS}
"""  # noqa: S608 - no value is put in.
_COUNT_WRONG = f"SELECT COUNT(*) FROM mdm_contactpoint, ({_COUNTED}) AS counted WHERE {_DIFFERS}"  # noqa: S608


def recount(record_ids: Sequence[int]) -> None:
    """Count anew who shares the contact points that these records carry."""
    if not record_ids:
        return
    marks = ", ".join(["%s"] * len(record_ids))
    carried = (
        "point.id IN (SELECT contact_point_id FROM mdm_recordcontactpoint"  # noqa: S608
        f" WHERE record_id IN ({marks}))"
    )
    with connection.cursor() as cursor:
        cursor.execute(_UPDATE.format(which=carried), list(record_ids))


def recount_all(*, check: bool) -> int:
    """Count anew who shares each contact point; with `check`, write nothing.

    Returns how many were miscounted.
    """
    last = ContactPoint.objects.aggregate(last=Max("pk"))["last"] or 0
    statement = (_COUNT_WRONG if check else _UPDATE).format(which="point.id BETWEEN %s AND %s")
    wrong = 0
    for start in range(1, last + 1, _CHUNK):
        with connection.cursor() as cursor:
            cursor.execute(statement, [start, start + _CHUNK - 1])
            wrong += cursor.fetchone()[0] if check else cursor.rowcount
        bulk.pause_for_other_writers()
    return wrong
