"""Contact points are compared byte by byte, and locked in one order by everybody."""

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mdm.contact_points import Met, in_order
from mdm.models import ContactPoint

pytestmark = pytest.mark.django_db

# Letters that languages sort in other ways than bytes, and what stands below and above them.
_VALUES = st.text(alphabet=" -+@.09AZaéœzß", max_size=6)
_PLACES = st.sets(st.tuples(_VALUES, st.sampled_from(ContactPoint.Kind.values)), max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(_PLACES)
def test_the_database_orders_them_as_loads_do(places: set[tuple[str, str]]):
    ContactPoint.objects.all().delete()
    ContactPoint.objects.bulk_create(
        [ContactPoint(kind=kind, value=value, display=value) for value, kind in places]
    )

    met = in_order([Met(kind, value, value, "", 1) for value, kind in places])

    stored = ContactPoint.objects.order_by("value", "kind").values_list("value", "kind")
    assert list(stored) == [(point.value, point.kind) for point in met]


@pytest.mark.postgresql
def test_no_language_takes_part_in_that():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, collation_name FROM information_schema.columns"
            " WHERE table_name = 'mdm_contactpoint' AND column_name IN ('kind', 'value')"
        )
        assert dict(cursor.fetchall()) == {"kind": "C", "value": "C"}
