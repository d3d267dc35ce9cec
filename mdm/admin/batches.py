"""The list of loaded files; each has its own page (mdm:batch)."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from mdm.models import LoadBatch
from mdm.staff import staff_name


def _count(field: str, heading: Any) -> Callable[[ModelAdmin, LoadBatch], str]:
    """Return a column that shows a count with the reader's separators."""

    @admin.display(description=heading, ordering=field)
    def column(_admin: ModelAdmin, batch: LoadBatch) -> str:
        return number_format(getattr(batch, field), force_grouping=True)

    return column


@admin.register(LoadBatch)
class LoadBatchAdmin(ModelAdmin):
    """Loaded files, the latest first. A batch is made by loading, and never edited."""

    list_display = (
        "file_name",
        "state",
        "source",
        "new",
        "changed",
        "same",
        "rejected",
        "loaded_by",
        "created_at",
    )
    list_select_related = ("source", "created_by", "job", "undo_job")
    list_filter = ("source", "mode")
    search_fields = ("file_name", "sha256")
    search_help_text = _("Name of the file or its SHA-256")
    list_per_page = 50

    @admin.display(description=_("state"))
    def state(self, batch: LoadBatch) -> str:
        """Return how far the file came."""
        return batch.state_in_words

    new = _count("new_count", _("new"))
    changed = _count("changed_count", _("changed"))
    same = _count("same_count", _("the same"))
    rejected = _count("rejected_count", _("rejected"))

    @admin.display(description=_("loaded by"), ordering="created_by")
    def loaded_by(self, batch: LoadBatch) -> str:
        """Return the person; nobody when a folder or a command brought it."""
        return staff_name(batch.created_by) or "–"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Batches come from the page that loads a file."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: LoadBatch | None = None) -> bool:
        """What was loaded was loaded."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: LoadBatch | None = None) -> bool:
        """Records point at their batch for ever."""
        return False

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponseBase:
        """Open the batch's own page."""
        return redirect("mdm:batch", pk=object_id)
