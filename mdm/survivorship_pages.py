"""The page of the survivorship rules: in force, drafted, simulated, and every version before."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mdm import job_words, survivorship_rules
from mdm.golden_records import Prospect, prospects_under
from mdm.lineage import label_of, lines_of
from mdm.models import ATTRIBUTES, Customer, GoldenRecord, Job, SourceSystem, SurvivorshipRuleSet
from mdm.pages import StaffPage, staff_user
from mdm.rule_pages import action
from mdm.rule_versions import RulesRefused, open_draft, required_draft
from mdm.rule_versions import discard as discard_draft
from mdm.survivorship import DEFAULT_RULES, GROUPS, STRATEGIES, Rule
from mdm.survivorship_jobs import changed_groups
from mdm.survivorship_rules import APPLY, SIMULATE, Rules

STRATEGY_LABELS = {
    "whole": gettext_lazy("whole address"),
    "valid": gettext_lazy("without fault"),
    "trust": gettext_lazy("most trusted source"),
    "recency": gettext_lazy("latest"),
    "frequency": gettext_lazy("said most often"),
    "completeness": gettext_lazy("fullest"),
}
_VIEW = "mdm.view_survivorshiprule"
_PLACES = range(len(STRATEGIES))


def _page_url(job: Job) -> str:
    return reverse("mdm:survivorship")


job_words.describe(
    SIMULATE,
    job_words.JobWords(
        label=gettext_lazy("Simulation of survivorship rules"),
        phases={"simulating": gettext_lazy("Chooses every value by the drafted rules")},
        figures={
            "customers": gettext_lazy("Customers of several records"),
            "changed": gettext_lazy("Golden records that would change"),
        },
        icon="rule_settings",
        result_url=_page_url,
    ),
)
job_words.describe(
    APPLY,
    job_words.JobWords(
        label=gettext_lazy("New survivorship rules"),
        phases={"consolidating": gettext_lazy("Derives golden records by the new rules")},
        figures={
            "customers": gettext_lazy("Customers of several records"),
            "changed": gettext_lazy("Changed golden records"),
        },
        icon="rule_settings",
        result_url=_page_url,
    ),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One group of attributes and how it is chosen; `is_changed` against the rules in force.

    As somebody typed it, a row may hold what no rule can.
    """

    group: str
    label: str
    strategies: tuple[str, ...]
    trust: list[tuple[SourceSystem, int | str | None]]
    is_changed: bool

    @property
    def words(self) -> list[str]:
        """The strategies in the reader's language, in order."""
        return [str(STRATEGY_LABELS[name]) for name in self.strategies]

    @property
    def places(self) -> list[tuple[int, str]]:
        """Each place of the order with the strategy that stands there, empty at the end."""
        return [
            (place, self.strategies[place] if place < len(self.strategies) else "")
            for place in _PLACES
        ]

    @property
    def own_trust(self) -> list[tuple[SourceSystem, int | str]]:
        """The sources whose trust differs for this group alone."""
        return [(source, value) for source, value in self.trust if value is not None]


@dataclass(frozen=True, slots=True)
class Example:
    """A customer whose golden record would change, line by line."""

    customer: Customer
    changes: list[tuple[str, tuple[str, ...], tuple[str, ...]]]


class SurvivorshipPage(StaffPage):
    """Which value survives: the rules in force, the draft with its simulation, the versions."""

    permission_required = _VIEW
    template_name = "mdm/survivorship.html"
    title = gettext_lazy("Which value survives")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the rules in force, the draft and what its simulation found."""
        versions = list(
            SurvivorshipRuleSet.objects.select_related(
                "created_by", "activated_by", "simulated_by"
            )
        )
        by_status = {version.status: version for version in versions}
        draft = by_status.get(SurvivorshipRuleSet.Status.DRAFT)
        active = by_status.get(SurvivorshipRuleSet.Status.ACTIVE)
        sources = list(SourceSystem.objects.order_by("label"))
        rules = survivorship_rules.rules_of(active)
        return super().get_context_data(
            rows=list(_rows(rules, rules, sources)),
            active=active,
            draft=draft,
            draft_rows=self._draft_rows(draft, rules, sources) if draft else [],
            strategies=[("", "–"), *STRATEGY_LABELS.items()],
            versions=[v for v in versions if v != draft],
            unfinished=_unfinished(active),
            **_simulation(draft),
            **kwargs,
        )

    def _draft_rows(
        self, draft: SurvivorshipRuleSet, in_force: Rules, sources: list[SourceSystem]
    ) -> list[Row]:
        return list(_rows(survivorship_rules.rules_of(draft), in_force, sources))


class DraftPage(SurvivorshipPage):
    """Where the form of the draft is sent: stored, or shown again as it was filled in."""

    permission_required = "mdm.activate_survivorshipruleset"
    http_method_names = ("post",)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Store the draft; with the button beside, also start its simulation."""
        note = request.POST.get("note", "")[:200]
        try:
            draft = required_draft(SurvivorshipRuleSet)
            messages.success(request, _save(draft, request, note=note, by=staff_user(request)))
        except RulesRefused as refusal:
            if open_draft(SurvivorshipRuleSet):
                context = self.get_context_data(draft_refusal=str(refusal), draft_note=note)
                return self.render_to_response(context, status=422)
            messages.error(request, str(refusal))
        return redirect("mdm:survivorship")

    def _draft_rows(
        self, draft: SurvivorshipRuleSet, in_force: Rules, sources: list[SourceSystem]
    ) -> list[Row]:
        return list(_posted_rows(self.request, in_force, sources))


