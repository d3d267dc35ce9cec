"""The page of the rules for finding duplicates: in force, drafted, simulated, and before."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, QueryDict
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from matching import rule_sets, rule_words
from matching.explanation import reason_in_words
from matching.levels import LEVELS
from matching.models import MatchRun, RuleSet
from matching.outcome import examples
from matching.rule_sets import READ_FIELDS, BlockingRule, LevelReading, Parameters
from matching.run_charts import key_in_words, rule_in_words
from matching.runs import SearchRefused, start_run, start_simulation
from mdm import rule_versions
from mdm.models import Customer, Job
from mdm.pages import StaffPage
from mdm.rule_pages import action
from mdm.rule_versions import RulesRefused, required_draft

_NEW_PARTS = range(3)
_action = action("matching.activate_ruleset", "matching:rules")


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A blocking rule with what the last search made of it."""

    name: str
    words: str
    budget: float
    is_used: bool
    pairs: int | None
    new_pairs: int | None


class RulesPage(StaffPage):
    """How duplicates are found, and what other rules would change."""

    permission_required = "matching.view_ruleset"
    template_name = "matching/rules.html"
    title = gettext_lazy("Rules for finding duplicates")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the rules in force, the draft and what its simulation found."""
        active, draft = rule_sets.active_rule_set(), rule_versions.open_draft(RuleSet)
        parameters = Parameters.read(active.parameters)
        drafted = Parameters.read(draft.parameters) if draft else None
        versions = RuleSet.objects.select_related("created_by", "activated_by")
        return super().get_context_data(
            active=active,
            figures=rule_words.figures(parameters),
            said=rule_words.said(parameters),
            warnings=rule_words.warnings(parameters),
            parameters=parameters,
            rules=[row for row in _rule_rows(parameters) if row.is_used],
            follows_data=not parameters.rules,
            draft=draft,
            **_drafted(drafted),
            parts=sorted((key_in_words(part), part) for part in _known_parts()),
            new_parts=_NEW_PARTS,
            versions=list(versions.exclude(status=RuleSet.Status.DRAFT)),
            **_simulation(draft),
            **kwargs,
        )


def _drafted(drafted: Parameters | None) -> dict[str, Any]:
    """Return what the form of the draft shows."""
    if drafted is None:
        return {}
    return {
        "drafted": drafted,
        "draft_figures": rule_words.figures(drafted),
        "draft_training": rule_words.training_figures(drafted),
        "draft_rules": list(_rule_rows(drafted)),
        "draft_fields": rule_words.field_rows(drafted),
        "draft_guards": rule_words.guard_rows(drafted),
        "draft_warnings": rule_words.warnings(drafted),
    }


def _rule_rows(parameters: Parameters) -> Iterator[RuleRow]:
    """Yield the rules of a version in its order, then the others as delivered, unused."""
    delivered = _delivered_rules()
    used = parameters.rules or delivered
    report = _last_report()
    names = {rule.name for rule in used}
    for rule in (*used, *(other for other in delivered if other.name not in names)):
        found = report.get(rule.name, {})
        yield RuleRow(
            rule.name,
            rule_in_words(rule.name),
            rule.budget,
            rule.name in names,
            found.get("pairs"),
            found.get("new_pairs"),
        )


def _delivered_rules() -> tuple[BlockingRule, ...]:
    from matching.linkage.proposals import DEFAULT_RULES

    return tuple(BlockingRule(rule.parts, rule.budget) for rule in DEFAULT_RULES)


def _known_parts() -> list[str]:
    from matching.linkage.keys import PARTS

    return list(PARTS)


def _last_report() -> Mapping[str, Mapping[str, int]]:
    """Return what the last search over all records made of each rule."""
    run = MatchRun.objects.standing().exclude(job__parameters__scope="changed").first()
    return {rule["rule"]: rule for rule in run.counts.get("rules", ())} if run else {}


def _simulation(draft: RuleSet | None) -> dict[str, Any]:
    """Return the job, and once it is done its run beside the customers of today."""
    job = draft.simulated_by if draft else None
    if job is None or job.state != Job.State.DONE:
        return {"simulation": job, "run": None}
    run = MatchRun.objects.get(job=job)
    found = run.counts["outcome"]
    return {
        "simulation": job,
        "run": run,
        "outcome": found,
        "customers_now": Customer.objects.filter(merged_into=None).count(),
        "merges": examples(found["merges"]),
        "splits": examples(found["splits"]),
        "held": [(reason_in_words(code), count) for code, count in found["held"].items()],
    }


@_action
def edit(request: HttpRequest, user: User, version: int | None = None) -> str:
    """Open a draft of the rules in force, or of an earlier version."""
    origin = get_object_or_404(RuleSet, version=version) if version else None
    rule_sets.open_draft(of=origin, by=user)
    return _("The draft is open. Nothing changes until it is put in force.")


@_action
def save(request: HttpRequest, user: User) -> str:
    """Store the draft; with the button beside, also start its simulation."""
    draft = required_draft(RuleSet)
    note = request.POST.get("note", "")[:200]
    parameters = _posted(request.POST)
    with transaction.atomic():
        rule_sets.save_draft(draft, parameters, known_parts=_known_parts(), note=note, by=user)
        if "simulate" not in request.POST:
            return _("The draft is stored.")
        rule_versions.remember_simulation(draft, start_simulation(draft, by=user), by=user)
    return _("The simulation has started: it changes nothing.")


@_action
def discard(request: HttpRequest, user: User) -> str:
    """Throw the draft away."""
    rule_versions.discard(required_draft(RuleSet), by=user)
    return _("The draft was thrown away.")


@_action
def activate(request: HttpRequest, user: User) -> str:
    """Put the simulated draft in force and search with it at once."""
    rule_versions.put_in_force(required_draft(RuleSet), by=user)
    try:
        start_run(by=user)
    except SearchRefused as refusal:
        return _("The rules are in force.") + f" {refusal}"
    return _("The rules are in force, and a search with them has started.")


def _posted(form: QueryDict) -> Parameters:
    return Parameters(
        review_floor=_number(form, "review_floor"),
        automatic_threshold=_number(form, "automatic_threshold"),
        max_cluster_size=int(_number(form, "max_cluster_size")),
        least_support=_number(form, "least_support"),
        block_cap=int(_number(form, "block_cap")),
        link_only="link_only" in form,
        rules=_posted_rules(form),
        organisation_floor=_optional(form, "organisation_floor"),
        organisation_threshold=_optional(form, "organisation_threshold"),
        left_out=tuple(form.getlist("left_out")),
        read_as=tuple(_posted_readings(form)),
        unguarded=tuple(form.getlist("unguarded")),
        lifts_guards="keeps_guards" not in form,
        most_rounds=int(_number(form, "most_rounds")),
        shrink=_number(form, "shrink"),
        prior_pairs=_number(form, "prior_pairs"),
        learns_anew="keeps_learnt" not in form,
    )


def _posted_readings(form: QueryDict) -> Iterator[LevelReading]:
    for field in READ_FIELDS:
        for level in (one.name.lower() for one in LEVELS[field]):
            if read_as := form.get(f"read-{field}-{level}"):
                yield LevelReading(field, level, read_as)


def _posted_rules(form: QueryDict) -> tuple[BlockingRule, ...]:
    """Return the rules that were ticked and the new one; none where they are as delivered."""
    rules = [
        BlockingRule(tuple(name.split("+")), _number(form, f"budget-{name}"))
        for name in form.getlist("rule")
    ]
    parts = tuple(filter(None, (form.get(f"new-part-{place}", "") for place in _NEW_PARTS)))
    if parts:
        rules.append(BlockingRule(parts))
    if not rules:
        raise RulesRefused(_("Without any blocking rule nothing would be compared."))
    return () if tuple(rules) == _delivered_rules() else tuple(rules)


def _optional(form: QueryDict, name: str) -> float | None:
    return _number(form, name) if form.get(name, "").strip() else None


def _number(form: QueryDict, name: str) -> float:
    try:
        number = float(form.get(name, "").replace(",", "."))
    except ValueError:
        number = float("nan")
    if not -1000 <= number <= 1_000_000:
        raise RulesRefused(_("A figure is missing or is no number."))
    return number
