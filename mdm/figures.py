"""Figures as people read them, for what commands say."""

from collections.abc import Mapping
from typing import Any

from django.utils.formats import number_format


def readable(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Return whole numbers with separators and others with one decimal, in the reader's language.

    What is no number stays as it is.
    """
    return {name: _readable(value) for name, value in figures.items()}


def _readable(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    decimals = None if isinstance(value, int) else 1
    return number_format(value, decimals, force_grouping=True)
