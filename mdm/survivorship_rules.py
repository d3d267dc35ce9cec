"""The survivorship rules: what is in force, what a draft says, and the jobs they start."""

from collections.abc import Mapping, Sequence

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from mdm import jobs, rule_versions
from mdm.audit import acting_as
from mdm.kept_queries import kept
from mdm.lineage import label_of
from mdm.models import Job, SourceSystem, SurvivorshipRule, SurvivorshipRuleSet
from mdm.reasons import reason_of
from mdm.rule_versions import RulesRefused
from mdm.survivorship import DEFAULT_RULES, GROUPS, STRATEGIES, Rule

SIMULATE = "survivorship_simulation"
APPLY = "survivorship_rules"
Rules = Mapping[str, Rule]


def rules_in_force() -> dict[str, Rule]:
    """Return how each group is chosen now: the defaults under the rules in force."""
    return _read(_stated_in_force())


def rules_of(rule_set: SurvivorshipRuleSet | None) -> dict[str, Rule]:
    """Return how each group is chosen by a version; None stands for the defaults."""
    return _read(list(_stated(SurvivorshipRule.objects.filter(rule_set=rule_set))))


_Stated = tuple[str, list[str], dict[str, int]]


def _stated(rules: "QuerySet[SurvivorshipRule]") -> "QuerySet[SurvivorshipRule, _Stated]":
    return rules.values_list("attribute", "strategies", "trust")


@kept
def _stated_in_force() -> "QuerySet[SurvivorshipRule, _Stated]":
    status = SurvivorshipRuleSet.Status.ACTIVE
    return _stated(SurvivorshipRule.objects.filter(rule_set__status=status))


def _read(rows: Sequence[_Stated]) -> dict[str, Rule]:
    sources = _keys_of_sources() if any(trust for _, _, trust in rows) else {}
    stated = {
        attribute: Rule(
            tuple(strategies),
            {sources[code]: value for code, value in trust.items() if code in sources},
        )
        for attribute, strategies, trust in rows
    }
    return {**DEFAULT_RULES, **stated}


def _keys_of_sources() -> dict[str, int]:
    return dict(SourceSystem.objects.values_list("code", "pk"))


@transaction.atomic
def open_draft(*, of: SurvivorshipRuleSet | None = None, by: User | None) -> SurvivorshipRuleSet:
    """Open a draft of an earlier version, else of the rules in force.

    Raises:
        RulesRefused: when a draft is open already.
    """
    draft = rule_versions.create_draft(SurvivorshipRuleSet, of=of, by=by)
    origin = of or rule_versions.in_force(SurvivorshipRuleSet)
    with acting_as(by, reason_of(gettext_noop("New draft"))):
        _write(draft, rules_of(origin))
    return draft


@transaction.atomic
def save_draft(
    draft: SurvivorshipRuleSet, rules: Rules, *, note: str = "", by: User | None
) -> None:
    """Replace the rules of a draft; what is as by default is not stored.

    Raises:
        RulesRefused: when the version is no draft, or a rule names what does not exist.
    """
    rule_versions.lock_draft(draft)
    for group, rule in rules.items():
        check(group, rule)
    with acting_as(by, reason_of(gettext_noop("Draft edited"))):
        is_other = rules_of(draft) != {**DEFAULT_RULES, **rules}
        draft.note = note
        draft.simulated_by = None if is_other else draft.simulated_by
        draft.save(update_fields=["note", "simulated_by"])
        if is_other:
            _write(draft, rules)


def check(group: str, rule: Rule) -> None:
    """Refuse a rule that nothing could follow.

    Raises:
        RulesRefused: with the attribute and what is wrong.
    """
    unknown = [name for name in rule.strategies if name not in STRATEGIES]
    if group not in GROUPS or unknown:
        raise RulesRefused(
            _("Unknown survivorship rule: %(name)s.") % {"name": unknown[0] if unknown else group}
        )
    if len(set(rule.strategies)) != len(rule.strategies):
        raise RulesRefused(
            _("%(attribute)s: a strategy stands twice, and would decide only once.")
            % {"attribute": label_of(group).capitalize()}
        )
    if not all(0 <= value <= 100 for value in rule.trust.values()):
        raise RulesRefused(
            _("%(attribute)s: trust is a figure from 0 to 100.")
            % {"attribute": label_of(group).capitalize()}
        )


def _write(rule_set: SurvivorshipRuleSet, rules: Rules) -> None:
    codes = {key: code for code, key in _keys_of_sources().items()}
    for stored in rule_set.rules.all():
        stored.delete()
    for group, rule in rules.items():
        if rule != DEFAULT_RULES[group]:
            SurvivorshipRule.objects.create(
                rule_set=rule_set,
                attribute=group,
                strategies=list(rule.strategies),
                trust={codes[key]: value for key, value in rule.trust.items()},
            )


@transaction.atomic
def simulate(draft: SurvivorshipRuleSet, *, by: User | None) -> Job:
    """Start the job that counts what a draft would change; it changes nothing itself."""
    rule_versions.lock_draft(draft)
    job = jobs.submit(
        SIMULATE, {"rule_set": draft.pk}, by=by, idempotency_key=f"{SIMULATE} {draft.pk}"
    )
    rule_versions.remember_simulation(draft, job, by=by)
    return job


@transaction.atomic
def activate(draft: SurvivorshipRuleSet, *, by: User | None) -> Job:
    """Put a simulated draft in force and start the job that derives golden records by it.

    From this moment on every golden record that is derived follows the new rules; the job brings
    along those that nothing else touches.

    Raises:
        RulesRefused: when these rules were not simulated to the end.
    """
    rule_versions.put_in_force(draft, by=by)
    return apply_again(draft, by=by)


def apply_again(rule_set: SurvivorshipRuleSet, *, by: User | None) -> Job:
    """Start the job that derives golden records by the rules in force, or go on after a stop."""
    return jobs.submit(
        APPLY, {"rule_set": rule_set.pk}, by=by, idempotency_key=f"{APPLY} {rule_set.pk}"
    )