def _rows(rules: Rules, in_force: Rules, sources: list[SourceSystem]) -> Iterator[Row]:
    for group in GROUPS:
        rule = rules[group]
        trust: list[tuple[SourceSystem, int | str | None]] = [
            (source, rule.trust.get(source.pk)) for source in sources
        ]
        yield Row(group, label_of(group), rule.strategies, trust, rule != in_force[group])


def _posted_rows(
    request: HttpRequest, in_force: Rules, sources: list[SourceSystem]
) -> Iterator[Row]:
    """Yield the rows as they were filled in, whether or not they can be rules."""
    for group in GROUPS:
        chosen = _posted_strategies(request, group)
        trust: list[tuple[SourceSystem, int | str | None]] = [
            (source, request.POST.get(f"{group}-trust-{source.code}", "").strip() or None)
            for source in sources
        ]
        told = {source.pk: str(value) for source, value in trust if value is not None}
        rule = in_force[group]
        known = {key: str(value) for key, value in rule.trust.items()}
        is_changed = tuple(filter(None, chosen)) != rule.strategies or told != known
        yield Row(group, label_of(group), chosen, trust, is_changed)


def _posted_strategies(request: HttpRequest, group: str) -> tuple[str, ...]:
    return tuple(request.POST.get(f"{group}-{place}", "") for place in _PLACES)


def _unfinished(active: SurvivorshipRuleSet | None) -> Job | None:
    """Return the latest job that carries the rules out, unless it is done."""
    if active is None:
        return None
    jobs = Job.objects.filter(kind=APPLY, parameters__rule_set=active.pk)
    latest = jobs.order_by("-created_at").first()
    return latest if latest and latest.state != Job.State.DONE else None


def _simulation(draft: SurvivorshipRuleSet | None) -> dict[str, Any]:
    job = draft.simulated_by if draft else None
    if draft is None or job is None or not job.result:
        return {"simulation": job, "examples": [], "bars": []}
    attributes = job.result["attributes"]
    bars = [
        {"label": label_of(group), "value": attributes[group]}
        for group in GROUPS
        if group in attributes
    ]
    examples = _examples(draft, job.result["examples"])
    return {"simulation": job, "bars": bars, "examples": examples}


def _examples(draft: SurvivorshipRuleSet, public_ids: list[str]) -> list[Example]:
    customers = {c.pk: c for c in Customer.objects.of_public_ids(public_ids)}
    found = prospects_under(survivorship_rules.rules_of(draft), sorted(customers))
    return [Example(customers[p.customer_id], _changes(p)) for p in found]


def _changes(prospect: Prospect) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    before, after = (
        GoldenRecord(**dict(zip(ATTRIBUTES, values or (), strict=False)))
        for values in (prospect.before, prospect.after)
    )
    return [
        (label_of(group), lines_of(before, group), lines_of(after, group))
        for group in changed_groups(prospect)
    ]


_action = action("mdm.activate_survivorshipruleset", "mdm:survivorship")


@_action
def edit(request: HttpRequest, user: User, version: int | None = None) -> str:
    """Open a draft of the rules in force, or of an earlier version."""
    origin = get_object_or_404(SurvivorshipRuleSet, version=version) if version else None
    survivorship_rules.open_draft(of=origin, by=user)
    return _("The draft is open. Nothing changes until it is put in force.")


def _save(draft: SurvivorshipRuleSet, request: HttpRequest, *, note: str, by: User) -> str:
    survivorship_rules.save_draft(draft, dict(_posted_rules(request)), note=note, by=by)
    if "simulate" in request.POST:
        survivorship_rules.simulate(draft, by=by)
        return _("The simulation has started: it changes nothing.")
    return _("The draft is stored.")


@_action
def discard(request: HttpRequest, user: User) -> str:
    """Throw the draft away."""
    discard_draft(required_draft(SurvivorshipRuleSet), by=user)
    return _("The draft was thrown away.")


@_action
def activate(request: HttpRequest, user: User) -> str:
    """Put the simulated draft in force."""
    survivorship_rules.activate(required_draft(SurvivorshipRuleSet), by=user)
    return _("The rules are in force; golden records follow them one after the other.")


@_action
def go_on(request: HttpRequest, user: User) -> str:
    """Go on with a derivation that was stopped."""
    active = get_object_or_404(SurvivorshipRuleSet, status=SurvivorshipRuleSet.Status.ACTIVE)
    survivorship_rules.apply_again(active, by=user)
    return _("The derivation goes on.")


def _posted_rules(request: HttpRequest) -> Iterator[tuple[str, Rule]]:
    sources = list(SourceSystem.objects.values_list("pk", "code"))
    for group in GROUPS:
        strategies = tuple(filter(None, _posted_strategies(request, group)))
        trust = {
            key: _figure(text)
            for key, code in sources
            if (text := request.POST.get(f"{group}-trust-{code}", "").strip())
        }
        yield group, Rule(strategies or DEFAULT_RULES[group].strategies, trust)


def _figure(text: str) -> int:
    if not text.isdecimal() or len(text) > 3:
        raise RulesRefused(_("Trust is a figure from 0 to 100."))
    return int(text)
