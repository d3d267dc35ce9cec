"""How duplicates are found: the parameters of a rule set with their defaults, and its versions."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from matching.models import RuleSet
from mdm import rule_versions
from mdm.audit import acting_as
from mdm.kept_queries import kept
from mdm.reasons import reason_of
from mdm.rule_versions import RulesRefused


@dataclass(frozen=True, slots=True)
class BlockingRule:
    """Parts of values that two records must share to be compared at all."""

    parts: tuple[str, ...]
    budget: float = 12.0
    """Pairs per record above which the rule is left out."""

    @property
    def name(self) -> str:
        """The rule as a key: `family_name+postcode`."""
        return "+".join(self.parts)


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
    link_only: bool = False
    """Compare records of different sources only: every source holds each person once."""

    rules: tuple[BlockingRule, ...] = ()
    """Blocking rules in the order in which they claim a pair; empty for those as delivered."""

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
        rules = [
            BlockingRule(tuple(rule["parts"]), rule["budget"])
            for rule in document.get("rules", ())
        ]
        return cls(**{**document, "rules": tuple(rules)})

    def document(self) -> dict[str, Any]:
        """Return what `read` reads: only what is not as delivered."""
        as_delivered = Parameters()
        document: dict[str, Any] = {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if getattr(self, field.name) != getattr(as_delivered, field.name)
        }
        if self.rules:
            document["rules"] = [asdict(rule) for rule in self.rules]
        return document


def active_rule_set() -> RuleSet:
    """Return the rule set in force; the first one, with the defaults, when there is none."""
    active = rule_versions.in_force(RuleSet)
    if active:
        return active
    return RuleSet.objects.create(
        version=rule_versions.next_version(RuleSet), status=RuleSet.Status.ACTIVE
    )


def parameters_in_force() -> Parameters:
    """Return what the rule set in force says."""
    found = _in_force()
    return Parameters.read(found[0][0] if found else active_rule_set().parameters)


@kept
def _in_force() -> "QuerySet[RuleSet, tuple[dict[str, Any]]]":
    return RuleSet.objects.filter(status=RuleSet.Status.ACTIVE).values_list("parameters")[:1]


@transaction.atomic
def open_draft(*, of: RuleSet | None = None, by: User | None) -> RuleSet:
    """Open a draft of an earlier version, else of the rules in force.

    Raises:
        RulesRefused: when a draft is open already.
    """
    origin = of or active_rule_set()
    return rule_versions.create_draft(RuleSet, of=of, by=by, parameters=origin.parameters)


@transaction.atomic
def save_draft(
    draft: RuleSet,
    parameters: Parameters,
    *,
    known_parts: Sequence[str],
    note: str = "",
    by: User | None,
) -> None:
    """Replace what a draft says.

    Raises:
        RulesRefused: when the version is no draft, or the figures make no sense together.
    """
    rule_versions.lock_draft(draft)
    _check(parameters, set(known_parts))
    document = parameters.document()
    with acting_as(by, reason_of(gettext_noop("Draft edited"))):
        if document != draft.parameters:
            draft.simulated_by = None
        draft.parameters, draft.note = document, note
        draft.save(update_fields=["parameters", "note", "simulated_by"])


def _check(parameters: Parameters, known_parts: set[str]) -> None:
    if parameters.review_floor > parameters.automatic_threshold:
        raise RulesRefused(_("Pairs link by themselves only above the floor of review."))
    if not 0 <= parameters.least_support <= 1:
        raise RulesRefused(_("The least support is a share from 0 to 1."))
    if parameters.max_cluster_size < 2 or parameters.block_cap < 2:
        raise RulesRefused(_("A customer or a block of fewer than two records joins nothing."))
    seen: set[str] = set()
    for rule in parameters.rules:
        if not rule.parts or not known_parts.issuperset(rule.parts):
            unknown = sorted(set(rule.parts) - known_parts)
            raise RulesRefused(
                _("Unknown part of a blocking rule: %(name)s.") % {"name": ", ".join(unknown)}
            )
        if rule.name in seen:
            raise RulesRefused(_("The blocking rule %(name)s stands twice.") % {"name": rule.name})
        if not 0 < rule.budget <= 100:
            raise RulesRefused(_("A rule's budget is at most 100 pairs per record."))
        seen.add(rule.name)
