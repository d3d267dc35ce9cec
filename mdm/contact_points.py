"""How many live customers share each contact point."""

from collections.abc import Sequence

from django.db import connection


def recount(record_ids: Sequence[int]) -> None:
    """Count anew who shares the contact points that these records carry.

    A family's phone or a shop's till address is no evidence of identity, so matching and pages
    read `shared_by`.
    """
    if not record_ids:
        return
    marks = ", ".join(["%s"] * len(record_ids))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE mdm_contactpoint SET shared_by = counted.customers
            FROM (
                SELECT carried.contact_point_id AS id,
                       COUNT(DISTINCT record.customer_id) AS customers
                FROM mdm_recordcontactpoint AS carried
                JOIN mdm_sourcerecord AS record
                  ON record.id = carried.record_id AND record.status = 'active'
                WHERE carried.contact_point_id IN (
                    SELECT contact_point_id FROM mdm_recordcontactpoint
                    WHERE record_id IN ({marks})
                )
                GROUP BY carried.contact_point_id
            ) AS counted
            WHERE mdm_contactpoint.id = counted.id
              AND mdm_contactpoint.shared_by <> counted.customers
            """,  # noqa: S608 - only placeholders are put in.
            list(record_ids),
        )
