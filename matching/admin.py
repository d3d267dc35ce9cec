"""Rule sets and decisions in the admin, to be read: pages of their own change them."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin

from matching.models import Decision, RuleSet


class _ReadOnly(ModelAdmin):
    """A list that nobody changes here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds a row by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Nobody changes a row by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Nobody deletes a row: facts are kept."""
        return False


@admin.register(RuleSet)
class RuleSetAdmin(SimpleHistoryAdmin, _ReadOnly):
    """How duplicates are found, version by version."""

    list_display = ("version", "status", "note", "activated_at", "activated_by")
    list_filter = ("status",)
    fields = ("version", "status", "note", "parameters", "created_at", "activated_at")


@admin.register(Decision)
class DecisionAdmin(_ReadOnly):
    """What stewards said, the latest first; those taken back stay in the list."""

    list_display = ("decided_at", "verdict", "left", "right", "decided_by", "is_in_force", "note")
    list_filter = ("verdict", "decided_by")
    list_select_related: ClassVar[tuple[str, ...]] = (
        "left__source",
        "right__source",
        "decided_by",
    )
    date_hierarchy = "decided_at"
    fields = (
        "left",
        "right",
        "verdict",
        "note",
        "decided_by",
        "decided_at",
        "reason",
        "is_blind",
        "ended_by",
        "retracted_at",
        "retracted_by",
    )

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Decision]":
        """Read the records of each pair in the same query."""
        decisions: QuerySet[Decision] = super().get_queryset(request)
        return decisions.select_related(*self.list_select_related)

    @admin.display(description=_("in force"), boolean=True)
    def is_in_force(self, decision: Decision) -> bool:
        """Return whether nobody has taken it back."""
        return decision.retracted_at is None
