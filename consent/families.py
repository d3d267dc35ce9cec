"""Soft opt-in goes from what was sold to what is similar: the matrix that the DPO declares."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db.models import Q

from consent.models import SimilarFamily
from consent.policy_packs import PARIS

Similarity = Mapping[str, frozenset[str]]
"""Family offered → families of which a sale, or a running contract, is a ground for it."""


def similar_families(at: datetime) -> Similarity:
    """Return the matrix as it counted on the day of an instant, in France."""
    day = at.astimezone(PARIS).date()
    found: dict[str, set[str]] = defaultdict(set)
    declared = SimilarFamily.objects.filter(
        Q(ended_on=None) | Q(ended_on__gt=day), declared_on__lte=day
    )
    for sold, offered in declared.values_list("sold", "offered"):
        found[offered].add(sold)
    return {offered: frozenset(sold) for offered, sold in found.items()}


def grounds(families: Iterable[str], similar: Similarity) -> frozenset[str]:
    """Return the families that are a ground for an offer about some: themselves and the similar.

    One step only: what is similar to something similar was not declared.
    """
    named = frozenset(families)
    return named.union(*(similar.get(family, frozenset()) for family in named))
