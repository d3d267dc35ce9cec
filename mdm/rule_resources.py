"""Survivorship rules as a file: out go those in force, in comes a new draft of the rule set.

A version in force is never edited: the draft is simulated and put in force on its page.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from import_export import fields, widgets

from mdm import rule_versions
from mdm.models import SourceSystem, SurvivorshipRule, SurvivorshipRuleSet
from mdm.resources import ReferenceResource
from mdm.rule_versions import RulesRefused
from mdm.survivorship import DEFAULT_RULES, Rule
from mdm.survivorship_rules import check, rules_in_force

_BETWEEN = " | "


class _Order(widgets.Widget):
    """Strategies in one cell, in order, a bar between them."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> list[str]:
        return [part.strip() for part in str(value or "").split("|") if part.strip()]

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return _BETWEEN.join(value or ())


class _Trust(widgets.Widget):
    """Trust by code of a source: `crm = 90 | shop = 20`."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> dict[str, int]:
        found = {}
        for part in filter(None, map(str.strip, str(value or "").split("|"))):
            code, _sign, figure = map(str.strip, part.partition("="))
            if not figure.isdecimal() or len(figure) > 3:
                raise ValueError(_("Write trust as crm = 90 | shop = 20."))
            found[code] = int(figure)
        return found

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return _BETWEEN.join(
            f"{code} = {figure}" for code, figure in sorted((value or {}).items())
        )


class SurvivorshipRuleResource(ReferenceResource):
    """One row for each attribute; what is as delivered needs none."""

    strategies = fields.Field(attribute="strategies", column_name="strategies", widget=_Order())
    trust = fields.Field(attribute="trust", column_name="trust", widget=_Trust())

    class Meta(ReferenceResource.Meta):
        model = SurvivorshipRule
        import_id_fields = ("attribute",)
        fields = ("attribute", "strategies", "trust")

    def __init__(self, **kwargs: Any) -> None:
        """Begin without a draft: a file opens one."""
        super().__init__(**kwargs)
        self._draft: SurvivorshipRuleSet | None = None
        self._sources = dict(SourceSystem.objects.values_list("code", "pk"))

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        """Open the draft that the rows are for.

        Raises:
            RulesRefused: when a draft is open already.
        """
        self._draft = rule_versions.create_draft(SurvivorshipRuleSet, by=kwargs.get("user"))

    def get_queryset(self) -> "QuerySet[SurvivorshipRule]":
        """Return the rules of the draft alone."""
        return SurvivorshipRule.objects.filter(rule_set=self._draft)

    def init_instance(self, row: Any = None) -> SurvivorshipRule:
        """Make a rule of the draft."""
        return SurvivorshipRule(rule_set=self._draft)

    def problem(self, instance: SurvivorshipRule) -> dict[str, ValidationError]:
        """Refuse what the form of the draft refuses, and sources that do not exist."""
        unknown = sorted(set(instance.trust).difference(self._sources))
        if unknown:
            words = _("The source “%(code)s” is unknown.") % {"code": unknown[0]}
            return {"trust": ValidationError(words)}
        try:
            check(instance.attribute, self._rule(instance))
        except RulesRefused as refusal:
            return {"strategies": ValidationError(str(refusal))}
        return {}

    def skip_row(
        self,
        instance: SurvivorshipRule,
        original: Any,
        row: Any,
        import_validation_errors: Any = None,
    ) -> bool:
        """Leave out what is as delivered: a version holds what differs."""
        is_as_delivered = DEFAULT_RULES.get(instance.attribute) == self._rule(instance)
        return is_as_delivered and not import_validation_errors

    def iter_queryset(self, queryset: Iterable[SurvivorshipRule]) -> Iterator[SurvivorshipRule]:
        """Yield the rules in force, those as delivered too: the file tells the whole."""
        codes = {key: code for code, key in self._sources.items()}
        for attribute, rule in rules_in_force().items():
            trust = {codes[key]: figure for key, figure in rule.trust.items()}
            yield SurvivorshipRule(
                attribute=attribute, strategies=list(rule.strategies), trust=trust
            )

    def _rule(self, instance: SurvivorshipRule) -> Rule:
        trust = {self._sources[code]: figure for code, figure in instance.trust.items()}
        strategies = tuple(instance.strategies)
        default = DEFAULT_RULES.get(instance.attribute)
        return Rule(strategies or (default.strategies if default else ()), trust)
