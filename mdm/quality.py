"""How good a golden record is: a figure, and the list of what could be mended."""

from collections.abc import Collection, Mapping
from typing import Any

# What a complete customer has, and how much each part weighs (sums to 100).
WEIGHTS: dict[str, int] = {
    "family_name": 15,
    "given_name": 15,
    "birth_date": 15,
    "email": 20,
    "phone": 15,
    "street": 10,
    "postcode": 5,
    "city": 5,
}
# A value that is there but doubtful counts for half.
_DOUBTFUL = 0.5


def quality(values: Mapping[str, Any], faulty: Collection[str] = ()) -> int:
    """Return completeness and validity of golden values as a figure from 0 to 100."""
    points = 0.0
    for attribute, weight in WEIGHTS.items():
        if values.get(attribute):
            points += weight * (_DOUBTFUL if attribute in faulty else 1)
    return round(points)


def missing(values: Mapping[str, Any]) -> list[str]:
    """Return the attributes whose absence costs quality, the heaviest first."""
    gaps = [attribute for attribute in WEIGHTS if not values.get(attribute)]
    return sorted(gaps, key=lambda attribute: -WEIGHTS[attribute])
