"""The company that several tests of matching begin with."""

import pytest

from mdm.models import SourceRecord
from tests.matching.factories import make_company


@pytest.fixture
def company() -> list[SourceRecord]:
    return make_company(25)
