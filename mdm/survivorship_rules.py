"""The versions of the survivorship rules: read what is in force, draft, put in force, go back.

Nothing of a version that was in force is edited afterwards. A draft can only be put in force
once a simulation of exactly these rules has shown what it would change.
"""

from collections.abc import Mapping

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils.timezone import now
from django.utils.translation import gettext as _

from mdm import jobs
from mdm.audit import acting_as
from mdm.models import Job, SourceSystem, SurvivorshipRule, SurvivorshipRuleSet
from mdm.survivorship import DEFAULT_RULES, GROUPS, STRATEGIES, Rule

SIMULATE = "survivorship_simulation"
APPLY = "survivorship_rules"
Rules = Mapping[str, Rule]
_Status = SurvivorshipRuleSet.Status


class RulesRefused(Exception):
    """The rules cannot be changed so; the text says why and what to do."""


def rules_in_force() -> dict[str, Rule]:
    """Return how each group is chosen now: the defaults under the rules in force."""
    return _read(SurvivorshipRule.objects.filter(rule_set__status=_Status.ACTIVE))


def rules_of(rule_set: SurvivorshipRuleSet | None) -> dict[str, Rule]:
    """Return how each group is chosen by a version; None stands for the defaults."""
    return _read(SurvivorshipRule.objects.filter(rule_set=rule_set))


def _read(rules: "QuerySet[SurvivorshipRule]") -> dict[str, Rule]:
    rows = list(rules.values_list("attribute", "strategies", "trust"))
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
    """Return the draft, made from a version (default: the one in force) when there is none.

    Raises:
        RulesRefused: when another draft is open and a certain version was asked for.
    """
    draft = SurvivorshipRuleSet.objects.filter(status=_Status.DRAFT).first()
    if draft and of:
        raise RulesRefused(_("A draft is open already: put it in force or throw it away first."))
    if draft:
        return draft
    origin = of or SurvivorshipRuleSet.objects.filter(status=_Status.ACTIVE).first()
    latest = SurvivorshipRuleSet.objects.aggregate(latest=Max("version"))["latest"] or 0
    with acting_as(by, _("New draft")):
        draft = SurvivorshipRuleSet.objects.create(
            version=latest + 1,
            created_by=by,
            note=_("as %(version)s") % {"version": of} if of else "",
        )
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
    _lock_draft(draft)
    for group, rule in rules.items():
        _check(group, rule)
    with acting_as(by, _("Draft edited")):
        is_other = dict(rules_of(draft)) != {**DEFAULT_RULES, **rules}
        draft.note = note
        draft.simulated_by = None if is_other else draft.simulated_by
        draft.save(update_fields=["note", "simulated_by"])
        if is_other:
            _write(draft, rules)


def _check(group: str, rule: Rule) -> None:
    unknown = [name for name in rule.strategies if name not in STRATEGIES]
    if group not in GROUPS or unknown:
        raise RulesRefused(
            _("Unknown survivorship rule: %(name)s.") % {"name": unknown[0] if unknown else group}
        )
    if len(set(rule.strategies)) != len(rule.strategies):
        raise RulesRefused(_("A strategy stands twice in one rule: it decides only once."))
    if not all(0 <= value <= 100 for value in rule.trust.values()):
        raise RulesRefused(_("Trust is a figure from 0 to 100."))


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
def discard_draft(draft: SurvivorshipRuleSet, *, by: User | None) -> None:
    """Throw a draft away; its history stays."""
    _lock_draft(draft)
    with acting_as(by, _("Draft thrown away")):
        draft.delete()


@transaction.atomic
def simulate(draft: SurvivorshipRuleSet, *, by: User | None) -> Job:
    """Start the job that counts what a draft would change; it changes nothing itself."""
    _lock_draft(draft)
    job = jobs.submit(
        SIMULATE, {"rule_set": draft.pk}, by=by, idempotency_key=f"{SIMULATE} {draft.pk}"
    )
    with acting_as(by, _("Simulation")):
        draft.simulated_by = job
        draft.save(update_fields=["simulated_by"])
    return job


@transaction.atomic
def activate(draft: SurvivorshipRuleSet, *, by: User | None) -> Job:
    """Put a simulated draft in force and start the job that derives golden records by it.

    From this moment on every golden record that is derived follows the new rules; the job brings
    along those that nothing else touches.

    Raises:
        RulesRefused: when these rules were not simulated to the end.
    """
    _lock_draft(draft)
    simulation = draft.simulated_by
    if simulation is None or simulation.state != Job.State.DONE:
        raise RulesRefused(_("Simulate these rules first: nobody has seen what they change."))
    with acting_as(by, _("Survivorship rules %(version)s in force") % {"version": draft}):
        for old in SurvivorshipRuleSet.objects.filter(status=_Status.ACTIVE):
            old.status = _Status.RETIRED
            old.save(update_fields=["status"])
        draft.status = _Status.ACTIVE
        draft.activated_at, draft.activated_by = now(), by
        draft.save(update_fields=["status", "activated_at", "activated_by"])
    return apply_again(draft, by=by)


def apply_again(rule_set: SurvivorshipRuleSet, *, by: User | None) -> Job:
    """Start the job that derives golden records by the rules in force, or go on after a stop."""
    return jobs.submit(
        APPLY, {"rule_set": rule_set.pk}, by=by, idempotency_key=f"{APPLY} {rule_set.pk}"
    )


def _lock_draft(draft: SurvivorshipRuleSet) -> None:
    locked = SurvivorshipRuleSet.objects.select_for_update().filter(pk=draft.pk).first()
    if locked is None or locked.status != _Status.DRAFT:
        raise RulesRefused(
            _("This is no draft any more: somebody put it in force or threw it away.")
        )
