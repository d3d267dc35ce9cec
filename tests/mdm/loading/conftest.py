"""What tests of loading share."""

from collections.abc import Iterator
from typing import Any

import pytest

from mdm.signals import PermissionClaim, records_loaded


@pytest.fixture
def claims() -> Iterator[list[PermissionClaim]]:
    """Collect the claims that loads pass on."""
    heard: list[PermissionClaim] = []

    def listen(*, claims: list[PermissionClaim], **signal: Any) -> None:
        heard.extend(claims)

    records_loaded.connect(listen)
    yield heard
    records_loaded.disconnect(listen)
