"""People and forms that several tests of consent begin with."""

import pytest

from consent.models import CollectionPoint
from mdm.models import SourceRecord
from tests.consent.doors import collection_point
from tests.mdm.factories import make_record


@pytest.fixture
def ada() -> SourceRecord:
    return make_record(email="ada@example.com", phone="+33639981234", given_name="Ada")


@pytest.fixture
def centre() -> CollectionPoint:
    return collection_point(
        "preferences", method="preferences", choices=(("marketing", "email"), ("news", "email"))
    )


@pytest.fixture
def point() -> CollectionPoint:
    return collection_point()
