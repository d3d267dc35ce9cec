"""Survivorship rules as a file; they are read, drafted and put in force on a page of their own."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from mdm.admin.reference_tables import ReferenceTableAdmin
from mdm.models import SurvivorshipRule, SurvivorshipRuleSet
from mdm.rule_resources import SurvivorshipRuleResource


@admin.register(SurvivorshipRule)
class SurvivorshipRuleAdmin(ReferenceTableAdmin):
    """Import into a new draft, export of the rules in force; nothing is edited here."""

    list_display = ("attribute", "strategies", "trust")
    list_display_links = None
    resource_classes = (SurvivorshipRuleResource,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[SurvivorshipRule]:
        """The rules in force."""
        rules: QuerySet[SurvivorshipRule] = super().get_queryset(request)
        return rules.filter(rule_set__status=SurvivorshipRuleSet.Status.ACTIVE)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A rule is drafted with its version."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A version in force is never edited."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nor deleted."""
        return False

    def process_result(self, result: Any, request: HttpRequest) -> HttpResponse:
        """Go to the draft, where it is simulated."""
        super().process_result(result, request)
        return redirect("mdm:survivorship")
