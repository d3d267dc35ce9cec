"""How duplicates are found: the active rule set and its parameters, with their defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from django.utils.translation import gettext as _

from matching.models import RuleSet


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a rule set may say; scores are in bits (log2 odds: 0 is even, 3 is 8 to 1)."""

    review_floor: float = -3.0
    """Pairs below are dropped."""

    automatic_threshold: float = 3.0
    """Pairs at or above link by themselves, when their evidence speaks of the person."""

    max_cluster_size: int = 20
    least_support: float = 0.3
    block_cap: int = 1000

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "Parameters":
        """Return the parameters of a rule set; what it leaves out has its default.

        Raises:
            ValueError: when the document names a parameter that does not exist.
        """
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(document) - known):
            raise ValueError(
                _("The rule set has an unknown parameter: %(name)s.") % {"name": unknown[0]}
            )
        return cls(**document)


def active_rule_set() -> RuleSet:
    """Return the rule set in force; the first one, with the defaults, when there is none."""
    active = RuleSet.objects.filter(status=RuleSet.Status.ACTIVE).first()
    if active:
        return active
    latest = RuleSet.objects.order_by("-version").first()
    return RuleSet.objects.create(
        version=latest.version + 1 if latest else 1,
        label=_("Default"),
        status=RuleSet.Status.ACTIVE,
        parameters={},
    )
