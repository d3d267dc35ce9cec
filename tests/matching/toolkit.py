"""What of ours recordlinkage was asked for."""

from typing import Any

import pytest
from recordlinkage.base import BaseClassifier, BaseIndexAlgorithm


def calls_of_the_toolkit(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Return a list that tells from now on which class the toolkit's own methods ran for."""
    used: list[tuple[str, str]] = []
    for owner, name in ((BaseIndexAlgorithm, "index"), (BaseClassifier, "fit")):
        original = getattr(owner, name)

        def spy(self, *args, original=original, name=name, **options) -> Any:
            used.append((type(self).__name__, name))
            return original(self, *args, **options)

        monkeypatch.setattr(owner, name, spy)
    return used
